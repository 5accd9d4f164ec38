"""The work behind the study: machines trained, and scored: those on the way in one way, the last in two; and sampled.

    seconds of training = seconds since it began - seconds of looking at the machine

What is kept are machines of averaged parameters.  Every score is that of the same draw of the test images.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonium.config_from import config_from
from harmonium.diagnostics import diagnose
from harmonium.experiments.records.scales import QUICK_POINTS, SIZES, drawn_noise, open_inputs, options
from harmonium.experiments.records.ways import EFFORTS, ln_z
from harmonium.experiments.study import Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.training import data_of, keep_machine, machine
from harmonium.machine import RBM
from harmonium.runs.inputs import Inputs
from harmonium.runs.monitor import Monitor, measured_steps
from harmonium.runs.summary import as_dict
from harmonium.runs.train import run_training
from harmonium.sampling import draw
from harmonium.training.loop import TrainState

#: Draws of the test images beside the one that counts, to tell what another draw would change.
OTHER_DRAWS = 4
#: Chains that are shown, and their sweeps from noise.
SAMPLES, SWEEPS = 100, {"full": 10_000, "quick": 200}
#: Training images that are compared with the test images, at most.
LEAD_ROWS = 10_000
#: Rows whose free energies are taken at a time.
_BLOCK = 1000


def train_task(scale: Scale, size: str, seed: int) -> Task:
    """The task of training one machine."""
    points = scale.pick(SIZES[size].points, QUICK_POINTS)
    arguments = {"options": options(scale, size, seed), "points": points}
    seconds = scale.pick(SIZES[size].seconds, 2)
    return Task(f"train-{size}-seed-{seed}", f"{__name__}:train", arguments, seconds=seconds)


def curve_task(scale: Scale, size: str, seed: int) -> Task:
    """The task of scoring the machines that its training has passed through."""
    effort = EFFORTS[scale.name]
    arguments = {
        "options": options(scale, size, seed), "way": SIZES[size].on_the_way, "effort": {"ais": effort["curve"]},
    }  # fmt: skip
    needs = {"machine": train_task(scale, size, seed)}
    seconds = scale.pick(SIZES[size].points * (1 + 0.008 * SIZES[size].units), 1)
    return Task(f"curve-{size}-seed-{seed}", f"{__name__}:curve", arguments, needs, seconds)


def score_task(scale: Scale, size: str, seed: int) -> Task:
    """The task of scoring it."""
    arguments = {
        "options": options(scale, size, seed), "ways": list(SIZES[size].ways), "effort": EFFORTS[scale.name],
    }  # fmt: skip
    needs = {"machine": train_task(scale, size, seed)}
    seconds = scale.pick(60 + 0.6 * SIZES[size].units, 2)
    return Task(f"score-{size}-seed-{seed}", f"{__name__}:score", arguments, needs, seconds)


def lead_task(scale: Scale, size: str, seed: int) -> Task:
    """The task of comparing training images with test images."""
    arguments = {"options": options(scale, size, seed), "rows": LEAD_ROWS}
    needs = {"machine": train_task(scale, size, seed)}
    seconds = scale.pick(5 + 0.02 * SIZES[size].units, 1)
    return Task(f"lead-{size}-seed-{seed}", f"{__name__}:lead", arguments, needs, seconds)


def sample_task(scale: Scale, size: str) -> Task:
    """The task of sampling the machine of the first seed."""
    arguments = {"options": options(scale, size, 0), "sweeps": SWEEPS[scale.name]}
    needs = {"machine": train_task(scale, size, 0)}
    return Task(f"sample-{size}", f"{__name__}:sample", arguments, needs, scale.pick(0.6 * SIZES[size].units, 1))


class Passed:
    """An observer that keeps machines of a training: the scored one at each of some steps, and the seconds so far."""

    def __init__(self, folder: Path, points: int, monitor: Monitor) -> None:
        self.folder, self.monitor = folder, monitor
        self.at = measured_steps(monitor.plan.total, points) - {0}
        self.steps: list[int] = []
        self.seconds: list[float] = []

    def __call__(self, state: TrainState) -> None:
        """Keep the machine where it is time; to write it is no training."""
        if state.step not in self.at:
            return
        began = time.perf_counter()
        self.seconds.append(max(self.monitor.seconds - self.monitor.seconds_measuring, 0.001))
        keep_machine(self.folder, len(self.steps), state.scored)
        self.steps.append(state.step)
        self.monitor.seconds_measuring += time.perf_counter() - began


def train(folder: Path, needs: Mapping[str, Done], *, options: Mapping[str, Any], points: int) -> dict[str, Any]:
    """Train one machine; the machines on the way, the last of them the trained one, and what they took.

    Raises DivergedError where it has no distribution any more.
    """
    config = config_from(options)
    passed: list[Passed] = []

    def watch(monitor: Monitor) -> Passed:
        passed.append(Passed(folder, points, monitor))
        return passed[0]

    run = run_training(config, dataset=data_of(config), likelihood=False, watch=watch)
    return {
        "steps": passed[0].steps, "at": passed[0].seconds, "seconds": passed[0].seconds[-1],
        "seconds_measuring": run.summary["seconds_measuring"], "updates": run.summary["steps"],
        "threads": run.summary["threads"], "device": config.device, "findings": run.summary["findings"],
        "options": dict(options),
    }  # fmt: skip


def curve(
    folder: Path, needs: Mapping[str, Done], *, options: Mapping[str, Any], way: str, effort: Mapping[str, Any]
) -> dict[str, list[Any]]:
    """Average ln p of the test images in nats, and half of its 95 % interval, for each machine of a training."""
    inputs, trained = open_inputs(dict(options)), needs["machine"]
    v = inputs.feed.states(inputs.rows.held_out, drawn_noise())
    found: dict[str, list[Any]] = {
        "step": trained.value["steps"], "seconds": trained.value["at"], "value": [], "half_width": [],
    }  # fmt: skip
    for number in range(len(found["step"])):
        rbm = machine(trained, number)
        z = ln_z(way, rbm, inputs, v, effort)
        found["value"].append(-float(free_energies(rbm, v).mean()) - z.value)
        found["half_width"].append(z.half_width)
    return found


def score(
    folder: Path,
    needs: Mapping[str, Done],
    *,
    options: Mapping[str, Any],
    ways: Sequence[str],
    effort: Mapping[str, Any],
) -> dict[str, Any]:
    """Average ln p of the test images, with ln Z found in each of the ways; in nats an image."""
    inputs, rbm = open_inputs(dict(options)), last_machine(needs["machine"])
    rows = inputs.rows.held_out
    v = inputs.feed.states(rows, drawn_noise())
    energies = free_energies(rbm, v)
    others = [inputs.feed.states(rows, drawn_noise(number)) for number in range(1, 1 + OTHER_DRAWS)]
    of_draws = [float(energies.mean()), *(float(free_energies(rbm, other).mean()) for other in others)]
    found: dict[str, Any] = {}
    for way in ways:
        began = time.perf_counter()
        z = ln_z(way, rbm, inputs, v, effort)
        found[way] = {
            "value": -float(energies.mean()) - z.value, "log_z": as_dict(z), "doubts": list(z.doubts),
            "seconds": time.perf_counter() - began,
        }  # fmt: skip
    return {
        "ways": found, "rows": len(v), "rows_stderr": float(energies.std()) / math.sqrt(len(v)),
        "draws_sd": float(np.std(of_draws, ddof=1)), "draws": len(of_draws),
        "baseline": independent(inputs, rbm, v),
    }  # fmt: skip


def lead(folder: Path, needs: Mapping[str, Done], *, options: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """By how many nats an image training images are likelier than test images, both drawn once; ln Z cancels.

    And by how many the same images are for independent pixels, which over-fit nothing.
    """
    inputs, rbm = open_inputs(dict(options)), last_machine(needs["machine"])
    seen = inputs.feed.states(inputs.rows.train[:rows], drawn_noise(of="training images"))
    unseen = inputs.feed.states(inputs.rows.held_out, drawn_noise())
    by_machine = [free_energies(rbm, v) for v in (unseen, seen)]
    return {
        "machine": float(by_machine[0].mean() - by_machine[1].mean()),
        "stderr": math.hypot(*(float(x.std()) / math.sqrt(len(x)) for x in by_machine)),
        "independent": independent(inputs, rbm, seen) - independent(inputs, rbm, unseen),
        "rows": len(seen),
    }


def last_machine(done: Done) -> RBM:
    """The trained machine of a training's task."""
    return machine(done, len(done.value["steps"]) - 1)


