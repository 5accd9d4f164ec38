"""An interrupted run continued: it ends with the parameters of an uninterrupted one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from harmonium.config_from import config_from
from harmonium.errors import InputError
from harmonium.io import load_model
from harmonium.runs.folder import RunFolder, layer_number
from harmonium.runs.source import array_data, with_absolute_paths
from harmonium.runs.train import Run, Say, run_training


def resume(
    folder: str | os.PathLike[str],
    data: Any = None,
    labels: Any = None,
    *,
    progress: bool = False,
    say: Say = lambda text: None,
) -> Run:
    """Continue an interrupted run with its own options; it ends with the parameters of an uninterrupted one.

    `data` and `labels` must be given again where they were arrays in memory.  A complete run is returned as it is.
    Raises InputError where the folder holds no run, the data are not the same, or its checkpoints cannot be read.
    """
    run = RunFolder.existing(folder)
    if run.complete:
        say(f"the run in {folder} is complete; nothing is left to do")
        return finished_run(run)
    if layer_number(folder) > 1:
        network = run.path.resolve().parent
        raise InputError(
            f"{folder} is a machine of a network; go on with all of it: harmonium train --resume {network}"
        )
    run.remove_leftovers()
    config = run.read_config()
    dataset = None if data is None else array_data(data, labels, config)
    return run_training(config, lambda _: run, dataset=dataset, resuming=True, progress=progress, say=say)


def finished_run(run: RunFolder) -> Run:
    """A complete run, read from its folder."""
    rbm, _ = load_model(run.model_path)
    return Run(rbm, run.read_json("summary.json") or {}, run.read_history(), run.path)


def check_same_options(folder: str | os.PathLike[str], asked: Mapping[str, Any], *, from_text: bool = False) -> None:
    """Raise InputError where options given along with a resumed run are not that run's own."""
    own = RunFolder.existing(folder).read_config()
    names = {key.replace("-", "_") for key in asked}
    config = with_absolute_paths(config_from(asked, from_text=from_text))
    for name in sorted(names):
        if getattr(config, name) != getattr(own, name):
            raise InputError(
                f"{name}={getattr(config, name)!r} is not what the run in {folder} was begun with, "
                f"{getattr(own, name)!r}; a resumed run keeps its own options, so leave it out."
            )
