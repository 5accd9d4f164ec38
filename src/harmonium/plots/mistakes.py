"""The images that a classifier gets wrong, the most confident mistakes first."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import is_image, table, vector
from harmonium.plots.picture import Limits, show
from harmonium.plots.style import AMOUNT, INK, MUTED, WIDTH, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ONE_LINE = 23  # letters of 6.8 points that stand over one tile
_LONGEST = 16
_COLUMNS = 6


def mistakes(
    images: npt.ArrayLike,
    own: Sequence[object],
    said: Sequence[object],
    confidence: npt.ArrayLike,
    shape: tuple[int, ...] | None,
    *,
    maximum: int = 24,
    limits: Limits | None = None,
    title: str | None = None,
    caption: str | None = None,
) -> Figure | None:
    """Draw each image with its own class, the class said and the confidence in it.

    Parameters
    ----------
    images : array (N, V)
        In the order in which to show them.
    own, said : sequences of N
        Names of classes.
    confidence : array (N,)
        The probability of the class said.
    shape : tuple of int or None
        (height, width) of a row as an image.
    maximum : int
        The most images to draw.
    limits : (float, float), optional
        The values that are white and black; by default the least and the greatest of all that is drawn.
    title, caption : str, optional
        Above and below the images.

    Returns
    -------
    Figure or None
        With one axes an image; None where there is nothing to draw: no mistakes, or rows that are not images.

    Raises
    ------
    InputError
        If there are not as many of all, the images are no table that `shape` fits, or `maximum` is below 1.
    """
    if maximum < 1:
        raise InputError(f"maximum is {maximum}; show at least one image.")
    if not len(own) == len(said) == len(np.asarray(confidence)) == len(np.asarray(images)):
        raise InputError(
            f"images, own, said and confidence have {len(np.asarray(images))}, {len(own)}, {len(said)} and "
            f"{len(np.asarray(confidence))} rows; give as many of each."
        )
    if not len(own):
        return None
    rows, sure = table("images", images)[:maximum], vector("confidence", confidence)[:maximum]
    if not is_image("images", rows.shape[1], shape):
        return None
    assert shape is not None
    low, high = (float(rows.min()), float(rows.max())) if limits is None else limits
    columns = min(_COLUMNS, len(rows))
    down = ceil(len(rows) / columns)
    captions = [mistake(own[i], said[i], float(sure[i])) for i in range(len(rows))]
    lines = 1 + max(words.count("\n") for words in captions)
    across = WIDTH / _COLUMNS
    tile = across * min(shape[0] / shape[1], 2.0)
    with style():
        figure = new_figure(across * max(columns, 3), down * (tile + 0.13 * lines + 0.05) + 0.25 * bool(title))
        for i, ax in enumerate(figure.subplots(down, columns, squeeze=False).flat):
            ax.set_axis_off()
            if i < len(rows):
                show(ax, rows[i].reshape(shape[0], shape[1]), AMOUNT, (low, max(high, low + 1e-6)))
                ax.set_title(captions[i], fontsize=6.8, fontweight="normal", loc="center", pad=2.5, color=INK)
        if title:
            figure.suptitle(title, fontsize=10, fontweight="bold", x=0.01, ha="left")
        if caption:
            figure.supxlabel(caption, fontsize=8, color=MUTED)
    return figure


def mistake(own: object, said: object, confidence: float) -> str:
    """What stands over an image: one line, or three where the names are long."""
    a, b = (name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…" for name in (str(own), str(said)))
    percent = 100 * confidence
    sure = f"{percent:.0f} %" if percent < 99.5 else f"{percent:.1f} %" if percent < 99.95 else ">99.9 %"
    line = f"true {a}, said {b}, {sure}"
    return line if len(line) <= _ONE_LINE else f"true {a}\nsaid {b}\n{sure}"
