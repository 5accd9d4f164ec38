"""Tasks that train machines and keep them, with their scores and learning curves; and what reads them again.

    value = {"seeds", "train", "held_out", "half_width", "method", "baseline", "history", "diverged", "seconds", ...}

Every list has an entry a machine, in the order of the seeds; a machine that diverged has None for its scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from harmonium.config import Config
from harmonium.config_from import config_from
from harmonium.data import Dataset
from harmonium.experiments.tasks import Done, Task
from harmonium.io import load_model, save_model
from harmonium.machine import RBM
from harmonium.runs.monitor import Monitor
from harmonium.runs.plan import make_plan
from harmonium.runs.source import load_config_data
from harmonium.runs.summary import final_scores
from harmonium.runs.together import train_together
from harmonium.runs.train import Run
from harmonium.training.loop import fit

_LOADED: dict[tuple[str, str], Dataset] = {}


def data_of(config: Config) -> Dataset:
    """The rows that a configuration names; read once a process."""
    key = config.data, config.classes
    if key not in _LOADED:
        _LOADED[key] = load_config_data(config)
    return _LOADED[key]


def training(name: str, options: Mapping[str, Any], seeds: int | Sequence[int], seconds: float, **more: Any) -> Task:
    """The task of training a machine from each of so many seeds; `seconds` is what one of them takes about."""
    seeds = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    arguments = {"options": dict(options), "seeds": seeds, **more}
    return Task(name, f"{__name__}:train", arguments, seconds=seconds * len(seeds))


def train(
    folder: Path,
    needs: Mapping[str, Done],
    *,
    options: Mapping[str, Any],
    seeds: Sequence[int],
    learning_rates: Sequence[float] | None = None,
    keep: bool = True,
) -> dict[str, Any]:
    """Train and score; the machines are kept as ``machine-NN.safetensors``."""
    config = config_from(options)
    runs = train_together(config, data_of(config), seeds, learning_rates)
    if keep:
        for number, run in enumerate(runs):
            keep_machine(folder, number, run.rbm)
    return collected(runs, seeds) | {"learning_rates": None if learning_rates is None else list(learning_rates)}


def collected(runs: Sequence[Run], seeds: Sequence[int]) -> dict[str, Any]:
    """What a study wants to know of finished runs."""

    def scores(part: str, name: str) -> list[float | None]:
        return [None if diverged(run) else run.summary["scores"].get(part, {}).get(name) for run in runs]

    good = [run for run in runs if not diverged(run)]
    return {
        "seeds": list(seeds),
        "train": scores("train", "value"),
        "held_out": scores("held_out", "value"),
        "half_width": scores("train", "half_width"),
        "baseline": scores("train", "baseline"),
        "baseline_held_out": scores("held_out", "baseline"),
        "label_error": {part: scores(part, "label_error") for part in ("train", "held_out")},
        "method": good[0].summary["log_z"]["method"] if good and "log_z" in good[0].summary else None,
        "log_z": [None if diverged(run) else run.summary.get("log_z") for run in runs],
        "history": [run.history for run in runs],
        "diverged": [diverged(run) for run in runs],
        "updates": max((run.summary.get("steps", 0) for run in good), default=0),
        "seconds": [run.summary.get("seconds") for run in runs],
        "binarize": good[0].summary["binarize"] if good else None,
    }


def diverged(run: Run) -> bool:
    """Whether a run has no scores."""
    return bool(run.summary.get("diverged")) or "train" not in run.summary.get("scores", {})


def keep_machine(folder: Path, number: int, rbm: RBM) -> None:
    """Keep one machine of a task."""
    save_model(folder / f"machine-{number:02d}.safetensors", rbm)


def machine(result: Done, number: int = 0) -> RBM:
    """One of the machines that a task has kept."""
    return load_model(result.folder / f"machine-{number:02d}.safetensors")[0]


def best(result: Done, part: str = "train") -> int:
    """The number of the machine with the highest score."""
    scores = [-float("inf") if score is None else score for score in result.value[part]]
    return scores.index(max(scores))


def scores_of(result: Done, part: str = "train") -> list[float]:
    """The scores of those that did not diverge."""
    return [score for score in result.value[part] if score is not None]


def train_from(config: Config, change: Callable[[RBM], None]) -> Run:
    """One run, without early stopping, whose first machine is changed in place before the first update."""
    plan = make_plan(config, data_of(config))
    with torch.no_grad():
        change(plan.state.rbm)
        monitor = Monitor(plan)
        monitor(plan.state)
        fit(plan.state, plan.batches, plan.total, plan.negative, transforms=plan.transforms, observers=[monitor])
        rbm = plan.state.rbm.detached()
        summary = {**final_scores(plan, rbm), "steps": plan.state.step, "seconds": monitor.seconds}
    return Run(rbm, summary, monitor.history, None)
