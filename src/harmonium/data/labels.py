"""Class labels: what counts as such, and the choice of some classes."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from harmonium.data.dataset import Dataset
from harmonium.errors import InputError


def as_labels(values: np.ndarray, n: int, where: str) -> np.ndarray:
    """Turn raw values into labels.

    Parameters
    ----------
    values : array (n,), (n, 1) or (1, n)
        Integers, booleans, or real numbers that are whole.
    n : int
        The number of rows to be labelled.
    where : str
        What to call them in the message.

    Returns
    -------
    array (n,) of int64

    Raises
    ------
    InputError
        More than one column, not whole numbers, or not one a row.
    """
    if values.size != max(values.shape, default=0):
        raise InputError(f"{where} must be one integer a row; its shape is {values.shape}.")
    if values.dtype.kind not in "biuf":
        raise InputError(f"{where} must be integers; their type is {values.dtype}.")
    flat = values.reshape(-1)
    if flat.dtype.kind == "f":
        whole = np.isfinite(flat) & (np.floor(flat) == flat)
        if not whole.all():
            row = int(np.argmin(whole))
            raise InputError(f"{where} must be integers; row {row} (counted from 0) holds {flat[row]}.")
    if len(flat) != n:
        raise InputError(f"{where} must be one a row: there are {len(flat)} labels for {n} rows.")
    return flat.astype(np.int64)


def select_classes(dataset: Dataset, classes: Iterable[int]) -> Dataset:
    """Keep the rows with these labels, in their order, and recount the data set's own training part.

    X (N, V) and y (N,) become (M, V) and (M,); X is copied unless every row is kept.

    Raises
    ------
    InputError
        No labels, no classes asked for, or a class that no row has.
    """
    try:
        asked = sorted({operator.index(c) for c in classes})
    except TypeError as error:
        raise InputError(f"classes={classes!r} must be a list of integers, such as [7, 8, 9].") from error
    if dataset.y is None:
        raise InputError(f"classes={asked} needs labels, and {dataset.source} has none; give them with labels.")
    available = np.unique(dataset.y).tolist()
    missing = [c for c in asked if c not in available]
    if missing or not asked:
        few = ", ".join(map(str, available[:20])) + (", ..." if len(available) > 20 else "")
        fault = f"has no rows of class {', '.join(map(str, missing))}" if asked else "selects nothing"
        raise InputError(f"classes={asked} {fault} in {dataset.source}; the classes there are {few}.")
    kept = np.isin(dataset.y, asked)
    if kept.all():
        return dataset
    n_train = None if dataset.n_train is None else int(np.count_nonzero(kept[: dataset.n_train]))
    return replace(dataset, X=dataset.X[kept], y=dataset.y[kept], n_train=n_train)


def refuse_name(path: Path, label_name: str | None) -> None:
    """For files whose parts have no names: InputError if the labels were asked for by name."""
    if label_name is not None:
        raise InputError(f"labels={label_name!r} is not a file, and {path} has no columns or arrays of that name.")
