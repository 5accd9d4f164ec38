"""The running average: what it is, that it changes nothing else, and that it is what a run scores and keeps."""

from itertools import pairwise

import pytest
import torch

from harmonium.config_from import config_from
from harmonium.errors import InputError
from harmonium.runs.plan import make_plan
from harmonium.runs.source import array_data
from harmonium.runs.train import run_training
from harmonium.training.loop import fit
from harmonium.training.schedules import sqrt, sqrt_linear
from small_runs import IMAGES, LABELS, QUICK, same

DATA = array_data(IMAGES.reshape(60, -1), LABELS, config_from({"data": "array"}))
RATE = 0.2
OPTIONS = {"data": "array", **QUICK, "validation": 0.0, "patience": 0, "learning_rate": 0.5}
MIXTURE = {"optimizer": "em", "hidden": "onehot:3", "batch_size": -1, "learning_rate": -1.0}


def machines_of(rate):
    """The machines after each update, the state at the end, and the machine at the start."""
    plan = make_plan(config_from({**OPTIONS, "averaging": rate}), DATA)
    start, seen = plan.state.rbm.detached(), []

    def look(state):
        seen.append(state.rbm.detached())

    fit(plan.state, plan.batches, plan.total, plan.negative, transforms=plan.transforms, observers=[look])
    return seen, plan.state, start


def test_it_is_the_mean_of_all_machines_at_first_and_then_a_sliding_one():
    seen, state, _ = machines_of(RATE)
    for part in ("W", "a", "b"):
        mean = torch.zeros_like(getattr(seen[0], part))
        for number, rbm in enumerate(seen, 1):
            weight = max(RATE, 1 / number)
            mean = (1 - weight) * mean + weight * getattr(rbm, part)
        torch.testing.assert_close(getattr(state.scored, part), mean, rtol=1e-5, atol=1e-6)
    fewer = machines_of(1e-9)
    torch.testing.assert_close(
        fewer[1].scored.W, torch.stack([rbm.W for rbm in fewer[0]]).mean(0), rtol=1e-5, atol=1e-6
    )


def test_the_machine_that_is_averaged_is_trained_as_without():
    with_it, without = machines_of(RATE)[1], machines_of(0.0)[1]
    assert same(with_it.rbm, without.rbm)
    assert not same(with_it.scored, with_it.rbm)
    assert without.scored is without.rbm


def test_a_run_scores_and_keeps_the_average():
    run = run_training(config_from({**OPTIONS, "averaging": RATE}), dataset=DATA)
    _, state, _ = machines_of(RATE)
    assert same(run.rbm, state.scored)
    found = run.summary["scores"]["train"]["value"]
    assert run.history[-1]["train"] == pytest.approx(found, abs=1e-4), "measured on the same machine"


def test_mixtures_are_not_averaged():
    with pytest.raises(InputError, match=r"optimizer=em takes no averaging=0\.2; leave it out"):
        run_training(config_from({**OPTIONS, **MIXTURE, "averaging": RATE}), dataset=DATA)


def test_the_linear_fall_multiplies_the_other_one_and_the_last_step_is_the_smallest():
    total = 50
    plain, falling = sqrt(0.3, 0.0, total), sqrt_linear(0.3, 0.0, total)
    rates = [falling(t) for t in range(total)]
    assert rates == pytest.approx([plain(t) * (total - t) / total for t in range(total)])
    assert all(a > b > 0 for a, b in pairwise(rates))
    assert falling(total + 5) > 0, "a step beyond the end does not climb uphill"
