"""Machines of one shape as one with a leading axis: R products of a few numbers cost little more than one.

    W (R, V, H),  a (R, k_v, V),  b (R, k_h, H),  states (R, N, size)

Small machines are trained at the speed at which operations are called, not at that of the processor's arithmetic; R of
them in one call share that cost.  Nothing passes between them: each has its own parameters, rows and random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from harmonium.errors import InputError
from harmonium.machine import RBM


def stacked(machines: Sequence[RBM]) -> RBM:
    """One machine whose tensors hold those of all, copied, with a leading axis (R, ...).

    Raises InputError where they are not on the same sides, or there are none.
    """
    if not machines:
        raise InputError("machines is empty; give at least one to stack.")
    first = machines[0]
    for i, rbm in enumerate(machines):
        if (rbm.visible, rbm.hidden) != (first.visible, first.hidden) or rbm.W.dim() != 2:
            raise InputError(
                f"machines[{i}] is {rbm.visible.spec} with {rbm.hidden.spec}, W {tuple(rbm.W.shape)}, and machines[0] "
                f"{first.visible.spec} with {first.hidden.spec}; stack single machines on the same sides."
            )
    W = torch.stack([rbm.W.mT for rbm in machines]).mT  # each laid out as `packed` does
    a, b = torch.stack([rbm.a for rbm in machines]), torch.stack([rbm.b for rbm in machines])
    return RBM(first.visible, first.hidden, W, a, b)


def unstacked(rbm: RBM) -> list[RBM]:
    """The single machines; their tensors are views, and follow what happens to the whole."""
    if rbm.W.dim() == 2:
        return [rbm]
    return [replace(rbm, W=W, a=a, b=b) for W, a, b in zip(*rbm.tensors, strict=True)]
