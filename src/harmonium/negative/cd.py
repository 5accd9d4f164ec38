"""Contrastive divergence (Hinton 2002): the model is what `steps` Gibbs sweeps from the data have become.

Cheap and low in variance, but biased: the chains never leave the neighbourhood of the data, so far-off modes are not
corrected.  Use it to start, or to reproduce; use `pcd` for likelihood and `exact` where the machine is small.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from harmonium.gibbs import sample_side
from harmonium.machine import RBM
from harmonium.moments import Sample
from harmonium.negative.base import Sampling, State
from harmonium.noise import Noise


@dataclass(frozen=True)
class CD(Sampling):
    """CD-k with k = `steps` sweeps."""

    steps: int = 1

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Nothing persists."""
        return {}

    def start(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> Tensor:
        """Drawn at the rows of the minibatch."""
        eta_h = rbm.eta_h_from_v(data.v) if data.eta_h is None else data.eta_h
        return sample_side(rbm.hidden, eta_h, noise)

    def keep(self, rbm: RBM, eta_h: Tensor, noise: Noise) -> State:
        """Nothing persists."""
        return {}
