"""The correlations of the hidden units as matrices: under the data, and under the machine beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, table
from harmonium.plots.picture import FEW, colour_bar, heat_map
from harmonium.plots.style import INK, SIGNED, WIDTH, headings, new_figure, number, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WRITTEN = 10  # units up to which the numbers are written into the cells
MOST = 3  # matrices beside each other


def hidden_correlation(
    matrices: Mapping[str, npt.ArrayLike], *, title: str | None = None, figure: Figure | None = None
) -> Figure:
    """Draw correlation matrices beside each other, on one scale from -1 to 1; NaN (a constant unit) is grey.

    Parameters
    ----------
    matrices : mapping of str to array (H, H)
        One to three, by their headings: "under the data", "under the machine".
    title : str, optional
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure
        With one axes a matrix.

    Raises
    ------
    InputError
        If there are none or too many, or one is not a square table of correlations.
    """
    if not 1 <= len(matrices) <= MOST:
        raise InputError(f"matrices has {len(matrices)} entries; give one to {MOST}.")
    tables = {name: table(name, values, allow_nan=True) for name, values in matrices.items()}
    for name, values in tables.items():
        if values.shape[0] != values.shape[1] or np.nanmax(np.abs(values), initial=0.0) > 1 + 1e-6:
            raise InputError(f"{name!r} is not a square table of correlations from -1 to 1; give one.")
    count = len(tables)
    with style():
        if figure is None:
            side = min((WIDTH - 0.8) / max(count, 2) - 0.25, 3.2)
            figure = new_figure(side * count + 0.25 * count + 0.7, side + 0.65 + 0.25 * bool(title))
        for ax, (name, values) in zip(figure.subplots(1, count, squeeze=False)[0], tables.items(), strict=True):
            drawn = heat_map(ax, values, SIGNED, (-1.0, 1.0), x="hidden unit", y="hidden unit")
            ax.set_aspect("equal")
            if len(values) > FEW:
                drawn.set_interpolation("nearest")  # one unit's correlations are nobody else's
            if len(values) <= 16:
                ax.set_xticks(range(len(values)))
                ax.set_yticks(range(len(values)))
            ax.tick_params(length=0)
            ax.spines[:].set_visible(False)
            headings(ax, name, _largest(values))
            if len(values) <= WRITTEN:
                for (i, j), value in np.ndenumerate(values):
                    if i != j and np.isfinite(value):
                        colour = "white" if abs(value) > 0.65 else INK
                        ax.text(j, i, _short(value), ha="center", va="center", fontsize=6.5, color=colour)
        colour_bar(drawn, "correlation")
        if title:
            figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    return figure


def _largest(values: Floats) -> str | None:
    """The largest correlation of two units, in words: weak ones are pale on the scale from -1 to 1."""
    apart = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    if not np.isfinite(apart).any():
        return None
    i, j = np.unravel_index(np.nanargmax(np.abs(apart)), apart.shape)
    return f"largest of two units: {number(apart[i, j], 2)} ({i}, {j})"


def _short(value: float) -> str:
    """Two decimals without the zero before the point, and with a true minus sign."""
    text = f"{value:.2f}".replace("-0.00", "0.00").replace("0.", ".", 1)
    return text.replace("-", "−")
