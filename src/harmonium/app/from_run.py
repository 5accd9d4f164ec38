"""Panels out of runs: a finished one on the disk, or a small one that is trained on the spot.

An ordinary run has two columns: its first snapshot, and all its snapshots up to the machine that it kept.  Machines
that were stacked are shown as networks (`from_deep`).
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from harmonium.app.from_deep import EPOCHS, panel_of_deep, tuned_here
from harmonium.app.panel import PRETRAINED, RANDOM, Panel, State, state_from_machines
from harmonium.app.pictures import pictures_of
from harmonium.config import Config
from harmonium.data import load_data
from harmonium.data.dataset import RECIPE
from harmonium.errors import InputError
from harmonium.machine import RBM
from harmonium.runs.folder import RunFolder, is_deep, layer_number
from harmonium.runs.monitor import Monitor
from harmonium.runs.plan import make_plan
from harmonium.runs.reopen import reopen
from harmonium.runs.train import run_training
from harmonium.runs.trajectory import load_trajectory
from harmonium.training.loop import Observer, TrainState

#: The machine that is trained where no run is named: seconds, and it knows the digits' names.
DEMONSTRATION = Config(
    data="digits", hidden="bernoulli:144", target="label", objective="hybrid", generative_weight=0.9, optimizer="sgd",
    learning_rate=0.1, epochs=120, measure=6, binarize="0.5",
)  # fmt: skip
_STEPS = 24  # snapshots of it
Say = Callable[[str], None]


def panel_of_run(path: str | os.PathLike[str], *, name: str = "", most_bytes: int = 0) -> Panel:
    """The panel of the run folder at `path`.

    Parameters
    ----------
    path : path
        A finished run on pictures, of one machine or of machines stacked.
    name : str
        What the chooser calls it; by default the folder's name.
    most_bytes : int
        Room for its parameters in half precision: snapshots are left out, evenly, until they fit; 0 takes all.  A
        network has none to leave out.

    Raises
    ------
    InputError
        Where there is no finished run, or no trajectory, or its data are recordings or other things than pictures, or
        its units cannot be shown.
    """
    if (RunFolder(path).path / RECIPE).is_file():  # spectrograms have rows and columns, too, but nobody can draw sound
        raise InputError(
            f"{path} was trained on recordings, and nobody can draw sound; give a run on images, or see what machines "
            "make of recordings with harmonium reproduce voice (docs/recordings.md)."
        )
    if is_deep(path):
        return panel_of_deep(path, name=name)
    if layer_number(path) > 1:
        raise InputError(
            f"{path} is a machine above another, and its rows are no pictures; give the whole network: "
            f"{RunFolder(path).path.parent}."
        )
    opened = reopen(path)
    folder = opened.folder
    machines = load_trajectory(folder)
    best = (folder.read_json("summary.json") or {}).get("best_step")
    before = [step for step, _ in folder.snapshots()][: len(machines) - 1]
    steps = [*before, -1 if best is None else int(best)]
    pictures = pictures_of(opened.inputs(), f"the run in {folder.path}")
    states = _states(list(zip(steps, machines, strict=True)), most_bytes)
    return Panel(name or folder.path.resolve().name, pictures, opened.classes, states)


def demonstration(say: Say = lambda line: None, config: Config = DEMONSTRATION, tuning: int = EPOCHS) -> Panel:
    """A small machine on the bundled digits, trained and fine-tuned here and now (seconds) and kept nowhere.

    `config` must have a target; `tuning` are the epochs of fine-tuning.
    """
    plan = make_plan(config, load_data(config.data))
    wanted = {round(step) for step in np.geomspace(1, plan.total, _STEPS)}
    machines: list[tuple[int, RBM]] = [(0, plan.state.rbm.detached())]

    def watch(_: Monitor) -> Observer:
        def keep(state: TrainState) -> None:
            if state.step in wanted:
                machines.append((state.step, state.scored.detached()))

        return keep

    say("no run is named: training a small machine on the bundled digits …")
    run = run_training(config, dataset=plan.data, watch=watch)
    best = run.summary["best_step"]
    machines = [*((step, rbm) for step, rbm in machines if step < best), (best, run.rbm)]
    states = (*_states(machines), tuned_here(run.rbm, plan, tuning, say))
    return Panel("Handwritten digits", pictures_of(plan, "the digits"), plan.feed.classes, states)


def _states(machines: list[tuple[int, RBM]], most_bytes: int = 0) -> tuple[State, ...]:
    """The first machine alone, and those that fit, the first and the last of them always."""
    one = 2 * sum(tensor.numel() for tensor in machines[0][1].tensors)
    fit = len(machines) if most_bytes <= 0 else max(2, min(len(machines), most_bytes // one))
    kept = [machines[i] for i in sorted({round(i) for i in np.linspace(0, len(machines) - 1, fit)})]
    return state_from_machines(RANDOM, kept[:1]), state_from_machines(PRETRAINED, kept)
