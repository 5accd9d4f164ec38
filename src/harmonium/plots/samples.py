"""Data beside what the machine makes: samples, and completions of rows of which a part is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, is_image, table
from harmonium.plots.image_lines import frame, image_lines, value_limits
from harmonium.plots.picture import Limits, colour_bar, heat_map, show
from harmonium.plots.style import AMOUNT, WIDTH, headings, new_figure, style
from harmonium.plots.tiles import default_columns, tiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def samples(
    data: npt.ArrayLike | None,
    generated: npt.ArrayLike,
    shape: tuple[int, ...] | None,
    *,
    title: str | None = None,
    caption: str | None = None,
    columns: int | None = None,
    maximum: int = 64,
    limits: Limits | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw the first data rows and as many generated ones in two equal mosaics; as heat maps if they are not images.

    Without data (None) the generated rows stand alone.

    Parameters
    ----------
    data, generated : array (N, V) or None, array (M, V)
        Rows in the order in which to show them.
    shape : tuple of int or None
        (height, width) of a row as an image; any other length, or None, makes heat maps.
    title : str, optional
    caption : str, optional
        How the samples were made, for the foot of the figure: "1,000 Gibbs sweeps from noise".
    columns : int, optional
        Tiles side by side in each mosaic.
    maximum : int
        The most rows to draw on each side.
    limits : (float, float), optional
        The values that are white and black, on both sides; by default the least and the greatest of all that is drawn.
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure
        With the axes of the data, where there are any, and of the samples.

    Raises
    ------
    InputError
        If the two are not finite tables of one width that `shape` fits, or `columns` or `maximum` is below 1.
    """
    named = [("generated", table("generated", generated))]
    if data is not None:
        named.insert(0, ("data", table("data", data)))
    _same_width(*named)
    if maximum < 1:
        raise InputError(f"maximum is {maximum}; show at least one row.")
    image = is_image(named[0][0], named[0][1].shape[1], shape)
    count = min(maximum, *(len(rows) for _, rows in named))
    tables = [rows[:count] for _, rows in named]
    limits = value_limits(*tables) if limits is None else limits
    room = 0.25 * bool(title) + 0.2 * bool(caption)  # inches
    with style():
        if image:
            assert shape is not None
            figure = _mosaics(figure, tables, (shape[0], shape[1]), columns, limits, room)
        else:
            figure = _heat_maps(figure, tables, limits)
        for ax, name in zip(figure.axes, ("data", "samples")[-len(tables) :], strict=False):
            headings(ax, name)
        frame(figure, title, caption)
    return figure


def completions(
    original: npt.ArrayLike,
    clamped: npt.ArrayLike,
    completed: npt.ArrayLike,
    shape: tuple[int, ...] | None,
    *,
    title: str | None = None,
    caption: str | None = None,
    maximum: int = 12,
    limits: Limits | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw three lines of images: the rows as they were, what was known of them, and what the machine made of that.

    Parameters
    ----------
    original, clamped, completed : arrays (N, V)
        `clamped` is NaN where the machine had to find the value.
    shape : tuple of int or None
        (height, width) of a row as an image; any other length, or None, makes three heat maps.
    title, caption, limits, figure
        As in `samples`.
    maximum : int
        The most rows to draw.

    Returns
    -------
    Figure
        With one mosaic of three lines, or the axes of the three heat maps.

    Raises
    ------
    InputError
        If the three are not tables of one shape that `shape` fits, or hold NaN elsewhere than in `clamped`.
    """
    names = ("original", "clamped", "completed")
    tables = [
        table(name, rows, allow_nan=name == "clamped")
        for name, rows in zip(names, (original, clamped, completed), strict=True)
    ]
    _same_width(*zip(names, tables, strict=True))
    if len({len(rows) for rows in tables}) > 1:
        raise InputError(
            f"original, clamped and completed have {[len(rows) for rows in tables]} rows; give as many of each."
        )
    lines = dict(zip(names, tables, strict=True))
    return image_lines(lines, shape, title=title, caption=caption, maximum=maximum, limits=limits, figure=figure)


def _same_width(*named: tuple[str, Floats]) -> None:
    (first, reference), *others = named
    for name, rows in others:
        if rows.shape[1] != reference.shape[1]:
            raise InputError(
                f"{name} has {rows.shape[1]} entries a row and {first} {reference.shape[1]}; give rows of one machine."
            )


def _mosaics(
    figure: Figure | None,
    tables: list[Floats],
    shape: tuple[int, int],
    columns: int | None,
    limits: Limits,
    room: float,
) -> Figure:
    """Draw one mosaic or two beside each other, each half of the width."""
    columns = default_columns(len(tables[0]), shape) if columns is None else columns
    mosaics = [tiles(rows, shape, columns) for rows in tables]
    if figure is None:
        height, width = mosaics[0].shape
        across = WIDTH if len(tables) == 2 else WIDTH / 2
        figure = new_figure(across, (WIDTH - 0.3) / 2 * height / width + 0.3 + room)
    for ax, mosaic in zip(np.atleast_1d(figure.subplots(1, len(tables))), mosaics, strict=True):
        show(ax, mosaic, AMOUNT, limits)
    return figure


def _heat_maps(figure: Figure | None, tables: list[Floats], limits: Limits) -> Figure:
    """Draw one heat map or two beside each other, with one colour bar."""
    figure = new_figure(WIDTH if len(tables) == 2 else WIDTH / 2, 3.2) if figure is None else figure
    labels = ["row", ""][: len(tables)]
    for ax, rows, y in zip(np.atleast_1d(figure.subplots(1, len(tables), sharey=True)), tables, labels, strict=True):
        drawn = heat_map(ax, rows, AMOUNT, limits, x="visible unit", y=y)
    colour_bar(drawn, "value")
    return figure
