"""Expectation-maximisation for one one-hot hidden unit, which makes the machine a mixture (see `harmonium.mixture`).

No learning rate, no model samples, and the likelihood of the training data never falls.
"""

from __future__ import annotations

from typing import Any

from harmonium.errors import InputError
from harmonium.machine import RBM
from harmonium.mixture import mixture_step
from harmonium.training.objective import Objective
from harmonium.units import OneHot


class EM:
    """One E-step and M-step over all rows; `pseudo_count` imaginary neutral rows keep every component finite."""

    full_batch = True

    def __init__(self, rbm: RBM, pseudo_count: float = 1e-2) -> None:
        if not isinstance(rbm.hidden, OneHot) or rbm.hidden.n != 1:
            raise InputError(f"optimizer em needs one one-hot hidden unit, such as onehot:55, not {rbm.hidden.spec}.")
        if rbm.visible.k != 1:
            raise InputError(
                f"optimizer em needs visible units with a field alone, not {rbm.visible.spec}; "
                "fix the variance with gaussian,variance=1."
            )
        self.rbm = rbm.detached()
        self.pseudo_count = pseudo_count

    def step(self, number: int, objective: Objective) -> None:
        """One full iteration."""
        rbm = objective.rbm
        new = mixture_step(rbm, objective.data_moments(), len(objective.v), self.pseudo_count)
        for old, value in zip(rbm.tensors, new.tensors, strict=True):
            old.copy_(value)

    def state_dict(self) -> dict[str, Any]:
        """Nothing but the parameters themselves."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to take up."""
