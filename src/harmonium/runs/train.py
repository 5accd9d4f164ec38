"""One training run from options to results: `train` is what ``harmonium train`` and five lines of Python both call."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import harmonium
from harmonium.config import IN_MEMORY, Config, config_from
from harmonium.data import Dataset, fingerprint
from harmonium.errors import DivergedError, InputError, Interrupted, StoppedError
from harmonium.evaluate.likelihood import EXACT_COST
from harmonium.io import save_model
from harmonium.logz import enumeration_cost
from harmonium.machine import RBM
from harmonium.runs.checkpoint import Checkpointer, load_checkpoint
from harmonium.runs.environment import environment, threads_of
from harmonium.runs.folder import RunFolder
from harmonium.runs.interrupts import Interrupts
from harmonium.runs.monitor import Monitor
from harmonium.runs.pictures import draw
from harmonium.runs.plan import Plan, make_plan
from harmonium.runs.progress import Progress
from harmonium.runs.source import array_data, load_config_data, with_absolute_paths
from harmonium.runs.summary import binarisation_in_words, final_scores, peak_memory, table
from harmonium.training.loop import Observer, fit

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run.

    Attributes
    ----------
    rbm : RBM
        The trained machine (with early stopping the best one).
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
        return table(self.summary)


def train(
    data: Any = "digits",
    labels: Any = None,
    *,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: bool = False,
    **options: Any,
) -> Run:
    """Train a machine.

    Parameters
    ----------
    data : str, path, array or Dataset
        A data set by name (``digits``, ``mnist``), a file, a folder of PNG images, or an array (N, V).
    labels : array (N,), optional
        Labels of an array.
    out : path, optional
        A folder for the run's files; None writes none.
    overwrite : bool
        Replace a run that the folder holds already.
    progress : bool
        Show a progress bar.
    **options
        The fields of `harmonium.config.Config`, such as ``hidden="bernoulli:64"``.

    Returns
    -------
    Run
        The machine, its scores and its history.

    Raises
    ------
    InputError
        An option or the data cannot be used; one sentence says which, and the mend.  Nothing has been written.
    DivergedError
        The parameters left the region of meaning; the last good checkpoint stays in the folder.
    StoppedError
        A signal came while there was a folder; the run can be resumed.
    """
    if isinstance(data, (str, os.PathLike)):
        config = config_from({"data": data, **options, **({} if labels is None else {"labels": labels})})
        dataset = None
    else:
        config = config_from({"data": IN_MEMORY, **options})
        dataset = array_data(data, labels, config)
    if out is None:
        return run_training(config, dataset=dataset, progress=progress)
    return start_run(config, out, dataset=dataset, overwrite=overwrite, progress=progress)


def start_run(
    config: Config,
    out: str | os.PathLike[str] | None,
    *,
    dataset: Dataset | None = None,
    overwrite: bool = False,
    progress: bool = False,
    say: Say = lambda text: None,
) -> Run:
    """Train into the folder `out`, or into a fresh one under ``runs/``; see `train` for the errors."""
    if out is not None:
        RunFolder(out).refuse_occupied(overwrite=overwrite)  # before anything slow

    def claim(data: Dataset) -> RunFolder:
        return RunFolder.fresh(data.name) if out is None else RunFolder.create(out, overwrite=overwrite)

    return run_training(config, claim, dataset=dataset, progress=progress, say=say)


def run_training(
    config: Config,
    claim: Callable[[Dataset], RunFolder] | None = None,
    *,
    dataset: Dataset | None = None,
    resuming: bool = False,
    progress: bool = False,
    say: Say = lambda text: None,
) -> Run:
    """Plan, train, score and draw; `claim` makes the run's folder once nothing is wrong with the options."""
    interrupts = Interrupts(silent=not progress)
    with contextlib.nullcontext() if claim is None else interrupts.listening():
        data = load_config_data(config) if dataset is None else dataset
        plan = make_plan(config if claim is None else with_absolute_paths(config), data)
        folder = None if claim is None else claim(data)
        try:
            with threads_of(plan, folder if resuming else None):
                return _run(plan, folder, interrupts, resuming, progress, say)
        except Interrupted as error:
            if folder is None:
                raise
            raise StoppedError(
                f"stopped; go on with: harmonium train --resume {folder.path}", error.signal_number
            ) from None


