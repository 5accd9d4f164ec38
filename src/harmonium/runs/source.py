"""Where a run's data come from: a name, a file, or an array in memory."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from harmonium.config import IN_MEMORY, Config
from harmonium.data import DATASETS, Dataset, load_data
from harmonium.data.arrays import as_dataset
from harmonium.data.checks import check_values
from harmonium.data.labels import read_labels, select_classes
from harmonium.data.scale import check_scale
from harmonium.errors import InputError


def load_config_data(config: Config) -> Dataset:
    """The data set that a configuration names; raises InputError where it lay in memory."""
    if config.data == IN_MEMORY:
        raise InputError(
            "the data of this run were an array in memory, so they must be given again: as data=... in Python, or as "
            "--data FILE where the command has that option."
        )
    source = config.label_source
    if config.data in DATASETS and not config.labels and source and not os.path.isfile(os.path.expanduser(source)):
        raise InputError(f"target={source!r} is not a file; {config.data!r} has labels of its own, for target=label.")
    try:
        return load_data(
            config.data,
            classes=chosen_classes(config),
            labels=source or None,
            scale=config.scale or None,
            path=config.data_path or None,
        )
    except InputError as error:  # the loaders have their own names for what an option is called here
        text = str(error)
        if text.startswith("labels=") and not config.labels:
            raise InputError(f"target{text.removeprefix('labels')}") from None
        if text.startswith("path="):
            raise InputError(f"data_{text}") from None
        raise


def chosen_classes(config: Config) -> list[int | str] | None:
    """The labels to keep, as words: the data know whether they are numbers or names; None keeps all."""
    return [word.strip() for word in config.classes.split(",")] if config.classes else None


def array_data(values: Any, labels: Any, config: Config) -> Dataset:
    """A `Dataset`, or an array (N, V) or (N, rows, columns) with perhaps labels (N,), as the options want it.

    Raises InputError for NaN, infinities, other shapes, and options that go with files only.
    """
    if config.data_path or config.label_source:
        name = "data_path" if config.data_path else "labels" if config.labels else "target"
        raise InputError(f"{name}={getattr(config, name)!r} goes with data from files; leave it out for an array.")
    if isinstance(values, Dataset):
        check_values(values.X, "data")
        if labels is not None:
            y, names = read_labels(labels, len(values), "labels")
            values = replace(values, y=y, names=names)
        data = replace(values, scale=check_scale(config.scale)) if config.scale else values
    else:
        data = as_dataset(values, labels, scale=config.scale)
    classes = chosen_classes(config)
    return data if classes is None else select_classes(data, classes)


def with_absolute_paths(config: Config) -> Config:
    """The same options with files and folders spelled out, so that the run can be continued from anywhere."""
    changes = {}
    if config.data not in DATASETS and config.data != IN_MEMORY:
        changes["data"] = _absolute(config.data)
    for name in ("labels", "target"):
        value = getattr(config, name)
        if os.path.exists(os.path.expanduser(value)) and value != "label":  # or else it is the name of a column
            changes[name] = _absolute(value)
    if config.data_path:
        changes["data_path"] = _absolute(config.data_path)
    return replace(config, **changes)  # type: ignore[arg-type]  # all of them words


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path)) if path else path
