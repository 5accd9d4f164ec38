"""Centring, decay and a plain step of sgd in one pass over the weights, where four and more would go over memory.

The plain twins are `Centre`, `Decay` and `harmonium.training.sgd`, one after the other, which differ by rounding.  For
one machine of float32 numbers on the processor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harmonium.kernels.team import run
from harmonium.machine import RBM
from harmonium.training.sgd import ascend_, is_plain, momentum_buffer
from harmonium.training.transforms import Centre, Decay, Transform

#: Weights from which the pass is quicker.
_FEWEST = 1 << 15


def can_pass(optimizer: torch.optim.Optimizer, rbm: RBM, transforms: Sequence[Transform]) -> bool:
    """Whether the one pass makes this optimiser's step with these transforms, and is the quicker way.

    Without transforms the step alone is one pass.
    """
    known = [type(transform) for transform in transforms]
    return (
        known in ([Centre], [Decay], [Centre, Decay])
        and is_plain(optimizer)
        and rbm.W.dim() == 2
        and rbm.W.dtype == torch.float32
        and rbm.W.device.type == "cpu"
        and rbm.W.numel() >= _FEWEST
    )


def step_in_one_pass_(
    optimizer: torch.optim.Optimizer,
    flat: Tensor,
    rbm: RBM,
    gradient: RBM,
    mean_h: Tensor,
    transforms: Sequence[Transform],
    states: Sequence[dict[str, Tensor]],
) -> list[dict[str, Tensor]]:
    """Step `flat`, of which the machine's tensors are views, along its plain gradient; the transforms' next states.

    mean_h (H,) are the hidden means under the data.
    """
    from harmonium.kernels.step_pass import UNITS, step_all

    group: dict[str, Any] = optimizer.param_groups[0]
    turned, slope = rbm.W.mT, gradient.W.mT.contiguous()
    H, V = turned.shape
    mu, hidden, l1, l2, after = flat.new_zeros(V), flat.new_zeros(H), 0.0, 0.0, list(states)
    da, db = gradient.a[0].contiguous(), gradient.b[0].contiguous()
    for i, transform in enumerate(transforms):
        if isinstance(transform, Centre):
            mu, hidden = transform.mu.contiguous(), torch.lerp(states[i]["lambda"], mean_h, transform.rate)
            after[i] = {"lambda": hidden}
        elif isinstance(transform, Decay):
            l1, l2 = transform.l1, transform.l2
    before = momentum_buffer(optimizer, flat)
    of_W = flat.new_empty(0, V) if before is None else before[: H * V].view(H, V)
    shares, of_b = flat.new_empty(-(-H // UNITS), V), flat.new_empty(H)
    numbers = (float(x) for x in (group["lr"], group["momentum"], l1, l2))
    run(step_all, [turned, slope, of_W, mu, hidden, da, db, *numbers, shares, of_b], len(shares))
    gradient.a[0] -= shares.sum(0)
    gradient.b[0] -= of_b
    rest = torch.cat([gradient.a.flatten(), gradient.b.flatten()])
    ascend_(flat[H * V :], rest, None if before is None else before[H * V :], group)
    return after
