"""Chains of generated images: the given image in red, then what the machine makes of it, sweep after sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, is_image, table
from harmonium.plots.picture import Limits, show
from harmonium.plots.style import AMOUNT, MUTED, RULE, WIDTH, headings, new_figure, number, style
from harmonium.plots.tiles import tiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GIVEN, DEPTH = "Reds", 0.72  # the colour map of given images, and how far along it full ink lies: red, not maroon


@dataclass(frozen=True)
class Chains:
    """One group of chains.

    Attributes
    ----------
    name : str
        Its heading: "plain", "weights × 20", "temperature 1/20", "from noise".
    images : array (R, T, V)
        R chains after the T numbers of sweeps.
    start : array (R, V), optional
        The data rows where they began, drawn in red; None for chains that began elsewhere.
    """

    name: str
    images: npt.ArrayLike
    start: npt.ArrayLike | None = None


def generated(
    groups: Sequence[Chains],
    sweeps: Sequence[int],
    shape: tuple[int, ...],
    *,
    across: int | None = None,
    limits: Limits = (0.0, 1.0),
    title: str | None = None,
    caption: str | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw each group as a mosaic with a chain a row: the given image in red, then one image for each of `sweeps`.

    Parameters
    ----------
    groups : sequence of Chains
    sweeps : sequence of T int
        After how many sweeps the images were taken, written above the columns.
    shape : (int, int)
        (height, width) of an image.
    across : int, optional
        Groups side by side; by default two, or as many as there are if they are narrow.
    limits : (float, float)
        The values that are white and black (or red).
    title, caption : str, optional
        Above and below all groups.
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure
        With one axes a group.

    Raises
    ------
    InputError
        If there is no group, or its arrays do not have the sizes above.
    """
    if not groups:
        raise InputError("groups is empty; give at least one group of chains.")
    started = any(group.start is not None for group in groups)
    mosaics = [_mosaics(group, len(sweeps), shape, limits, started) for group in groups]
    widest = max(made.shape[1] for made, _ in mosaics)
    if across is None:
        across = max(1, min(len(groups), max(2, round(12 * shape[1] / widest))))
    if across < 1:
        raise InputError(f"across is {across}; put at least one group in a row.")
    down = -(-len(groups) // across)
    room = 0.4 * bool(title) + 0.22 * bool(caption)
    with style():
        if figure is None:
            scale = min((WIDTH - 0.25 * across) / (across * widest), 0.9 / shape[1])  # inches a pixel
            heights = [max(made.shape[0] for made, _ in mosaics[i * across : (i + 1) * across]) for i in range(down)]
            figure = new_figure(scale * across * widest + 0.25 * across, scale * sum(heights) + 0.5 * down + room)
        axes = figure.subplots(down, across, squeeze=False).ravel()
        for ax, group, (made, given) in zip(axes, groups, mosaics, strict=False):
            _draw(ax, group, made, given, sweeps, shape[1], limits)
        for ax in axes[len(groups) :]:
            ax.set_axis_off()
        if title:
            figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
        if caption:
            figure.supxlabel(caption, fontsize=8, color=MUTED, x=0.01, ha="left")
    return figure


def _mosaics(
    group: Chains, steps: int, shape: tuple[int, ...], limits: Limits, started: bool
) -> tuple[Floats, Floats | None]:
    """The mosaic of made images, with the padding below the limits, and that of given ones, NaN elsewhere.

    Where any group has given images (`started`), all have a first column for them, so that columns are equally wide.
    """
    images = np.asarray(group.images, dtype=np.float64)
    if images.ndim != 3 or images.shape[1] != steps or not images.size:
        raise InputError(f"group {group.name!r} has images of shape {images.shape}; give (chains, {steps}, pixels).")
    chains, _, pixels = images.shape
    table(f"group {group.name!r}", images.reshape(-1, pixels))
    if not is_image(f"group {group.name!r}", pixels, shape):
        raise InputError(f"shape is {shape}; give the (height, width) of one image.")
    size = shape[0], shape[1]
    if not started:
        return tiles(images.reshape(-1, pixels), size, steps, 1, limits[0] - 1), None
    blank = np.full((chains, 1, pixels), np.nan)
    made = tiles(np.concatenate([blank, images], 1).reshape(-1, pixels), size, steps + 1, 1, limits[0] - 1)
    if group.start is None:
        return made, None
    start = table(f"start of group {group.name!r}", group.start)
    if start.shape != (chains, pixels):
        raise InputError(f"start of group {group.name!r} has shape {start.shape}; give {(chains, pixels)}.")
    given = np.concatenate([start[:, None], np.full_like(images, np.nan)], 1).reshape(-1, pixels)
    return made, tiles(given, size, steps + 1, 1)


def _draw(
    ax: Axes, group: Chains, made: Floats, given: Floats | None, sweeps: Sequence[int], width: int, limits: Limits
) -> None:
    show(ax, made, AMOUNT, limits, missing="white", padding=RULE)
    columns = (made.shape[1] - 1) // (width + 1)
    names = [*[""] * (columns - len(sweeps)), *(number(count) for count in sweeps)]
    if given is not None:
        show(ax, given, GIVEN, (limits[0], limits[0] + (limits[1] - limits[0]) / DEPTH), missing="none")
        names[0] = "data"
    ax.set_xticks([(i + 0.5) * (width + 1) for i in range(len(names))], names, fontsize=7)
    ax.tick_params(length=0, pad=1, labeltop=True, labelbottom=False)
    headings(ax, group.name)
