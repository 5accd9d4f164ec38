"""P(y | x) of a machine whose last visible unit is the label, for rows that are given."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harmonium.checks import as_tensor, check_support
from harmonium.errors import InputError
from harmonium.feed import pixel_side
from harmonium.labels import label_part, log_label_probabilities
from harmonium.machine import RBM


@torch.no_grad()
def class_probabilities(rbm: RBM, x: Any) -> Tensor:
    """The probability of each class given the rest of the visible side: x (N, V - C) -> (N, C) in float64.

    Exact, without sampling (Larochelle and Bengio 2008).  `x` are states of the visible side but the label, as an
    array or a tensor; `harmonium.predict` takes raw data and a run instead.

    Raises InputError where rbm is no machine or has no label, or x is not finite, of another width, or no state.
    """
    if not isinstance(rbm, RBM):
        raise InputError(
            f"rbm must be a machine, not {type(rbm).__name__}; write class_probabilities(rbm, x), with a run's run.rbm "
            "or load_model(path)[0]."
        )
    size = rbm.visible.size - label_part(rbm).size
    x = as_tensor(x, "x")
    if x.ndim != 2 or x.shape[1] != size:
        raise InputError(f"x has shape {tuple(x.shape)}, but the machine takes (rows, {size}) beside its label.")
    if not len(x):
        raise InputError("x has no rows; give at least one.")
    x = x.to(device=rbm.W.device, dtype=torch.float64)
    if not bool(x.isfinite().all()):
        raise InputError("x holds a value that is not finite; take such rows out.")
    check_support(pixel_side(rbm.visible, True), x, "x")
    return log_label_probabilities(rbm.to(dtype=torch.float64), x).exp()
