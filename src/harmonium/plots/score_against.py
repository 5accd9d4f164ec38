"""Scores against anything that was varied: units, states, steps, rates, seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.style import CYCLE, MUTED, headings, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Series:
    """One line: x and y of equal length, half-widths of the intervals of y, and whether it is a held-out score.

    A held-out series takes the colour of the series before it, dashed and with open marks.
    """

    name: str
    x: npt.ArrayLike
    y: npt.ArrayLike
    error: npt.ArrayLike | None = None
    held_out: bool = False


def score_against(
    series: Sequence[Series],
    *,
    xlabel: str,
    ylabel: str = "log-likelihood, nats per image",
    log_x: bool = False,
    ticks: Sequence[float] | None = None,
    marks: Mapping[str, float] | None = None,
    ylim: tuple[float, float] | None = None,
    title: str | None = None,
    subtitle: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw scores with their intervals against what was varied.

    Parameters
    ----------
    series : sequence of Series
        The lines, in the order of the legend.
    xlabel, ylabel : str
        With units.
    log_x : bool
        A logarithmic axis.
    ticks : sequence of float, optional
        The values of x to name, where they are few.
    marks : mapping of str to float, optional
        Named horizontal lines to compare with.
    ylim : (float, float), optional
        The part of the scores that is shown.
    title, subtitle : str, optional
    ax : matplotlib Axes, optional
        Where to draw; by default a figure of its own.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        No series, or one whose x, y and error differ in length.
    """
    if not series:
        raise InputError("series is empty; give at least one line to draw.")
    with style():
        if ax is None:
            ax = new_figure(height=3.8).subplots()
        colour = -1
        for line in series:
            x, y = np.asarray(line.x, float), np.asarray(line.y, float)
            error = None if line.error is None else np.asarray(line.error, float)
            if x.ndim != 1 or x.shape != y.shape or (error is not None and error.shape != x.shape):
                raise InputError(f"series {line.name!r} has {x.size} values of x for {y.size} of y; give as many.")
            colour += not line.held_out or colour < 0
            shade = CYCLE[colour % len(CYCLE)]
            ax.errorbar(
                x, y, None if error is None else np.where(np.isfinite(error), error, 0.0),
                color=shade, label=line.name, capsize=2.5, elinewidth=1.0, markersize=4.5, marker="o",
                linestyle="--" if line.held_out else "-", markerfacecolor="white" if line.held_out else shade,
            )  # fmt: skip
        for name, value in (marks or {}).items():
            ax.axhline(value, color=MUTED, linewidth=1.0, linestyle=":", label=name)
        if log_x:
            ax.set_xscale("log")
        if ticks is not None:
            ax.set_xticks(list(ticks), [f"{tick:g}" for tick in ticks])
            ax.minorticks_off()
        ax.set(xlabel=xlabel, ylabel=ylabel)
        if ylim is not None:
            ax.set_ylim(ylim)
        ax.legend(fontsize=8)
        headings(ax, title, subtitle)
    return ax
