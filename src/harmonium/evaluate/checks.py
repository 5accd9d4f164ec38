"""What every score asks of a machine and of rows before it begins."""

from __future__ import annotations

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.machine import RBM


def checked_states(rbm: RBM, v: Tensor, name: str = "v") -> Tensor:
    """Visible states (N, size) on the machine's device, in float64.

    Raises InputError where there are no rows, where they are not finite or of the wrong width, and for a machine
    without a distribution.
    """
    if v.ndim != 2 or v.shape[1] != rbm.visible.size:
        raise InputError(
            f"{name} has shape {tuple(v.shape)}, but {rbm.visible.spec} needs (rows, {rbm.visible.size}); reshape it."
        )
    if not len(v):
        raise InputError(f"{name} has no rows to be scored; give at least one.")
    if not bool(v.isfinite().all()):
        raise InputError(f"{name} holds a value that is not finite; take such rows out.")
    rbm.check_normalisable()
    return v.to(device=rbm.W.device, dtype=torch.float64)
