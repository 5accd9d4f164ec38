"""How well class probabilities predict: confusions, wrong rows, recall and precision.

said(x) = the class of the largest ln P(y | x), the first of those that tie
confusion[i, j] = rows of class i that were said to be j
recall of i    = confusion[i, i] / sum of row i           of the rows of i, those found
precision of j = confusion[j, j] / sum of column j        of the rows called j, those that are
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harmonium.data.labels import UNLABELLED
from harmonium.errors import InputError
from harmonium.evaluate.proportion import Proportion
from harmonium.intervals import Z_95

Floats = npt.NDArray[np.float64]
#: How far the probabilities of a row may sum from 1, as those in single precision do.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Confusion:
    """`count` rows of class `own` were said to be `said`, of `of` rows of that class; both are codes."""

    own: int
    said: int
    count: int
    of: int


@dataclass(frozen=True, eq=False)
class Classification:
    """What a machine says about labelled rows.

    Attributes
    ----------
    confusion : array (C, C) of int64
        Rows by their own class (rows) and by the class said (columns), in the order of the codes.
    log_p : float
        Mean ln P(own class | x), in nats; minus infinity where an own class was held to be impossible.
    log_p_error : float
        Half of its 95 % interval over rows; NaN of a single row.
    wrong : array (W,) of int64
        The rows whose said class is not their own, the most confident first.
    own, said : arrays (W,) of int64
        Their own and their said classes.
    confidence : array (W,)
        The probability of the class that was said.
    unlabelled : int
        Rows without a label, which are left out of all of this.
    """

    confusion: np.ndarray
    log_p: float
    log_p_error: float
    wrong: np.ndarray
    own: np.ndarray
    said: np.ndarray
    confidence: Floats
    unlabelled: int

    @property
    def error(self) -> Proportion:
        """The share of labelled rows that are said wrong, with its 95 % interval."""
        return Proportion(len(self.wrong), int(self.confusion.sum()))

    @property
    def recall(self) -> list[Proportion]:
        """Of the rows of each class, those said to be of it; of 0 where the class has none."""
        return _shares(self.confusion, self.confusion.sum(1))

    @property
    def precision(self) -> list[Proportion]:
        """Of the rows said to be of each class, those that are; of 0 where it was never said."""
        return _shares(self.confusion, self.confusion.sum(0))

    def top_confusions(self, most: int = 5) -> list[Confusion]:
        """The commonest confusions of one class with another, the commonest first; ties in the order of codes."""
        counts = self.confusion.copy()
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")[:most]
        of = self.confusion.sum(1)
        pairs = (divmod(int(place), len(counts)) for place in order)
        return [Confusion(i, j, int(counts[i, j]), int(of[i])) for i, j in pairs if counts[i, j]]

    def as_dict(self, classes: Sequence[Any]) -> dict[str, Any]:
        """All of it but the single rows, for JSON; `classes` are the C labels in the order of the codes."""
        return {
            "rows": int(self.confusion.sum()),
            "unlabelled": self.unlabelled,
            "classes": list(classes),
            "confusion": self.confusion.tolist(),
            "error": proportion_dict(self.error),
            "log_p_label": self.log_p if math.isfinite(self.log_p) else None,
            "log_p_half_width": self.log_p_error if math.isfinite(self.log_p_error) else None,
            "recall": [proportion_dict(share) for share in self.recall],
            "precision": [proportion_dict(share) for share in self.precision],
            "top_confusions": [
                {"own": classes[c.own], "said": classes[c.said], "count": c.count, "of": c.of}
                for c in self.top_confusions()
            ],
        }


def classify(log_p: Any, y: Any) -> Classification:
    """Compare class probabilities with labels.

    Parameters
    ----------
    log_p : array (N, C)
        ln P(y | x), in nats.
    y : array (N,) of integers
        Codes 0 .. C - 1; -1 for a row without a label.

    Raises
    ------
    InputError
        Not such arrays, rows of probabilities that do not sum to 1, or no labelled row.
    """
    values, codes, rows = labelled_rows(log_p, y)
    count = values.shape[1]
    said = values.argmax(1)
    confusion = np.bincount(codes * count + said, minlength=count * count).reshape(count, count).astype(np.int64)
    own = values[np.arange(len(codes)), codes]
    mean = float(own.mean())
    spread = own.std(ddof=1) if len(own) > 1 and math.isfinite(mean) else math.nan
    wrong = np.flatnonzero(said != codes)
    confidence = np.exp(values[wrong, said[wrong]])
    order = np.argsort(-confidence, kind="stable")
    wrong = wrong[order]
    return Classification(
        confusion=confusion,
        log_p=mean,
        log_p_error=float(Z_95 * spread / math.sqrt(len(own))),
        wrong=rows[wrong],
        own=codes[wrong],
        said=said[wrong],
        confidence=confidence[order],
        unlabelled=len(np.asarray(y)) - len(codes),
    )


def labelled_rows(log_p: Any, y: Any) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """ln P (M, C), codes (M,) and row numbers (M,) of the rows that have a label; InputError as in `classify`."""
    values, codes = checked_log_p(log_p), np.asarray(y)
    count = values.shape[1]
    if codes.shape != (len(values),) or codes.dtype.kind not in "iu":
        raise InputError(f"y must be one whole number for each of {len(values)} rows, not {codes.dtype} {codes.shape}.")
    beyond = (codes < UNLABELLED) | (codes >= count)
    if beyond.any():
        raise InputError(f"y holds {codes[np.argmax(beyond)]}, but there are classes 0 to {count - 1}; -1 is no label.")
    rows = np.flatnonzero(codes != UNLABELLED)
    if not len(rows):
        raise InputError("y holds no label at all, so there is nothing to compare with; give labelled rows.")
    return values[rows], codes[rows].astype(np.int64), rows


def checked_log_p(log_p: Any) -> Floats:
    """Log-probabilities (N, C) in float64; InputError for other shapes, NaN, and rows that do not sum to 1."""
    try:
        values = np.asarray(log_p, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("log_p does not hold numbers; give ln P(y | x) of shape (rows, classes).") from None
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(f"log_p has shape {values.shape}; give ln P(y | x) of shape (rows, classes), not empty.")
    off = np.abs(np.exp(np.minimum(values, 1.0)).sum(1) - 1)
    if not (off < _TOLERANCE).all():  # NaN fails too
        row = int(np.argmax(~(off < _TOLERANCE)))
        raise InputError(f"log_p is not ln P(y | x): the probabilities of row {row} do not sum to 1; normalise them.")
    return values


def proportion_dict(share: Proportion) -> dict[str, Any]:
    """A share for JSON: count, of, value and 95 % interval, null of nothing."""
    value = share.value if share.of else None
    return {"count": share.count, "of": share.of, "value": value, "interval": [share.low, share.high]}


def _shares(confusion: np.ndarray, totals: np.ndarray) -> list[Proportion]:
    return [Proportion(int(right), int(of)) for right, of in zip(np.diagonal(confusion), totals, strict=True)]
