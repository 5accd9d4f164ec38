"""The discriminative gradient: x stays clamped to the data, the labels are enumerated.

    d ln P(y | x) / d theta = < . >_(x, y) - sum_y' P(y' | x) < . >_(x, y')

(Larochelle and Bengio 2008; Yokoyama, Katsumata and Yasuda 2019, eqs 25-28.)  Exact for every hidden family.  It says
nothing about p(x): a machine trained by it alone predicts, and does not generate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from harmonium.kernels.states import products
from harmonium.labels import clamped_moments, clamped_sums, label_part, label_states
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
        """Moments over (x, every label), and ``log_p_label``, the mean ln P(own label | x) of the rows that have one.

        Raises InputError where the visible side has no label part.
        """
        model, log_p = clamped_moments(rbm, data.v, eta_h=data.eta_h)
        value = mean_log_p(rbm, data, log_p)
        return model, state, {"log_p_label": value, "objective": value}

    def gradient(self, rbm: RBM, v: Tensor) -> tuple[RBM, Tensor, Info]:
        """The data's moments minus those of `step`, for rows v (N, V) that all have a label; < E[h|v] > (H,); info.

        The inputs of both are the same, so one product of them with the difference of the hidden means does for two.
        """
        eta_h = rbm.eta_h_from_v(v)
        label, states, own = label_part(rbm), label_states(rbm), rbm.hidden.mean(eta_h)  # (N, k_h, H)
        sums = clamped_sums(rbm, v, eta_h)
        inputs, n = rbm.visible.size - label.size, len(v)
        difference = own[:, 0] - sums.over_labels
        W_x = products(difference, v[:, :inputs], 1.0, v.new_empty(difference.shape[1], inputs))
        W_y = own[:, 0].mT @ v[:, inputs:] - sums.over_rows.mT @ states
        W = torch.cat([W_x, W_y], 1).mul_(1 / n).mT  # laid out as `packed` does
        a = torch.zeros_like(rbm.a)
        expected = torch.tensordot(sums.log_p.exp().mean(0), label.statistics(states), 1)
        a[: label.k, inputs:] = label.statistics(v[:, inputs:]).mean(0) - expected
        mean_h = own.mean(0)
        value = mean_log_p(rbm, Sample(v), sums.log_p)
        info = {"log_p_label": value, "objective": value}
        return replace(rbm, W=W, a=a, b=mean_h - sums.b / n), mean_h[0], info


def mean_log_p(rbm: RBM, data: Sample, log_p: Tensor) -> float:
    """The sum of ln P(own label | x) over the rows that have a label, divided by the number of all rows."""
    states = label_states(rbm)
    is_own = (data.v[:, -states.shape[1] :].unsqueeze(1) == states).all(-1)  # (N, C)
    if data.known is not None:
        is_own &= data.known.unsqueeze(1)
    return float(log_p[is_own].sum()) / len(log_p)
