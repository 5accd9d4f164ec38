"""A minute each, of several methods, on a machine whose chains do not mix."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

import harmonium as hm
from harmonium.diagnostics import Watched, diagnose
from harmonium.evaluate.likelihood import log_z
from harmonium.ladders import Tempered, even_positions
from harmonium.logz import AIS, Estimate
from harmonium.logz.bases import Base, independent_base
from harmonium.logz.progressive import Progressive, Wanted
from harmonium.logz.tempering import log_z_from_ratios
from harmonium.plots.learning_curve import spread
from harmonium.plots.style import INK, ORANGE, VERMILION, headings, new_figure, number, style
from harmonium.runs.summary import final_scores, table, training_states
from harmonium.tempering import temper, tuned
from likelihood_page.common import Trained, stream

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    ladder = Tempered(of.rates, rbm, even_positions(12))
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