def _run(plan: Plan, folder: RunFolder | None, interrupts: Interrupts, resuming: bool, progress: bool, say: Say) -> Run:
    data, state = plan.data, plan.state
    mark = fingerprint(data)
    identity = {"name": data.name, "source": data.source, "rows": len(data), "fingerprint": mark}
    if folder is not None:
        if resuming:
            _check_same_data(folder, mark)
        else:
            folder.write_config(plan.config)
        folder.write_json("environment.json", {**environment(), "data": identity})
    rule = binarisation_in_words(plan.feed.rule, plan.feed.scale)
    say(
        f"{data.name}: {len(plan.rows.train)} rows to train on, {len(plan.rows.validation)} validation, "
        f"{len(plan.rows.held_out)} held out, {rule}\n{plan.feed.side.spec} with {state.rbm.hidden.spec}"
    )
    if plan.unscaled:
        say("note: Gaussian units learn best from columns of mean 0 and variance 1, and these are not")
    monitor = Monitor(plan)
    _train(plan, monitor, folder, interrupts, progress)
    seconds = monitor.seconds
    rbm = _best(state.rbm, monitor) if monitor.follows_validation else state.rbm.detached()
    estimated = "" if enumeration_cost(rbm) <= EXACT_COST else ", ln Z by annealed importance sampling"
    say(f"scoring all rows{estimated} …")
    with torch.no_grad():
        summary = {
            **final_scores(plan, rbm),
            "steps": state.step,
            "best_step": monitor.best_step if monitor.follows_validation else state.step,
            **({"best_validation": monitor.best_score} if monitor.follows_validation else {}),
            "seconds": round(seconds, 3),
            "seconds_measuring": round(monitor.seconds_measuring, 3),
            "threads": torch.get_num_threads(),
            "peak_memory": peak_memory(),
            "data": identity,
        }
    run = Run(rbm, summary, monitor.history, None if folder is None else folder.path)
    if folder is not None:
        say("drawing the pictures …")
        _save(run, plan, folder)
    return run


def _check_same_data(folder: RunFolder, found: str) -> None:
    stored = (folder.read_json("environment.json") or {}).get("data", {}).get("fingerprint")
    if stored not in (None, found):
        raise InputError(
            f"the data of {folder.path} have changed since the run began (fingerprint {stored} then, {found} now); "
            "bring back the old ones, or train anew."
        )


def _train(plan: Plan, monitor: Monitor, folder: RunFolder | None, interrupts: Interrupts, progress: bool) -> None:
    """Train from the latest checkpoint, or from the start, to the end."""
    state = plan.state
    checkpointer = None
    bar = None
    try:
        with torch.no_grad():
            begun = folder is not None and load_checkpoint(folder, state, monitor)
            if folder is not None:
                checkpointer = Checkpointer(folder, monitor, plan.config.checkpoint_every, interrupts)
                if not begun:
                    checkpointer.save(state)  # there is always a good one
            if progress:
                bar = Progress(monitor, state.step)
            interrupts.patient = True
            monitor(state)
        if not monitor.patience_spent and interrupts.caught is None:
            observers: list[Observer] = [o for o in (monitor, bar, checkpointer) if o is not None]
            fit(state, plan.batches, plan.total, plan.negative, transforms=plan.transforms, observers=observers)
        if checkpointer is not None:
            checkpointer.save(state)
        interrupts.patient = False
    except DivergedError as error:
        if checkpointer is None:
            raise
        checkpointer.write_metrics()
        kept = next(checkpointer.folder.checkpoints(), None)
        raise DivergedError(f"{error} The last good checkpoint is {kept}.") from None
    finally:
        interrupts.patient = False
        if bar is not None:
            bar.close()
    if interrupts.caught is not None and folder is not None:
        raise StoppedError(
            f"stopped at step {state.step} of {plan.total}; go on with: harmonium train --resume {folder.path}",
            interrupts.caught,
        )


def _best(rbm: RBM, monitor: Monitor) -> RBM:
    """The machine with the best validation score."""
    if monitor.best is None:
        return rbm.detached()
    pieces = torch.split(monitor.best.to(rbm.W), [t.numel() for t in rbm.tensors])
    W, a, b = (piece.reshape(t.shape) for piece, t in zip(pieces, rbm.tensors, strict=True))
    return dataclasses.replace(rbm, W=W, a=a, b=b)


def _save(run: Run, plan: Plan, folder: RunFolder) -> None:
    """Write the metrics, the model and the pictures, and last the summary, which marks the run as complete."""
    folder.write_history(run.history)
    save_model(
        folder.model_path,
        run.rbm,
        image_shape=list(plan.data.shape),
        binarize=plan.feed.rule,
        scale=plan.feed.scale,
        with_labels=plan.config.with_labels,
        config=plan.config.as_dict(),
        version=harmonium.__version__,
    )
    for _ in draw(plan, run.rbm, run.history, folder.figures):
        pass
    folder.write_json("summary.json", run.summary)
