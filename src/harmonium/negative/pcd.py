"""Persistent contrastive divergence (Younes 1989; Tieleman 2008): chains that live on from step to step.

The chains follow the slowly changing machine, so they sample it and not the neighbourhood of the data.  Their number
is free of the minibatch's: moments are averages, each over its own count.
"""

from __future__ import annotations

from dataclasses import dataclass

from harmonium.gibbs import start_visible, sweep
from harmonium.machine import RBM
from harmonium.moments import Sample
from harmonium.negative.base import Info, Sampling, State
from harmonium.noise import Noise


@dataclass(frozen=True)
class PCD(Sampling):
    """PCD-k with k = `steps` sweeps a step and `chains` chains."""

    steps: int = 1
    chains: int = 100

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Chains of independent units with the machine's biases."""
        return {"v": start_visible(rbm, self.chains, noise)}

    def sample(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[Sample, State, Info]:
        """The chains after `steps` more sweeps."""
        v = sweep(rbm, state["v"], noise, self.steps)
        return Sample(v), {"v": v}, {}
