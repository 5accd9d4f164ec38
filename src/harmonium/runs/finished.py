"""What a training leaves: the machine that is kept, its final scores, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import harmonium
from harmonium.config import Config
from harmonium.data import Dataset
from harmonium.evaluate.health import Finding
from harmonium.evaluate.labels import class_counts
from harmonium.io import save_model
from harmonium.logz.progressive import Wanted
from harmonium.machine import RBM
from harmonium.runs.classifier import fitted_temperature, machine_says
from harmonium.runs.folder import RunFolder
from harmonium.runs.monitor import Monitor
from harmonium.runs.plan import Plan
from harmonium.runs.summary import final_scores, peak_memory, table

#: How well, and how long, ln Z of the finished machine is estimated where it is not exact.
_FINAL = Wanted(precision=0.2, seconds=20.0)


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run.

    Attributes
    ----------
    rbm : RBM
        The trained machine: the best one on the validation rows, the last one where there are none.
    summary : dict
        Scores in nats per row, ln Z and how it was found, time, memory.
    history : list of dict
        One entry a measurement.
    folder : Path or None
        Where its files are.
    """

    rbm: RBM
    summary: dict[str, Any]
    history: list[dict[str, Any]]
    folder: Path | None

    def __str__(self) -> str:
        return self.summary["reason"] if self.summary.get("diverged") else table(self.summary)


@torch.no_grad()
def finished(
    plan: Plan, monitor: Monitor, findings: list[Finding], identity: dict[str, Any], seconds: float, *,
    likelihood: bool = True,
) -> Run:  # fmt: skip
    """The run of a plan that has been trained: its best machine with final scores, without a folder.

    Without `likelihood` no ln Z is looked for, which may take longer than the training.
    """
    state, selection = plan.state, monitor.selection
    rbm = state.scored.detached() if selection is None else selection.machine(state.scored)
    summary = {
        **final_scores(plan, rbm, wanted=_FINAL if likelihood else None, likelihood=likelihood),
        **_as_classifier(plan, rbm),
        "findings": [finding.as_dict() for finding in findings],
        "steps": state.step,
        "best_step": state.step if selection is None else selection.best_step,
        **({} if selection is None else {"best_validation": selection.best_score}),
        "seconds": round(seconds, 3),
        "seconds_measuring": round(monitor.seconds_measuring, 3),
        "threads": torch.get_num_threads(),
        "peak_memory": peak_memory(),
        "data": identity,
    }
    return Run(rbm, summary, monitor.history, None)


def _as_classifier(plan: Plan, rbm: RBM) -> dict[str, Any]:
    """The classes, and the temperature of the validation rows: null where there are none; nothing without a target."""
    if not plan.feed.classes:
        return {}
    fit = fitted_temperature(plan, machine_says(rbm))
    return {
        "classes": list(plan.feed.classes),
        "class_counts": class_counts(plan.feed, plan.rows.train).tolist(),
        "temperature": None if fit is None else fit.value,
        "temperature_fit": None if fit is None else fit.as_dict(),
    }


def store(folder: RunFolder, run: Run, config: Config, data: Dataset) -> None:
    """Write the metrics and the model into the run's folder; the summary, which marks it as complete, is not yet."""
    folder.write_history(run.history)
    save_model(
        folder.model_path,
        run.rbm,
        image_shape=list(data.shape),
        columns=None if data.columns is None else list(data.columns),
        binarize=run.summary["binarize"],
        scale=run.summary["scale"],
        target=config.target,
        classes=list(run.summary.get("classes", ())),
        temperature=run.summary.get("temperature"),
        config=config.as_dict(),
        version=harmonium.__version__,
    )
