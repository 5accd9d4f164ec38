"""One training run from options to results: `train` is what ``harmonium train`` and five lines of Python both call."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from harmonium.config import IN_MEMORY, Config
from harmonium.config_from import config_from
from harmonium.data import Dataset, fingerprint
from harmonium.data.labels import UNLABELLED
from harmonium.errors import DivergedError, InputError, Interrupted, StoppedError
from harmonium.evaluate.health import Finding
from harmonium.evaluate.likelihood import EXACT_SECONDS, binarisation_in_words
from harmonium.logz.exact import enumeration_seconds
from harmonium.runs.checkpoint import Checkpointer, load_checkpoint
from harmonium.runs.environment import environment, threads_of
from harmonium.runs.finished import Run as Run
from harmonium.runs.finished import finished, store
from harmonium.runs.folder import RunFolder
from harmonium.runs.health import HealthWatch
from harmonium.runs.idle import refuse_idle
from harmonium.runs.interrupts import Interrupts
from harmonium.runs.monitor import Monitor
from harmonium.runs.pictures import draw
from harmonium.runs.plan import First, Plan, make_plan
from harmonium.runs.progress import Progress
from harmonium.runs.source import array_data, load_config_data, with_absolute_paths
from harmonium.runs.trajectory import Snapshots
from harmonium.training.loop import Observer, fit

Say = Callable[[str], None]
#: Makes one more observer of a training out of its monitor; an exception that it raises ends the run.
Watch = Callable[[Monitor], Observer]


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
    refuse_idle(config, options)
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
    watch: Watch | None = None,
    first: First | None = None,
    likelihood: bool = True,
) -> Run:
    """Plan, train, score and draw; `claim` makes the run's folder once nothing is wrong with the options.

    `first` makes another first machine; without `likelihood` no ln Z is looked for at the end.
    """
    interrupts = Interrupts(silent=not progress)
    with contextlib.nullcontext() if claim is None else interrupts.listening():
        data = load_config_data(config) if dataset is None else dataset
        plan = make_plan(config if claim is None else with_absolute_paths(config), data, first=first)
        folder = None if claim is None else claim(data)
        try:
            with threads_of(plan, folder if resuming else None):
                return _run(plan, folder, interrupts, resuming, progress, say, watch, likelihood)
        except Interrupted as error:
            if folder is None:
                raise
            raise StoppedError(
                f"stopped; go on with: harmonium train --resume {folder.path}", error.signal_number
            ) from None


def _run(
    plan: Plan, folder: RunFolder | None, interrupts: Interrupts, resuming: bool, progress: bool, say: Say,
    watch: Watch | None, likelihood: bool,
) -> Run:  # fmt: skip
    data, state = plan.data, plan.state
    mark = fingerprint(data)
    identity = {"name": data.name, "source": data.source, "rows": len(data), "fingerprint": mark}
    if folder is not None:
        if resuming:
            _check_same_data(folder, mark)
        else:
            folder.write_config(plan.config)
            folder.write_recipe(data)
        folder.write_json("environment.json", {**environment(), "data": identity})
    rule = binarisation_in_words(plan.feed.rule, plan.feed.scale)
    say(
        f"{data.name}: {len(plan.rows.train)} rows to train on, {_labelled_in_words(plan)}"
        f"{len(plan.rows.validation)} validation, "
        f"{len(plan.rows.held_out)} held out, {rule}\n{plan.feed.side.spec} with {state.rbm.hidden.spec}"
    )
    if plan.unscaled:
        say("note: Gaussian units learn best from columns of mean 0 and variance 1, and these are not")
    monitor = Monitor(plan)
    findings = _train(plan, monitor, folder, interrupts, progress, say, watch)
    seconds = monitor.seconds
    if monitor.patience_spent:
        say(f"stopped after update {state.step}: the validation score had long been worse than its best")
    exact = plan.config.by_labels or not likelihood or enumeration_seconds(state.rbm) <= EXACT_SECONDS
    estimated = "" if exact else ", ln Z by annealing forwards and back"
    say(f"scoring all rows{estimated} …")
    run = finished(plan, monitor, findings, identity, seconds, likelihood=likelihood)
    if folder is not None:
        run = replace(run, folder=folder.path)
        say("drawing the pictures …")
        _save(run, plan, folder)
    return run


def _labelled_in_words(plan: Plan) -> str:
    """How many of the training rows have a label, where some rows have none."""
    if not plan.feed.partly_labelled:
        return ""
    meant = "" if plan.data.names is not None else f" ({UNLABELLED} means none)"
    return f"{len(plan.feed.with_label(plan.rows.train))} of them with a label{meant}, "


def _check_same_data(folder: RunFolder, found: str) -> None:
    stored = (folder.read_json("environment.json") or {}).get("data", {}).get("fingerprint")
    if stored not in (None, found):
        raise InputError(
            f"the data of {folder.path} have changed since the run began (fingerprint {stored} then, {found} now); "
            "bring back the old ones, or train anew."
        )


def _train(
    plan: Plan, monitor: Monitor, folder: RunFolder | None, interrupts: Interrupts, progress: bool, say: Say,
    watch: Watch | None,
) -> list[Finding]:  # fmt: skip
    """Train from the latest checkpoint, or from the start, to the end; returns what is wrong with the machine."""
    state = plan.state
    checkpointer = None
    bar = None
    health = HealthWatch(monitor, lambda text: say(text) if bar is None else bar.say(text))
    try:
        with torch.no_grad():
            begun = False
            observers: list[Observer] = [monitor, health]
            if watch is not None:
                observers.append(watch(monitor))
            if folder is not None:
                snapshots = Snapshots(plan, folder)
                begun = load_checkpoint(folder, state, monitor, snapshots)
                checkpointer = Checkpointer(folder, monitor, snapshots, plan.config.checkpoint_every, interrupts)
                if not begun:
                    snapshots(state)
                    checkpointer.save(state)  # there is always a good one
                observers.append(snapshots)
            if progress:
                bar = Progress(monitor, state.step)
                observers.append(bar)
            if checkpointer is not None:
                observers.append(checkpointer)  # last: it stores what the others have seen
            interrupts.patient = True
            if not monitor.history:  # a checkpoint of a later step has been through every observer
                monitor(state)
        if not monitor.patience_spent and interrupts.caught is None:
            fit(
                state, plan.batches, plan.total, plan.negative, transforms=plan.transforms, observers=observers,
                partly_labelled=plan.feed.partly_labelled,
            )  # fmt: skip
        if checkpointer is not None:
            checkpointer.save(state)
            if interrupts.caught is None:
                snapshots.finish()
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
    return list(health.findings.values())


def _save(run: Run, plan: Plan, folder: RunFolder) -> None:
    """Write the metrics, the model and the pictures, and last the summary, which marks the run as complete."""
    store(folder, run, plan.config, plan.data)
    for _ in draw(plan, run.rbm, run.history, folder.figures):
        pass
    folder.write_json("summary.json", run.summary)
