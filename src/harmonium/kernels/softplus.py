"""The sum of softplus over the last axis with one logarithm for many entries.

    sum_i ln(1 + exp x_i)  =  sum_i max(x_i, 0)  +  ln prod_i (1 + exp(-|x_i|))

Each factor lies in (1, 2], so a product of 512 of them fits a float64 and one of 64 a float32: the logarithm, half
of the cost of a softplus, is paid once a product.  Everything is exact to rounding, whatever the size of x.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# exp(40) is finite in float32, and exp(-40) is below the rounding of float64: no branch is ever inexact.
_THRESHOLD = 40.0
_FACTORS = {torch.float64: 512, torch.float32: 64}


def softplus(x: Tensor) -> Tensor:
    """ln(1 + exp x), elementwise; torch's own default gives up exactness beyond 20."""
    return F.softplus(x, threshold=_THRESHOLD)


def sum_softplus_plain(x: Tensor) -> Tensor:
    """The plain twin: (..., n) -> (...)."""
    return softplus(x).sum(-1)


def sum_softplus(x: Tensor) -> Tensor:
    """sum_i ln(1 + exp x_i): (..., n) -> (...).  Falls back on the plain twin where a gradient is wanted."""
    factors = _FACTORS.get(x.dtype)
    if factors is None or x.numel() < 4096 or (torch.is_grad_enabled() and x.requires_grad):
        return sum_softplus_plain(x)
    total = x.clamp_min(0).sum(-1)
    product = x.abs().neg_().exp_().add_(1)
    for block in product.split(factors, -1):
        total += block.prod(-1).log_()
    return total
