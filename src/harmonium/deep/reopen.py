"""A finished deep run opened again: to predict, to score, to sample."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from harmonium.config import IN_MEMORY
from harmonium.data import Dataset
from harmonium.deep.files import load_network
from harmonium.deep.finished import DeepRun
from harmonium.deep.folder import DeepFolder
from harmonium.deep.pretrain import raised, stack_of
from harmonium.deep.says import network_says
from harmonium.deep.train import first_config
from harmonium.deep.unroll import sizes_of
from harmonium.errors import InputError
from harmonium.io import load_model
from harmonium.runs.classifier import classified
from harmonium.runs.folder import RunFolder, layer_number
from harmonium.runs.reopen import Opened
from harmonium.runs.resume import finished_run
from harmonium.runs.source import load_config_data
from harmonium.units import parse_side


def load_deep(path: str | os.PathLike[str]) -> DeepRun:
    """A finished deep run from its folder; its network is None where it was not fine-tuned.

    Raises InputError where there is none, where it is not finished or has lost a part, and where parts of several runs
    are mixed.
    """
    folder = DeepFolder(path)
    config, deep = folder.read_config()
    summary, tuned = folder.read_summary(), deep.task(config) != "none"
    if not folder.complete(len(deep.hidden), tuned=tuned):
        raise InputError(
            f"the run in {path} has lost a machine or its network; make it again with: harmonium train --resume {path}"
        )
    runs = [finished_run(folder.layer(number)) for number in range(1, len(deep.hidden) + 1)]
    stack = stack_of(runs)
    network = load_network(folder.network_path)[0] if tuned else None
    for found, sizes in (
        (f"layers={deep.layers!r} of {path}", (stack.visible.size, *(parse_side(side).size for side in deep.hidden))),
        (folder.network_path, sizes_of(network) if network is not None else stack.sizes),
    ):
        if sizes[: len(stack.sizes)] != stack.sizes:
            raise InputError(
                f"{found} does not belong to the machines of the run, {' - '.join(map(str, stack.sizes))}; take "
                "another copy of the run."
            )
    return DeepRun(stack, network, runs, tuple(summary.get("classes", ())), summary, folder.read_history(), folder.path)


def open_classifier(path: str | os.PathLike[str]) -> Opened:
    """The fine-tuned classifier of a deep run, as `harmonium.runs.predict` takes it.

    Raises InputError where the run was fine-tuned for something else, or not at all.
    """
    run = load_deep(path)
    if run.network is None or run.summary.get("fine_tuned", {}).get("kind") != "classifier":
        raise InputError(
            f"the network in {path} was not fine-tuned as a classifier; train one with target=label and "
            "fine_tune=classifier."
        )
    config, deep = DeepFolder(path).read_config()
    bottom = run.layers[0]
    description = {
        "image_shape": run.summary["image_shape"],
        "binarize": bottom.summary["binarize"],
        "scale": bottom.summary["scale"],
        "columns": load_model(DeepFolder(path).path / "layer-1")[1].get("columns"),
        "classes": list(run.classes),
        "temperature": run.summary["fine_tuned"].get("temperature"),
    }
    return Opened(bottom.rbm, RunFolder(path), first_config(config, deep), description, network_says(run.network))


def layer_data(path: str | os.PathLike[str]) -> Dataset:
    """The data of a machine above the first, in ``layer-2``, …: made of the network's own by the machines below it.

    Raises InputError where the folder is no such machine's, or the network's data were an array in memory.
    """
    own = Path(path).resolve()
    network, number = DeepFolder(own.parent), layer_number(own)
    config, deep = network.read_config()
    if config.data == IN_MEMORY:
        raise InputError(
            f"the run in {path} learned what the machines below it made of an array in memory; make it again, as "
            f"data=hm.load_deep({str(network.path)!r}).features(v, {number - 1})."
        )
    options = replace(config, labels=config.label_source)
    rows, layer = load_config_data(config), deep.layer(options, 1)
    for above in range(2, number + 1):
        below, _ = load_model(network.path / f"layer-{above - 1}" / "model.safetensors")
        rows, layer = raised(below, layer, rows, deep.layer(options, above), above)
    return rows


def evaluate_deep(path: str | os.PathLike[str], data: Any = None, labels: Any = None, **changes: Any) -> dict[str, Any]:
    """Scores of the run's own data, as they were at its end; or a classifier's of other `data`, all rows of them."""
    if data is None:
        return load_deep(path).summary
    opened = open_classifier(path)
    inputs = opened.inputs(data, labels, **changes)
    found = classified(inputs, opened.says, opened.description.get("temperature"), other=True)
    if found is None:
        raise InputError("data has no labels to compare predictions with; give them with labels, or use predict.")
    return {"classification": found.as_dict()}
