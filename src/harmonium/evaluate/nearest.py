"""The nearest binary image: by one matrix product for a block of images, without a loop over them.

|x & y| = x·y
Hamming(x, y)  = |x| + |y| - 2 x·y                                     pixels that differ
relative(x, y) = Hamming / (|x| + |y|)                                 1 less Dice's coefficient, 0 to 1
                                                                       (Dice 1945; Sørensen 1948)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError

Binary = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

#: Distances that are held at a time.
BLOCK_ENTRIES = 1 << 24


def binary_images(name: str, images: Any, pixels: int | None = None) -> Binary:
    """Images (N, V) of zeros and ones, in single precision, in which counts below 2^24 are exact.

    Raises InputError for another shape or number of pixels, and for other values.
    """
    try:
        x = np.ascontiguousarray(images, dtype=np.float32)
    except (TypeError, ValueError):
        raise InputError(f"{name} does not hold numbers; give an array of images, a flat one a row.") from None
    if x.ndim != 2 or 0 in x.shape or (pixels is not None and x.shape[1] != pixels):
        wanted = "pixels" if pixels is None else pixels
        raise InputError(f"{name} has shape {x.shape}; give (images, {wanted}), at least one image.")
    if not ((x == 0) | (x == 1)).all():
        raise InputError(f"{name} holds values other than 0 and 1; binarise the images as the machine's data were.")
    return x


def nearest(images: Binary, others: Binary, *, itself: bool = False) -> tuple[Floats, Floats]:
    """The least Hamming and the least relative distance from each image (N, V) to any of the others (M, V): (N,) each.

    `itself` says that the two are the same images, none of which is its own neighbour; a single one has none, at an
    infinite distance.
    """
    hamming, relative = np.empty(len(images)), np.empty(len(images))
    lit = others.sum(1)
    step = max(1, BLOCK_ENTRIES // len(others))
    for start in range(0, len(images), step):
        own = images[start : start + step]
        total = own.sum(1)[:, None] + lit
        distance = own @ others.T
        np.subtract(total, np.multiply(distance, 2, out=distance), out=distance)
        if itself:
            distance[np.arange(len(own)), np.arange(start, start + len(own))] = np.inf
        hamming[start : start + step] = distance.min(1)
        relative[start : start + step] = np.divide(distance, np.maximum(total, 1, out=total), out=distance).min(1)
    return hamming, relative
