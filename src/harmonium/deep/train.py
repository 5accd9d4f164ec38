"""A deep run from options to results: machines stacked, bounded, unrolled and fine-tuned."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from harmonium.config import IN_MEMORY, Config
from harmonium.config_from import config_from
from harmonium.data import Dataset
from harmonium.deep.config import DeepConfig, of_machines, split_options
from harmonium.deep.files import load_network, save_network
from harmonium.deep.finetune import (
    Settings,
    Task,
    classification,
    fields_of,
    fine_tune,
    kept_epoch,
    own_epochs,
    reconstructing,
)
from harmonium.deep.finished import DeepRun
from harmonium.deep.folder import DeepFolder
from harmonium.deep.pretrain import pretrain, stack_of
from harmonium.deep.says import network_says
from harmonium.deep.scores import bound_of, layer_summary, network_summary, parts_of, squared_errors
from harmonium.deep.stack import Stack
from harmonium.deep.unroll import autoencoder, classifier
from harmonium.errors import InputError, Interrupted, StoppedError
from harmonium.runs.classifier import fitted_temperature
from harmonium.runs.inputs import Inputs, open_inputs, read_side
from harmonium.runs.interrupts import Interrupts
from harmonium.runs.plan import make_plan
from harmonium.runs.progress import Bar
from harmonium.runs.source import array_data, load_config_data, with_absolute_paths

Say = Callable[[str], None]


def train_deep(
    data: Any = "digits",
    labels: Any = None,
    *,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: bool = False,
    **options: Any,
) -> DeepRun:
    """Train a deep belief network, and fine-tune it where asked.

    Parameters
    ----------
    data, labels, out, overwrite, progress
        As for `harmonium.train`.
    **options
        The fields of `harmonium.deep.config.DeepConfig`, such as ``layers="500,500,2000"`` and
        ``fine_tune="classifier"``, and those of `harmonium.config.Config`, which hold for every machine.

    Returns
    -------
    DeepRun

    Raises
    ------
    InputError
        An option or the data cannot be used; nothing has been written.
    DivergedError
        A machine or the network diverged; the layers before are kept.
    StoppedError
        A signal came while there was a folder; the run can be resumed.
    """
    in_memory = not isinstance(data, (str, os.PathLike))
    given = {"data": IN_MEMORY if in_memory else data, **options}
    if labels is not None and not in_memory:
        given["labels"] = labels
    named, deep = split_options(given)
    config = config_from(of_machines(named))
    dataset = array_data(data, labels, config) if in_memory else None
    return start_deep(config, deep, out, dataset=dataset, overwrite=overwrite, progress=progress, keep=out is not None)


def start_deep(
    config: Config,
    deep: DeepConfig,
    out: str | os.PathLike[str] | None = None,
    *,
    dataset: Dataset | None = None,
    overwrite: bool = False,
    progress: bool = False,
    keep: bool = True,
    say: Say = lambda text: None,
) -> DeepRun:
    """Train into the folder `out`, into a fresh one under ``runs/``, or into none where `keep` is false."""
    deep.refuse_idle(config)  # what does not fit shows before anything slow
    data = load_config_data(config) if dataset is None else dataset
    opened = open_deep(config, deep, data)
    make_plan(replace(deep.layer(config, 1), labels=config.label_source), data)
    if not keep:
        return _run(config, deep, opened, None, progress, say)
    folder = DeepFolder.claim(out, data.name, overwrite=overwrite)
    folder.write_config(with_absolute_paths(config), deep, data)
    return _run(config, deep, opened, folder, progress, say)


def resume_deep(
    path: str | os.PathLike[str],
    data: Any = None,
    labels: Any = None,
    *,
    progress: bool = False,
    say: Say = lambda text: None,
) -> DeepRun:
    """Go on with a deep run: what is finished stays; `data` must be given again where they were in memory."""
    folder = DeepFolder(path)
    config, deep = folder.read_config()
    if folder.complete(len(deep.hidden), tuned=deep.task(config) != "none"):
        from harmonium.deep.reopen import load_deep  # which is built on this module

        say(f"the run in {path} is complete; nothing is left to do")
        return load_deep(path)
    dataset = load_config_data(config) if data is None else array_data(data, labels, config)
    return _run(config, deep, open_deep(config, deep, dataset), folder, progress, say)


def open_deep(config: Config, deep: DeepConfig, data: Dataset) -> Inputs:
    """The data as the network sees them, with labels where it is to predict them."""
    for number, hidden in enumerate(deep.hidden, 1):
        deep.layer(config, number)
        read_side(f"layers={deep.layers!r}: layer {number}", hidden)
    opened = open_inputs(first_config(config, deep), data)
    if deep.task(config) == "classifier" and not len(opened.feed.with_label(opened.rows.train)):
        raise InputError("target is set, but no training row has a label; label some, or leave target out.")
    return opened


def first_config(config: Config, deep: DeepConfig) -> Config:
    """The options of the first machine, with the labels beside its inputs where the network is to predict them."""
    first = replace(deep.layer(config, 1), labels=config.label_source)
    return replace(first, target="label", objective="joint") if deep.task(config) == "classifier" else first


def task_of(inputs: Inputs, kind: str) -> Task:
    """What the network is fine-tuned for; rows without a label are left out of a classifier's."""
    feed = inputs.feed
    train, validation = inputs.rows.train, inputs.rows.validation
    if kind == "autoencoder":
        return reconstructing(feed.inputs, feed.pixels, train, validation)
    assert feed.y is not None
    return classification(feed.inputs, feed.y, feed.with_label(train), feed.with_label(validation), feed.device)


