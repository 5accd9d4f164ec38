"""Classifiers as tasks: a stack unrolled, or the same layers with random first weights, and trained by backpropagation.

Pre-trained and random networks of one seed get the same labels, the same validation rows among them, the same
minibatches and dropout; Adam's rate falls linearly to zero.  Where there are validation rows they choose the epoch, and
the rate if none is given; where there are none the last epoch counts.  Test images chose nothing here
but `LOGISTIC_GAIN`, which a trial of one seed preferred to 1.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from harmonium.deep.finetune import Settings, classification, fine_tune, kept_epoch, scores
from harmonium.deep.stack import Stack
from harmonium.deep.unroll import classifier
from harmonium.experiments.digits.scales import PIXELS, digits, labelled, train_rows
from harmonium.experiments.digits.stacks import stack_of
from harmonium.experiments.study import Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.noise import Noise, seed_for
from harmonium.start import first_machine
from harmonium.units import Bernoulli, parse_side

#: Random first weights are uniform within so many times sqrt(6 / (inputs + outputs)), as Glorot and Bengio (2010) want
#: them for tanh units: a logistic unit has a quarter of the slope of those.
LOGISTIC_GAIN = 4.0
BATCH = {"full": 100, "quick": 20}
#: Epochs of which the learning curve is kept, at most.
_KEPT = 100
#: Seconds on one core of an epoch of 60,000 rows for each weight of a network, validation included.
_SECONDS = 8e-6


def tuned(
    scale: Scale,
    name: str,
    hidden: Sequence[str],
    machines: Mapping[str, Task],
    *,
    seed: int,
    epochs: int,
    rate: float | None,
    dropout: tuple[float, float],
    labels: int = 0,
    validation: int = 0,
) -> Task:
    """The task of fine-tuning the stack of `machines`, or where there are none the layers `hidden` from random weights.

    `labels` are 0 for all, `validation` rows are taken out of them; `rate` None is searched, epochs 0 are its own.
    """
    arguments = {
        "data": scale.data["data"], "hidden": list(hidden), "seed": seed, "labels": labels, "validation": validation,
        "epochs": epochs, "rate": rate, "dropout": list(dropout), "batch_size": BATCH[scale.name],
    }  # fmt: skip
    sizes = [PIXELS[scale.name], *(parse_side(side).size for side in hidden), 10]
    weights = sum(a * b for a, b in pairwise(sizes))
    rows = (labels or train_rows(scale)) - validation
    batch = BATCH[scale.name]
    updates = max(epochs * rows / batch, 0 if epochs else max(50 * rows / batch, 3000))
    if rate is None:
        updates += 4 * max(500, 0.1 * updates)
    return Task(
        f"{name}-seed-{seed}",
        f"{__name__}:tune",
        arguments,
        machines,
        _SECONDS * weights * updates * batch / 60_000 + 1,
    )


def random_start(hidden: Sequence[str], pixels: int, seed: int) -> Stack:
    """The layers with random first weights and no biases."""
    noise = Noise(seed_for("digits", "random start", seed))
    sides = [Bernoulli(pixels), *(parse_side(side) for side in hidden)]
    machines = []
    for below, above in pairwise(sides):
        rbm = first_machine(below, above, noise, weight_start="xavier")
        rbm.W.mul_(LOGISTIC_GAIN)
        machines.append(rbm)
    return Stack(tuple(machines))


def tune(
    folder: Path,
    needs: Mapping[str, Done],
    *,
    data: str,
    hidden: Sequence[str],
    seed: int,
    labels: int,
    validation: int,
    epochs: int,
    rate: float | None,
    dropout: Sequence[float],
    batch_size: int,
) -> dict[str, Any]:
    """Train, and count the wrong classes among test and validation images."""
    given = digits(data)
    stack = stack_of(needs) if needs else random_start(hidden, given.feed.pixels.size, seed)
    train, watched = labelled(given, labels, validation, seed)
    network = classifier(stack, given.classes, dropout=(dropout[0], dropout[1]))
    task = classification(given.feed.inputs, given.y, train, watched)
    began = time.perf_counter()
    history = fine_tune(network, task, Settings(epochs, batch_size, rate, seed=seed))
    seconds = time.perf_counter() - began
    step = max(1, len(history) // _KEPT)
    return {
        "wrong": wrong(network, task, given.test), "of": len(given.test),
        "validation_wrong": wrong(network, task, watched), "validation_of": len(watched), "rows": len(train),
        "train_error": history[-1]["train_error"], "epochs": history[-1]["epoch"], "best_epoch": kept_epoch(history),
        "rate": history[-1]["learning_rate"], "history": history[::step], "seconds": seconds,
        "threads": torch.get_num_threads(),
    }  # fmt: skip


def wrong(network: torch.nn.Module, task: Any, rows: torch.Tensor) -> int:
    """How many of the given rows are classified wrongly."""
    return int(scores(network, task, rows)[1].sum()) if len(rows) else 0
