"""The discriminative gradient: x stays clamped to the data, the labels are enumerated.

    d ln P(y | x) / d theta = < . >_(x, y) - sum_y' P(y' | x) < . >_(x, y')

(Larochelle and Bengio 2008; Yokoyama, Katsumata and Yasuda 2019, eqs 25-28.)  Exact for every hidden family.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from harmonium.labels import eta_h_from_x, label_states, log_label_probabilities
from harmonium.machine import RBM
from harmonium.moments import Sample
from harmonium.negative.base import Info, State
from harmonium.noise import Noise


@dataclass(frozen=True)
class Clamped:
    """Each row with every label, weighted by P(label | x)."""

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Nothing persists."""
        return {}

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """Moments over (x, every label); raises InputError where the visible side has no label part."""
        states = label_states(rbm)  # (C, size_y)
        inputs = rbm.visible.size - states.shape[1]
        x = data.v[:, :inputs]
        eta_h = eta_h_from_x(rbm, x)  # (N, C, k_h, H)
        log_p = log_label_probabilities(rbm, x, eta_h=eta_h)
        p = log_p.exp()  # (N, C)
        weight = p / len(x)
        joint = weight[..., None, None] * rbm.hidden.mean(eta_h)  # (N, C, k_h, H)
        W_x = x.mT @ joint[:, :, 0].sum(1)
        W_y = states.mT @ joint[:, :, 0].sum(0)
        # T of the clamped inputs is the data's own: only the label's columns differ
        statistics = rbm.visible.statistics(data.v).mean(0)
        with_labels = torch.cat([x.new_zeros(len(states), inputs), states], 1)
        statistics[:, inputs:] = torch.tensordot(weight.sum(0), rbm.visible.statistics(with_labels), 1)[:, inputs:]
        y = data.v[:, inputs:]
        is_own = (y.unsqueeze(1) == states).all(-1)  # (N, C)
        chosen = log_p[is_own]
        info = {"log_p_label": float(chosen.mean())}
        return replace(rbm, W=torch.cat([W_x, W_y]), a=statistics, b=joint.sum((0, 1))), state, info
