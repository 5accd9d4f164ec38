"""Estimators of the gradient on machines small enough to know the truth.

    python benchmarks/estimators.py            writes docs/estimators.md and its figure (ten to twenty minutes)
    python benchmarks/estimators.py --quick    prints a short form (half a minute)

A planted machine of 8 Ising visible and 4 Ising hidden units draws N rows; learners of the same shape climb by plain
gradient ascent on minibatches, at one learning rate, from one start.  What is judged is a running mean of the learner's
parameters, by the Kullback-Leibler divergence from the planted distribution and the mean log-likelihood of the N rows:
sums over all 256 states.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from harmonium.machine import RBM
from harmonium.moments import Sample, likelihood_gradient, moments
from harmonium.negative import NEGATIVES, Negative
from harmonium.noise import Noise, seed_for
from harmonium.plots.style import CYCLE, INK, headings, new_figure, save, style
from harmonium.units import Ising

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VISIBLE, HIDDEN, STRENGTH = 8, 4, 0.7
ROWS = (200, 2000)
BATCH, RATE, START = 100, 0.3, 0.05
UPDATES, REPEATS = 300, 20
#: Updates over which the running mean of the parameters reaches back.
HORIZON = 100

Make = Callable[[], Negative]
METHODS: dict[str, Make] = {
    "exact": lambda: NEGATIVES["exact"](1, BATCH),
    "cd-1": lambda: NEGATIVES["cd"](1, BATCH),
    "cd-10": lambda: NEGATIVES["cd"](10, BATCH),
    "pcd": lambda: NEGATIVES["pcd"](1, BATCH),
    "pseudolikelihood": lambda: NEGATIVES["pseudolikelihood"](1, BATCH),
    "pairs": lambda: NEGATIVES["pairs"](1, BATCH),
    "flow": lambda: NEGATIVES["flow"](1, BATCH),
    "kliep": lambda: NEGATIVES["kliep"](1, BATCH),
    "tap": lambda: NEGATIVES["tap"](1, BATCH),
}


def random_machine(strength: float, noise: Noise) -> RBM:
    """Couplings normal with standard deviation `strength`, fields with half of it."""
    W = noise.normal(VISIBLE, HIDDEN) * strength
    a, b = noise.normal(1, VISIBLE) * (strength / 2), noise.normal(1, HIDDEN) * (strength / 2)
    return RBM(Ising(VISIBLE), Ising(HIDDEN), W, a, b)


def all_states() -> Tensor:
    """(256, 8)."""
    side = Ising(VISIBLE)
    return side.states(torch.arange(side.n_states), like=torch.empty(0, dtype=torch.float64))


def log_probabilities(rbm: RBM, states: Tensor) -> Tensor:
    """ln p(v) of all states (256,)."""
    return (-rbm.free_energy(states)).log_softmax(0)


@dataclass(frozen=True)
class Run:
    """Measured along one training; the likelihood is the rows' mean log-likelihood minus that under the truth, nats."""

    step: np.ndarray
    seconds: np.ndarray
    divergence: np.ndarray
    likelihood: np.ndarray


