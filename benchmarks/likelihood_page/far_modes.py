"""Estimates of ln Z over seeds on a machine of two far modes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harmonium.logz import AIS, Bidirectional, Estimate, ParallelTempering
from harmonium.logz.bases import independent_base, mixture_base
from harmonium.logz.exact import sample_v_exactly
from harmonium.logz.schedules import even_schedule
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, VERMILION, headings, new_figure, style
from harmonium.start import independent_parameters
from likelihood_page.common import HARD_MACHINES, Effort, exact, stream

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
