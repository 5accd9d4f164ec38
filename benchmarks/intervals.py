"""How often the 95 % intervals of ln Z hold the truth, on machines whose ln Z can be enumerated.

    python benchmarks/intervals.py            writes docs/coverage.md (about twenty minutes on one core)
    python benchmarks/intervals.py --quick    prints a short form (about one minute)

Each pair of families: random machines, couplings from weak to strong, one run of each estimator a machine.  Trained:
machines that have learned four noisy patterns by the exact gradient, many runs of each estimator.  `AIS` and
`reverse AIS` are the two sides of `both`: the reverse one begins with what the forward one has found.
"""

from __future__ import annotations

import argparse
import math
import platform
import sys
import textwrap
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

import harmonium as hm
from harmonium.logz import Bidirectional, Estimate, ParallelTempering, exact_log_z
from harmonium.logz.bases import independent_base
from harmonium.logz.schedules import even_schedule
from harmonium.logz.trajectory import Follower
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.units import UnitFamily, parse_side

SIDES = ("bernoulli:6", "ising:6", "onehot:3x3", "multivalued:4,s=3", "interval:4", "gaussian:4,variance=1.0")
TRAINED = ("bernoulli:10", "ising:10", "onehot:5x3", "multivalued:8,s=3", "interval:6", "gaussian:6,variance=1.0")
MACHINES = 100
#: The mark: of 100 intervals as many hold the truth.
LEAST, MOST = 90, 99

BOTH = Bidirectional(even_schedule(50), 96)
TEMPERING = ParallelTempering(replicas=16, sweeps=100, rounds=2)
FOLLOWER = Follower(groups=16, chains=16)


def estimates(rbm: RBM, noise: Noise) -> dict[str, Estimate]:
    """One run of each estimator."""
    both = replace(BOTH, base=independent_base(rbm))(rbm, noise)
    return {
        "AIS": both.sides[0],
        "reverse AIS": both.sides[1],
        "both": both,
        "tempering": TEMPERING(rbm, noise),
        "trajectory": FOLLOWER.init(rbm, rbm.decoupled(), noise).estimate(),
    }


NAMES = ("AIS", "reverse AIS", "both", "tempering", "trajectory")


@dataclass
class Record:
    """What one estimator has said about one pair's machines."""

    errors: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)

    def add(self, z: Estimate, truth: float) -> None:
        """One more estimate."""
        self.errors.append(z.value - truth)
        self.widths.append(z.half_width)

    @property
    def runs(self) -> int:
        """How many."""
        return len(self.errors)

    @property
    def held(self) -> int:
        """How many of the intervals hold the truth; a millionth of a nat is rounding."""
        return sum(abs(e) <= w + 1e-6 for e, w in zip(self.errors, self.widths, strict=True))

    @property
    def outside(self) -> bool:
        """Whether that is beside the mark, for a hundred machines."""
        return not LEAST * self.runs <= 100 * self.held <= MOST * self.runs


Records = dict[str, Record]


# ---- machines -----------------------------------------------------------------------------------------------------


def pairs() -> Iterator[tuple[UnitFamily, UnitFamily]]:
    """All pairs of families whose ln Z is known: a side that can be counted, or Gaussian units on both."""
    sides = [parse_side(text) for text in SIDES]
    for visible in sides:
        for hidden in sides:
            if visible.n_states or hidden.n_states or visible.name == hidden.name == "gaussian":
                yield visible, hidden


def random_machine(visible: UnitFamily, hidden: UnitFamily, number: int) -> RBM:
    """Couplings of size 0.1 to 2, evenly in its logarithm; unbounded units are held together (singular value 0.7)."""
    draw = torch.Generator().manual_seed(seed_for("coverage", visible.spec, hidden.spec, number))

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64)

    strength = 0.1 * 20 ** float(torch.rand((), generator=draw))
    a, b = normal(1, visible.size) / 2, normal(1, hidden.size) / 2
    W = strength * normal(visible.size, hidden.size)
    scaled = visible.precision(a).rsqrt()[:, None] * W * hidden.precision(b).rsqrt()
    return RBM(visible, hidden, W * (0.7 / max(0.7, float(torch.linalg.matrix_norm(scaled, ord=2)))), a, b)


def trained_machine(visible: UnitFamily) -> RBM:
    """Six Bernoulli units that have learned four patterns, each unit drawn anew with probability 0.15."""
    noise = Noise(seed_for("patterns", visible.spec), dtype=torch.float64)
    neutral = visible.neutral(torch.empty(0, dtype=torch.float64))

    def draw(rows: int) -> Tensor:
        return visible.decode(visible.sample(neutral.expand(rows, -1, -1), noise.uniform(rows, visible.n)))

    kept, fresh = draw(4).repeat(50, 1), draw(200)
    X = torch.where(noise.uniform(200, visible.n) < 0.15, fresh, kept)
    return hm.train(
        X.numpy(), visible=visible.spec, hidden="bernoulli:6", negative="exact", seed=0, epochs=300, batch_size=200,
        optimizer="sgd", learning_rate=0.1, momentum=0.9, validation=0, held_out="0", patience=0,
    ).rbm.to(dtype=torch.float64)  # fmt: skip


