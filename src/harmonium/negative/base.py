"""What every algorithm for the model's moments provides.

Algorithms differ only in what stands for the model; the loop, the optimisers and the transforms are shared.  `state`
holds what must survive from step to step (chains) as named tensors, so that a checkpoint stores it without knowing it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from torch import Tensor

from harmonium.gibbs import sample_v_from_h, sweep
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
    """A negative phase whose model is the ends of Gibbs chains, `steps` sweeps an update, all of them alike.

    A chain waits at its hidden units: their fields are known where it ends, from the gradient, and so no product is
    made twice.  The state is {"h": (M, H)} of chains that live on, and empty where they begin anew.
    """

    steps: int

    @abstractmethod
    def start(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> Tensor:
        """The hidden states that the chains go on from: (M, H)."""

    @abstractmethod
    def keep(self, rbm: RBM, eta_h: Tensor, noise: Noise) -> State:
        """What lives on of chains that end with hidden fields eta_h (M, k_h, H)."""

    def sample(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[Sample, State]:
        """The visible ends of the chains, and the next state."""
        v = sample_v_from_h(rbm, self.start(rbm, data, state, noise), noise)
        v = sweep(rbm, v, noise, self.steps - 1)
        eta_h = rbm.eta_h_from_v(v)
        return Sample(v, eta_h=eta_h), self.keep(rbm, eta_h, noise)

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """The moments of the sample."""
        model, state = self.sample(rbm, data, state, noise)
        return moments(rbm, model), state, {}
