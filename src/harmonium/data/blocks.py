"""Walking over many rows a block at a time, so that a memory-mapped array never has to fit in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

BLOCK_VALUES = 1 << 20  # a few MB: large enough for full speed, small enough to stay in cache


def row_blocks(X: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield ``(start, X[start:stop])``, views of about `BLOCK_VALUES` values and of one row at least.

    X : array (N, ...)
    """
    if X.size == 0:
        return
    rows = max(1, BLOCK_VALUES * len(X) // X.size)
    for start in range(0, len(X), rows):
        yield start, X[start : start + rows]
