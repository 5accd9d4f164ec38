"""Means and samples of units in one compiled pass, where many of them lie in memory; the plain twins are the families.

Thirty operations on tensors, one after the other, move thirty times as much memory as one loop: on the processor the
passes are five to twenty times quicker.  They are for float32; samples are computed in double precision.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonium.kernels.langevin import langevin_coefficients
from harmonium.kernels.team import PART, run

#: Units that the passes know by name.
KINDS = ("bernoulli", "ising", "multivalued", "interval")
#: Units from which a pass is quicker than single operations.
FEWEST = 4096
_TERMS = 10


def can_fuse(field: Tensor) -> bool:
    """Whether a pass serves this tensor, and is worth it."""
    single = field.dtype == torch.float32 and field.device.type == "cpu"
    return single and field.numel() >= FEWEST and not field.requires_grad


def fused_means(x: Tensor, kind: str, s: float = math.inf) -> Tensor:
    """The means of units in fields x, elementwise: any shape."""
    from harmonium.kernels.unit_pass import unit_means

    flat = x.contiguous().view(-1).numpy()
    mean = np.empty_like(flat)
    unit_means(flat, mean, KINDS.index(kind), float(s), mean_series(s))
    return torch.from_numpy(mean).view(x.shape)


def sigmoid(field: Tensor) -> Tensor:
    """1 / (1 + e^-x), elementwise: any shape."""
    from harmonium.kernels.toss_pass import all_sigmoids

    x = field.contiguous()
    out = torch.empty_like(x)
    run(all_sigmoids, [x.view(-1), out.view(-1)], -(-x.numel() // PART))
    return out


def fused_samples(field: Tensor, u: Tensor, s: float) -> Tensor:
    """Samples of multivalued units in fields (...) at uniform numbers (...); s is infinite for the interval."""
    from harmonium.kernels.unit_pass import interval_samples, multivalued_samples

    out = torch.empty_like(field, memory_format=torch.contiguous_format)
    draw = interval_samples if math.isinf(s) else multivalued_samples
    draw(_flat(field), _flat(u), float(s), 1 - torch.finfo(u.dtype).eps / 2, _flat(out))
    return out


def _flat(x: Tensor) -> Any:
    return x.contiguous().view(-1).numpy()


@cache
def mean_series(s: float) -> np.ndarray:
    """The mean in odd powers of the field: c_k [ ((s+1)/s)^2k - s^-2k ], with c_k of the Langevin function."""
    c = langevin_coefficients()[:_TERMS]
    scale = [1.0 if math.isinf(s) else ((s + 1) / s) ** (2 * k) - s ** (-2.0 * k) for k in range(1, _TERMS + 1)]
    return np.array([x * y for x, y in zip(c, scale, strict=True)], np.float32)
