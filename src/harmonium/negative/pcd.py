"""Persistent contrastive divergence (Younes 1989; Tieleman 2008): chains that live on from step to step.

The chains follow the slowly changing machine, so they sample it and not the neighbourhood of the data.  Their number
is free of the minibatch's: moments are averages, each over its own count.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from harmonium.gibbs import sample_h_from_v, sample_side, start_visible
from harmonium.machine import RBM
from harmonium.moments import Sample
from harmonium.negative.base import Sampling, State
from harmonium.noise import Noise


@dataclass(frozen=True)
class PCD(Sampling):
    """PCD-k with k = `steps` sweeps a step and `chains` chains."""

    steps: int = 1
    chains: int = 100

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Chains of independent visible units with the machine's biases."""
        return {"h": sample_h_from_v(rbm, start_visible(rbm, self.chains, noise), noise)}

    def start(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> Tensor:
        """Where they wait."""
        return state["h"]

    def keep(self, rbm: RBM, eta_h: Tensor, noise: Noise) -> State:
        """All of them."""
        return {"h": sample_side(rbm.hidden, eta_h, noise)}
