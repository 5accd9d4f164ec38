"""Samples: the right distribution, clamped entries that stay, temperatures, and numbers that no sampling can follow."""

import math

import numpy as np
import pytest
import torch

from harmonium.errors import InputError
from harmonium.logz import exact_log_z
from harmonium.noise import Noise
from harmonium.sampling import entries_of, region, sample, tempered
from harmonium.start import first_machine
from harmonium.units import parse_side


def machine(visible="bernoulli:4", hidden="bernoulli:2", scale=1.5):
    return first_machine(parse_side(visible), parse_side(hidden), Noise(5, dtype=torch.float64), weight_scale=scale)


def probabilities(rbm):
    states = rbm.visible.states(torch.arange(rbm.visible.n_states), like=rbm.W)
    log_p = -rbm.free_energy(states) + rbm.visible.log_base - exact_log_z(rbm)
    return states, log_p.exp()


def frequencies(rbm, v):
    states, _ = probabilities(rbm)
    return (v.unsqueeze(1) == states).all(-1).double().mean(0)


@pytest.mark.parametrize("options", [{}, {"temperature": 2.0}, {"weight_factor": 0.5}, {"temperature": 0.7}])
def test_long_chains_follow_the_machine(options):
    rbm = machine()
    target = rbm.map(lambda x: x / options.get("temperature", 1.0))
    target = machine(scale=1.5 * options["weight_factor"]) if "weight_factor" in options else target
    v = sample(rbm, 20_000, 50, seed=1, **options)
    # 16 states: the largest standard deviation of a frequency is 0.0036
    assert (frequencies(rbm, v) - probabilities(target)[1]).abs().max() < 0.016


@pytest.mark.parametrize("visible", ["bernoulli:4", "onehot:2x3", "ising:2+onehot:1x3"])
def test_clamped_entries_stay_and_the_rest_follows_the_conditional(visible):
    rbm = machine(visible)
    columns = torch.arange(rbm.visible.n) == 0
    mask = entries_of(columns, rbm.visible)
    states, p = probabilities(rbm)
    start = states[-1].expand(20_000, -1)
    v = sample(rbm, 20_000, 50, start=start, clamp=mask, seed=2)
    assert torch.equal(v[:, mask], start[:, mask])
    fitting = (states[:, mask] == start[0, mask]).all(-1)
    conditional = torch.where(fitting, p, 0) / p[fitting].sum()
    assert (frequencies(rbm, v) - conditional).abs().max() < 0.016


def test_no_steps_return_the_start_and_a_seed_its_samples():
    rbm = machine()
    start = torch.eye(4, dtype=torch.float64)
    assert torch.equal(sample(rbm, 4, 0, start=start), start)
    assert torch.equal(sample(rbm, 9, 5, seed=3), sample(rbm, 9, 5, seed=3))
    assert not torch.equal(sample(rbm, 9, 5, seed=3), sample(rbm, 9, 5, seed=4))
    assert torch.equal(tempered(rbm, 2.0).W, rbm.W / 2)
    assert torch.equal(tempered(rbm, 1.0, 3.0).a, rbm.a)


def test_halves_of_images():
    for name, expected in (
        ("upper", [[1, 1], [0, 0], [0, 0]]),
        ("lower", [[0, 0], [1, 1], [1, 1]]),
        ("left", [[1, 0]] * 3),
        ("right", [[0, 1]] * 3),
    ):
        assert region((3, 2), name).reshape(3, 2).int().tolist() == expected
    with pytest.raises(InputError, match="clamp must be one of upper, lower, left, right, not 'middle'"):
        region((3, 2), "middle")
    with pytest.raises(InputError, match=r"clamp=left is for images, but the rows of these data have shape \(6,\)"):
        region((6,), "left")


def test_a_label_behind_the_columns_stays_free():
    side = parse_side("onehot:2x3+bernoulli:1+onehot:1x2")
    assert entries_of(torch.tensor([True, False, True]), side).int().tolist() == [1, 1, 1, 0, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"number": 0}, "number must be a whole number from 1 on, not 0"),
        ({"number": 2.5}, "number must be a whole number from 1 on, not 2.5"),
        ({"number": True}, "number must be a whole number"),
        ({"steps": -1}, "steps must be a whole number from 0 on, not -1"),
        ({"seed": -1}, "seed must be a whole number from 0 on, not -1"),
        ({"seed": 2**63}, "seed must be below"),
        *(({"temperature": t}, "temperature must be a finite number") for t in (0, -1, math.nan, math.inf, "x")),
        ({"weight_factor": np.nan}, "weight_factor must be a finite number above 0, not nan; 1 changes nothing"),
        ({"start": torch.ones(3, 5)}, r"start has shape \(3, 5\), but bernoulli:4 needs \(rows, 4\)"),
        ({"start": torch.ones(4)}, r"start has shape \(4,\)"),
        ({"clamp": torch.ones(4, dtype=torch.bool)}, "needs start"),
        ({"start": torch.ones(3, 4), "clamp": torch.ones(3, dtype=torch.bool)}, r"clamp has shape \(3,\)"),
    ],
)
def test_numbers_that_no_sampling_can_follow(options, words):
    with pytest.raises(InputError, match=words):
        sample(machine(), **options)


def test_a_machine_that_is_not_normalisable_is_not_sampled():
    pair = machine("gaussian:2,variance=1", "gaussian:2,variance=1", 0.1)
    sample(pair, 2, 2)
    with pytest.raises(InputError, match="not normalisable"):
        sample(pair, 2, 2, weight_factor=100.0)
