"""Which rows train and which are held out."""

from __future__ import annotations

import numpy as np

from harmonium.data.dataset import Dataset
from harmonium.errors import InputError

Rows = np.ndarray | slice  # X[rows] is a view for a slice

AUTO_FRACTION = 0.2


def split(dataset: Dataset, held_out: str | float = "auto", seed: int = 0) -> tuple[Rows, Rows]:
    """Divide the rows of a data set in two.

    Parameters
    ----------
    dataset : Dataset
        N rows.
    held_out : "auto" or a fraction, at least 0 and below 1 (a string of one will do)
        "auto": the data set's own test part, or else a fifth of the rows. A fraction of all rows ignores the data set's
        own split; 0 holds out nothing.
    seed : int
        Fixes which rows are drawn.

    Returns
    -------
    train_rows, test_rows : slice, or sorted array of int64
        Together each row once. Drawn rows have each class in proportion, to within one row, where there are labels;
        any fraction above 0 leaves at least one row on either side. Where rows come in groups, groups are drawn instead
        of rows, each by the label of its first row.

    Raises
    ------
    InputError
        Any other `held_out`, a negative seed, or a fraction above 0 of a single row.
    """
    n = len(dataset)
    labels = np.zeros(n, np.int64) if dataset.y is None else dataset.y
    drawn, of_row = n, np.arange(n)  # what is drawn, rows or groups of them, and which of these each row is
    if dataset.groups is not None:
        _, first, of_row = np.unique(dataset.groups, return_index=True, return_inverse=True)
        drawn, labels = len(first), labels[first]
    if held_out == "auto":
        own = dataset.n_train
        if own is not None and 0 < own < n:  # a choice of classes may have emptied either part
            return slice(0, own), slice(own, n)
        fraction = AUTO_FRACTION if drawn > 1 else 0.0
    else:
        fraction = _fraction(held_out)
    if fraction == 0:
        return slice(0, n), slice(n, n)
    if drawn < 2:
        what = "rows" if dataset.groups is None else "groups of rows"
        raise InputError(f"held_out={held_out!r} needs two {what} at least, and there is {drawn}; use 0.")
    if seed < 0:
        raise InputError(f"seed={seed} must not be negative.")
    test = _draw(labels, min(max(round(fraction * drawn), 1), drawn - 1), np.random.default_rng(seed))[of_row]
    return np.flatnonzero(~test), np.flatnonzero(test)


def _fraction(held_out: str | float) -> float:
    try:
        fraction = float(held_out)
    except (TypeError, ValueError):
        fraction = -1.0
    if not 0 <= fraction < 1:  # NaN fails too
        raise InputError(f"held_out={held_out!r} must be 'auto' or a fraction, at least 0 and below 1.")
    return fraction


def _draw(labels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """A mask (N,) of `size` rows, the classes in proportion: whole parts first, then the largest remainders."""
    _, counts = np.unique(labels, return_counts=True)
    shares = counts * size  # in units of 1/N of a row: exact
    quotas = shares // len(labels)
    left = size - int(quotas.sum())
    quotas[np.argsort(-(shares % len(labels)), kind="stable")[:left]] += 1
    mask = np.zeros(len(labels), bool)
    for label, quota in zip(np.unique(labels), quotas, strict=True):
        rows = np.flatnonzero(labels == label)
        mask[rng.choice(rows, int(quota), replace=False)] = True
    return mask
