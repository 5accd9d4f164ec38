"""All parameters of a small machine in one picture: the visible bias, then each hidden unit's weights and bias."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import is_image, table, vector
from harmonium.plots.picture import colour_bar, symmetric_limits
from harmonium.plots.style import MUTED, headings, number, style
from harmonium.plots.weights import QUANTILE, choose, draw_tiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def parameters(
    W: npt.ArrayLike,
    visible_bias: npt.ArrayLike,
    hidden_bias: npt.ArrayLike,
    shape: tuple[int, ...],
    *,
    columns: int | None = None,
    limit: float | None = None,
    maximum: int = 100,
    title: str | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw the visible bias and the weights of each hidden unit as images on one scale, the hidden bias above each.

    Parameters
    ----------
    W : array (H, V)
        One hidden unit a row: the transpose of a machine's (V, H) weights.
    visible_bias, hidden_bias : arrays (V,), (H,)
    shape : (int, int)
        (height, width) of a visible row as an image.
    columns : int, optional
        Tiles side by side; found from their number if None.
    limit : float, optional
        The value at the ends of the colour scale; by default the 99.5 % quantile of the weights' sizes.  Biases of
        pixels that are hardly ever lit lie far beyond it, and the bar then ends in arrows.
    maximum : int
        The most hidden units to draw; of more, those of the largest norms.
    title : str, optional
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the arrays do not belong together, are not finite, or `shape` does not hold a row.
    """
    rows, a, b = table("W", W), vector("visible_bias", visible_bias), vector("hidden_bias", hidden_bias)
    if rows.shape != (len(b), len(a)):
        raise InputError(f"W has shape {rows.shape} for {len(b)} hidden and {len(a)} visible biases; give (H, V).")
    if not is_image("W", rows.shape[1], shape):
        raise InputError(f"shape is {shape}; give the (height, width) of one image.")
    if limit is not None and not limit > 0:
        raise InputError(f"limit is {limit}; give a positive weight.")
    if maximum < 1:
        raise InputError(f"maximum is {maximum}; show at least one unit.")
    limits = symmetric_limits(rows, QUANTILE) if limit is None else (-limit, limit)
    by_norm = len(rows) > maximum
    chosen = choose(rows, by_norm=by_norm, maximum=maximum)
    shown = np.concatenate([a[None], rows[chosen]])
    names = ["visible bias", *(f"{unit}: {number(b[unit], 1 if abs(b[unit]) < 99.95 else 0)}" for unit in chosen)]
    drawn_units = f"largest {len(chosen)} of {len(rows)} hidden units" if by_norm else f"{len(rows)} hidden units"
    with style():
        figure, drawn = draw_tiles(figure, shown, (shape[0], shape[1]), columns, limits, names)
        ax = drawn.axes
        ax.texts[0].set(fontweight="bold", color="black")
        for text in ax.texts[1:]:
            text.set_color(MUTED)
        colour_bar(drawn, "weight or bias", low=bool(shown.min() < limits[0]), high=bool(shown.max() > limits[1]))
        headings(ax, title, f"{drawn_units}: number and bias above each")
    return figure
