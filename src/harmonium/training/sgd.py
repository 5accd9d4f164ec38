"""Stochastic gradient ascent on one tensor, without what `torch.optim` does around it.

    u <- m u + g,        theta <- theta + r u            rate r, momentum m, u = g at the first step (Polyak 1964)

State (-u) and numbers are those of `torch.optim.SGD`, whose step costs as much as the rest of a small machine's update;
large parameters with momentum are still its own, which reads and writes them once where three operations do it thrice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

#: Parameters up to which three operations are quicker than one call of torch's step.
_FEW = 1 << 16


def is_plain(optimizer: torch.optim.Optimizer) -> bool:
    """Whether this is stochastic gradient ascent with momentum or without, and nothing else."""
    if type(optimizer) is not torch.optim.SGD:
        return False
    group = optimizer.param_groups[0]
    return bool(group["maximize"]) and not (group["weight_decay"] or group["dampening"] or group["nesterov"])


def steps_plainly(optimizer: torch.optim.Optimizer, flat: Tensor) -> bool:
    """Whether `sgd_step_` makes this optimiser's step, and is the quicker way."""
    return is_plain(optimizer) and (flat.numel() <= _FEW or not optimizer.param_groups[0]["momentum"])


def momentum_buffer(optimizer: torch.optim.Optimizer, flat: Tensor) -> Tensor | None:
    """-u of `flat`, the optimiser's one parameter: zeros before the first step; None where there is no momentum now."""
    if not optimizer.param_groups[0]["momentum"]:
        return None
    state = optimizer.state[flat]
    if state.get("momentum_buffer") is None:
        state["momentum_buffer"] = torch.zeros_like(flat)
    return state["momentum_buffer"]


def sgd_step_(optimizer: torch.optim.Optimizer, flat: Tensor) -> None:
    """Change `flat`, the optimiser's one parameter, along its gradient, upwards."""
    assert flat.grad is not None
    ascend_(flat, flat.grad, momentum_buffer(optimizer, flat), optimizer.param_groups[0])


def ascend_(x: Tensor, gradient: Tensor, before: Tensor | None, group: Mapping[str, Any]) -> None:
    """The step of x, whose -u stands in `before`."""
    if before is None:
        x.add_(gradient, alpha=group["lr"])
        return
    before.mul_(group["momentum"]).sub_(gradient)
    x.sub_(before, alpha=group["lr"])
