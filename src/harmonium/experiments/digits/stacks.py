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
from harmonium.runs.environment import threads_of
from harmonium.runs.plan import First, Plan, make_plan
from harmonium.training.loop import fit
from harmonium.units import parse_side

#: How every machine is pre-trained; nothing is chosen and nothing measured, so that all training rows train.
MACHINE: dict[str, Any] = {"negative": "cd", "validation": 0.0, "patience": 0, "held_out": "auto"}
EPOCHS, BATCH = {"full": 20, "quick": 20}, {"full": 100, "quick": 20}
#: Gaussian hidden units have no ceiling, and bear smaller steps only.
GAUSSIAN_RATE = 0.001
#: Seconds on one core of an epoch of 60,000 rows for each weight.
_SECONDS = 1.15e-5


def layer_options(scale: Scale, hidden: str, seed: int) -> dict[str, Any]:
    """The options of one machine, but for the data of those that are not the first."""
    how = {"batch_size": BATCH[scale.name], "epochs": EPOCHS[scale.name], "seed": seed}
    own = {**scale.data, **MACHINE, **how, "hidden": hidden}
    return own | ({"learning_rate": GAUSSIAN_RATE} if hidden.startswith("gaussian") else {})


def stack_tasks(scale: Scale, hidden: Sequence[str], seed: int) -> dict[str, Task]:
    """The machines from the data upwards under the labels "1", "2", …; equal beginnings of stacks are equal tasks."""
    found: dict[str, Task] = {}
    below = PIXELS[scale.name]
    for number, side in enumerate(hidden, 1):
        size = parse_side(side).size
        seconds = _SECONDS * below * size * EPOCHS[scale.name] * train_rows(scale) / 60_000
        name = f"machine-{number}-{side.replace(':', '-').partition(',')[0]}-seed-{seed}"
        found[str(number)] = Task(
            name, f"{__name__}:learn_layer", {"options": layer_options(scale, side, seed)}, dict(found),
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
