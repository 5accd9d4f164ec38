"""One minibatch's view of the objective: the data's moments, the model's, and the gradient between them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import Tensor

from harmonium.machine import RBM
from harmonium.moments import Sample, likelihood_gradient, moments
from harmonium.negative import Info, Negative, State
from harmonium.noise import Noise
from harmonium.training.transforms import Transform


@dataclass
class Objective:
    """What an update may ask about the minibatch v (N, V); negative and transform states advance with each gradient."""

    rbm: RBM
    v: Tensor
    negative: Negative
    negative_state: State
    transforms: tuple[Transform, ...]
    transform_states: list[dict[str, Tensor]]
    noise: Noise
    info: Info = field(default_factory=dict)
    _data: Sample | None = None
    _positive: RBM | None = None

    def data_moments(self) -> RBM:
        """Moments with v from the data; < T(v) > is taken once, however often a line search asks."""
        known = None if self._positive is None else self._positive.a
        self._data = Sample(self.v, eta_h=self.rbm.eta_h_from_v(self.v), mean_statistics=known)
        self._positive = moments(self.rbm, self._data)
        return self._positive

    def gradient(self) -> RBM:
        """The ascent direction of the (penalised) mean log-likelihood, transforms applied."""
        rbm = self.rbm
        positive = self.data_moments()
        assert self._data is not None
        model, self.negative_state, self.info = self.negative.step(rbm, self._data, self.negative_state, self.noise)
        gradient = likelihood_gradient(positive, model)
        if not self.transform_states:
            self.transform_states = [t.init(rbm, positive) for t in self.transforms]
        for i, transform in enumerate(self.transforms):
            gradient, self.transform_states[i] = transform.step(rbm, gradient, positive, self.transform_states[i])
        return gradient

    def loss(self) -> float:
        """Minus the penalised objective after `gradient`, in nats and up to a constant of the data.

        NaN where the negative phase does not know it.
        """
        penalty = sum(t.penalty(self.rbm) for t in self.transforms)
        if "log_p_label" in self.info:
            return penalty - self.info["log_p_label"]
        if "log_z" not in self.info or self._data is None or self._positive is None:
            return math.nan
        assert self._data.eta_h is not None
        # < F(v) > from what the gradient has left: no further pass over the data
        own = (self.rbm.a * self._positive.a).sum()
        mean_free_energy = -float(own) - float(self.rbm.hidden.log_partition(self._data.eta_h).mean())
        return penalty + mean_free_energy + self.info["log_z"] - self.rbm.visible.log_base
