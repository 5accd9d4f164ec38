"""One machine for each class, compared by how probable each finds an image.

    ln p(v | c) = ln base(v) - F_c(v) - ln Z_c              ln P(c | v) = ln p(v | c) + ln P(c) + constant

Bayes' rule needs every ln Z_c.  Three choices are compared:

    ln Z      exact where a machine is small enough, else estimated from both sides, with its error
    none      free energies as they are, as if all ln Z_c were equal
    fitted    one offset a class, -F_c(v) + o_c, with the highest mean ln softmax on validation rows: what the offsets
              of a softmax are worth, and no ln Z at all (Hinton 2012, section 16)

An image is a set of probabilities of black pixels, so ln p is averaged over several draws of its pixels.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harmonium.config import IN_MEMORY
from harmonium.config_from import config_from
from harmonium.evaluate.likelihood import doubts
from harmonium.evaluate.likelihood import log_z as estimate
from harmonium.experiments.digits.scales import VALIDATION, digits, images, labelled, train_rows
from harmonium.experiments.digits.stacks import learnt
from harmonium.experiments.study import Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.training import keep_machine
from harmonium.feed import Feed
from harmonium.logz.progressive import Wanted
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.summary import as_dict, training_states

#: How each machine is trained: as a distribution, which is what its likelihood is asked of.
MACHINE: dict[str, Any] = {
    "data": IN_MEMORY, "negative": "pcd", "validation": 0.0, "patience": 0, "held_out": "0", "binarize": "stochastic",
}  # fmt: skip
EPOCHS, BATCH = {"full": 120, "quick": 15}, {"full": 100, "quick": 20}
#: Hidden units: few enough to count all their states, and more.
HIDDEN = {"full": (16, 200), "quick": (6, 14)}
CHOICES = ("ln Z", "none", "fitted")
#: How long, on one core, an ln Z is estimated that cannot be counted, and how well.
LOG_Z_SECONDS, LOG_Z_PRECISION = {"full": 20.0, "quick": 0.3}, 0.1
#: Draws of an image, and draws of all ln Z within their errors.
DRAWS, LOG_Z_DRAWS = 8, 200

Floats = npt.NDArray[np.float64]


def class_task(scale: Scale, hidden: int, seed: int) -> Task:
    """The task of training a machine for each class from one seed, and of classifying with them."""
    arguments = {
        "data": scale.data["data"], "seed": seed, "draws": DRAWS, "log_z_seconds": LOG_Z_SECONDS[scale.name],
        "options": {
            **MACHINE, "hidden": f"bernoulli:{hidden}", "epochs": EPOCHS[scale.name], "batch_size": BATCH[scale.name],
        },
    }  # fmt: skip
    seconds = EPOCHS[scale.name] * train_rows(scale) / 60_000 * (0.44 + 9.4e-3 * hidden)
    name = f"per-class-{hidden}-seed-{seed}"
    return Task(
        name, f"{__name__}:learn_classes", arguments, seconds=seconds + scale.pick(10 if hidden < 20 else 240, 1)
    )


def learn_classes(
    folder: Path,
    needs: Mapping[str, Done],
    *,
    data: str,
    seed: int,
    draws: int,
    log_z_seconds: float,
    options: dict[str, Any],
) -> dict[str, Any]:
    """Train, find every ln Z, and count the wrong test images by each choice of it."""
    given, whole = digits(data), images(data)
    train, watched = labelled(given, 0, len(given.train) // VALIDATION, seed)
    config = config_from({**options, "seed": seed})
    wanted = Wanted(LOG_Z_PRECISION, log_z_seconds)
    machines: list[RBM] = []
    log_z: list[dict[str, Any]] = []
    seconds: list[float] = []
    for code in range(given.classes):
        own = train[given.y[train] == code].sort().values
        found = learnt(config, replace(whole, X=whole.X[own.numpy()], y=None, n_train=None))
        machines.append(found.plan.state.rbm.detached())
        keep_machine(folder, code, machines[-1])
        seconds.append(found.seconds)
        plan, states = found.plan, training_states(found.plan)
        z = estimate(machines[-1], base=plan.base, states=states, seed=seed, wanted=wanted)
        log_z.append({**as_dict(z), "doubts": doubts(z)})
    began = time.perf_counter()
    values, errors = (np.array([z[key] or 0.0 for z in log_z]) for key in ("value", "stderr"))
    log_prior = np.log(np.bincount(given.y[train].numpy()) / len(train))
    base = machines[0].visible.log_base
    energy = {
        part: mean_free_energies(machines, given.feed, rows, draws, seed)
        for part, rows in (("validation", watched), ("test", given.test))
    }
    y = {"validation": given.y[watched].numpy(), "test": given.y[given.test].numpy()}
    offsets = {
        "ln Z": log_prior - values,
        "none": log_prior,
        "fitted": fitted_offsets(-energy["validation"], y["validation"]),
    }
    wrong = {
        choice: {part: int((log_class_probabilities(energy[part], own).argmax(1) != y[part]).sum()) for part in energy}
        for choice, own in offsets.items()
    }
    own_class = np.arange(len(y["test"])), y["test"]
    return {
        "wrong": wrong, "of": {part: len(rows) for part, rows in y.items()}, "log_z": log_z,
        "wrong_within_error": wrong_within_error(energy["test"], offsets["ln Z"], errors, y["test"], seed),
        "offsets": {choice: own.tolist() for choice, own in offsets.items()},
        "log_p_own_class": float((base - energy["test"] - values)[own_class].mean()),
        "seconds": sum(seconds), "seconds_classifying": time.perf_counter() - began,
        "threads": torch.get_num_threads(),
    }  # fmt: skip


@torch.no_grad()
def mean_free_energies(machines: Sequence[RBM], feed: Feed, rows: Tensor, draws: int, seed: int) -> Floats:
    """F of each row of each machine, averaged over draws that all machines share: (N, C), in nats."""
    noise = Noise(seed_for("digits", "draws", seed))
    own = [rbm.to(dtype=torch.float64) for rbm in machines]
    blocks = []
    for block in rows.split(2000):
        total = torch.zeros(len(block), len(own), dtype=torch.float64)
        for _ in range(draws):
            v = feed.pixel_states(block, noise).double()
            total += torch.stack([rbm.free_energy(v) for rbm in own], 1)
        blocks.append(total / draws)
    return np.asarray(torch.cat(blocks).numpy())


def log_class_probabilities(energy: Floats, offsets: Floats) -> Floats:
    """ln P(c | v), in nats, where -F_c(v) + o_c is ln p(v, c) up to a constant: (N, C) from (N, C) and (C,)."""
    score = torch.from_numpy(offsets - energy)
    return np.asarray(score.log_softmax(1).numpy())


def fitted_offsets(scores: Floats, y: npt.NDArray[np.int64]) -> Floats:
    """Offsets o (C,) with the highest mean ln softmax_y( s + o ) for scores s (N, C) and codes y (N,); their mean is 0.

    It is concave, and begins where each class has the same mean score on its own rows.
    """
    s, codes = torch.from_numpy(scores), torch.from_numpy(np.asarray(y))
    first = torch.stack([
        -s[codes == c, c].mean() if bool((codes == c).any()) else -s[:, c].mean() for c in range(s.shape[1])
    ])  # fmt: skip
    offsets = first.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [offsets], max_iter=500, tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(s + offsets, codes)
        loss.backward()
        return loss

    optimizer.step(closure)
    found = offsets.detach()
    return np.asarray((found - found.mean()).numpy())


def wrong_within_error(
    energy: Floats, offsets: Floats, errors: Floats, y: npt.NDArray[np.int64], seed: int, draws: int = LOG_Z_DRAWS
) -> list[int]:
    """How many are wrong with each of so many draws of all ln Z_c, normal about their values with their errors (C,)."""
    noise = Noise(seed_for("digits", "ln Z", seed), dtype=torch.float64).normal(draws, len(errors)).numpy()
    return [int(((offsets + errors * z - energy).argmax(1) != y).sum()) for z in noise]
