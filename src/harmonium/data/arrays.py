"""Arrays in memory as data sets."""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonium.data.checks import check_values
from harmonium.data.dataset import Dataset
from harmonium.data.labels import read_labels
from harmonium.data.scale import guess_scale
from harmonium.errors import InputError


def as_dataset(values: Any, labels: Any = None, *, scale: float = 0.0) -> Dataset:
    """An array (N, V) or (N, rows, columns) as a data set; `scale` 0 guesses.

    Raises InputError for NaN, infinities and other shapes.
    """
    try:
        X = values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)  # a tensor, or not
    except (TypeError, ValueError) as error:
        raise InputError(f"data cannot be read as an array ({error}); give one of shape (N, V).") from None
    if X.ndim < 2:
        raise InputError(f"data has shape {X.shape}; give one row a sample, shape (N, V).")
    check_values(X, "data")
    y, names = (None, None) if labels is None else read_labels(labels, len(X), "labels")
    shape = X.shape[1:]
    columns = getattr(values, "columns", None)  # of a data frame, where all of them have names
    columns = None if columns is None or not all(isinstance(c, str) for c in columns) else tuple(columns)
    return Dataset(
        X.reshape(len(X), -1), y, scale or guess_scale(X), shape, "array", "memory", names=names, columns=columns
    )
