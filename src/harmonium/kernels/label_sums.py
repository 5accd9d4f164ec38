"""Sums over all labels of the rows of a minibatch: what the class probabilities and their gradient are made of.

    x_nc          = field_n + offset_c                                      (N, C, H), never stored
    ln P(c | n)   = log_softmax over c of [ own_c + sum_j A(x_ncj) ]        (N, C)
    over_labels   = sum_c P(c | n) mean(x_nc)                               (N, H)
    over_rows     = sum_n P(c | n) mean(x_nc)                               (C, H)

for hidden units with one field each (Bernoulli, Ising, multivalued, interval), in float32 on the processor; the plain
twin is `harmonium.labels`.  Rows go in blocks of fixed size, whatever the number of threads, and so do the sums.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harmonium.kernels.fused_units import KINDS, mean_series
from harmonium.kernels.threads import each

#: Rows of one job.
_ROWS = 64


class LabelSums(NamedTuple):
    """ln P (N, C) in float64, over_labels (N, H), over_rows (C, H)."""

    log_p: Tensor
    over_labels: Tensor
    over_rows: Tensor


def can_fuse(kind: str, like: Tensor) -> bool:
    """Whether the compiled loops serve these units and this tensor."""
    return kind in KINDS and like.dtype == torch.float32 and like.device.type == "cpu"


def label_sums(
    field: Tensor, offset: Tensor, own: Tensor, kind: str, s: float = math.inf, *, means: bool = True
) -> LabelSums:
    """The sums of field (N, H), offset (C, H) and own (C,); without `means` the last two are empty."""
    from harmonium.kernels.label_pass import label_pass

    (N, H), C = field.shape, len(offset)
    f, o, b = field.contiguous().numpy(), offset.contiguous().numpy(), own.double().numpy()
    log_p = np.empty((N, C))
    width = H if means else 0
    over_labels = np.empty((N, width), np.float32)
    starts = range(0, N, _ROWS)
    over_rows = np.zeros((max(len(starts), 1), C, width), np.float32)
    number, series = KINDS.index(kind), mean_series(s)

    def job(i: int) -> None:
        stop = min(starts[i] + _ROWS, N)
        label_pass(f, o, b, number, float(s), series, log_p, over_labels, over_rows[i], starts[i], stop)

    each(job, len(starts))
    return LabelSums(torch.from_numpy(log_p), torch.from_numpy(over_labels), torch.from_numpy(over_rows.sum(0)))
