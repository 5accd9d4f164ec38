"""Studies: whole documents reproduced from runs of this program; a line each in `EXPERIMENTS`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from harmonium.errors import InputError

if TYPE_CHECKING:
    from harmonium.experiments.study import Experiment

#: Name -> the module that holds its `EXPERIMENT`.
EXPERIMENTS = {
    "mnist-789": "harmonium.experiments.mnist_789",
    "multivalued": "harmonium.experiments.multivalued",
    "digits": "harmonium.experiments.digits",
    "voice": "harmonium.experiments.voice",
    "records": "harmonium.experiments.records",
}


def find_experiment(name: str) -> Experiment:
    """The experiment of that name; raises InputError, with the known ones, where there is none."""
    if name not in EXPERIMENTS:
        raise InputError(f"there is no study {name!r} to reproduce; choose from {', '.join(EXPERIMENTS)}.")
    experiment: Experiment = importlib.import_module(EXPERIMENTS[name]).EXPERIMENT
    return experiment
