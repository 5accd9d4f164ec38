"""Rows of a table as images side by side, in one mosaic array."""

from __future__ import annotations

from math import ceil, floor, nan, sqrt

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, is_image, table


def tiles(
    images: npt.ArrayLike,
    shape: tuple[int, int],
    columns: int | None = None,
    pad: int | tuple[int, int] = 1,
    fill: float = nan,
) -> Floats:
    """Lay out rows (N, V) as images of `shape` = (height, width) in one mosaic, row by row from the top left.

    Parameters
    ----------
    images : array (N, V)
        One flat image a row; NaN is allowed.
    shape : (int, int)
        Height and width of an image, in pixels.
    columns : int, optional
        Images a mosaic row; by default the number that leaves the fewest gaps in a mosaic about as wide as high.
    pad : int or (int, int)
        Pixels of `fill` between images and around them: both ways, or above and beside each.
    fill : float
        The value of the padding and of the places without an image.

    Returns
    -------
    array (rows * (height + pad) + pad, columns * (width + pad) + pad)

    Raises
    ------
    InputError
        If the rows do not have height * width entries, or `columns` or `pad` is too small.
    """
    rows = table("images", images, allow_nan=True)
    if not is_image("images", rows.shape[1], shape):
        raise InputError(f"shape is {shape}; give the (height, width) of one image.")
    columns = default_columns(len(rows), shape) if columns is None else columns
    above, beside = (pad, pad) if isinstance(pad, int) else pad
    if columns < 1 or above < 0 or beside < 0:
        raise InputError(f"columns is {columns} and pad is {pad}; give at least one column and no negative pad.")
    down, across = ceil(len(rows) / columns), columns
    # Each image with its pad, above and left
    cells = np.full((down * across, shape[0] + above, shape[1] + beside), fill, dtype=float)
    cells[: len(rows), above:, beside:] = rows.reshape(-1, *shape)
    body = cells.reshape(down, across, *cells.shape[1:]).swapaxes(1, 2).reshape(down * cells.shape[1], -1)
    return np.pad(body, ((0, above), (0, beside)), constant_values=fill)


def default_columns(count: int, shape: tuple[int, int]) -> int:
    """The number of columns that leaves the fewest gaps among mosaics from square to three times as wide as high."""
    square = sqrt(count * shape[0] / shape[1])
    least = min(max(ceil(square - 1e-9), 1), count)
    most = min(max(floor(sqrt(3) * square), least), count)
    return min(range(least, most + 1), key=lambda c: (-count % c, abs(c - 1.25 * square)))
