"""ln Z by annealing forwards and back; the mean of logarithms; and what the base decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from harmonium.logz import AIS, LogZ, ReverseAIS
from harmonium.logz.ais import estimate_from_log_weights, forward
from harmonium.logz.bases import Base, collapsed_base, independent_base, mixture_base
from harmonium.logz.schedules import even_schedule
from harmonium.plots.style import BLUE, GREEN, INK, VERMILION, headings, new_figure, number, style
from harmonium.runs.summary import training_states
from likelihood_page.common import Trained, stream

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
