"""Systematic resampling: chains to go on with, in proportion to their weights.

    the chain that holds the point (i + u) / N of the running sum of shares,   i = 0, ..., N - 1,   u uniform in [0, 1)

Each chain is taken its share of N times, rounded up or down (Carpenter, Clifford and Fearnhead 1999).
"""

from __future__ import annotations

import torch
from torch import Tensor

from harmonium.noise import Noise


def resample(log_w: Tensor, noise: Noise) -> Tensor:
    """For log weights (..., N) the numbers (..., N) of the chains to go on with; one uniform number a row."""
    return resampled(log_w, noise.uniform(*log_w.shape[:-1], 1))


def resampled(log_w: Tensor, u: Tensor) -> Tensor:
    """The same with given uniform numbers u (..., 1)."""
    n = log_w.shape[-1]
    passed = log_w.softmax(-1).cumsum(-1)
    comb = (torch.arange(n, dtype=torch.float64, device=log_w.device) + u.double()) / n * passed[..., -1:]
    return torch.searchsorted(passed, comb, right=True).clamp_max(n - 1)
