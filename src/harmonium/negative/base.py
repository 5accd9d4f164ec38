"""What every algorithm for the model's moments provides.

Algorithms differ only in what stands for the model; the loop, the optimisers and the transforms are shared.  `state`
holds what must survive from step to step (chains) as named tensors, so that a checkpoint stores it without knowing it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from torch import Tensor

from harmonium.gibbs import sample_side, sample_v_from_h, sweep
from harmonium.machine import RBM
from harmonium.moments import Sample, moments, with_hidden_fields
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
    made twice.  The state is {"h": (M, H)} of chains that live on, and empty where they begin anew.  In
    `low_precision` the products of the gradient are of bfloat16 numbers (`harmonium.kernels.bfloat16`).
    """

    steps: int
    low_precision: bool

    @abstractmethod
    def waiting(self, state: State) -> Tensor | None:
        """The hidden states (M, H) of chains that live on; None where they begin at the rows of each minibatch."""

    def ends(self, rbm: RBM, h: Tensor, noise: Noise) -> Tensor:
        """The visible ends (M, V) of chains that go on from hidden states h (M, H)."""
        return sweep(rbm, sample_v_from_h(rbm, h, noise), noise, self.steps - 1)

    def sample(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[Sample, State]:
        """The visible ends of the chains with their hidden fields, and the next state."""
        h = waiting = self.waiting(state)
        if h is None:
            eta_h = rbm.eta_h_from_v(data.v) if data.eta_h is None else data.eta_h
            h = sample_side(rbm.hidden, eta_h, noise)
        ends = with_hidden_fields(rbm, self.ends(rbm, h, noise))
        assert ends.eta_h is not None
        return ends, {} if waiting is None else {"h": sample_side(rbm.hidden, ends.eta_h, noise)}

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """The moments of the sample."""
        model, state = self.sample(rbm, data, state, noise)
        return moments(rbm, model), state, {}
