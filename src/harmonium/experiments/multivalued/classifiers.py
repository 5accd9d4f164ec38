"""Section 3.2 of the paper as tasks: machines that learn to classify few images, watched as they learn.

    x = min(max(x0 + sigma z / 255, 0), 1),   z ~ N(0, 1)         a corrupted image; sigma on the 8-bit scale
    error                                                         the share of images whose most probable label is wrong

Repeat number r has first weights, minibatches and noise of its own, the same whatever is trained in it, so that tests
are paired.  Other training images, which nothing is trained on, are there to choose by; test images choose nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harmonium.config import IN_MEMORY
from harmonium.config_from import config_from
from harmonium.data import Dataset, load_data
from harmonium.experiments.multivalued.artificial import name_of
from harmonium.experiments.multivalued.scales import VALUES
from harmonium.experiments.multivalued.step import ScaledUpdate
from harmonium.experiments.study import Results, Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.training import keep_machine, machine
from harmonium.labels import log_label_probabilities
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.plan import make_plan
from harmonium.training.loop import TrainState, fit

Floats = npt.NDArray[np.float64]

#: AdaMax's rate, which stays; the noise of the paper's test images and of the sweep, on the 8-bit scale.
RATE, SIGMA = 0.002, 120
SIGMAS = tuple(range(0, 201, 20))
#: What is measured: errors of the images trained on, of the test images, and of those to choose by.
PARTS = ("train", "clean", "noisy", "choice", "choice_noisy")
#: Machines of one task.
_TOGETHER = 5
_BLOCK = 2000


def sizes(scale: Scale) -> dict[str, Any]:
    """Data, images trained on (and as many to choose by), hidden units, minibatch, updates."""
    full = {"data": "mnist", "rows": 1000, "hidden": 200, "batch_size": 100, "updates": 5000}
    quick = {"data": "digits", "rows": 200, "hidden": 40, "batch_size": 20, "updates": 200}
    chosen: dict[str, Any] = scale.pick(full, quick)
    return chosen


def repeats(scale: Scale) -> int:
    """Repeats of Figure 6."""
    return int(scale.pick(20, 3))


@dataclass(frozen=True, eq=False)
class Images:
    """The images of the study: `train` is a data set of its own; x (N, V) are from 0 to 1, y (N,) codes."""

    train: Dataset
    x_train: Tensor
    y_train: Tensor
    x_choice: Tensor
    y_choice: Tensor
    x_test: Tensor
    y_test: Tensor


@cache
def images(data: str, rows: int) -> Images:
    """The first `rows` training images, as many after them, and all test images (of digits, whatever comes then)."""
    whole = load_data(data)
    assert whole.y is not None
    first, second, test = slice(rows), slice(rows, 2 * rows), slice(whole.n_train or 2 * rows, None)
    found: list[Tensor] = []
    for part in (first, second, test):
        found.append(torch.from_numpy(np.asarray(whole.X[part], np.float32)).div_(whole.scale))
        found.append(torch.from_numpy(np.asarray(whole.y[part])))
    return Images(replace(whole, X=whole.X[first], y=whole.y[first], n_train=None), *found)


def normal(words: str, repeat: int, x: Tensor) -> Tensor:
    """Standard normal numbers of the shape of x, the same for every machine of a repeat."""
    return Noise(seed_for("multivalued", words, repeat)).normal(*x.shape)


def corrupted(x: Tensor, sigma: float, z: Tensor) -> Tensor:
    """Images x (N, V) from 0 to 1 under Gaussian noise of `sigma` on the 8-bit scale, clipped as 8-bit values are."""
    return torch.add(x, z, alpha=sigma / 255).clamp_(0, 1)


@torch.no_grad()
def error(rbm: RBM, x: Tensor, y: Tensor) -> float:
    """The share of images x (N, V) whose most probable label is not y (N,)."""
    wrong = 0
    for some, own in zip(x.split(_BLOCK), y.split(_BLOCK), strict=True):
        wrong += int((log_label_probabilities(rbm, some).argmax(1) != own).sum())
    return wrong / len(y)


def measured_at(updates: int) -> list[int]:
    """Twenty numbers of updates: spread evenly on a logarithmic scale at first, and then evenly."""
    shares = (2, 4, 6, 10, 15, 20, 30, 40, 60, 80, 100, 150, 200, 300, 400, 500, 625, 750, 875, 1000)
    return sorted({max(1, round(updates * share / 1000)) for share in shares})


def options(hidden: int, s: float, batch_size: int, updates: int, rows: int, **more: Any) -> dict[str, Any]:
    """The options of one training on data in memory; the binary machine is the Ising machine."""
    side = f"ising:{hidden}" if s == 1 else f"interval:{hidden}" if math.isinf(s) else f"multivalued:{hidden},s={s:g}"
    return {
        "data": IN_MEMORY, "target": "label", "hidden": side, "binarize": "none", "held_out": "0", "validation": 0.0,
        "patience": 0, "weight_start": "xavier", "bias_start": "zero", "optimizer": "adamax", "learning_rate": RATE,
        "learning_rate_schedule": "constant", "batch_size": batch_size, "minibatches": rows // batch_size,
        "epochs": -(-updates // (rows // batch_size)), **more,
    }  # fmt: skip


def with_dropped_inputs(batches: Callable[[int, Noise], Tensor], keep: float, inputs: int) -> Any:
    """Minibatches in which each input of each row is there with probability `keep`, and then divided by it."""

    def some(step: int, noise: Noise) -> Tensor:
        v = batches(step, noise)
        mask = (noise.uniform(len(v), inputs) < keep).to(v.dtype).div_(keep)
        return torch.cat([v[:, :inputs] * mask, v[:, inputs:]], 1)

    return some


def learn(
    folder: Path,
    needs: Mapping[str, Done],
    *,
    data: str,
    rows: int,
    hidden: int,
    batch_size: int,
    updates: int,
    s: float | str,
    first: int,
    repeats: int,
    weight_factor: float = 1.0,
    rate_factor: float = 1.0,
    l2: float = 0.0,
    keep: float = 1.0,
) -> dict[str, Any]:
    """The task of training a machine for each of some repeats, one after the other; errors are lists a repeat.

    `weight_factor` and `rate_factor` multiply the first weights, and the steps of weights and hidden biases; `l2` is
    the penalty's strength; inputs of minibatches are there with probability `keep`.
    """
    given = images(data, rows)
    when = measured_at(updates)
    curves: dict[str, list[list[float]]] = {part: [] for part in PARTS}
    seconds: list[float] = []
    settings = config_from(options(hidden, float(s), batch_size, updates, rows, l2=l2))
    for number in range(repeats):
        repeat = first + number
        noisy = corrupted(given.x_test, SIGMA, normal("test", repeat, given.x_test))
        choice_noisy = corrupted(given.x_choice, SIGMA, normal("choice", repeat, given.x_choice))
        seen = {
            "train": (given.x_train, given.y_train), "clean": (given.x_test, given.y_test),
            "noisy": (noisy, given.y_test), "choice": (given.x_choice, given.y_choice),
            "choice_noisy": (choice_noisy, given.y_choice),
        }  # fmt: skip
        plan = make_plan(replace(settings, seed=repeat), given.train)
        own: dict[str, list[float]] = {part: [] for part in PARTS}
        measuring = 0.0

        def look(state: TrainState, seen: Any = seen, own: Any = own) -> None:
            nonlocal measuring
            if state.step in when:
                began = time.perf_counter()
                for part, (x, y) in seen.items():
                    own[part].append(error(state.rbm, x, y))
                measuring += time.perf_counter() - began

        with torch.no_grad():
            plan.state.rbm.W.mul_(weight_factor)
        state = plan.state
        if rate_factor != 1:
            state = TrainState(ScaledUpdate(state.rbm, RATE, rate_factor, "adamax"), state.noise)
        batches: Any = plan.batches
        if keep < 1:
            batches = with_dropped_inputs(batches, keep, given.x_train.shape[1])
        began = time.perf_counter()
        fit(state, batches, updates, plan.negative, transforms=plan.transforms, observers=[look])
        seconds.append(time.perf_counter() - began - measuring)
        keep_machine(folder, number, state.rbm.detached())
        for part in PARTS:
            curves[part].append(own[part])
    return {"updates": when, **curves, "seconds": seconds, "first": first}


def learning(scale: Scale, s: float, number: int | None = None, **changes: float) -> dict[str, Task]:
    """The tasks of so many repeats (all of Figure 6 by default), a few repeats each, under labels of their own."""
    size = sizes(scale)
    number = number or repeats(scale)
    label = "inf" if math.isinf(s) else f"{s:g}"
    extra = "".join(f"-{key.replace('_', '-')}-{value:.4g}" for key, value in changes.items())
    found = {}
    for first in range(0, number, _TOGETHER):
        some = min(_TOGETHER, number - first)
        arguments = {**size, "s": "inf" if math.isinf(s) else s, "first": first, "repeats": some, **changes}
        name = f"classifiers-s-{label}{extra}-from-{first}"
        found[f"s-{label}{extra}-{first}"] = Task(
            name, f"{__name__}:learn", arguments, seconds=scale.pick(15, 1) * some
        )
    return found


@dataclass(frozen=True)
class Errors:
    """What the repeats of one setting have measured: `updates` (T,), and errors in per cent (R, T) by `PARTS`."""

    updates: Floats
    parts: Mapping[str, Floats]
    seconds: Sequence[float]

    def __getitem__(self, part: str) -> Floats:
        return self.parts[part]

    @property
    def late(self) -> Any:
        """The measurements in the last quarter of the updates."""
        return self.updates >= 0.75 * self.updates[-1]


def errors_of(results: Results, labels: Sequence[str]) -> Errors:
    """The tasks of these labels as one."""
    values = [results[label].value for label in labels]
    parts = {part: 100 * np.array([row for value in values for row in value[part]]) for part in PARTS}
    seconds = [second for value in values for second in value["seconds"]]
    return Errors(np.array(values[0]["updates"], float), parts, seconds)


def all_errors(results: Results, scale: Scale) -> dict[float, Errors]:
    """Those of Figure 6, by s."""
    return {s: errors_of(results, list(learning(scale, s))) for s in VALUES}


def sweep(folder: Path, needs: Mapping[str, Done], *, data: str, rows: int) -> dict[str, Any]:
    """The task of scoring trained machines under noise of every strength: errors by name, a list of (sigmas) a repeat.

    The same normal numbers serve every strength and every machine of a repeat.
    """
    given = images(data, rows)
    found: dict[str, list[list[float]]] = {name: [] for name in needs}
    one = next(iter(needs.values())).value
    for number in range(len(one["seconds"])):
        z = normal("test", one["first"] + number, given.x_test)
        machines = {name: machine(done, number) for name, done in needs.items()}
        lines: dict[str, list[float]] = {name: [] for name in needs}
        for sigma in SIGMAS:
            x = corrupted(given.x_test, sigma, z)
            for name, rbm in machines.items():
                lines[name].append(error(rbm, x, given.y_test))
        for name, line in lines.items():
            found[name].append(line)
    return found


def name(s: float) -> str:
    """As figures and tables call a machine."""
    return f"s = {name_of(s)}"
