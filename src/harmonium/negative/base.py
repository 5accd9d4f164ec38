"""What every algorithm for the model's moments provides.

Algorithms differ only in what stands for the model; the loop, the optimisers and the transforms are shared.  `state`
holds what must survive from step to step (chains) as named tensors, so that a checkpoint stores it without knowing it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from torch import Tensor

from harmonium.machine import RBM
from harmonium.moments import Sample, moments
from harmonium.noise import Noise

State = dict[str, Tensor]
Info = dict[str, float]


class Negative(Protocol):
    """An estimate of the model's moments.

    One that is for some units only has ``check(rbm)``, too, which raises InputError for others.
    """

    def init(self, rbm: RBM, noise: Noise) -> State:
        """The state before the first step."""
        ...

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """The model's moments, the next state, and numbers worth knowing (``log_z`` where it is exact)."""
        ...


class Sampling(ABC):
    """A negative phase whose model is a sample without weights, all of it like one another."""

    @abstractmethod
    def sample(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[Sample, State, Info]:
        """The sample, the next state, and numbers worth knowing."""

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """The moments of the sample."""
        model, state, info = self.sample(rbm, data, state, noise)
        return moments(rbm, model), state, info
