"""Logistic regression on what a machine says of images, or on the images themselves, as a task.

    P(y | x) = softmax_y( U f(x) + c ),      f(x) the hidden means of the top machine, or x;     penalty |U|² / 2C

C is chosen by the error of validation rows, which then train with the others.  The features know no labels.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from harmonium.deep.stack import features
from harmonium.experiments.digits.scales import VALIDATION, digits, labelled
from harmonium.experiments.digits.stacks import stack_of
from harmonium.experiments.study import Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.noise import seed_for

#: What C is chosen from, the stiffest first, and the steps of L-BFGS that each gets, from where the last one ended.
CHOICES = (0.03, 0.1, 0.3, 1.0, 3.0)
STEPS = 200
#: A slope at which a fit is done; at the library's own, 1e-4, a larger C changes nothing where the last one ended.
_SLOPE = 1e-6
_BLOCK = 2000

Floats = npt.NDArray[np.float32]


def logistic(scale: Scale, machines: Mapping[str, Task], *, seed: int) -> Task:
    """The task on top of these machines; on the images themselves where there are none."""
    arguments = {"data": scale.data["data"], "seed": seed, "choices": list(CHOICES)}
    name = f"logistic-{'features' if machines else 'images'}-seed-{seed}"
    return Task(name, f"{__name__}:classify", arguments, machines, scale.pick(250 if machines else 150, 1))


def classify(
    folder: Path, needs: Mapping[str, Done], *, data: str, seed: int, choices: Sequence[float]
) -> dict[str, Any]:
    """Choose C, train with all rows, and count wrong test images; weights are kept for `Reader`."""
    given = digits(data)
    began = time.perf_counter()
    x, y = described(data, needs), given.y.numpy()
    train, watched = (rows.numpy() for rows in labelled(given, 0, len(given.train) // VALIDATION, seed))
    model = _model(seed)
    watched_wrong = {}
    for c in choices:
        _fit(model.set_params(C=c), x[train], y[train])
        watched_wrong[c] = int((model.predict(x[watched]) != y[watched]).sum())
    best = min(choices, key=lambda c: watched_wrong[c])  # the stiffest of equals
    rows, test = given.train.numpy(), given.test.numpy()
    _fit(model.set_params(C=best), x[rows], y[rows])
    np.savez(folder / "weights.npz", coef=model.coef_.astype(np.float32), intercept=model.intercept_)
    return {
        "wrong": int((model.predict(x[test]) != y[test]).sum()), "of": len(test), "C": best,
        "validation_wrong": watched_wrong[best], "validation_of": len(watched),
        "choice": [[c, count] for c, count in watched_wrong.items()], "seconds": time.perf_counter() - began,
        "threads": torch.get_num_threads(),
    }  # fmt: skip


@torch.no_grad()
def described(data: str, needs: Mapping[str, Done]) -> Floats:
    """What the machines say of all images, or the images: (N, H), in rows that follow the data's."""
    given = digits(data)
    stack = stack_of(needs) if needs else None
    blocks = []
    for rows in torch.arange(len(given.feed)).split(_BLOCK):
        x = given.feed.inputs(rows)
        blocks.append(x if stack is None else features(stack, x))
    return np.asarray(torch.cat(blocks).numpy(), np.float32)


def _model(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(
        tol=_SLOPE, max_iter=STEPS, warm_start=True, random_state=seed_for("digits", seed) % 2**32
    )


def _fit(model: Any, x: Floats, y: npt.NDArray[np.int64]) -> None:
    """Fit; steps that run out are no fault: the next C, and in the end all rows, go on from where they led."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y)


class Reader:
    """A finished regression on images, to read others with: a judge that knows real images alone."""

    def __init__(self, done: Done) -> None:
        with np.load(done.folder / "weights.npz") as kept:
            self.coef, self.intercept = kept["coef"], kept["intercept"]

    def __call__(self, x: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Codes of the classes that grey images x (N, V) from 0 to 1 show: (N,)."""
        return np.asarray((np.asarray(x) @ self.coef.T + self.intercept).argmax(1), np.int64)
