"""The same rows in several states, a line of images for each: data, what was known of them, what was made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, is_image, table
from harmonium.plots.picture import Limits, heat_map, show
from harmonium.plots.style import AMOUNT, MUTED, RULE, WIDTH, new_figure, style
from harmonium.plots.tiles import tiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNKNOWN = "#CFE3F2"  # the colour of pixels that are NaN


def image_lines(
    lines: Mapping[str, npt.ArrayLike],
    shape: tuple[int, ...] | None,
    *,
    title: str | None = None,
    caption: str | None = None,
    maximum: int = 12,
    limits: Limits | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw a line of images for each name; rows of one place belong together.

    Parameters
    ----------
    lines : mapping of str to array (N, V)
        NaN is a pixel that is not known.
    shape : tuple of int or None
        (height, width) of a row as an image; any other length, or None, makes a heat map of each line.
    title, caption : str, optional
    maximum : int
        The most rows to draw.
    limits : (float, float), optional
        The values that are white and black; by default the least and the greatest of all.
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the lines are not tables of one shape that `shape` fits, or `maximum` is below 1.
    """
    names = tuple(lines)
    if not names:
        raise InputError("lines is empty; give at least one table of rows.")
    tables = [table(name, rows, allow_nan=True) for name, rows in lines.items()]
    for name, rows in zip(names, tables, strict=True):
        if rows.shape != tables[0].shape:
            raise InputError(f"{name} is {rows.shape} and {names[0]} {tables[0].shape}; give rows of one machine.")
    if maximum < 1:
        raise InputError(f"maximum is {maximum}; show at least one row.")
    image = is_image(names[0], tables[0].shape[1], shape)
    tables = [rows[:maximum] for rows in tables]
    limits = value_limits(*tables) if limits is None else limits
    room = 0.25 * bool(title) + 0.2 * bool(caption)  # inches
    with style():
        if image:
            assert shape is not None
            figure = _lines(figure, tables, names, (shape[0], shape[1]), limits, room)
        else:
            figure = new_figure(WIDTH, 0.5 + 1.5 * len(names)) if figure is None else figure
            panels = np.atleast_1d(figure.subplots(len(names), 1, sharex=True))
            for ax, name, rows in zip(panels, names, tables, strict=True):
                heat_map(ax, rows, AMOUNT, limits, x="", y=name, missing=UNKNOWN)
            figure.axes[-1].set_xlabel("visible unit")
        frame(figure, title, caption)
    return figure


def value_limits(*tables: Floats) -> Limits:
    """The least and the greatest value of all tables, a unit apart if they are equal."""
    low = min(float(np.nanmin(rows)) for rows in tables if not np.isnan(rows).all())
    high = max(float(np.nanmax(rows)) for rows in tables if not np.isnan(rows).all())
    return (low, high) if high > low else (low, low + 1)


def frame(figure: Figure, title: str | None, caption: str | None) -> None:
    """Write the title above and the caption below, where they are given."""
    if title:
        figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    if caption:
        figure.supxlabel(caption, fontsize=8, color=MUTED)


def _lines(
    figure: Figure | None,
    tables: list[Floats],
    names: tuple[str, ...],
    shape: tuple[int, int],
    limits: Limits,
    room: float,
) -> Figure:
    """Draw one mosaic with a line for each table, its name at the left."""
    count = len(tables[0])
    outside = limits[0] - 1  # a value of its own for the padding: NaN already means a pixel that is not known
    mosaic = tiles(np.concatenate(tables), shape, count, 1, outside)
    if figure is None:
        beside = 0.3 + 0.075 * max(map(len, names))  # for the names
        across = min(WIDTH - beside, 1.1 * count)  # inches
        figure = new_figure(max(across + beside, 3.0), across * mosaic.shape[0] / mosaic.shape[1] + 0.1 + room)
    ax = figure.subplots()
    show(ax, mosaic, AMOUNT, limits, missing=UNKNOWN, padding=RULE)
    ax.set_yticks([(line + 0.5) * (shape[0] + 1) for line in range(len(names))], names)
    ax.tick_params(length=0)
    return figure
