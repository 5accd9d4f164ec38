"""The visible and the hidden biases, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from harmonium.plots.checks import Floats, is_image, vector
from harmonium.plots.picture import colour_bar, show, symmetric_limits
from harmonium.plots.style import BLUE, MUTED, SIGNED, WIDTH, headings, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SEPARATE = 64  # up to so many entries are separate bars; more are the steps of one outline


def biases(
    visible: npt.ArrayLike,
    hidden: npt.ArrayLike,
    shape: tuple[int, ...] | None = None,
    *,
    name: str = "visible",
    figure: Figure | None = None,
) -> Figure:
    """Draw the visible bias, as an image if it is one, beside the hidden bias as bars.

    Parameters
    ----------
    visible : array (V,)
    hidden : array (H,)
    shape : tuple of int, optional
        (height, width) of the visible side as an image; any other length, or None, makes bars.
    name : str
        What to call the units of `visible`, such as label where it is that part of the side.
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure
        With the axes of the visible and of the hidden side.

    Raises
    ------
    InputError
        If a bias is not a finite vector, or `shape` does not hold the visible one.
    """
    b_visible, b_hidden = vector("visible", visible), vector("hidden", hidden)
    image = is_image("visible", b_visible.size, shape)
    with style():
        figure = new_figure(WIDTH, 2.6) if figure is None else figure
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.5) if image else (1, 1))
        if image:
            assert shape is not None
            limits = symmetric_limits(b_visible)
            colour_bar(show(left, b_visible.reshape(shape), SIGNED, limits), "")
        else:
            bars(left, b_visible, f"{name} unit")
        bars(right, b_hidden, "hidden unit")
        headings(left, f"{name} bias")
        headings(right, "hidden bias")
    return figure


def bars(ax: Axes, values: Floats, label: str) -> None:
    """Draw `values` (size,) from zero, by index."""
    from matplotlib.ticker import MaxNLocator

    if values.size <= SEPARATE:
        ax.bar(range(values.size), values, width=0.75, color=BLUE)
    else:
        ax.stairs(values, [i - 0.5 for i in range(values.size + 1)], fill=True, color=BLUE)
    ax.axhline(0, color=MUTED, linewidth=0.7)
    ax.grid(False, axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_xlim(-0.75, values.size - 0.25)
    ax.set(xlabel=label, ylabel="bias")
