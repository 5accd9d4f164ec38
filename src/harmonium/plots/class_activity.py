"""The mean activation of each hidden unit within each class of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.biases import SEPARATE
from harmonium.plots.checks import table
from harmonium.plots.style import CYCLE, INK, MUTED, WIDTH, headings, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def class_activity(
    mean: npt.ArrayLike,
    classes: Sequence[object],
    stderr: npt.ArrayLike | None = None,
    *,
    limits: tuple[float, float] | None = None,
    title: str | None = None,
    caption: str | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw the mean activations as bars, one panel a class below the other, all on one scale.

    Parameters
    ----------
    mean : array (C, H)
        The mean of each hidden unit over the rows of each class.
    classes : sequence of C
        Their names.
    stderr : array (C, H), optional
        Standard errors; drawn as ±1.96 of them, except where NaN.
    limits : (float, float), optional
        The scale: (0, 1), or (-1, 1) for spins; by default from 0 to the greatest value.
    title, caption : str, optional
        Above and below the panels.
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure
        With one axes a class.

    Raises
    ------
    InputError
        If the arrays are not tables of one shape, or have another number of rows than there are classes.
    """
    from matplotlib.ticker import MaxNLocator

    from harmonium.intervals import Z_95

    rows = table("mean", mean)
    errors = np.zeros_like(rows) if stderr is None else Z_95 * table("stderr", stderr, allow_nan=True)
    if errors.shape != rows.shape or len(classes) != len(rows):
        raise InputError(
            f"mean has shape {rows.shape}, stderr {errors.shape} and there are {len(classes)} classes; give one row a "
            "class in both."
        )
    errors = np.nan_to_num(errors)
    if limits is None:
        reach = 1.08 * float(np.abs(rows).max() + errors.max()) or 1.0
        limits = (-reach if rows.min() < 0 else 0.0, reach)
    units = np.arange(rows.shape[1])
    with style():
        figure = new_figure(WIDTH, 0.5 + 1.1 * len(rows) + 0.25 * bool(title)) if figure is None else figure
        panels = figure.subplots(len(rows), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for i, (ax, values, error) in enumerate(zip(panels, rows, errors, strict=True)):
            colour = CYCLE[i % len(CYCLE)]
            if len(units) <= SEPARATE:
                shown = None if stderr is None else error
                ax.bar(units, values, width=0.75, color=colour, yerr=shown, ecolor=INK, error_kw={"linewidth": 0.8})
            else:
                ax.stairs(values, np.arange(len(units) + 1) - 0.5, fill=True, color=colour)
            ax.axhline(0, color=MUTED, linewidth=0.7)
            ax.grid(False, axis="x")
            ax.set(ylim=limits, xlim=(-0.75, len(units) - 0.25))
            headings(ax, str(classes[i]))
        if len(units) <= 24:
            panels[-1].set_xticks(units)
        else:
            panels[-1].xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
        panels[-1].set_xlabel("hidden unit")
        figure.supylabel("mean activation", fontsize=9)
        if title:
            figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
        if caption:
            figure.supxlabel(caption, fontsize=8, color=MUTED, x=0.01, ha="left")
    return figure
