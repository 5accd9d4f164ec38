"""Stochastic gradient ascent on one tensor, without what `torch.optim` does around it.

    u <- m u + g,        theta <- theta + r u            rate r, momentum m, u = g at the first step (Polyak 1964)

State (-u) and numbers are those of `torch.optim.SGD`, whose step costs as much as the rest of a small machine's update;
large parameters with momentum are still its own, which reads and writes them once where three operations do it thrice.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Parameters up to which three operations are quicker than one call of torch's step.
_FEW = 1 << 16


def steps_plainly(optimizer: torch.optim.Optimizer, flat: Tensor) -> bool:
    """Whether `sgd_step_` makes this optimiser's step, and is the quicker way."""
    if type(optimizer) is not torch.optim.SGD:
        return False
    group = optimizer.param_groups[0]
    usual = not (group["weight_decay"] or group["dampening"] or group["nesterov"])
    return usual and bool(group["maximize"]) and (flat.numel() <= _FEW or not group["momentum"])


def sgd_step_(optimizer: torch.optim.Optimizer, flat: Tensor) -> None:
    """Change `flat`, the optimiser's one parameter, along its gradient, upwards."""
    group, grad = optimizer.param_groups[0], flat.grad
    assert grad is not None
    if not group["momentum"]:
        flat.add_(grad, alpha=group["lr"])
        return
    state = optimizer.state[flat]
    before = state.get("momentum_buffer")
    if before is None:
        before = state["momentum_buffer"] = grad.neg()
    else:
        before.mul_(group["momentum"]).sub_(grad)
    flat.sub_(before, alpha=group["lr"])
