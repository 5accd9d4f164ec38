"""Which likelihood to believe: estimates of ln Z beside the exact one, where they hold and where they mislead.

    HARMONIUM_DATA=... python benchmarks/likelihoods.py            fills in docs/likelihood.md, draws its figures
    HARMONIUM_DATA=... python benchmarks/likelihoods.py --quick    prints a short form (below two minutes)

Every machine here can be enumerated, so every error is known.  The full form takes less than ten minutes on one thread.
"""

from __future__ import annotations

import argparse
import itertools
import math
import platform
import runpy
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from enumeration import best
from enumeration import machine as machine_to_enumerate
from torch import Tensor

import harmonium as hm
from harmonium.config import config_from
from harmonium.data import load_data
from harmonium.data.arrays import as_dataset
from harmonium.diagnostics import Watched, diagnose
from harmonium.evaluate.likelihood import log_z
from harmonium.evaluate.reconstruction import reconstruction
from harmonium.ladders import Tempered, even_positions
from harmonium.logz import (
    AIS,
    Bidirectional,
    Estimate,
    LogZ,
    ParallelTempering,
    ReverseAIS,
    exact_log_z,
    exact_moments,
)
from harmonium.logz.ais import estimate_from_log_weights, forward
from harmonium.logz.bases import Base, collapsed_base, independent_base, mixture_base
from harmonium.logz.exact import sample_v_exactly
from harmonium.logz.progressive import Progressive, Wanted
from harmonium.logz.schedules import even_schedule, reference_schedule
from harmonium.logz.tempering import log_z_from_ratios
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.plots import save
from harmonium.plots.learning_curve import spread
from harmonium.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, VERMILION, headings, new_figure, number, style
from harmonium.runs.inputs import Inputs
from harmonium.runs.plan import make_plan
from harmonium.runs.reopen import reopen
from harmonium.runs.summary import final_scores, table, training_states
from harmonium.start import independent_parameters
from harmonium.tempering import temper, tuned
from harmonium.training.loop import TrainState, fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOT = Path(__file__).parents[1]
PAGE, FIGURES = ROOT / "docs" / "likelihood.md", ROOT / "docs" / "figures"
HARD_MACHINES = runpy.run_path(str(ROOT / "tests" / "laws" / "hard_machines.py"))


@dataclass(frozen=True)
class Effort:
    """How much of everything: the full form and the short one."""

    enumerated: tuple[int, ...] = (20, 25)
    epochs: int = 0
    temperatures: tuple[int, ...] = (10, 30, 100, 300, 1000)
    weights: int = 12_800
    sweeps: int = 4000
    seeds: int = 10
    ladders: int = 4
    updates: int = 6000
    seconds: float = 60.0
    classical: tuple[float, ...] = reference_schedule()


QUICK = Effort((20,), 1, (30, 100), 1600, 500, 4, 2, 800, 4.0, even_schedule(200))


@dataclass(frozen=True, eq=False)
class Trained:
    """A machine trained on data, and its exact ln Z."""

    rbm: RBM
    inputs: Inputs
    log_z: float

    @classmethod
    def of(cls, data: str, hidden: str, epochs: int) -> Trained:
        """Train with the defaults; `epochs` above 0 makes it shorter."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run"
            hm.train(data, hidden=hidden, out=path, threads=torch.get_num_threads(), epochs=epochs)
            opened = reopen(path)
            rbm = opened.rbm
            return cls(rbm, opened.inputs(), exact(rbm))

    @property
    def rates(self) -> RBM:
        """Independent units with the data's base rates."""
        return self.rbm.decoupled(self.inputs.base.to(self.rbm.a))


def exact(rbm: RBM) -> float:
    """ln Z by enumeration in float64."""
    return exact_log_z(rbm.to(dtype=torch.float64))


def stream(rbm: RBM, *words: object) -> Noise:
    """Random numbers of the machine's precision."""
    return Noise(seed_for("likelihoods", *words), dtype=rbm.W.dtype)


