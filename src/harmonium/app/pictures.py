"""Pictures that travel in a page, and what a drawing needs to become one like them.

    g = byte / full          grey, 0 paper to 1 ink
    v = low + (high - low) g,    or    high where g > threshold, else low

box      the longer side of a digit's bounding box, in pixels (20 in MNIST's 28)
centre   where its centre of mass lies, from the upper left corner of the picture
pen      the width of a stroke:  area A and length L make A = pen L, and its two edges a total variation of about
         2 L · 4/pi when strokes run in all directions, hence  pen = (8/pi) A / variation
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harmonium.app.layers import Floats
from harmonium.data.labels import UNLABELLED
from harmonium.errors import InputError
from harmonium.runs.inputs import Inputs

#: Pictures to pick from, about: as many of each class as make this number.
SHOWN = 40
_INK = 0.1  # greys below this are no part of a stroke


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures as bytes, and how they become visible states.

    Attributes
    ----------
    values : array (N, V) of uint8
        From 0 to `full`.
    full : int
        The byte that means ink.
    shape : (int, int)
        Rows and columns.
    labels : tuple of str
        What each picture shows; empty where nobody knows.
    low, high, threshold : float, float, float or None
        What paper and ink are to the machine, and from where on grey is ink; None keeps greys between the two.
    box, pen : float
        In pixels.
    centre : (float, float)
        Row and column, in pixels.
    """

    values: NDArray[np.uint8]
    full: int
    shape: tuple[int, int]
    labels: tuple[str, ...]
    low: float
    high: float
    threshold: float | None
    box: float
    pen: float
    centre: tuple[float, float]

    @property
    def size(self) -> int:
        """Pixels of a picture."""
        return self.shape[0] * self.shape[1]

    def visible(self) -> Floats:
        """The pictures as the machine takes them: (N, V), float64."""
        grey = self.values / float(self.full)
        if self.threshold is not None:
            grey = (grey > self.threshold).astype(np.float64)
        return np.asarray(self.low + (self.high - self.low) * grey)


def pictures_of(inputs: Inputs, where: str) -> Pictures:
    """Held-out pictures of a run (or, where it held out none, others of its rows).

    Raises InputError where its rows are no pictures; `where` names the run.
    """
    shape = inputs.data.shape
    if len(shape) != 2 or min(shape) < 2:
        raise InputError(
            f"the rows of {where} have the shape {shape}, which is no picture; a page needs data of rows and columns "
            "of pixels."
        )
    feed, rows = inputs.feed, inputs.rows
    held_out = next(part for part in (rows.held_out, rows.validation, rows.train) if len(part)).cpu().numpy()
    y = None if inputs.data.y is None else np.asarray(inputs.data.y)  # also where the machine was not told
    chosen = _chosen(held_out, None if y is None else y[held_out])
    raw = feed.X[chosen].cpu().double().numpy()
    low, high = feed.pixels.two_values or (0.0, 1.0)
    if feed.rule == "none":
        values, full, low, high = _bytes(raw, feed.scale)
    else:
        values, full, _, _ = _bytes(raw.clip(0, feed.scale), feed.scale)
    names = inputs.data.names
    own = [UNLABELLED if y is None else int(y[i]) for i in chosen]
    labels = tuple("" if c == UNLABELLED else str(c) if names is None else names[c] for c in own)
    size = (int(shape[0]), int(shape[1]))
    box, pen, centre = strokes((values / full).reshape(-1, *size))
    threshold = feed.threshold
    if threshold is None and feed.rule == "none" and bool(((values == 0) | (values == full)).all()):
        threshold = 0.5  # the rows were black and white before they came
    return Pictures(values, full, size, labels, low, high, threshold, box, pen, centre)


def strokes(grey: Floats) -> tuple[float, float, tuple[float, float]]:
    """Box, pen and centre of greys (N, rows, columns); the middle and usual sizes where nothing is drawn."""
    rows, columns = grey.shape[1:]
    side = float(min(rows, columns))
    boxes, pens, centres = [], [], []
    for picture in grey:
        down, across = np.nonzero(picture > _INK)
        if not len(down):
            continue
        boxes.append(max(np.ptp(down), np.ptp(across)) + 1.0)
        framed = np.pad(picture, 1)
        variation = np.abs(np.diff(framed, axis=0)).sum() + np.abs(np.diff(framed, axis=1)).sum()
        pens.append(8 / math.pi * picture.sum() / variation)
        weight = picture / picture.sum()
        centres.append(((weight.sum(1) @ np.arange(rows)) + 0.5, (weight.sum(0) @ np.arange(columns)) + 0.5))
    if not boxes:
        return side * 5 / 7, side / 11, (rows / 2, columns / 2)
    box = float(np.clip(np.median(boxes), side / 3, side))
    pen = float(np.clip(np.median(pens), 0.04 * box, 0.25 * box))
    row, column = np.mean(centres, 0)
    return box, round(pen, 3), (round(float(row), 2), round(float(column), 2))


def _chosen(rows: NDArray[np.int64], y: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Row numbers: the first of each class, then the second of each, ...; evenly spread ones without classes."""
    found = np.unique(y[y != UNLABELLED]) if y is not None else np.empty(0, np.int64)
    if y is None or not 2 <= len(found) <= SHOWN:
        return rows[np.unique(np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).astype(np.int64))]
    each = max(2, SHOWN // len(found))
    of_class: Sequence[NDArray[np.int64]] = [rows[y == c][:each] for c in found]
    return np.array([own[i] for i in range(each) for own in of_class if i < len(own)])


def _bytes(raw: Floats, scale: float) -> tuple[NDArray[np.uint8], int, float, float]:
    """Bytes, the byte of ink, and what 0 and that byte mean to the machine; exact for whole numbers up to 255."""
    whole = scale == int(scale) and 1 <= scale <= 255 and bool((raw == raw.round()).all())
    if whole and raw.min() >= 0 and raw.max() <= scale:
        return raw.astype(np.uint8), int(scale), 0.0, 1.0
    low, high = float(raw.min()), float(raw.max())
    if low >= 0 and high <= scale:
        low, high = 0.0, scale
    elif low >= -scale and high <= scale:
        low, high = -scale, scale
    high = max(high, low + 1e-6)
    return np.round((raw - low) / (high - low) * 255).astype(np.uint8), 255, low / scale, high / scale
