"""Machines one on another as tasks: a task a machine, which needs those below it, so that parts share what they share.

Machine l is trained on what machine l - 1 says of the images: on probabilities, drawn anew each time, of units of two
values, and on means of Gaussian ones, as `harmonium.deep.pretrain` does it and with the same random numbers: it is the
very machine that ``harmonium train --layers`` makes with these options.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from harmonium.config import IN_MEMORY, Config
from harmonium.config_from import config_from
from harmonium.data import Dataset
from harmonium.deep.pretrain import hidden_data
from harmonium.deep.stack import Stack, turned_over
from harmonium.experiments.digits.scales import PIXELS, images, train_rows
from harmonium.experiments.study import Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.training import keep_machine, machine
from harmonium.feed import make_feed
from harmonium.machine import RBM
from harmonium.presets import preset
from harmonium.runs.environment import threads_of
from harmonium.runs.plan import First, Plan, make_plan
from harmonium.training.loop import fit
from harmonium.units import parse_side


@dataclass(frozen=True)
class Recipe:
    """How the machines of a stack are trained: options, and epochs and minibatches of the full and the short form."""

    options: Mapping[str, Any]
    epochs: Mapping[str, int]
    batch: Mapping[str, int]

    def words(self, scale: Scale) -> str:
        """In words."""
        centred = "not centred, " if self.options.get("centre") == "no" else ""
        rate = f"rate {self.options['learning_rate']:g}, " if "learning_rate" in self.options else ""
        l2 = f"L2 {self.options['l2']:g}, " if "l2" in self.options else ""
        return f"CD-1, {centred}{rate}{l2}{self.epochs[scale.name]} epochs, minibatches of {self.batch[scale.name]}"


#: Nothing is chosen in a training and nothing measured, so that all training rows train.
_MACHINE: dict[str, Any] = {"negative": "cd", "validation": 0.0, "patience": 0, "held_out": "auto"}
#: Options that each task gets by its scale and its place in the stack.
_BY_TASK = ("data", "binarize", "hidden", "epochs", "batch_size")
#: The program's own settings.
OWN = Recipe(_MACHINE, {"full": 20, "quick": 20}, {"full": 100, "quick": 20})
#: For machines whose hidden means tell images apart.  Logistic regression on 1,000 means of 5,000 validation images
#: chose the preset among a few: 1.7 % of them wrong; 1.9 % after 25 epochs of minibatches of 20 at rate 0.03 (with
#: C = 0.1 2.0 %, and 2.3 % centred); 2.7 % from persistent chains at rate 0.1.
_TOLD_APART = preset("mnist-features")
FEATURES = Recipe(
    {**_MACHINE, **{name: value for name, value in _TOLD_APART.items() if name not in _BY_TASK}},
    {"full": _TOLD_APART["epochs"], "quick": 20}, {"full": _TOLD_APART["batch_size"], "quick": 20},
)  # fmt: skip
#: Gaussian hidden units have no ceiling, and bear smaller steps only.
GAUSSIAN_RATE = 0.001
#: Seconds on one core of an epoch of 60,000 rows for each weight.
_SECONDS = 1.15e-5


def layer_options(scale: Scale, hidden: str, seed: int, recipe: Recipe) -> dict[str, Any]:
    """The options of one machine, but for the data of those that are not the first."""
    how = {"batch_size": recipe.batch[scale.name], "epochs": recipe.epochs[scale.name], "seed": seed}
    own = {**scale.data, **recipe.options, **how, "hidden": hidden}
    return own | ({"learning_rate": GAUSSIAN_RATE} if hidden.startswith("gaussian") else {})


def stack_tasks(scale: Scale, hidden: Sequence[str], seed: int, recipe: Recipe = OWN) -> dict[str, Task]:
    """The machines from the data upwards under the labels "1", "2", …; equal beginnings of stacks are equal tasks."""
    found: dict[str, Task] = {}
    below = PIXELS[scale.name]
    for number, side in enumerate(hidden, 1):
        size = parse_side(side).size
        seconds = _SECONDS * below * size * recipe.epochs[scale.name] * train_rows(scale) / 60_000
        name = f"machine-{number}-{side.replace(':', '-').partition(',')[0]}-seed-{seed}"
        found[str(number)] = Task(
            name, f"{__name__}:learn_layer", {"options": layer_options(scale, side, seed, recipe)}, dict(found),
            seconds + 1,
        )  # fmt: skip
        below = size
    return found


def learn_layer(folder: Path, needs: Mapping[str, Done], *, options: dict[str, Any]) -> dict[str, Any]:
    """Train one machine on top of those needed, and keep it."""
    config = config_from(options)
    config, rows, below = on_top(config, list(stack_of(needs).machines) if needs else [])

    def first(rbm: RBM) -> RBM:
        turned = None if below is None else turned_over(below, rbm)
        return rbm if turned is None else rbm.map(lambda x, y: y.to(x), turned)

    found = learnt(config, rows, first)
    keep_machine(folder, 0, found.plan.state.rbm.detached())
    return {"hidden": config.hidden, "updates": found.plan.total, "seconds": found.seconds, "threads": found.threads}


@dataclass(frozen=True, eq=False)
class Learnt:
    """A plan that has been trained to its end, and what that took."""

    plan: Plan
    seconds: float
    threads: int


def learnt(config: Config, rows: Dataset, first: First | None = None) -> Learnt:
    """Train a machine and measure nothing: with the same options the very machine of ``harmonium train``."""
    plan = make_plan(config, rows, first=first)
    with threads_of(plan, None):
        began = time.perf_counter()
        fit(plan.state, plan.batches, plan.total, plan.negative, transforms=plan.transforms)
        return Learnt(plan, time.perf_counter() - began, torch.get_num_threads())


def on_top(config: Config, below: Sequence[RBM]) -> tuple[Config, Dataset, RBM | None]:
    """The options and data of the next machine above those, and the one below it."""
    rows, rule = images(config.data), config.binarize
    rbm: RBM | None = None
    for number, rbm in enumerate(below, 1):
        feed = make_feed(rows, rbm.visible, binarize=rule)
        rows = hidden_data(rbm, feed, rows, number, config.seed)
        rule = "stochastic" if rbm.hidden.two_values else "none"
    if rbm is None:
        return config, rows, None
    return replace(config, data=IN_MEMORY, visible=rbm.hidden.spec, binarize=rule), rows, rbm


def stack_of(needs: Mapping[str, Done]) -> Stack:
    """The machines among finished tasks, by the numbers of their layers."""
    return Stack(tuple(machine(needs[number]) for number in sorted(filter(str.isdecimal, needs), key=int)))


def took(results: Sequence[Done]) -> float:
    """Seconds that the trainings of several machines took together."""
    return sum(result.value["seconds"] for result in results)