def say(line: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")


# ---- enumeration --------------------------------------------------------------------------------------------------


def enumeration(effort: Effort) -> str:
    """Seconds for the exact ln Z."""
    rows = []
    for hidden in effort.enumerated:
        rbm = machine_to_enumerate(hidden)
        exact_log_z(rbm)  # compiled
        rows.append(f"| 2^{hidden} | {best(partial(exact_log_z, rbm), 5.0):.2g} |")
    return "\n".join(["| hidden states, 784 visible units | seconds |", "| --- | ---: |", *rows])


# ---- forwards and back --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Points:
    """Errors of ln Z in nats and halves of their 95 % intervals, against the number of temperatures."""

    name: str
    colour: str
    steps: Sequence[int]
    error: list[float]
    half: list[float]


def sandwich(of: Trained, base: Base | None, samples: Tensor, steps: Sequence[int]) -> list[Points]:
    """Annealing from `base` forwards, back from the forward ends, and back from exact samples."""
    rbm, chains = of.rbm, len(samples)
    ways: tuple[tuple[str, str, Callable[[tuple[float, ...]], LogZ]], ...] = (
        ("forwards", BLUE, lambda t: AIS(t, chains, base)),
        ("back, from those ends", VERMILION, lambda t: ReverseAIS(t, chains, base)),
        ("back, from exact samples", GREEN, lambda t: ReverseAIS(t, chains, base, samples)),
    )
    found = []
    for name, colour, way in ways:
        estimates = [way(even_schedule(k))(rbm, stream(rbm, name, k)) for k in steps]
        error, half = [e.value - of.log_z for e in estimates], [e.half_width for e in estimates]
        found.append(Points(name, colour, steps, error, half))
    return found


def sandwich_figure(panels: Mapping[str, list[Points]]) -> Figure:
    """A panel a way of annealing, on one scale."""
    figure = new_figure(height=3.4)
    with style():
        axes = figure.subplots(1, len(panels), sharey=True)
        for ax, (title, lines) in zip(axes, panels.items(), strict=True):
            ax.axhline(0, color=INK, linewidth=1.0)
            for shift, line in zip((0.9, 1.0, 1.1), lines, strict=True):
                ax.errorbar(
                    shift * np.array(line.steps), line.error, line.half, color=line.colour,
                    marker="o", markersize=3, linewidth=1.2, elinewidth=1.0,
                )  # fmt: skip
            ax.set_xscale("log")
            ax.set_xticks(lines[0].steps, [f"{k:,}" for k in lines[0].steps])
            ax.minorticks_off()
            ax.set_xlabel("temperatures")
            headings(ax, *title.split("\n", 1))
        axes[0].set_ylabel("estimate of ln Z − exact (nats)")
        for row, line in enumerate(reversed(panels[list(panels)[-1]])):
            axes[-1].annotate(
                line.name, (0.04, 0.97 - 0.075 * row), xycoords="axes fraction", color=line.colour, fontsize=8, va="top"
            )
    return figure


def sandwich_table(panels: Mapping[str, list[Points]]) -> str:
    """The errors with the most temperatures."""
    lines = next(iter(panels.values()))
    rows = ["| way | temperatures | " + " | ".join(line.name for line in lines) + " |", "| --- |" + " ---: |" * 4]
    for title, points in panels.items():
        cells = " | ".join(f"{p.error[-1]:+.2f} ± {p.half[-1]:.2f}" for p in points)
        rows.append(f"| {title.replace(chr(10), ', ')} | {number(points[0].steps[-1])} | {cells} |")
    return "\n".join(rows)


# ---- the mean of logarithms ---------------------------------------------------------------------------------------


def means_of_weights(of: Trained, total: int, steps: int = 100) -> str:
    """What the likelihood gains by averaging logarithms, for groups of chains of several sizes."""
    rbm = of.rbm
    base = independent_base(rbm, of.rates)
    _, log_w = forward(base, even_schedule(steps), total, stream(rbm, "weights"))
    rows = ["| chains | logarithm of the mean | mean of the logarithms |", "| ---: | ---: | ---: |"]
    for n in (100, 400, 1600, 12_800):
        if n <= total:
            groups = log_w.view(-1, n)
            right = base.log_z + (groups.logsumexp(1) - math.log(n)) - of.log_z
            wrong = base.log_z + groups.mean(1) - of.log_z
            rows.append(f"| {number(n)} | {-float(right.mean()):+.3f} | {-float(wrong.mean()):+.3f} |")
    return "\n".join(rows)


def bases(of: Trained, steps: int, chains: int = 256) -> str:
    """Errors of ln Z from several bases with as many temperatures, and what the mean of logarithms makes of it."""
    rbm, states = of.rbm, training_states(of.inputs)
    collapsed = collapsed_base(rbm, of.rates)
    assert collapsed is not None
    ways: tuple[tuple[str, Base], ...] = (
        ("uniform", independent_base(rbm, rbm.decoupled(torch.zeros_like(rbm.a)))),
        ("the machine's own biases", independent_base(rbm)),
        ("the data's base rates", independent_base(rbm, of.rates)),
        ("a mixture fitted to training rows", mixture_base(rbm, states, stream(rbm, "mixture"), of.rates)),
        ("hidden units alone (collapsed)", collapsed),
    )
    rows = ["| annealed from | error of ln Z | effective samples | with the mean of logarithms |"]
    rows.append("| --- | ---: | ---: | ---: |")
    for name, base in ways:
        _, log_w = forward(base, even_schedule(steps), chains, stream(rbm, name))
        e = estimate_from_log_weights(log_w, base.log_z, "AIS", -1)
        wrong = base.log_z + float(log_w.mean()) - of.log_z
        rows.append(f"| {name} | {e.value - of.log_z:+.2f} ± {e.half_width:.2f} | {e.ess:.0f} | {wrong:+.2f} |")
    return "\n".join(rows)


# ---- swaps, binarisation, coding ----------------------------------------------------------------------------------


class _TimesTheTarget(Tempered):
    """The mistake to show: swaps by t F, although the chains at t follow F_t, which is not t F."""

    def log_ratios(self, v: Tensor, fields: Any) -> tuple[Tensor, Tensor]:
        """t_k F(v) in place of F_k(v)."""
        F, t = self.target.free_energy(v).double(), self._t.flatten().double()
        return (t[:-1] - t[1:]) * F[:, :-1], (t[1:] - t[:-1]) * F[:, 1:]


def swaps(of: Trained, sweeps: int, replicas: int = 64) -> str:
    """How far the target's means are from the exact ones, with swaps by either energy."""
    rbm = of.rbm
    truth = exact_moments(rbm.to(dtype=torch.float64))[1].a[0]
    rows = ["| swaps by | means off by (root mean square) | by chance |", "| --- | ---: | ---: |"]
    for name, kind in (
        ("the level's own energy, F_t", Tempered),
        ("t times the machine's energy, t F", _TimesTheTarget),
    ):
        noise = stream(rbm, name)
        ladder = kind(rbm.decoupled(), rbm, even_positions(12))
        v = temper(ladder, ladder.start(replicas, noise), sweeps // 4, noise).v
        run = temper(ladder, v, sweeps, noise, observe=lambda v: v)
        each = run.observed.double().mean(0)  # of each replica
        off, chance = each.mean(0) - truth, each.std(0) / math.sqrt(replicas)
        rows.append(f"| {name} | {_rms(off):.4f} | {_rms(chance):.4f} |")
    return "\n".join(rows)


def _rms(x: Tensor) -> float:
    return float(x.square().mean().sqrt())


def binarisations(of: Trained) -> str:
    """One machine, one set of images, three rules."""
    data = load_data("mnist")
    X = np.asarray(data.X)[np.asarray(of.inputs.rows.held_out)]
    rows = ["| grey value x / 255 becomes | nats per image |", "| --- | ---: |"]
    rules = (("1 where it is above 0.5", "0.5"), ("1 with that probability", "stochastic"), ("itself, a mean", "none"))
    for name, rule in rules:
        found = hm.log_likelihood(of.rbm, X, method="exact", binarize=rule, scale=255)
        rows.append(f"| {name} | {found.mean.value:.2f} |")
    return "\n".join(rows)


def codings(of: Trained) -> str:
    """The two codings of the same distribution, and where Z leaves floating point."""
    ising = exact(hm.to_ising(of.rbm.to(dtype=torch.float64)))
    largest = [math.log(torch.finfo(kind).max) for kind in (torch.float32, torch.float64)]
    return textwrap.fill(
        "The machine with 784 pixels and 20 hidden units that is used below has "
        f"ln Z = {of.log_z:.2f} as a {{0, 1}} machine and {ising:.2f} as a {{−1, +1}} machine, "
        f"with the same probability for every image. Single precision ends at e^{largest[0]:.1f} and double precision "
        f"at e^{largest[1]:.1f}: this Z itself is infinite in the former.",
        120,
    )


# ---- two far modes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Strip:
    """One method's estimates over seeds."""

    name: str
    colour: str
    estimates: list[Estimate]
    seconds: float


def far_modes(effort: Effort, against: float = 4.0) -> tuple[list[Strip], float]:
    """Estimates over seeds on a machine of two modes, 3 : 1, and its ln Z; data are exact samples of it."""
    rbm: RBM = HARD_MACHINES["two_far_modes"](against)
    v = sample_v_exactly(rbm, 2000, stream(rbm, "data"))
    rates = rbm.decoupled(independent_parameters(rbm.visible, rbm.visible.statistics(v).mean(0), len(v)))
    t, block = even_schedule(effort.sweeps // 10), independent_base(rbm, rates)

    def mixture(noise: Noise) -> Estimate:
        return Bidirectional(t, 256, mixture_base(rbm, v, noise, rates))(rbm, noise)

    def tempering(noise: Noise) -> Estimate:
        return ParallelTempering(sweeps=effort.sweeps, base=rates)(rbm, noise)

    ways: tuple[tuple[str, str, int, Callable[[Noise], Estimate]], ...] = (
        ("forwards, from base rates", VERMILION, effort.seeds, lambda noise: AIS(t, 256, block)(rbm, noise)),
        ("both ways, from base rates", VERMILION, effort.seeds, lambda noise: Bidirectional(t, 256, block)(rbm, noise)),
        ("tempering, from base rates", ORANGE, effort.ladders, tempering),
        ("both ways, from a mixture", BLUE, effort.seeds, mixture),
        ("both ways, collapsed", GREEN, effort.seeds, lambda noise: Bidirectional(t, 256)(rbm, noise)),
    )
    strips = []
    for name, colour, seeds, way in ways:
        began = time.perf_counter()
        estimates = [way(stream(rbm, name, seed)) for seed in range(seeds)]
        strips.append(Strip(name, colour, estimates, (time.perf_counter() - began) / seeds))
    return strips, exact(rbm)


def far_modes_figure(strips: Sequence[Strip], truth: float) -> Figure:
    """A row a method, a point an estimate with its 95 % interval."""
    figure = new_figure(height=3.2)
    missing = math.log(3 / 4)
    with style():
        ax = figure.subplots()
        ax.axvline(0, color=INK, linewidth=1.0)
        ax.axvline(missing, color=MUTED, linewidth=1.0, linestyle="--")
        for row, strip in enumerate(strips):
            y = -row + np.linspace(0.3, -0.3, len(strip.estimates))
            x = [e.value - truth for e in strip.estimates]
            half = [e.half_width for e in strip.estimates]
            ax.errorbar(x, y, xerr=half, fmt="o", markersize=2.5, color=strip.colour, elinewidth=0.8)
        ax.set_yticks([-row for row in range(len(strips))], [strip.name for strip in strips])
        ax.grid(axis="y", visible=False)
        ax.tick_params(axis="y", length=0)
        ax.set_xlim(-0.75, 0.75)
        for line, words, side, colour in (
            (0.0, "exact", "left", INK),
            (missing, "without the smaller mode", "right", MUTED),
        ):
            ax.annotate(
                words, (line, 1), (4 if side == "left" else -4, -2), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha=side, va="top", fontsize=8, color=colour,
            )  # fmt: skip
        ax.set_ylim(-len(strips) + 0.5, 0.9)
        ax.set_xlabel("estimate of ln Z − exact (nats)")
        headings(ax, "Two far modes", "each point an estimate with its own seed; bars are its 95 % interval")
    return figure


def far_modes_table(strips: Sequence[Strip], truth: float) -> str:
    """The error, what was claimed, and how often that held; medians, for rare chains make means of their own."""
    rows = ["| method | median error | median of its ± | interval holds the truth | effective samples | seconds |"]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    for s in strips:
        error = np.array([e.value - truth for e in s.estimates])
        half, ess = np.array([(e.half_width, e.ess) for e in s.estimates]).T
        held = int((np.abs(error) <= half).sum())
        rows.append(
            f"| {s.name} | {np.median(error):+.3f} | {np.median(half):.3f} | {held} of {len(error)} "
            f"| {np.median(ess):.0f} | {s.seconds:.1f} |"
        )
    return "\n".join(rows)


# ---- a training that goes wrong -----------------------------------------------------------------------------------


def bars_and_stripes(n: int = 4) -> np.ndarray:
    """All n × n images of full rows or full columns: (2 · 2^n, n²); empty and full ones are there twice."""
    bits = np.array(list(itertools.product([0.0, 1.0], repeat=n)))
    rows = np.repeat(bits[:, :, None], n, 2)
    return np.concatenate([rows, rows.transpose(0, 2, 1)]).reshape(-1, n * n)


def cheap_scores(updates: int) -> list[tuple[int, float, float, float]]:
    """Update, likelihood, pseudo-likelihood and reconstruction error (nats a row) along CD-1 at a constant rate."""
    plain = {"momentum": 0.0, "centre": "no", "learning_rate_schedule": "constant", "learning_rate": 0.5}
    whole = {"held_out": "0", "validation": 0.0, "patience": 0, "batch_size": 0, "epochs": updates}
    config = config_from({"data": "array", "hidden": "bernoulli:16", "negative": "cd", **plain, **whole})
    plan = make_plan(config, as_dataset(bars_and_stripes()))
    v = plan.feed.states(plan.rows.train).double()
    at = {round(x) for x in np.geomspace(20, plan.total, 40)}
    curve = []

    def observe(state: TrainState) -> None:
        if state.step in at:
            rbm = state.rbm.to(dtype=torch.float64)
            likelihood = -float(rbm.free_energy(v).mean()) - exact_log_z(rbm)
            pseudo = float(hm.pseudo_log_likelihood(rbm, v).mean())
            curve.append((state.step, likelihood, pseudo, float(reconstruction(rbm, v).nats.mean())))

    fit(plan.state, plan.batches, plan.total, plan.negative, transforms=plan.transforms, observers=[observe])
    return curve


def entropy(X: np.ndarray) -> float:
    """Of the empirical distribution, in nats: no average log-likelihood of these rows is above minus this."""
    share = np.unique(X, axis=0, return_counts=True)[1] / len(X)
    return float(-(share * np.log(share)).sum())


def cheap_figure(curve: Sequence[tuple[int, float, float, float]]) -> Figure:
    """Three scores on one axis, for all are in nats."""
    step, likelihood, pseudo, errors = map(np.array, zip(*curve, strict=True))
    top, ceiling = int(likelihood.argmax()), -entropy(bars_and_stripes())
    figure = new_figure(height=3.4)
    with style():
        ax = figure.subplots()
        for name, values, colour, lift in (
            ("reconstruction error, turned upside down", -errors, GREEN, 5),
            ("pseudo-log-likelihood", pseudo, VERMILION, -5),
            ("log-likelihood", likelihood, BLUE, -8),
        ):
            ax.plot(step, values, color=colour)
            ax.annotate(
                name, (step[-1], values[-1]), (0, lift), textcoords="offset points", color=colour, fontsize=8,
                ha="right", va="bottom" if lift > 0 else "top",
            )  # fmt: skip
        ax.axhline(ceiling, color=MUTED, linestyle="--", linewidth=1.0)
        ax.annotate(
            f"the best that any machine can reach, {number(ceiling, 2)}", (step[-1], ceiling), (0, -4),
            textcoords="offset points", fontsize=8, color=MUTED, ha="right", va="top",
        )  # fmt: skip
        ax.set_ylim(top=1.2)
        ax.plot(step[top], likelihood[top], "o", markersize=7, markerfacecolor="none", markeredgecolor=BLUE)
        ax.set_xscale("log")
        ax.set_xlabel("parameter updates")
        ax.set_ylabel("nats per row")
        headings(
            ax, "Scores that rise while the likelihood falls",
            "bars and stripes, 4 × 4; 16 hidden units; CD-1 at a constant rate; all three exact, on the training rows",
        )  # fmt: skip
    return figure


def cheap_table(curve: Sequence[tuple[int, float, float, float]]) -> str:
    """The best likelihood beside the end."""
    best_at = max(range(len(curve)), key=lambda i: curve[i][1])
    rows = [
        "| update | log-likelihood | pseudo-log-likelihood | reconstruction error |",
        "| ---: | ---: | ---: | ---: |",
    ]
    rows += [f"| {number(u)} | {x:.2f} | {p:.2f} | {r:.2f} |" for u, x, p, r in (curve[best_at], curve[-1])]
    return "\n".join(rows)


# ---- a minute each on a machine that does not mix -----------------------------------------------------------------


@dataclass(frozen=True)
class Trace:
    """A method's estimates as time goes by."""

    name: str
    colour: str
    seconds: list[float]
    estimates: list[Estimate]


def both_ways(of: Trained, seconds: float, name: str, colour: str, base: Base | None = None) -> Trace:
    """What `harmonium evaluate --method both` does, to the end of the time; another base may take its own's place."""
    trace = Trace(name, colour, [], [])

    def report(estimate: Estimate, spent: float) -> None:
        trace.seconds.append(spent)
        trace.estimates.append(estimate)

    progressive = Progressive(of.rbm, base=of.inputs.base, states=training_states(of.inputs), seed=0)
    progressive.base = base or progressive.base
    progressive.run(Wanted(1e-6, seconds), report)
    return trace


def by_tempering(of: Trained, seconds: float, replicas: int = 32) -> Trace:
    """Parallel tempering from base rates, tuning included; estimates after each doubling of the sweeps."""
    rbm, began = of.rbm, time.perf_counter()
    trace, noise = Trace("parallel tempering", ORANGE, [], []), stream(rbm, "ladders")
    ladder: Any = Tempered(of.rates, rbm, even_positions(12))
    ladder, v = tuned(ladder, ladder.start(replicas, noise), noise)
    ups: list[Tensor] = []
    downs, seen, watched, sweeps = [], [], Watched(rbm), 0
    while time.perf_counter() - began < seconds or not ups:
        run = temper(ladder, v, 50, noise, observe=watched)
        v, sweeps = run.v, sweeps + 50
        ups.append(run.up)
        downs.append(run.down)
        seen.append(run.observed)
        last = 1.02 * (time.perf_counter() - began) >= seconds
        if last or sweeps in {50 << k for k in range(1, 20)}:
            rise, stderr = log_z_from_ratios(torch.cat(ups), torch.cat(downs))
            ess = diagnose(torch.cat(seen)).ess
            value = float(ladder.first.log_z_decoupled()) + rise
            trace.estimates.append(Estimate(value, stderr, "parallel tempering, BAR", 0, ess))
            trace.seconds.append(time.perf_counter() - began)
    return trace


def by_recipe(of: Trained, schedule: tuple[float, ...]) -> Trace:
    """The classical recipe: forwards alone from base rates, 100 chains along the reference schedule."""
    began = time.perf_counter()
    estimate = AIS(schedule, 100, independent_base(of.rbm, of.rates))(of.rbm, stream(of.rbm, "recipe"))
    return Trace(
        f"forwards alone,\n{number(len(schedule) - 1)} temperatures",
        VERMILION,
        [time.perf_counter() - began],
        [estimate],
    )


def minute_figure(traces: Sequence[Trace], truth: float) -> Figure:
    """Estimates against computing time, with their 95 % intervals."""
    figure = new_figure(height=3.4)
    with style():
        ax = figure.subplots()
        ax.axhline(0, color=INK, linewidth=1.0)
        for t in traces:
            error = np.array([e.value - truth for e in t.estimates])
            half = np.array([e.half_width for e in t.estimates])
            if len(error) > 1:
                ax.plot(t.seconds, error, color=t.colour, marker="o", markersize=2.5)
                ax.fill_between(t.seconds, error - half, error + half, color=t.colour, alpha=0.18, linewidth=0)
            else:
                ax.errorbar(t.seconds, error, half, color=t.colour, marker="o", markersize=3, elinewidth=1.2)
                ax.annotate(
                    t.name, (t.seconds[0], error[0] + half[0]), (4, 2), textcoords="offset points", color=t.colour,
                    fontsize=8, va="bottom",
                )  # fmt: skip
        low, high = ax.get_ylim()
        lines = [t for t in traces if len(t.estimates) > 1]
        heights = spread([(t.estimates[-1].value - truth - low) / (high - low) for t in lines], 0.12)
        for t, height in zip(lines, heights, strict=True):
            ax.annotate(
                t.name, (1, height), (4, 0), xycoords="axes fraction", textcoords="offset points", color=t.colour,
                fontsize=8, va="center", annotation_clip=False,
            )  # fmt: skip
        ax.set_xlim(left=0)
        ax.set_xlabel("seconds, one thread")
        ax.set_ylabel("estimate of ln Z − exact (nats)")
        headings(
            ax,
            "One machine that does not mix",
            "MNIST, 784 × 20; bands and bars are 95 % intervals; the line is the exact ln Z",
        )
    return figure


def minute_table(traces: Sequence[Trace], truth: float) -> str:
    """Errors at the end, and those of the two sides."""
    rows = ["| method | seconds | error of ln Z | effective samples |", "| --- | ---: | ---: | ---: |"]
    for t in traces:
        end = t.estimates[-1]
        for e, name in ((end, " ".join(t.name.split())), *((side, f"… its {side.method}") for side in end.sides)):
            rows.append(f"| {name} | {t.seconds[-1]:.0f} | {e.value - truth:+.3f} ± {e.half_width:.3f} | {e.ess:.0f} |")
    return "\n".join(rows)


def printed(of: Trained, seconds: float) -> str:
    """What `harmonium evaluate --method both` prints."""
    wanted = Wanted(0.1, seconds)
    states = training_states(of.inputs)
    z = log_z(of.rbm, base=of.inputs.base, seed=0, states=states, method="both", wanted=wanted)
    return "```text\n" + table(final_scores(of.inputs, of.rbm, z, wanted=wanted)) + "\n```"


def gibbs_verdict(of: Trained) -> str:
    """What chains from data and from noise say."""
    found = hm.mixing(of.rbm, data=training_states(of.inputs), steps=1000)
    return f"> {found.verdict}"


# ---- all of it ----------------------------------------------------------------------------------------------------


def measure(effort: Effort, figures: Path) -> dict[str, str]:
    """The page's blocks by name; figures are written on the way."""
    blocks = {"footnote": f"torch {torch.__version__}, {platform.machine()}"}
    say("enumeration")
    blocks["enumeration"] = enumeration(effort)
    say("training two machines")
    digits, mnist = (
        Trained.of("digits", "bernoulli:16", effort.epochs),
        Trained.of("mnist", "bernoulli:20", effort.epochs),
    )
    blocks["codings"], blocks["binarisations"] = codings(mnist), binarisations(mnist)
    say("forwards and back")
    ways = {
        "Own biases\nblock Gibbs": independent_base(mnist.rbm),
        "Base rates\nblock Gibbs": independent_base(mnist.rbm, mnist.rates),
        "Collapsed\nhidden units alone": collapsed_base(mnist.rbm, mnist.rates),
    }
    samples = sample_v_exactly(mnist.rbm, 128, stream(mnist.rbm, "exact"))
    panels = {name: sandwich(mnist, base, samples, effort.temperatures) for name, base in ways.items()}
    save(sandwich_figure(panels), figures / "likelihood-sandwich.png")
    blocks["sandwich"] = sandwich_table(panels)
    say("averages and bases")
    blocks["means"] = means_of_weights(digits, effort.weights)
    blocks["bases"] = bases(mnist, effort.temperatures[-1])
    say("swaps")
    blocks["swaps"] = swaps(digits, effort.sweeps // 2)
    say("two far modes")
    strips, truth = far_modes(effort)
    save(far_modes_figure(strips, truth), figures / "likelihood-two-modes.png")
    blocks["modes"] = far_modes_table(strips, truth)
    say("cheap scores")
    curve = cheap_scores(effort.updates)
    save(cheap_figure(curve), figures / "likelihood-cheap-scores.png")
    blocks["cheap"] = cheap_table(curve)
    say("a minute each")
    mixture = mixture_base(mnist.rbm, training_states(mnist.inputs), stream(mnist.rbm, "mixture"), mnist.rates)
    traces = [
        both_ways(mnist, effort.seconds, "both ways, collapsed\n(the default)", GREEN),
        both_ways(mnist, effort.seconds, "both ways, block Gibbs\nfrom a mixture", BLUE, mixture),
        by_tempering(mnist, effort.seconds),
        by_recipe(mnist, effort.classical),
    ]
    save(minute_figure(traces, mnist.log_z), figures / "likelihood-minute.png")
    blocks["minute"] = minute_table(traces, mnist.log_z)
    blocks["printed"], blocks["verdict"] = printed(mnist, effort.seconds), gibbs_verdict(mnist)
    return blocks


def filled(page: str, blocks: Mapping[str, str]) -> str:
    """The page with each block between its marks, `<!-- name -->` and `<!-- /name -->`."""
    for name, text in blocks.items():
        first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if page.count(first) != 1 or page.count(last) != 1:
            raise SystemExit(f"{PAGE} needs one place for {name}, between {first.strip()} and {last}")
        page = page[: page.index(first) + len(first)] + text + "\n" + page[page.index(last) :]
    return page


def main() -> None:
    """Measure everything; fill in the page, or print the blocks of the short form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short form, printed")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default 1)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.quick:
        with tempfile.TemporaryDirectory() as folder:
            blocks = measure(QUICK, Path(folder))
        sys.stdout.write("\n\n".join(f"{name}\n\n{text}" for name, text in blocks.items()) + "\n")
    else:
        PAGE.write_text(filled(PAGE.read_text(), measure(Effort(), FIGURES)))


if __name__ == "__main__":
    main()