def _run(
    config: Config, deep: DeepConfig, inputs: Inputs, folder: DeepFolder | None, progress: bool, say: Say
) -> DeepRun:
    began = time.perf_counter()
    path = None if folder is None else folder.path
    layer_config = replace(config, labels=config.label_source)
    try:
        runs = pretrain(layer_config, deep, inputs.data, path, progress=progress, say=say)
    except Interrupted as error:  # between two layers
        if path is None:
            raise
        raise StoppedError(f"stopped; go on with: harmonium train --resume {path}", error.signal_number) from None
    stack = stack_of(runs)
    kind = deep.task(config)
    network: nn.Sequential | None = None
    history: list[dict[str, Any]] = []
    interrupts = Interrupts(silent=not progress)
    with contextlib.nullcontext() if folder is None else interrupts.listening():
        try:
            summary: dict[str, Any] = {
                "kind": "deep",
                "layers": [layer_summary(run, i + 1) for i, run in enumerate(runs)],
                "bound": bound_of(stack, runs[-1], inputs),
                "regeneration": squared_errors(stack, inputs),
                "classes": list(inputs.feed.classes),
                "image_shape": list(inputs.data.shape),
                "parts": {name: len(rows) for name, rows in parts_of(inputs).items()},
            }
            if kind != "none":
                network, history, own = _fine_tuned(deep, inputs, stack, kind, config, folder, progress, say)
                summary["fine_tuned"] = own
        except Interrupted as error:
            raise StoppedError(
                f"stopped while fine-tuning; go on with: harmonium train --resume {path}", error.signal_number
            ) from None
        summary["seconds"] = round(time.perf_counter() - began, 3)
        summary["threads"] = torch.get_num_threads()
        run = DeepRun(stack, network, runs, inputs.feed.classes, summary, history, path)
        if folder is not None:
            from harmonium.deep.pictures import draw_deep

            say("drawing the pictures …")
            draw_deep(run, inputs, folder.figures)
            folder.write_summary(summary)
    return run


def _fine_tuned(
    deep: DeepConfig, inputs: Inputs, stack: Stack, kind: str, config: Config, folder: DeepFolder | None,
    progress: bool, say: Say,
) -> tuple[nn.Sequential, list[dict[str, Any]], dict[str, Any]]:  # fmt: skip
    """The network, taken from the folder where it is there; its epochs; and what the summary says of it."""
    feed, task, by_class = inputs.feed, task_of(inputs, kind), kind == "classifier"
    there = folder is not None and folder.network_path.is_file()
    if folder is not None and there:
        network, history = load_network(folder.network_path)[0], folder.read_history()
    else:
        network = classifier(stack, len(feed.classes), dropout=deep.dropouts) if by_class else autoencoder(stack)
    network = network.to(feed.device)
    whole = network if by_class else fields_of(network)
    if not there:
        say(f"\nfine-tuning as {'a classifier' if by_class else 'an autoencoder'}")
        rate = deep.fine_tune_rate if deep.fine_tune_rate > 0 else None
        settings = Settings(
            deep.fine_tune_epochs, deep.fine_tune_batch_size, rate, deep.weight_decay, deep.fine_tune_patience,
            config.seed,
        )  # fmt: skip
        history = _watched(whole, task, settings, kind, progress)
        if folder is not None:
            folder.write_history(history)
            save_network(
                folder.network_path, network, task=kind, classes=list(feed.classes), visible=stack.visible.spec,
                image_shape=list(inputs.data.shape),
            )  # fmt: skip
    own: dict[str, Any] = {
        "kind": kind, "epochs": history[-1]["epoch"], "best_epoch": kept_epoch(history),
        "learning_rate": history[-1]["learning_rate"], "scores": network_summary(whole, task, inputs, kind),
    }  # fmt: skip
    network = network.cpu().eval()
    if by_class:
        fit = fitted_temperature(inputs, network_says(network))
        own |= {
            "temperature": None if fit is None else fit.value,
            "temperature_fit": None if fit is None else fit.as_dict(),
        }
    return network, history, own


def _watched(network: nn.Module, task: Task, settings: Settings, kind: str, progress: bool) -> list[dict[str, Any]]:
    """`fine_tune` with a bar."""
    if not progress:
        return fine_tune(network, task, settings)
    bar = Bar(settings.epochs or own_epochs(task, settings.batch_size), unit="epoch")

    def words(record: dict[str, Any]) -> str:
        part = "validation" if "validation_error" in record else "train"
        error = record.get(f"{part}_error", math.nan)
        return f"{part} {error:.2%} wrong" if kind == "classifier" else f"{part} squared error {error:.3f}"

    try:
        return fine_tune(network, task, settings, lambda record: bar.show(record["epoch"], lambda: words(record)))
    finally:
        bar.close()
