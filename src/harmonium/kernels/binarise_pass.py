"""The compiled loop that makes bytes zeros and ones; `harmonium.kernels.binarise` prepares what it reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonium.kernels.instructions import wide
from harmonium.kernels.philox import BLOCKS
from harmonium.kernels.philox_pass import fill_float32
from harmonium.kernels.team_pass import FIRST, bytes_of, indices, integers, loop, matrix, next_part, number, words_at

_STRIPE = 4 * BLOCKS
_ZERO, _ONE = np.float32(0), np.float32(1)


@loop
def binarise_rows(data: Any) -> None:
    """Rows (n,) of bytes (N, K) into out (n, K); a part is so many of them.  `missing` (1,) is 1 if one is not there.

    They are drawn, where that is asked for, and the limit is the scale; or else they are 1 above it.
    """
    wide()
    a = words_at(data)
    X, rows, key, block = bytes_of(a, FIRST), indices(a, FIRST + 3), a[FIRST + 5], a[FIRST + 6]
    draw, limit, of_part = a[FIRST + 7] != 0, np.float32(number(a[FIRST + 8])), int(a[FIRST + 9])
    out, missing = matrix(a, FIRST + 10), integers(a, FIRST + 13)
    n, K = out.shape
    columns = np.uint64(K)
    u = np.empty(of_part * K + 2 * _STRIPE if draw else 0, np.float32)
    start = next_part(a) * of_part
    while start < n:
        stop = min(start + of_part, n)
        before = start * K % _STRIPE
        if draw:
            first = np.uint64((start * K - before) // 4)
            fill_float32(key, block + first, u, 0, before + (stop - start) * K)
        for r in range(start, stop):
            row = rows[r]
            if row < 0 or row >= X.shape[0]:
                missing[0] = 1
                row = 0
            at = np.uint64(before + (r - start) * K)
            if draw:
                for k in range(columns):
                    out[r, k] = _ONE if u[at + k] * limit < np.float32(X[row, k]) else _ZERO
            else:
                for k in range(columns):
                    out[r, k] = _ONE if np.float32(X[row, k]) > limit else _ZERO
        start = next_part(a) * of_part
