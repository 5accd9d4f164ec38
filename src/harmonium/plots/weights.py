"""The weights of the hidden units, an image tile each, all on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, is_image, table
from harmonium.plots.picture import Limits, colour_bar, heat_map, show, symmetric_limits
from harmonium.plots.style import MUTED, SIGNED, WIDTH, headings, new_figure, style
from harmonium.plots.tiles import default_columns, tiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

QUANTILE = 0.995  # of |W| at the ends of the colour scale: a few large weights must not pale all the others
DEAD = 0.01  # of the median norm
BESIDE, ABOVE = 0.85, 0.35  # inches that the colour bar takes beside the tiles, and the title above them


def weights(
    W: npt.ArrayLike,
    shape: tuple[int, ...] | None,
    *,
    columns: int | None = None,
    order: Literal["norm"] | None = None,
    limit: float | None = None,
    titles: Sequence[str] | None = None,
    title: str | None = None,
    maximum: int = 100,
    figure: Figure | None = None,
) -> Figure:
    """Draw the weights of each hidden unit as an image with its index above; as one heat map if rows are not images.

    Parameters
    ----------
    W : array (H, V)
        One hidden unit a row: the transpose of a machine's (V, H) weights.
    shape : tuple of int or None
        (height, width) of a visible row as an image; any other length, or None, makes a heat map.
    columns : int, optional
        Tiles side by side; found from their number if None.
    order : "norm" or None
        Largest norm first, or the order of the units. More than `maximum` units are always taken by norm.
    limit : float, optional
        The weight at the ends of the colour scale, the same for every tile; by default the 99.5 % quantile of |W|.
    titles : sequence of H str, optional
        What to write above the tiles instead of the indices.
    title : str, optional
    maximum : int
        The most tiles to draw; the title says how many there are. A heat map shows all units.
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If `W` is not a finite table that `shape` fits, `titles` has another length, or a number is out of range.
    """
    rows = table("W", W)
    image = is_image("W", rows.shape[1], shape)
    if limit is not None and not limit > 0:
        raise InputError(f"limit is {limit}; give a positive weight.")
    if order not in (None, "norm"):
        raise InputError(f"order is {order!r}; give 'norm' or None.")
    if titles is not None and len(titles) != len(rows):
        raise InputError(f"titles has {len(titles)} entries for {len(rows)} hidden units; give one a unit.")
    if maximum < 1:
        raise InputError(f"maximum is {maximum}; show at least one unit.")
    limits = symmetric_limits(rows, QUANTILE) if limit is None else (-limit, limit)
    by_norm = order == "norm" or (image and len(rows) > maximum)
    chosen = choose(rows, by_norm=by_norm, maximum=maximum if image else len(rows))
    heading = _heading(len(chosen), len(rows), by_norm)
    with style():
        if image:
            assert shape is not None
            names = [str(unit) if titles is None else titles[unit] for unit in chosen]
            figure, drawn = draw_tiles(figure, rows[chosen], (shape[0], shape[1]), columns, limits, names)
        else:
            figure, drawn = _draw_table(figure, rows[chosen], limits, by_norm)
        colour_bar(drawn, "weight", low=bool(rows.min() < limits[0]), high=bool(rows.max() > limits[1]))
        ax = drawn.axes
        headings(ax, title or heading, heading if title else None)
        _note_dead(figure, dead_units(rows))
    return figure


def choose(W: Floats, *, by_norm: bool, maximum: int) -> npt.NDArray[np.intp]:
    """The indices of at most `maximum` rows of `W` (H, V), in their order or the largest norm first."""
    order = np.argsort(-np.linalg.norm(W, axis=1), kind="stable") if by_norm else np.arange(len(W))
    return order[:maximum]


def dead_units(W: Floats) -> list[int]:
    """The rows of `W` (H, V) whose norm is 0 or below 1 % of the median norm."""
    norms = np.linalg.norm(W, axis=1)
    return [int(unit) for unit in np.flatnonzero((norms < DEAD * np.median(norms)) | (norms == 0))]


def _heading(drawn: int, units: int, by_norm: bool) -> str:
    count = f"{drawn} of {units} units" if drawn < units else f"{units} hidden unit" + "s" * (units > 1)
    return count + ", largest norm first" * (by_norm and units > 1)


def draw_tiles(
    figure: Figure | None,
    rows: Floats,
    shape: tuple[int, int],
    columns: int | None,
    limits: Limits,
    names: Sequence[str],
) -> tuple[Figure, AxesImage]:
    """Draw the mosaic, with room above each tile for its name."""
    height, width = shape
    columns = default_columns(len(rows), shape) if columns is None else columns
    pads = max(1, round(0.22 * height)), max(1, round(0.06 * width))
    mosaic = tiles(rows, shape, columns, pads)[: -pads[0], pads[1] : -pads[1]]  # no frame; the names stay above
    tile = min((WIDTH - BESIDE) / columns, 1.05)  # inches from tile to tile
    if figure is None:
        across = tile * columns
        figure = new_figure(max(across + BESIDE, 3.0), across * mosaic.shape[0] / mosaic.shape[1] + ABOVE)
    ax: Axes = figure.subplots()
    drawn = show(ax, mosaic, SIGNED, limits, missing="white")
    mosaic_step = height + pads[0], width + pads[1]
    size = min(max(72 * tile * 0.13, 4.0), 7.5)
    for place, name in enumerate(names):
        line, column = divmod(place, columns)
        top, left = line * mosaic_step[0] + pads[0], column * mosaic_step[1]
        ax.text(left - 0.5, top - 0.5 - 0.02 * height, name, fontsize=size, color=MUTED, ha="left", va="bottom")
    return figure, drawn


def _draw_table(figure: Figure | None, rows: Floats, limits: Limits, by_norm: bool) -> tuple[Figure, AxesImage]:
    if figure is None:
        figure = new_figure(WIDTH, min(max(1.4 + 0.16 * len(rows), 2.0), 6.0))
    label = "hidden unit, by norm" if by_norm else "hidden unit"
    return figure, heat_map(figure.subplots(), rows, SIGNED, limits, x="visible unit", y=label)


def _note_dead(figure: Figure, dead: Sequence[int]) -> None:
    if not dead:
        return
    named = ", ".join(map(str, dead[:12])) + (", …" if len(dead) > 12 else "")
    figure.supxlabel(
        f"{len(dead)} dead (norm below 1 % of the median): {named}", x=0.01, ha="left", fontsize=8, color=MUTED
    )
