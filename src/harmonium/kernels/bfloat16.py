"""Matrix products of bfloat16 numbers: the range of float32, eight significant bits, sums in float32.

    x = b + v round(W)          < v h > = v' round(m) / n           v of zeros and ones, or other values of few bits

Parameters stay in float32, or small steps would be lost; only what enters a product is rounded, to one part in 2^9 at
most, and the error averages out over the terms of a sum (Micikevicius et al. 2018, with a narrower format).  It is
for processors and GPUs with units for such products; on others they take longer than those of float32.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from harmonium.machine import RBM


def has_units(device: torch.device) -> bool:
    """Whether there are units for such products: AMX, or a GPU of compute capability 8 and above."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and bool(getattr(torch.cpu, "_is_amx_tile_supported", bool)())


def rounded(rbm: RBM) -> RBM:
    """The machine with weights in bfloat16, whose products are then of such numbers."""
    return replace(rbm, W=rbm.W.to(torch.bfloat16))