def run(method: str, n: int, repeat: int, at: np.ndarray) -> Run:
    """One planted machine, one data set and one learner; machines, rows and starts are the same for all methods."""
    states = all_states()
    noise = Noise(seed_for("planted", repeat), dtype=torch.float64)
    truth = log_probabilities(random_machine(STRENGTH, noise), states)
    passed = truth.exp().cumsum(0)
    number = torch.searchsorted(passed, noise.uniform(n) * passed[-1])
    v = states[number.clamp_max(len(states) - 1)]
    counts = number.bincount(minlength=len(states)).double() / n
    rbm = random_machine(START, noise)
    negative, noise = METHODS[method](), Noise(seed_for(method, n, repeat), dtype=torch.float64)
    state, seconds, rows, wanted = negative.init(rbm, noise), 0.0, [], set(at.tolist())
    order, mean = Noise(seed_for("order", n, repeat), dtype=torch.float64), rbm
    for step in range(int(at[-1]) + 1):
        if step in wanted:
            log_p = log_probabilities(mean, states)
            rows.append((step, seconds, float(truth.exp() @ (truth - log_p)), float(counts @ (log_p - truth))))
        place = step % (n // BATCH)
        if place == 0:
            shuffled = v[order.uniform(n).argsort()]
        batch = shuffled[place * BATCH : (place + 1) * BATCH]
        begin = time.process_time()
        data = Sample(batch, eta_h=rbm.eta_h_from_v(batch))
        model, state, _ = negative.step(rbm, data, state, noise)
        gradient = likelihood_gradient(moments(rbm, data), model)
        rbm = rbm.map(lambda x, g: x + RATE * g, gradient)
        seconds += time.process_time() - begin
        mean = mean.lerp(rbm, 1 / min(step + 1, HORIZON))
    return Run(*(np.array(column) for column in zip(*rows, strict=True)))


#: The runs over repeats, by method and number of rows.
Results = dict[tuple[str, int], list[Run]]


def mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Over repeats (the first axis): mean and standard error."""
    return values.mean(0), values.std(0, ddof=1) / len(values) ** 0.5


def at_time(runs: list[Run], seconds: float, quantity: str) -> np.ndarray:
    """Each run's value after so many seconds, by the straight line between measurements."""
    return np.array([np.interp(seconds, x.seconds, getattr(x, quantity)) for x in runs])


#: What is known of each beforehand: when to use it, and when not.
ADVICE = {
    "exact": "The likelihood itself. Use it wherever one side has few enough states; the others exist for where not.",
    "cd-1": "Cheap and low in variance, but biased: chains of one sweep stay near the data. Use it for a quick start "
    "and to reproduce older work, not where weights grow large.",
    "cd-10": "The same with ten sweeps: less bias, for ten times the sampling. Use it where chains mix in some tens of "
    "sweeps and persistent chains are not wanted; not where modes lie apart.",
    "pcd": "Chains that live on sample the machine itself, at the price of CD-1. The choice for large machines; not "
    "with large learning rates, which the chains cannot follow, and its last iterates are noisy: average, or let the "
    "rate fall.",
    "pseudolikelihood": "Deterministic and consistent: with enough data it finds the truth, with few it wastes part of "
    "what they know. Use it for discrete data with short-ranged structure; not where modes lie many units apart.",
    "pairs": "Nearer to the likelihood than single units, for as many times the work as pairs outnumber units (large "
    "machines take a random part in each step). Use it for small discrete machines; not for units of many values.",
    "flow": "As the pseudo-likelihood in kind, without its normalisation over each unit's values; rows in unlikely "
    "states weigh more. Use it for clean discrete data; not with outliers.",
    "kliep": "CD whose sample is weighted into one of the machine. Use it while few points do not carry the weight "
    "(watch `effective_samples`): small or weakly coupled machines; not for hundreds of informative hidden units.",
    "tap": "No sampling noise at all, exact to second order in the couplings. Use it for weak couplings and the start "
    "of a training; not for strong ones, where its solutions are not the machine's moments.",
}


def judged(results: Results, name: str, n: int) -> str:
    """How the divergence of one method compares with the exact gradient's, by paired differences over repeats."""
    own, exact = (np.array([r.divergence[-1] for r in results[m, n]]) for m in (name, "exact"))
    difference, error = (float(x) for x in mean_and_error(own - exact))
    mean, own_error = (float(x) for x in mean_and_error(own))
    text = f"at N = {n} a divergence of {mean:.3f} ± {own_error:.3f}"
    if name == "exact":
        return text
    word = "above" if difference > 0 else "below"
    clear = f"{abs(difference):.3f} ± {error:.3f} {word} that of the exact gradient"
    return f"{text}, {clear}" + ("" if abs(difference) > 2 * error else " (no clear difference)")


def page(results: Results, updates: int, command: str, minutes: float) -> str:
    """The Markdown of docs/estimators.md."""
    repeats, budget = len(results["exact", ROWS[0]]), time_budget(results)
    blocks = [
        ["# Estimators of the gradient, compared where the truth is known"],
        wrapped(
            f"""Written by `{command}` in {minutes:.1f} minutes: torch {torch.__version__}, one thread. {repeats}
            planted machines of {VISIBLE} Ising visible and {HIDDEN} Ising hidden units, couplings normal with standard
            deviation {STRENGTH:g} and fields with half of it, drew N rows each. Learners of the same shape made
            {updates} updates of plain gradient ascent at the rate {RATE:g} on minibatches of {BATCH} rows; machines,
            rows, order of rows and starts are the same for all. A running mean of the parameters over about {HORIZON}
            updates is judged."""
        ),
        wrapped(
            f"""Divergence: Kullback-Leibler, from the planted to the learned distribution, in nats (less is better).
            Likelihood: mean log-likelihood of the N rows minus that of the planted machine, in nats (more is better,
            but above 0 it has learned the sample's accidents). Both are exact, mean ± standard error over the repeats.
            Equal time: the divergence at N = {ROWS[-1]} after {budget:.2f} s of processor time, what the fastest of
            them takes for all updates."""
        ),
        table(results, budget),
        ["![Divergence against updates](figures/estimators.png)"],
        wrapped(unfinished(results)),
        wrapped(
            """One learning rate serves all, as `pseudolikelihood`, `pairs` and `flow` are scaled to the likelihood's
            slope on independent units. Large machines shift the costs: `exact` doubles with each hidden unit, `kliep`
            loses its effective points, the composite likelihoods and `flow` take a random part of their blocks."""
        ),
        ["## One by one"],
    ]
    for name in METHODS:
        measured = "; ".join(judged(results, name, n) for n in ROWS)
        blocks.append(wrapped(f"**{name}.** {ADVICE[name]} Here: {measured}."))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def unfinished(results: Results) -> str:
    """What the exact gradient's own likelihood says about convergence: its optimum is not below the planted machine."""
    n = ROWS[-1]
    mean, error = (float(x) for x in mean_and_error(np.array([r.likelihood[-1] for r in results["exact", n]])))
    if mean + 2 * error >= 0:
        return f"At N = {n} the exact gradient has reached the likelihood of the planted machine, or passed it."
    return (
        f"At N = {n} the exact gradient is still below the likelihood of the planted machine, which its optimum is "
        "not: it has not converged. A gradient that is ahead of it here is faster at this learning rate (its steps are "
        "larger), and not better where both end."
    )


def wrapped(text: str) -> list[str]:
    """A paragraph, broken into lines."""
    return textwrap.wrap(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def time_budget(results: Results) -> float:
    """The least mean time of any method for all updates at the largest N, in seconds."""
    return min(float(np.mean([r.seconds[-1] for r in results[name, ROWS[-1]]])) for name in METHODS)


def table(results: Results, budget: float) -> list[str]:
    """A row a method."""
    heads = [f"{what}, N = {n}" for n in ROWS for what in ("divergence", "likelihood")]
    heads += ["divergence, equal time", "ms an update"]
    lines = ["| gradient | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for name in METHODS:
        cells = []
        for n in ROWS:
            for quantity in ("divergence", "likelihood"):
                mean, error = mean_and_error(np.array([getattr(r, quantity)[-1] for r in results[name, n]]))
                cells.append(f"{mean:.3f} ± {error:.3f}")
        mean, error = mean_and_error(at_time(results[name, ROWS[-1]], budget, "divergence"))
        last = results[name, ROWS[-1]]
        cost = np.mean([r.seconds[-1] / r.step[-1] for r in last]) * 1000
        lines.append(f"| {name} | " + " | ".join([*cells, f"{mean:.3f} ± {error:.3f}", f"{cost:.2f}"]) + " |")
    return [line.replace("-0.", "−0.").replace(" -", " −") if line[2] != "-" else line for line in lines]


def picture(results: Results) -> Figure:
    """Divergence against updates, a panel a number of rows."""
    figure = new_figure(height=3.8)
    looks = [(colour, dashes) for dashes in ("-", "--") for colour in CYCLE]
    with style():
        panels = figure.subplots(1, len(ROWS), sharey=True)
        for ax, n in zip(panels, ROWS, strict=True):
            for name, (colour, dashes) in zip(METHODS, [(INK, "-"), *looks], strict=False):
                mean, error = mean_and_error(np.array([r.divergence for r in results[name, n]]))
                step = results[name, n][0].step
                ax.plot(step, mean, dashes, color=colour, label=name)
                ax.fill_between(step, mean - error, mean + error, color=colour, alpha=0.12, linewidth=0)
            ax.set_yscale("log")
            ax.set_xlabel("updates")
            headings(ax, f"{n:,} rows")
        panels[0].set_ylabel("divergence from the truth (nats)")
        panels[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def main() -> None:
    """Run everything; write the page and the figure, or print the page where it is the short form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short form: 3 machines, 50 updates")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    updates, repeats = (50, 3) if arguments.quick else (UPDATES, REPEATS)
    at = np.unique(np.linspace(0, updates, 26).round().astype(int))
    began, results = time.perf_counter(), {}
    for name in METHODS:
        for n in ROWS:
            results[name, n] = [run(name, n, repeat, at) for repeat in range(repeats)]
            sys.stderr.write(f"{name}, N = {n}: {np.mean([r.divergence[-1] for r in results[name, n]]):.4f}\n")
    command = "python benchmarks/estimators.py" + (" --quick" if arguments.quick else "")
    text = page(results, updates, command, (time.perf_counter() - began) / 60)
    if arguments.quick:
        sys.stdout.write(text)
        return
    docs = Path(__file__).parents[1] / "docs"
    (docs / "estimators.md").write_text(text)
    save(picture(results), docs / "figures" / "estimators.png")


if __name__ == "__main__":
    main()
