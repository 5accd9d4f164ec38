"""What every array of samples must pass: numbers, some of them, all finite."""

from __future__ import annotations

import numpy as np

from harmonium.data.blocks import row_blocks
from harmonium.errors import InputError


def check_values(X: np.ndarray, where: str) -> None:
    """Refuse samples that are not real numbers, empty, or not finite; read in blocks, nothing of X's size is allocated.

    Parameters
    ----------
    X : array (N, ...)
    where : str
        What to call it in the message.

    Raises
    ------
    InputError
        Non-finite values are counted, and the first is named by row and column (of the flattened row), from 0.
    """
    if X.dtype.kind not in "biuf":
        raise InputError(f"{where} holds values of type {X.dtype}; save it as booleans, integers or real numbers.")
    if X.size == 0:
        raise InputError(f"{where} is empty (shape {X.shape}); give at least one row of at least one value.")
    if X.dtype.kind != "f":
        return
    bad, first = 0, ""
    for start, block in row_blocks(X):
        finite = np.isfinite(block)
        if finite.all():
            continue
        finite = finite.reshape(len(block), -1)
        if not bad:
            row, column = (int(i) for i in np.argwhere(~finite)[0])
            value = block.reshape(len(block), -1)[row, column]
            first = f"{value} in row {start + row}, column {column} (counted from 0)"
        bad += int(np.count_nonzero(~finite))
    if bad:
        count = "one value that is not finite:" if bad == 1 else f"{bad} values that are not finite, the first"
        raise InputError(f"{where} holds {count} {first}; remove or fill in such values.")
