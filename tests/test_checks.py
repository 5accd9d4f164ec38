"""Whatever takes visible states takes arrays as well, and says in one sentence what it cannot take."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import harmonium as hm
from harmonium.errors import InputError
from harmonium.evaluate.fidelity import fidelity
from harmonium.evaluate.reconstruction import reconstruction
from laws.sides import machine, points

SIDE = hm.Product(hm.Ising(2), hm.OneHot(2, 3))
GOOD = [[-1.0, 1, 1, 0, 0, 0, 0, 1], [1.0, 1, 0, 1, 0, 1, 0, 0]]


def raised(rbm, v):
    return hm.raise_log_likelihood(rbm, v, (0.0, 0.5, 1.0), hm.Noise(0, dtype=torch.float64), chains=2)


TAKE_STATES = {
    "pseudo_log_likelihood": hm.pseudo_log_likelihood,
    "raise_log_likelihood": raised,
    "mixing": lambda rbm, v: torch.tensor(hm.mixing(rbm, data=v, chains=4, steps=18).ess),
    "reconstruction": lambda rbm, v: reconstruction(rbm, v).nats,
    "fidelity": lambda rbm, v: fidelity(rbm, v).means.z,
    "sample": lambda rbm, v: hm.sample(rbm, 2, 3, start=v),
}
every_taker = pytest.mark.parametrize("take", TAKE_STATES.values(), ids=TAKE_STATES)


@pytest.fixture
def rbm():
    return machine(SIDE, hm.Bernoulli(3), 1.0)


@every_taker
def test_arrays_are_taken_like_tensors(rbm, take):
    wanted = take(rbm, torch.tensor(GOOD).double())
    columns = np.asfortranarray(np.array(GOOD, dtype=np.float32))[::-1][::-1]
    for array in (columns, np.array(GOOD, dtype=">f4"), np.array(GOOD, dtype=np.int8), GOOD):
        assert torch.equal(take(rbm, array), wanted)


@every_taker
@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        (0, 0.0, "has 0 in row 1 from entry 0 on, which is no state of ising units"),
        (4, 1.0, "has 0, 1, 1 in row 1 from entry 2 on, which is no state of onehot units .one 1 among zeros."),
        (5, 0.0, "has 0, 0, 0 in row 1 from entry 5 on, which is no state of onehot units"),
        (5, 0.5, "has 0.5, 0, 0 in row 1 from entry 5 on"),
        (3, math.nan, "holds a value that is not finite"),
    ],
)
def test_what_is_no_state_is_refused_with_its_place(rbm, take, entry, value, words):
    v = np.array(GOOD)
    v[1, entry] = value
    with pytest.raises(InputError, match=words):
        take(rbm, v)


@every_taker
@pytest.mark.parametrize(
    ("v", "words"),
    [
        ("abc", "is str, which cannot be read as an array of numbers"),
        ([[0.0] * 8, [1.0]], "is list, which cannot be read as an array of numbers"),
        (np.zeros((2, 7)), r"has shape \(2, 7\), but ising:2\+onehot:2x3 needs \(rows, 8\)"),
        (np.zeros((0, 8)), "has no rows"),
    ],
)
def test_what_is_no_array_of_rows_is_refused(rbm, take, v, words):
    with pytest.raises(InputError, match=words):
        take(rbm, v)


@pytest.mark.parametrize("side", [hm.Bernoulli(3), hm.Multivalued(2, 3), hm.Interval(2), hm.Gaussian(2)])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_states_that_a_machine_draws_are_taken_in_either_precision(side, kind):
    rbm = machine(side, hm.Bernoulli(3), 1.0).to(dtype=kind)
    v = hm.sample(rbm, 50, 3)
    assert hm.pseudo_log_likelihood(rbm, v).isfinite().all()
    assert hm.pseudo_log_likelihood(rbm, points(side).to(kind)).isfinite().all()


@every_taker
@pytest.mark.parametrize("name", ["W", "a", "b"])
def test_a_machine_that_is_not_finite_is_refused(rbm, take, name):
    getattr(rbm, name)[0, 0] = math.nan
    with pytest.raises(InputError, match=f"{name} holds a value that is not finite"):
        take(rbm, torch.tensor(GOOD))


@pytest.mark.parametrize("ask", [hm.exact_moments, hm.exact_log_z, hm.mixing])
def test_so_it_is_where_no_states_are_given(rbm, ask):
    rbm.W[0, 0] = math.nan
    with pytest.raises(InputError, match="W holds a value that is not finite"):
        ask(rbm)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scale": 0}, "scale must be a finite number above 0, the raw value that means 1, not 0"),
        ({"scale": math.nan}, "scale must be a finite number"),
        ({"scale": None}, "scale must be a finite number"),
        ({"scale": "255"}, "scale must be a finite number above 0, the raw value that means 1, not '255'"),
        ({"binarize": None}, "binarize must be a threshold from 0 to below 1, or stochastic, none or auto, not None"),
        ({"binarize": True}, "binarize must be a threshold"),
        ({"binarize": 1.0}, "binarize must be a threshold from 0 to below 1"),
        ({"seed": 1.5}, "seed must be a whole number from 0 on, not 1.5"),
        ({"seed": None}, "seed must be a whole number from 0 on, not None"),
        ({"seed": -1}, "seed must be a whole number from 0 on, not -1"),
    ],
)
def test_options_of_the_likelihood_that_cannot_be_meant_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        hm.log_likelihood(machine(hm.Bernoulli(3), hm.Bernoulli(2), 1.0), np.eye(3), **options)


def test_grey_rows_are_scored_with_a_doubt_and_every_score_names_its_rule():
    rbm, grey = machine(hm.Bernoulli(3), hm.Bernoulli(2), 1.0), np.array([[0, 100, 255], [30, 200, 0]])
    asked = {
        "none": "as value / 255",
        "stochastic": "drawn: value / 255 is a probability",
        "0.5": "binarised: 1 where value / 255 > 0.5",
    }
    for rule, words in asked.items():
        found = hm.log_likelihood(rbm, grey, scale=255, binarize=rule)
        assert found.binarisation == words
        assert f"data {words}" in str(found)
        assert [("no log-likelihood of any row of 0 and 1" in doubt and words in doubt) for doubt in found.doubts] == (
            [True] if rule == "none" else []
        )
    assert hm.log_likelihood(rbm, grey > 127).doubts == ()
    assert torch.equal(
        hm.log_likelihood(rbm, grey, scale=255, binarize=0.5).rows,
        hm.log_likelihood(rbm, (grey > 127.5).astype(float)).rows,
    )


def test_a_model_is_saved_at_a_path(tmp_path):
    rbm = machine(hm.Bernoulli(3), hm.Bernoulli(2), 1.0)
    for wrong in ((rbm, tmp_path / "m.safetensors"), (tmp_path / "m.safetensors", rbm.W), (rbm, rbm)):
        with pytest.raises(InputError, match=r"save_model takes a path and a machine, not .* write save_model"):
            hm.save_model(*wrong)
    assert not list(tmp_path.iterdir())
