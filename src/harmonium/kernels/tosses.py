"""Units of two values from their fields in one pass: exponential, random number and comparison.

The plain twins are `Bernoulli` and `Ising`: with the same stream their uniform numbers are the same, so states differ
only where one lies within rounding of the probability.  For float32 on the processor.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harmonium.kernels.team import PART, run
from harmonium.noise import Noise, Streams


def can_toss(field: Tensor, noise: Noise) -> bool:
    """Whether the compiled loops serve this tensor; a stream that has numbers of its own is asked for them instead."""
    counted = type(noise) in (Noise, Streams)
    return counted and field.dtype == torch.float32 and field.device.type == "cpu" and not field.requires_grad


def toss(field: Tensor, noise: Noise, *, ising: bool = False) -> Tensor:
    """States of units in fields (..., n), {0, 1} or {-1, 1}; of stacked machines (R, ..., n) each from its stream."""
    from harmonium.kernels.toss_pass import toss_all

    x = field.contiguous()
    out = torch.empty_like(x)
    streams = noise.parts
    for part, to, stream in zip(x.view(len(streams), -1), out.view(len(streams), -1), streams, strict=True):
        run(toss_all, [*stream.reserve(len(part)), ising, part, to], -(-len(part) // PART))
    return out
