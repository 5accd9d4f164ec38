"""Label units beside the pixels: one machine of the joint distribution of image and label, as a task.

    P(y | x) = softmax over y of - F(x, y)            (Larochelle and Bengio 2008; ln Z is the same for all)

ln p(x, y) is what is raised.  Two machines of the same training are kept: the one with the highest ln p(x, y) of the
validation rows among a few measured ones, and the one with the highest ln P(y | x) of them after any epoch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from harmonium.config_from import config_from
from harmonium.evaluate.labels import LabelScore, label_score
from harmonium.experiments.digits.scales import VALIDATION, images, train_rows
from harmonium.experiments.study import Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.training import keep_machine
from harmonium.machine import RBM
from harmonium.runs.inputs import Inputs, open_inputs
from harmonium.runs.monitor import Monitor
from harmonium.runs.train import run_training
from harmonium.training.loop import TrainState

MACHINE: dict[str, Any] = {
    "target": "label", "objective": "joint", "negative": "pcd", "patience": 0, "measure": 8, "held_out": "auto",
    "validation": 1 / VALIDATION,
}  # fmt: skip
EPOCHS, BATCH = {"full": 25, "quick": 20}, {"full": 100, "quick": 20}
#: Few enough units in the short form that ln Z is counted.
HIDDEN = {"full": 1000, "quick": 16}


def joint_task(scale: Scale, seed: int) -> Task:
    """The task of one training."""
    hidden, epochs = HIDDEN[scale.name], EPOCHS[scale.name]
    options = {
        **scale.data, **MACHINE, "hidden": f"bernoulli:{hidden}", "epochs": epochs, "batch_size": BATCH[scale.name],
        "seed": seed,
    }  # fmt: skip
    seconds = scale.pick(60, 4) + 1.2e-2 * epochs * hidden * train_rows(scale) / 60_000
    return Task(f"label-units-seed-{seed}", f"{__name__}:learn_jointly", {"options": options}, seconds=seconds)


class Keeper:
    """An observer that keeps the machine with the highest ln P(label) of the validation rows after any epoch."""

    def __init__(self, inputs: Inputs, per_epoch: int) -> None:
        self.inputs, self.per_epoch = inputs, per_epoch
        self.best: RBM | None = None
        self.log_p, self.epoch = -math.inf, 0.0

    def __call__(self, state: TrainState) -> None:
        """Look after each epoch."""
        if state.step % self.per_epoch:
            return
        found = score_of(state.rbm, self.inputs, "validation")
        if found.log_p > self.log_p:
            self.best, self.log_p, self.epoch = state.rbm.detached(), found.log_p, state.step / self.per_epoch


def score_of(rbm: RBM, inputs: Inputs, part: str) -> LabelScore:
    """How well the labels of a part of the rows are predicted."""
    found = label_score(rbm, inputs.feed, getattr(inputs.rows, part))
    assert found is not None
    return found


def learn_jointly(folder: Path, needs: Mapping[str, Done], *, options: dict[str, Any]) -> dict[str, Any]:
    """Train, and count the wrong test images of both machines."""
    config = config_from(options)
    whole = images(config.data)
    kept: list[Keeper] = []

    def watch(monitor: Monitor) -> Keeper:
        kept.append(Keeper(monitor.plan, monitor.plan.per_epoch))
        return kept[0]

    run = run_training(config, dataset=whole, watch=watch)
    inputs, keeper = open_inputs(config, whole), kept[0]
    assert keeper.best is not None
    wrong: dict[str, dict[str, int]] = {}
    of: dict[str, int] = {}
    for number, (name, rbm) in enumerate((("ln p(image, label)", run.rbm), ("ln P(label)", keeper.best))):
        keep_machine(folder, number, rbm)
        wrong[name] = {}
        for key, part in (("validation", "validation"), ("test", "held_out")):
            found = score_of(rbm, inputs, part)
            wrong[name][key], of[key] = round(found.error * found.rows), found.rows
    summary = run.summary
    return {
        "wrong": wrong, "of": of,
        "best_epoch": {
            "ln p(image, label)": config.epochs * summary["best_step"] / summary["steps"], "ln P(label)": keeper.epoch,
        },
        "log_p": summary["scores"]["held_out"], "log_z": summary["log_z"],
        "seconds": summary["seconds"] - summary["seconds_measuring"], "threads": torch.get_num_threads(),
    }  # fmt: skip
