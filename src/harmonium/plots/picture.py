"""Arrays as pictures: a mosaic or image without ticks, a heat map with them, and the colour bar of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from harmonium.plots.checks import Floats
from harmonium.plots.style import RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.image import AxesImage

Limits = tuple[float, float]

FEW = 64  # rows or columns: so few cells are wide, and smoothing, made for crowded ones, would blur their edges


def show(
    ax: Axes, image: Floats, cmap: str, limits: Limits, *, missing: str = RULE, padding: str | None = None
) -> AxesImage:
    """Draw `image` (height, width) with square pixels: NaN in colour `missing`, values below `limits` in `padding`."""
    drawn = _draw(ax, image, cmap, limits, missing, padding, "equal")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return drawn


def heat_map(ax: Axes, values: Floats, cmap: str, limits: Limits, *, x: str, y: str, missing: str = RULE) -> AxesImage:
    """Draw `values` (rows, columns) so that they fill the axes, with whole-numbered ticks and axis labels `x`, `y`."""
    from matplotlib.ticker import MaxNLocator

    drawn = _draw(ax, values, cmap, limits, missing, None, "auto")
    if min(values.shape) <= FEW:
        drawn.set_interpolation("nearest")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set(xlabel=x, ylabel=y)
    return drawn


def colour_bar(drawn: AxesImage, label: str, *, low: bool = False, high: bool = False) -> Colorbar:
    """A thin bar as high as the picture, with arrows where values lie beyond the `low` or the `high` limit."""
    from matplotlib.ticker import MaxNLocator

    ax = drawn.axes
    bar = ax.get_figure().colorbar(  # type: ignore[union-attr]
        drawn, cax=ax.inset_axes((1.02, 0, 0.022, 1)), label=label, ticks=MaxNLocator(5),
        extendfrac=0.03, extend=("both" if low else "max") if high else ("min" if low else "neither"),
    )  # fmt: skip
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    return bar


def symmetric_limits(values: Floats, quantile: float = 1.0) -> Limits:
    """(-m, m), where m is that quantile of |values|; their maximum if it is 0, and 1 if they are all 0."""
    sizes = np.abs(values)
    m = float(np.quantile(sizes, quantile)) or float(sizes.max()) or 1.0
    return -m, m


def _draw(
    ax: Axes,
    values: Floats,
    cmap: str,
    limits: Limits,
    missing: str,
    padding: str | None,
    aspect: Literal["equal", "auto"],
) -> AxesImage:
    import matplotlib as mpl

    colours = mpl.colormaps[cmap].with_extremes(bad=missing, under=padding)
    ax.grid(False)
    # Pixels are mixed as colours, not as values: a value between a pixel and its padding would mean nothing.
    return ax.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1], aspect=aspect, interpolation_stage="rgba")
