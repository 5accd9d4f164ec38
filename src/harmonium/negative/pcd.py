"""Persistent contrastive divergence (Younes 1989; Tieleman 2008): chains that live on from step to step.

The chains follow the slowly changing machine, so they sample it and not the neighbourhood of the data.  Their number
is free of the minibatch's: moments are averages, each over its own count.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from harmonium.errors import InputError
from harmonium.gibbs import sample_h_from_v, start_visible
from harmonium.machine import RBM
from harmonium.negative.base import Sampling, State
from harmonium.noise import Noise


@dataclass(frozen=True)
class PCD(Sampling):
    """PCD-k with k = `steps` sweeps a step and `chains` chains."""

    steps: int = 1
    chains: int = 100
    low_precision: bool = False

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Chains of independent visible units with the machine's biases."""
        return {"h": sample_h_from_v(rbm, start_visible(rbm, self.chains, noise), noise)}

    def waiting(self, state: State) -> Tensor:
        """All of them; raises InputError for the state of an earlier version."""
        if "h" not in state:
            raise InputError("this training was begun by an earlier version, whose chains were others; train anew.")
        return state["h"]
