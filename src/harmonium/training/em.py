"""Expectation-maximisation for one one-hot hidden unit, which makes the machine a mixture (see `harmonium.convert`).

    E:  r_nc = p(h = c | v_n)        M:  pi_c = <r_c>,   m_c = <r_c v> / <r_c>,   field_c = inverse of `mean` at m_c

(Dempster, Laird and Rubin 1977.)  The data's moments are all it needs: no learning rate, no model samples, and the
likelihood of the training data never falls.
"""

from __future__ import annotations

from typing import Any

import torch

from harmonium.convert import from_mixture
from harmonium.errors import InputError
from harmonium.machine import RBM
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
        rbm, rows = objective.rbm, len(objective.v)
        assert isinstance(rbm.hidden, OneHot)
        data = objective.data_moments()
        share, total = data.b[0], data.W.mT  # (q,), (q, V)
        if rbm.hidden.none:
            share = torch.cat([1 - share.sum(0, keepdim=True), share])
            total = torch.cat([(data.a - total.sum(0, keepdim=True)), total])
        share = share.clamp_min(0)
        prior = rbm.visible.mean(rbm.visible.neutral(rbm.W))  # (1, V)
        alpha = self.pseudo_count / rows
        means = (total + alpha * prior) / (share + alpha).unsqueeze(1)
        # Rounding must not carry a mean across the edge of the units' range, where its field would be infinite
        means = prior + (means - prior) * (1 - 2 * torch.finfo(means.dtype).eps)
        eta = rbm.visible.eta_from_mean(means.unsqueeze(1))
        log_pi = ((share + alpha) / (share + alpha).sum()).log()
        new = from_mixture(rbm.visible, log_pi, eta, none=rbm.hidden.none)
        for old, value in zip(rbm.tensors, new.tensors, strict=True):
            old.copy_(value)

    def state_dict(self) -> dict[str, Any]:
        """Nothing but the parameters themselves."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to take up."""
