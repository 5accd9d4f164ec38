"""Contrastive divergence (Hinton 2002): the model is what `steps` Gibbs sweeps from the data have become.

Cheap and low in variance, but biased: the chains never leave the neighbourhood of the data, so far-off modes are not
corrected.  Use it to start, or to reproduce; use `pcd` for likelihood and `exact` where the machine is small.
"""

from __future__ import annotations

from dataclasses import dataclass

from harmonium.machine import RBM
from harmonium.negative.base import Sampling, State
from harmonium.noise import Noise


@dataclass(frozen=True)
class CD(Sampling):
    """CD-k with k = `steps` sweeps."""

    steps: int = 1
    low_precision: bool = False

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Nothing persists."""
        return {}

    def waiting(self, state: State) -> None:
        """None."""