@torch.no_grad()
def free_energies(rbm: RBM, v: Tensor) -> Tensor:
    """F(v) less ln base(v), (N,) of states (N, V), in nats and float64: ln p(v) is minus this, less ln Z."""
    wide = rbm.to(dtype=torch.float64)
    return torch.cat([wide.free_energy(block.double()) for block in v.split(_BLOCK)]) - rbm.visible.log_base


def independent(inputs: Inputs, rbm: RBM, v: Tensor) -> float:
    """Average ln p of states v (N, V) by independent pixels with the training images' frequencies, in nats."""
    pixels = rbm.to(dtype=torch.float64).decoupled(inputs.base.double())
    return -float(free_energies(pixels, v).mean()) - float(pixels.log_z_decoupled())


def sample(folder: Path, needs: Mapping[str, Done], *, options: Mapping[str, Any], sweeps: int) -> dict[str, Any]:
    """Chains from noise: ``samples.npy`` has the pixels' means in the last step of each; and whether they mix."""
    rbm = last_machine(needs["machine"])
    made = draw(rbm, SAMPLES, sweeps, seed=0)
    with torch.no_grad():
        hidden = rbm.hidden.mean(rbm.eta_h_from_v(made.v))[..., 0, :]
        means = rbm.visible.mean(rbm.eta_v_from_h(hidden))[..., 0, :]
    np.save(folder / "samples.npy", means.numpy())
    mixing = None if made.series is None else diagnose(made.series)
    return {"sweeps": sweeps, "samples": SAMPLES, "mixing": None if mixing is None else mixing.as_dict(),
            "verdict": None if mixing is None else mixing.verdict}  # fmt: skip
