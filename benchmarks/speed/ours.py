"""harmonium, as `harmonium train` runs it, without the measuring on the way.

The variants cd, pcd and labels take plain steps at one learning rate, as the other tools do; default is what a user
gets who says nothing: persistent chains, momentum, a centred gradient and a falling rate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from speed.cases import Case
from speed.rows import Rows
from speed.tools import Training

_PLAIN = {
    "optimizer": "sgd", "learning_rate": 0.01, "learning_rate_schedule": "constant", "momentum": 0.0, "centre": "no",
}  # fmt: skip
_VARIANTS: dict[str, dict[str, Any]] = {
    "cd": {"negative": "cd", **_PLAIN},
    "pcd": {"negative": "pcd", **_PLAIN},
    "labels": {"target": "label", "objective": "discriminative", **_PLAIN},
    "default": {},
}


def options(case: Case, variant: str) -> dict[str, Any]:
    """The options of a run that has updates enough for any measurement, on all rows, with nothing kept aside."""
    return {
        "data": "array", "hidden": case.hidden, "batch_size": case.batch, "epochs": 20, "validation": 0.0,
        "patience": 0, "held_out": "0", **_VARIANTS[variant],
    }  # fmt: skip


def trainer(case: Case, rows: Rows, variant: str) -> Training:
    """The plan of a run, and its loop."""
    from harmonium.config_from import config_from
    from harmonium.data.arrays import as_dataset
    from harmonium.runs.plan import make_plan
    from harmonium.training.loop import fit

    data = as_dataset(rows.filled(np.uint8), rows.labels() if case.labels else None)
    plan = make_plan(config_from(options(case, variant)), data)
    state = plan.state

    def more(updates: int) -> None:
        while updates:
            if state.step == plan.total:
                state.step = 1  # minibatches and rates are functions of the step: begin again
            part = min(updates, plan.total - state.step)
            fit(state, plan.batches, state.step + part, plan.negative, transforms=plan.transforms)
            updates -= part

    return Training(more)
