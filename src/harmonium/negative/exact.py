"""The exact gradient: the model's moments by enumeration of the smaller side.

The cost grows with the number of states (2^H for H binary units): the method of choice up to about 12 units, at hand up
to about 20 (a second or less a step for images), and the oracle of all the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from harmonium.logz.exact import unchecked_moments
from harmonium.machine import RBM
from harmonium.moments import Sample
from harmonium.negative.base import Info, State
from harmonium.noise import Noise


@dataclass(frozen=True)
class Exact:
    """All states, weighted by their probability."""

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Nothing persists."""
        return {}

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """The model's moments and ln Z; raises InputError where neither side can be enumerated."""
        log_z, model = unchecked_moments(rbm)
        return model, state, {"log_z": log_z}
