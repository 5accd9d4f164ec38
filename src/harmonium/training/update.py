"""From gradient to parameters: any optimiser of `torch.optim`, in place.

Names in `OPTIMIZERS` add what a name alone does not say; every other class of torch.optim goes by its own name.

Stacked machines take one step together.  Where their learning rates r_i differ it is taken from zero with the largest,

    p_i <- p_i + (r_i / r) u_i,    u the step of rate r

which is each one's own step for the optimisers in `LINEAR`: these change every parameter by its rate times what past
gradients make of it.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Sequence
from typing import Any, Protocol

import torch

from harmonium.errors import InputError
from harmonium.machine import RBM, packed, unpacked
from harmonium.training.objective import Objective
from harmonium.training.one_pass import can_pass, step_in_one_pass_
from harmonium.training.schedules import Schedule
from harmonium.training.sgd import sgd_step_, steps_plainly


class Update(Protocol):
    """What changes the parameters, in place, once a step."""

    #: The machine whose tensors it changes.
    rbm: RBM
    full_batch: bool

    def step(self, number: int, objective: Objective) -> None:
        """Improve objective.rbm."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What must survive from step to step: tensors, numbers, words, lists and dictionaries of them."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take it up again."""
        ...


#: Class of torch.optim, learning rate where none is given, further arguments.
OPTIMIZERS: dict[str, tuple[str, float, dict[str, Any]]] = {
    "sgd": ("SGD", 0.03, {}),
    "rmsprop": ("RMSprop", 0.01, {}),
    "adam": ("Adam", 0.01, {}),
    "adamax": ("Adamax", 0.01, {}),
    "lbfgs": ("LBFGS", 1.0, {"line_search_fn": "strong_wolfe", "max_iter": 20, "history_size": 20,
                             "tolerance_grad": 0.0, "tolerance_change": 0.0}),
}  # fmt: skip

#: Optimisers that step each parameter by itself, and by an amount that is proportional to the learning rate.
LINEAR = ("sgd", "rmsprop", "adam", "adamax")


def _find(name: str) -> tuple[type[torch.optim.Optimizer], float, dict[str, Any]]:
    if name in OPTIMIZERS:
        class_name, rate, extra = OPTIMIZERS[name]
        return getattr(torch.optim, class_name), rate, extra
    classes = {k.lower(): k for k in dir(torch.optim) if inspect.isclass(getattr(torch.optim, k)) and k != "Optimizer"}
    if name.lower() not in classes:
        known = [*OPTIMIZERS, "em"]
        near = difflib.get_close_matches(name.lower(), [*known, *classes], 1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise InputError(f"unknown optimizer {name!r}: choose {', '.join(known)} or a class of torch.optim{hint}")
    return getattr(torch.optim, classes[name.lower()]), 0.001, {}


def default_learning_rate(name: str) -> float:
    """The learning rate of an optimiser where none is given."""
    return _find(name)[1]


class GradientUpdate:
    """A step of a torch optimiser along the gradient; learning rate and momentum follow their schedules.

    For stacked machines `learning_rate` may be a schedule each; raises InputError for optimisers not in `LINEAR`.
    """

    def __init__(
        self,
        rbm: RBM,
        name: str,
        learning_rate: Schedule | Sequence[Schedule],
        momentum: Schedule | None = None,
    ) -> None:
        kind, _, extra = _find(name)
        if rbm.machines > 1 and name not in LINEAR:
            raise InputError(f"optimizer {name!r} cannot step stacked machines; use {', '.join(LINEAR)}.")
        # One flat parameter instead of three: for a small machine the optimiser's overhead is most of a step
        self.flat, self.rbm = packed(rbm)
        self.flat.grad = torch.empty_like(self.flat)
        self._grad = unpacked(self.flat.grad, self.rbm)
        self.learning_rates = [learning_rate] if callable(learning_rate) else list(learning_rate)
        self.momentum = momentum
        self.full_batch = kind is torch.optim.LBFGS
        accepted = inspect.signature(kind).parameters
        # Both spare passes over the gradient: its negation, and what an unfused step makes on its way
        ascending = {name: True for name in ("maximize", "fused") if name in accepted}
        self.ascends = "maximize" in ascending
        arguments = dict(extra, lr=self.learning_rates[0](0), **ascending)
        if momentum is not None and not {"momentum", "betas"} & set(accepted):
            raise InputError(f"momentum is set, but optimizer {name!r} has none; leave it at 0.")
        try:
            self.optimizer = kind([self.flat], **arguments)
        except (TypeError, ValueError) as error:
            raise InputError(f"optimizer {name!r} cannot be used here: {error}") from None

    def step(self, number: int, objective: Objective) -> None:
        """One step of the optimiser; those that search along a line ask for the gradient several times."""
        rates = [rate(number) for rate in self.learning_rates]
        before = None
        for group in self.optimizer.param_groups:
            group["lr"] = max(rates)
            if self.momentum is not None:
                if "momentum" in group:
                    group["momentum"] = self.momentum(number)
                else:
                    group["betas"] = (self.momentum(number), *group["betas"][1:])

        def closure() -> float:
            nonlocal before
            objective.room = self._grad
            for grad, ascent in zip(self._grad.tensors, objective.gradient().tensors, strict=True):
                if not self.ascends:
                    torch.neg(ascent, out=grad)
                elif ascent.data_ptr() != grad.data_ptr():
                    grad.copy_(ascent)
            if min(rates) < max(rates):
                before = self.flat.clone()
                self.flat.zero_()
            return objective.loss() if self.full_batch else 0.0

        if can_pass(self.optimizer, self.rbm, objective.transforms):
            objective.room = self._grad
            gradient, mean_h = objective.plain_gradient()
            objective.transform_states = step_in_one_pass_(
                self.optimizer, self.flat, self.rbm, gradient, mean_h, objective.transforms, objective.transform_states
            )
        elif steps_plainly(self.optimizer, self.flat):
            closure()
            sgd_step_(self.optimizer, self.flat)
        else:
            self.optimizer.step(closure)
        if before is not None:
            factors = self.flat.new_tensor(rates).div_(max(rates)).unsqueeze(-1)
            torch.addcmul(before, self.flat, factors, out=self.flat)
        self.rbm.visible.project_(self.rbm.a)
        self.rbm.hidden.project_(self.rbm.b)

    def state_dict(self) -> dict[str, Any]:
        """The optimiser's."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The optimiser's."""
        ours = ("maximize", "fused")  # these belong to this program, and not to the training that goes on
        own: list[dict[str, Any]] = [
            {name: group[name] for name in ours if name in group} for group in self.optimizer.param_groups
        ]
        self.optimizer.load_state_dict(state)
        for group, settings in zip(self.optimizer.param_groups, own, strict=True):
            group.update(settings)
