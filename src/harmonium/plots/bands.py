"""Curves with bands in panels side by side, such as a score against updates for several machines and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import vector
from harmonium.plots.style import CYCLE, INK, new_figure, number, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Band:
    """One curve: x and y of equal length, half-widths of its band, dashed or not, and the number of its colour."""

    name: str
    x: npt.ArrayLike
    y: npt.ArrayLike
    half_width: npt.ArrayLike | None = None
    dashed: bool = False
    colour: int | None = None


def bands(
    panels: Mapping[str, Sequence[Band]],
    *,
    xlabel: str,
    ylabel: str,
    log_x: bool = False,
    ylim: tuple[float | None, float | None] | None = None,
    zero: bool = False,
    height: float = 3.2,
) -> Figure:
    """Draw the panels in a row, on common axes; the legend stands beside the last.

    Parameters
    ----------
    panels : mapping of str to sequence of Band
        Title of each panel, and its curves.
    xlabel, ylabel : str
        With units.
    log_x : bool
        A logarithmic scale of x; 0 stands at its left end.
    ylim : (float or None, float or None), optional
        The part of y that is shown; None leaves an end to the curves.
    zero : bool
        Draw the line y = 0.
    height : float
        Inches.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        No panels, an empty one, or x, y and half_width of different lengths.
    """
    if not panels or not all(panels.values()):
        raise InputError("panels is empty or has an empty one; give at least one curve for each.")
    with style():
        figure = new_figure(height=height)
        axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
        for ax, (title, curves) in zip(axes, panels.items(), strict=True):
            smallest = np.inf
            for i, curve in enumerate(curves):
                x, y = vector(f"x of {curve.name!r}", curve.x), vector(f"y of {curve.name!r}", curve.y)
                half = None if curve.half_width is None else vector(f"half_width of {curve.name!r}", curve.half_width)
                if x.shape != y.shape or (half is not None and half.shape != y.shape):
                    raise InputError(f"curve {curve.name!r} has {x.size} values of x for {y.size} of y; give as many.")
                shade = CYCLE[(i if curve.colour is None else curve.colour) % len(CYCLE)]
                ax.plot(x, y, "--" if curve.dashed else "-", color=shade, label=curve.name, linewidth=1.4)
                if half is not None:
                    ax.fill_between(x, y - half, y + half, color=shade, alpha=0.2, linewidth=0)
                if (x > 0).any():
                    smallest = min(smallest, float(x[x > 0].min()))
            if log_x and np.isfinite(smallest):
                ax.set_xscale("symlog", linthresh=smallest, linscale=0.3)
                ax.set_xlim(left=0)
                ax.xaxis.set_major_formatter(lambda value, _: number(value))
            else:
                ax.locator_params(axis="x", nbins=5)
            if zero:
                ax.axhline(0, color=INK, linewidth=0.7)
            ax.set_title(title)
            ax.set_xlabel(xlabel)
        axes[0].set_ylabel(ylabel)
        if ylim is not None:
            axes[0].set_ylim(ylim)
        axes[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
