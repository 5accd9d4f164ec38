"""Runs trained together are the runs of their seeds: machines, learning curves, early ends and scores."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from harmonium.config_from import config_from
from harmonium.data.arrays import as_dataset
from harmonium.errors import DivergedError, InputError
from harmonium.runs.plan import make_plan
from harmonium.runs.together import best_together, can_stack, train_together
from harmonium.runs.train import run_training
from small_runs import IMAGES, LABELS, QUICK

DATA = as_dataset(IMAGES, LABELS)
EXACT = {**QUICK, "data": "array", "precision": "float64"}


def close(first, second):
    for x, y in zip(first.tensors, second.tensors, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-7, atol=1e-9)


def numbers(record):
    return {key: value for key, value in record.items() if key not in ("seconds", "method")}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"target": "label", "objective": "joint", "negative": "cd", "steps": 3},
        {"patience": 2, "validation": 0.3, "learning_rate": 3.0, "epochs": 20, "measure": 60},
        {"negative": "exact"},
        {"averaging": 0.1, "learning_rate": 0.5},
        {"optimizer": "em", "hidden": "onehot:3", "batch_size": -1},
    ],
    ids=["plain", "labels", "early stopping", "exact", "averaged", "em"],
)
def test_each_is_the_run_of_its_seed(options):
    config = config_from({**EXACT, **options})
    seeds = [4, 1, 7]
    runs = train_together(config, DATA, seeds, together=2)
    stackable = can_stack(config)
    assert [run.summary["together"] for run in runs] == ([2, 2, 1] if stackable else [1, 1, 1])
    ends = set()
    for seed, run in zip(seeds, runs, strict=True):
        alone = run_training(replace(config, seed=seed), dataset=DATA)
        close(run.rbm, alone.rbm)
        assert len(run.history) == len(alone.history)
        for mine, other in zip(run.history, alone.history, strict=True):
            assert numbers(mine) == pytest.approx(numbers(other), rel=1e-6, abs=1e-8)
        for part, row in alone.summary["scores"].items():
            assert run.summary["scores"][part]["value"] == pytest.approx(row["value"], rel=1e-7)
        for name in ("steps", "best_step", "threads"):
            assert run.summary[name] == alone.summary[name]
        assert run.summary["diverged"] is False
        ends.add(run.summary["steps"])
    if "patience" in options:
        assert len(ends) > 1  # else this has tested no early end


def test_rates_are_each_runs_own_and_a_diverged_one_leaves_the_others_alone():
    config = config_from({**EXACT, "validation": 0.0, "patience": 0, "epochs": 10, "momentum": 0.0})
    rates = [0.1, 1e9, 0.4]
    told = []
    runs = train_together(config, DATA, [0, 1, 2], rates, together=3, ended=lambda i, run: told.append((i, run)))
    assert [run.summary["diverged"] for run in runs] == [False, True, False]
    assert told == list(enumerate(runs))
    for i in (0, 2):
        alone = run_training(replace(config, seed=i, learning_rate=rates[i]), dataset=DATA)
        close(runs[i].rbm, alone.rbm)
    lost = runs[1]
    with pytest.raises(DivergedError) as error:
        run_training(replace(config, seed=1, learning_rate=rates[1]), dataset=DATA)
    assert lost.summary["reason"] == str(error.value) == str(lost)
    assert lost.summary["scores"] == {}
    assert lost.history  # what was measured before
    assert all(bool(t.isfinite().all()) for t in lost.rbm.tensors)
    (only,) = train_together(config, DATA, [1], [1e9])
    assert only.summary["reason"] == lost.summary["reason"]


def test_rates_and_seeds_go_together():
    with pytest.raises(InputError, match="learning_rates has 1 values for 2 seeds"):
        train_together(config_from(EXACT), DATA, [0, 1], [0.1])
    assert train_together(config_from(EXACT), DATA, []) == []


def test_small_machines_are_stacked_and_large_ones_are_not():
    """The budget is in numbers that a step touches, so it falls with units, rows and chains alike."""
    wide = as_dataset((np.random.default_rng(0).random((800, 784)) < 0.5).astype(np.uint8))

    def stack(**options):
        return best_together(make_plan(config_from({"data": "array", **options}), wide))

    assert stack(hidden="bernoulli:8", batch_size=10) == 20
    assert 1 < stack(hidden="bernoulli:8", batch_size=100) < 10
    assert stack(hidden="bernoulli:8", batch_size=500) == 1
    assert stack(hidden="bernoulli:500") == 1
    assert stack(hidden="bernoulli:8", batch_size=10, chains=5000) == 1
