"""Dropout of hidden units in contrastive divergence (Srivastava et al. 2014, section 8).

    r_mu ~ Bernoulli(keep) for each row and unit,      p(h, v | r): the machine without the units with r_mu = 0

A row meets one mask in both phases.  The loop knows the data's moments of the whole machine, so what is handed to it as
the model's is  whole data - (masked data - masked model),  and the gradient is the masked one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from harmonium.gibbs import sample_h_from_v, sample_v_from_h
from harmonium.machine import RBM
from harmonium.moments import Sample, moments
from harmonium.negative.base import Info, State
from harmonium.noise import Noise


def masked_moments(rbm: RBM, v: Tensor, mask: Tensor) -> RBM:
    """The moments of rows v (R, N, V) whose hidden units are there where the mask (R, N, H) is 1."""
    mean_h = rbm.hidden.mean(rbm.eta_h_from_v(v))[..., 0, :] * mask
    return replace(
        rbm, W=(mean_h.mT @ v).div_(v.shape[-2]).mT, a=v.mean(-2, keepdim=True), b=mean_h.mean(-2, keepdim=True)
    )


@dataclass(frozen=True)
class DroppedCD:
    """CD-1 in which each hidden unit of each row is there with probability `keep`."""

    keep: float

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Nothing persists."""
        return {}

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """What the loop subtracts from the data's moments."""
        mask = (noise.uniform(*data.v.shape[:-1], rbm.hidden.n) < self.keep).to(data.v.dtype)
        v = sample_v_from_h(rbm, sample_h_from_v(rbm, data.v, noise) * mask, noise)
        dropped = masked_moments(rbm, data.v, mask).map(lambda x, y: x - y, masked_moments(rbm, v, mask))
        return moments(rbm, data).map(lambda x, y: x - y, dropped), state, {}
