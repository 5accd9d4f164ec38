"""The compiled loop of the label sums; `harmonium.kernels.label_sums` prepares what it reads.

For each row and label the units' sums and means (`harmonium.kernels.unit_pass`), then the softmax over the labels, then
the means weighted by it: nothing of the size rows × labels × units is ever stored.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harmonium.kernels.compiled import compiled
from harmonium.kernels.unit_pass import BLOCK, Floats, units


@compiled
def label_pass(
    field: Floats,
    offset: Floats,
    own: Any,
    kind: int,
    s: float,
    series: Floats,
    log_p: Any,
    over_labels: Floats,
    over_rows: Floats,
    start: int,
    stop: int,
) -> None:
    """Rows start to stop of the label sums; over_rows (C, H) must be zeros and is added to.

    With no columns in `over_labels`, ln P alone.
    """
    C, H = offset.shape
    means = over_labels.shape[1] > 0
    mean = np.empty((C, H), np.float32)
    x, f, g = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    y, E, E2 = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    room = (f, y, E, E2, g, np.empty(BLOCK, np.int32))
    for n in range(start, stop):
        top = -math.inf
        for c in range(C):
            total = own[c]
            for first in range(0, H, BLOCK):
                m = min(BLOCK, H - first)
                for j in range(m):
                    x[j] = field[n, first + j] + offset[c, first + j]
                total += units(x, mean[c], first, m, kind, s, series, room)
            log_p[n, c] = total
            top = max(top, total)
        weight = 0.0
        for c in range(C):
            weight += math.exp(log_p[n, c] - top)
        log_z = top + math.log(weight)
        for c in range(C):
            log_p[n, c] -= log_z
        if means:
            for j in range(H):
                over_labels[n, j] = np.float32(0)
            for c in range(C):
                p = np.float32(math.exp(log_p[n, c]))
                for j in range(H):
                    value = p * mean[c, j]
                    over_labels[n, j] += value
                    over_rows[c, j] += value
