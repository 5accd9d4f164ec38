"""Two kinds of errors of many classifiers: a line each, a dot with its interval in each of two panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harmonium.errors import InputError
from harmonium.plots.style import BLUE, VERMILION, headings, new_figure, number, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harmonium.experiments.statistics import Interval

#: Errors that differ by more than this factor stand on a logarithmic axis.
_WIDE = 20


@dataclass(frozen=True)
class Dot:
    """A classifier and its two errors, in per cent, each with the interval that it is known to."""

    name: str
    left: Interval
    right: Interval


def error_dots(dots: Sequence[Dot], *, labels: tuple[str, str], unit: str = "error, %", decimals: int = 1) -> Figure:
    """Draw them from the top to the bottom, in the order given; on a logarithmic axis where they differ widely.

    Parameters
    ----------
    dots : sequence of Dot
    labels : (str, str)
        What the panels show.
    unit : str
        What both axes are.
    decimals : int
        Of the numbers beside the dots.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        No dots.
    """
    if not dots:
        raise InputError("dots is empty; give at least one classifier.")
    from matplotlib.ticker import LogLocator

    places = np.arange(len(dots))[::-1]
    ends = [end for dot in dots for end in (dot.left.value, dot.right.value, dot.left.low, dot.right.low)]
    ends = [end for end in ends if np.isfinite(end)]
    wide = min(ends) > 0 and max(ends) > _WIDE * min(ends)
    with style():
        figure = new_figure(height=0.9 + 0.24 * len(dots))
        axes = figure.subplots(1, 2, sharey=True)
        for ax, label, colour, side in zip(axes, labels, (BLUE, VERMILION), ("left", "right"), strict=True):
            found = [getattr(dot, side) for dot in dots]
            half = [x.half_width if np.isfinite(x.half_width) else 0.0 for x in found]
            ax.errorbar(
                [x.value for x in found], places, xerr=half, fmt="o", color=colour, markersize=4.5, capsize=2.5,
                elinewidth=1.0,
            )  # fmt: skip
            for x, width, place in zip(found, half, places, strict=True):
                ax.annotate(
                    number(x.value, decimals), (x.value + width, place), (6, 0), textcoords="offset points",
                    va="center", fontsize=7.5, color=colour,
                )  # fmt: skip
            ax.set_xlabel(unit)
            ax.set_ylim(-0.6, len(dots) - 0.4)
            ax.margins(x=0.14)
            if wide:
                ax.set_xscale("log")
                ax.set_xlim(min(ends) / 1.2, max(ends) * 1.9)
                ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                ax.xaxis.set_major_formatter("{x:g}")
                ax.xaxis.set_minor_formatter("")
            else:
                ax.set_xlim(left=max(0.0, ax.get_xlim()[0]))  # an interval may reach below zero, an error cannot
            headings(ax, label)
        axes[0].set_yticks(places, [dot.name for dot in dots])
        axes[0].tick_params(axis="y", length=0)
    return figure
