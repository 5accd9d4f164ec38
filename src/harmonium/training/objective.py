"""One minibatch's view of the objective: the data's moments, the model's, and the gradient between them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from harmonium.gibbs import sample_side
from harmonium.kernels.bfloat16 import rounded
from harmonium.kernels.contrast import can_contrast, contrast_in_one_call
from harmonium.kernels.small import can_call, small_gradient
from harmonium.machine import RBM
from harmonium.moments import Sample, contrast, likelihood_gradient, minus_moments, with_hidden_fields
from harmonium.negative import Clamped, Info, Negative, Sampling, State
from harmonium.noise import Noise
from harmonium.training.positive import partly_labelled, positive_phase
from harmonium.training.transforms import Transform

#: Rows and chains that go through the machine as one: beyond, a second way through it costs less than to bring them
#: together.
_TOGETHER = 4096


@dataclass
class Objective:
    """What an update may ask about the minibatch v (N, V); negative and transform states advance with each gradient.

    Where the rows are `partly_labelled`, some may have no label.  The gradient, or that of W, is written into `room`
    where that can be, and is overwritten by the next one.
    """

    rbm: RBM
    v: Tensor
    negative: Negative
    negative_state: State
    transforms: tuple[Transform, ...]
    transform_states: list[dict[str, Tensor]]
    noise: Noise
    partly_labelled: bool = False
    room: RBM | None = None
    info: Info = field(default_factory=dict)
    _data: Sample | None = None
    _positive: RBM | None = None

    def data_moments(self, multiplying: RBM | None = None) -> RBM:
        """Moments with v from the data; < T(v) > is taken once, however often a line search asks.

        `multiplying` is the machine in another precision, if the products are to be of that one.
        """
        if self.partly_labelled:
            self._data, self._positive = partly_labelled(self.rbm, self.v, self.noise)
        else:
            known = None if self._positive is None else self._positive.a
            room = None if self.room is None else self.room.W
            self._data, self._positive = positive_phase(multiplying or self.rbm, self.v, known, room)
        return self._positive

    def gradient(self) -> RBM:
        """The ascent direction of the (penalised) mean log-likelihood, transforms applied."""
        gradient, mean_h = self.plain_gradient()
        for i, transform in enumerate(self.transforms):
            gradient, self.transform_states[i] = transform.step(self.rbm, gradient, mean_h, self.transform_states[i])
        return gradient

    def plain_gradient(self) -> tuple[RBM, Tensor]:
        """The same before the transforms, whose states then exist, and < E[h|v] > (..., H) of the data."""
        if isinstance(self.negative, Clamped) and not self.partly_labelled:
            gradient, mean_h, self.info = self.negative.gradient(self.rbm, self.v)
        else:
            gradient, mean_h = self._in_one_call() or self._by_tensors()
        if not self.transform_states:
            self.transform_states = [t.init(self.rbm, mean_h) for t in self.transforms]
        return gradient, mean_h

    def _in_one_call(self) -> tuple[RBM, Tensor] | None:
        """What `_by_tensors` gives, by one compiled call where there is one and it is quicker; else None."""
        if not isinstance(self.negative, Sampling) or self.partly_labelled:
            return None
        waiting = self.negative.waiting(self.negative_state)
        asked = self.rbm, self.v, waiting, self.negative.steps, self.noise, self.room
        rows = max(x.shape[-2] for x in (self.v, waiting) if x is not None)
        found: tuple[RBM, Tensor, Tensor | None] | None = None
        if can_call(self.rbm, rows, self.noise):
            found = small_gradient(*asked)
        elif not self.negative.low_precision and can_contrast(self.rbm, self.v, waiting, self.noise):
            found = contrast_in_one_call(*asked)
        if found is None:
            return None
        gradient, mean_h, chains = found
        self.negative_state = {} if chains is None else {"h": chains}
        return gradient, mean_h

    def _by_tensors(self) -> tuple[RBM, Tensor]:
        """The data's moments minus the model's, and < E[h|v] > (..., H) of the data."""
        low = isinstance(self.negative, Sampling) and self.negative.low_precision and not self.partly_labelled
        machine = rounded(self.rbm) if low else self.rbm
        if isinstance(self.negative, Sampling) and not self.partly_labelled:
            waiting = self.negative.waiting(self.negative_state)
            if waiting is not None and self.v.shape[-2] + waiting.shape[-2] <= _TOGETHER:
                return self._together(machine, self.negative, waiting)
        positive = self.data_moments(machine)
        assert self._data is not None
        asked = machine, self._data, self.negative_state, self.noise
        if isinstance(self.negative, Sampling):
            sample, self.negative_state = self.negative.sample(*asked)
            return minus_moments(positive, machine, sample), positive.b[..., 0, :]
        model, self.negative_state, self.info = self.negative.step(*asked)
        return likelihood_gradient(positive, model), positive.b[..., 0, :]

    def _together(self, machine: RBM, negative: Sampling, waiting: Tensor) -> tuple[RBM, Tensor]:
        """The same where chains live on: their ends are known before the data's fields, and go up with the rows."""
        ends = negative.ends(machine, waiting, self.noise)
        n = self.v.shape[-2]
        rows = torch.cat([self.v.expand(*ends.shape[:-2], -1, -1), ends], -2)
        both = with_hidden_fields(machine, rows)
        assert both.eta_h is not None
        self.negative_state = {"h": sample_side(machine.hidden, both.eta_h.narrow(-3, n, ends.shape[-2]), self.noise)}
        return contrast(machine, both, n, None if self.room is None else self.room.W)

    def loss(self) -> float:
        """Minus the penalised objective after `gradient`, in nats and up to a constant of the data.

        NaN where the negative phase does not know it.
        """
        penalty = sum(t.penalty(self.rbm) for t in self.transforms)
        if "objective" in self.info:
            return penalty - self.info["objective"]
        if "log_z" not in self.info or self._data is None or self._positive is None or self.partly_labelled:
            return math.nan
        assert self._data.eta_h is not None
        # < F(v) > from what the gradient has left: no further pass over the data
        own = (self.rbm.a * self._positive.a).sum()
        mean_free_energy = -float(own) - float(self.rbm.hidden.log_partition(self._data.eta_h).mean())
        return penalty + mean_free_energy + self.info["log_z"] - self.rbm.visible.log_base
