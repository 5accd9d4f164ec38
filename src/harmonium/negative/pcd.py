"""Persistent contrastive divergence (Younes 1989; Tieleman 2008): chains that live on from step to step.

The chains follow the slowly changing machine, so they sample it and not the neighbourhood of the data.  Their number
is free of the minibatch's: moments are averages, each over its own count.
"""

from __future__ import annotations

from dataclasses import dataclass

from harmonium.gibbs import start_visible, sweep
from harmonium.machine import RBM
from harmonium.moments import Sample, moments
from harmonium.negative.base import Info, State
from harmonium.noise import Noise


@dataclass(frozen=True)
class PCD:
    """PCD-k with k = `steps` sweeps a step and `chains` chains."""

    steps: int = 1
    chains: int = 100

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Chains of independent units with the machine's biases."""
        return {"v": start_visible(rbm, self.chains, noise)}

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """Moments of the chains after `steps` more sweeps."""
        v = sweep(rbm, state["v"], noise, self.steps)
        return moments(rbm, Sample(v)), {"v": v}, {}