def run_over(machines: Iterable[RBM], *words: object) -> Records:
    """Each estimator once on each machine."""
    records: Records = defaultdict(Record)
    for number, rbm in enumerate(machines):
        truth = exact_log_z(rbm)
        noise = Noise(seed_for("coverage", *words, number), dtype=torch.float64)
        for name, z in estimates(rbm, noise).items():
            records[name].add(z, truth)
    return records


# ---- the page -----------------------------------------------------------------------------------------------------


def chance_outside(runs: int) -> float:
    """The probability that an estimator whose intervals are right is beside the mark: Binomial(runs, 0.95)."""
    inside = (k for k in range(runs + 1) if LEAST * runs <= 100 * k <= MOST * runs)
    return 1 - sum(math.comb(runs, k) * 0.95**k * 0.05 ** (runs - k) for k in inside)


def table(first: str, rows: dict[str, Records]) -> list[str]:
    """How many intervals hold the truth, a row a pair; those beside the mark are bold."""
    lines = [f"| {first} | {' | '.join(NAMES)} |", "| --- |" + " ---: |" * len(NAMES)]
    for label, records in rows.items():
        cells = [f"**{records[n].held}**" if records[n].outside else str(records[n].held) for n in NAMES]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def pooled(rows: dict[str, Records]) -> list[str]:
    """All pairs together: the rate, the pairs beside the mark, the mean error, the spread against what was stated."""
    runs = next(iter(rows.values()))["both"].runs
    expected = chance_outside(runs) * len(rows)
    lines = [
        f"| all together | held | rows beside the mark (chance: {expected:.1f}) | mean error, nats | z |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name in NAMES:
        records = [row[name] for row in rows.values()]
        total, held = sum(r.runs for r in records), sum(r.held for r in records)
        error = torch.tensor([e for r in records for e in r.errors], dtype=torch.float64)
        stderr = float(error.std()) / math.sqrt(total)
        lines.append(
            f"| {name} | {100 * held / total:.1f} % ± {100 * math.sqrt(0.05 * 0.95 / total):.1f} | "
            f"{sum(r.outside for r in records)} | {error.mean():+.4f} | {float(error.mean()) / stderr:+.1f} |"
        )
    return lines


def page(random: dict[str, Records], trained: dict[str, Records], command: str, seconds: float) -> str:
    """The results as a page of the documentation."""
    runs = next(iter(random.values()))["both"].runs
    again = next(iter(trained.values()))["both"].runs
    blocks = [
        ["# How often the intervals of ln Z hold the truth"],
        wrapped(
            f"""Written by `{command}` in {seconds / 60:.1f} minutes: torch {torch.__version__},
            {torch.get_num_threads()} thread(s), {platform.machine()}. A 95 % interval should hold ln Z in 95 of 100
            cases; the mark is 90 to 99 for each row of 100, which intervals that are right miss in
            {100 * chance_outside(100):.1f} % of rows. Numbers beside the mark are bold."""
        ),
        wrapped(
            f"""`both` has {BOTH.chains} annealings by block Gibbs sweeps, {len(BOTH.schedule) - 1} steps from
            independent units, and as many back; AIS and reverse AIS are its two sides. Tempering has
            {TEMPERING.replicas} ladders of {TEMPERING.sweeps} sweeps; the follower of trajectories, here on the way
            from independent units, {FOLLOWER.groups} groups of {FOLLOWER.chains} chains."""
        ),
        ["## Random machines"],
        wrapped(
            f"""{runs} machines a pair, couplings of size 0.1 to 2 (evenly in its logarithm), fields of size 0.5;
            sides: {", ".join(f"`{s}`" for s in SIDES)}."""
        ),
        pooled(random),
        wrapped(
            """One-sided estimates are off to their own side on average (z: the mean error over its standard error);
            that, and weights that are skewed, cost them some of their intervals."""
        ),
        table("visible – hidden", random),
        ["## Trained machines"],
        wrapped(
            f"""Six Bernoulli hidden units that have learned four noisy patterns by the exact gradient; {again} runs of
            each estimator a row."""
        ),
        pooled(trained),
        table("visible", trained),
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def wrapped(text: str) -> list[str]:
    """A paragraph, broken into lines."""
    return textwrap.wrap(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def main() -> None:
    """Run everything; write the page, or print it where it is the short form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short form: 20 machines, every fourth pair")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    began = time.perf_counter()
    chosen, runs = (list(pairs())[::4], 20) if arguments.quick else (list(pairs()), MACHINES)
    random, trained = {}, {}
    for visible, hidden in chosen:
        label = f"{visible.name} – {hidden.name}"
        machines = (random_machine(visible, hidden, number) for number in range(runs))
        random[label] = run_over(machines, visible.spec, hidden.spec)
        sys.stderr.write(f"{label}: {', '.join(str(random[label][n].held) for n in NAMES)}\n")
    for text in TRAINED[::4] if arguments.quick else TRAINED:
        visible = parse_side(text)
        trained[text] = run_over([trained_machine(visible)] * runs, "trained", text)
        sys.stderr.write(f"trained {text}: {', '.join(str(trained[text][n].held) for n in NAMES)}\n")
    command = "python benchmarks/intervals.py" + (" --quick" if arguments.quick else "")
    text = page(random, trained, command, time.perf_counter() - began)
    if arguments.quick:
        sys.stdout.write(text)
    else:
        (Path(__file__).parents[1] / "docs" / "coverage.md").write_text(text)


if __name__ == "__main__":
    main()
