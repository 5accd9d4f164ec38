"""The only training loop.

A minibatch goes through  data -> negative phase -> gradient -> transforms -> update;  observers then look on, and
may ask to stop.  Everything that survives from step to step is in `TrainState`.  Stacked machines go through it as
one; a diverged one among them is not a number from there on, and does not end the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from harmonium.errors import DivergedError
from harmonium.machine import RBM
from harmonium.negative import Info, Negative, State
from harmonium.noise import Noise
from harmonium.training.average import Average
from harmonium.training.objective import Objective
from harmonium.training.transforms import Transform
from harmonium.training.update import Update


@dataclass
class TrainState:
    """Where training stands: `step` updates are done.  The tensors of `rbm` keep their addresses."""

    update: Update
    noise: Noise
    step: int = 0
    negative: State = field(default_factory=dict)
    transforms: list[dict[str, Tensor]] = field(default_factory=list)
    info: Info = field(default_factory=dict)
    average: Average | None = None

    @property
    def rbm(self) -> RBM:
        """The machine as it is now."""
        return self.update.rbm

    @property
    def scored(self) -> RBM:
        """The machine that is measured and kept: the average, where there is one."""
        return self.rbm if self.average is None else self.average.rbm


#: Called after each step with the state, which it must not change; True ends the training.
Observer = Callable[[TrainState], bool | None]


@torch.no_grad()
def fit(
    state: TrainState,
    batches: Callable[[int, Noise], Tensor],
    total: int,
    negative: Negative,
    *,
    transforms: tuple[Transform, ...] = (),
    observers: Sequence[Observer] = (),
    partly_labelled: bool = False,
) -> TrainState:
    """Train from ``state.step`` to `total` updates.

    ``batches(step, noise)`` gives the visible states (n, V) of a minibatch, (R, n, V) for stacked machines; with
    `partly_labelled` some rows may have zeros in the place of their label.  Raises
    DivergedError, naming the step, when a parameter is no longer finite, in every one of the machines if stacked.
    """
    if state.step == 0:
        state.negative = negative.init(state.rbm, state.noise)
    while state.step < total:
        objective = Objective(
            state.rbm,
            batches(state.step, state.noise),
            negative,
            state.negative,
            transforms,
            state.transforms,
            state.noise,
            partly_labelled,
        )
        state.update.step(state.step, objective)
        state.step += 1
        if state.average is not None:
            state.average.follow(state.rbm, state.step)
        state.negative, state.transforms, state.info = (
            objective.negative_state,
            objective.transform_states,
            objective.info,
        )
        # One sum over the hidden biases: whatever breaks anywhere reaches them with the next gradient at the latest
        if not math.isfinite(float(state.rbm.b.sum())) and not bool(is_finite(state.rbm).any()):
            raise diverged_at(state.step)
        verdicts = [observer(state) for observer in observers]  # every observer sees every step
        if any(verdicts):
            break
    return state


def is_finite(rbm: RBM) -> Tensor:
    """Whether the hidden biases are finite numbers: (), or (R,) of stacked machines."""
    return rbm.b.sum((-2, -1)).isfinite()


def diverged_at(step: int) -> DivergedError:
    """What to say where they are not."""
    return DivergedError(f"training diverged at step {step}: a parameter is no longer finite; lower the learning rate.")
