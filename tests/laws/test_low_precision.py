"""Products of bfloat16 numbers: their error is that of the rounding, and learning is none the worse for it."""

import numpy as np
import pytest
import torch

import harmonium as hm
from harmonium.config_from import config_from
from harmonium.data.arrays import as_dataset
from harmonium.errors import InputError
from harmonium.kernels import bfloat16
from harmonium.kernels.bfloat16 import rounded
from harmonium.kernels.small import can_call
from harmonium.machine import packed
from harmonium.moments import Sample, minus_moments, moments
from harmonium.negative import CD, PCD
from harmonium.noise import Noise
from harmonium.runs.plan import make_plan
from harmonium.stack import stacked
from harmonium.training.objective import Objective
from harmonium.units import Bernoulli, Ising, OneHot
from laws.sides import machine, points

#: The largest relative error of a number that is rounded to eight significant bits.
ROUNDING = 2.0**-9
PAIRS = pytest.mark.parametrize(
    ("visible", "hidden"),
    [(Bernoulli(40), Bernoulli(30)), (Ising(33), OneHot(6, 5)), (OneHot(9, 4), Ising(12))],
    ids=str,
)


def sizes_of(x, weight):
    """The sum of the terms' sizes: what a relative error of each of them is an error of."""
    return x.abs() @ weight.abs()


@PAIRS
@pytest.mark.parametrize("stack", [False, True])
def test_fields_differ_by_the_rounding_of_weights_and_sums(visible, hidden, stack):
    rbm = machine(visible, hidden, 1.0).to(dtype=torch.float32)
    rbm = stacked([rbm, rbm.map(lambda x: -x)]) if stack else rbm
    v, h = points(visible, 50).float(), points(hidden, 50).float()
    low = rounded(rbm)
    for plain, near, size in (
        (rbm.eta_h_from_v(v), low.eta_h_from_v(v), sizes_of(v, rbm.W)),
        (rbm.eta_v_from_h(h), low.eta_v_from_h(h), sizes_of(h, rbm.W.mT)),
    ):
        assert near.dtype == torch.float32
        assert near.shape == plain.shape
        error = (near - plain).abs()[..., 0, :]
        assert (error <= 2.1 * ROUNDING * size + 1e-5).all()
        assert float(error.max()) > 1e-4  # they are not the products of float32


@PAIRS
def test_moments_differ_by_the_rounding_of_means(visible, hidden):
    rbm = packed(machine(visible, hidden, 1.0).to(dtype=torch.float32))[1]
    v, w = points(visible, 50).float(), points(visible, 64, seed=1).float()
    given = Sample(v, eta_h=rbm.eta_h_from_v(v)), Sample(w, eta_h=rbm.eta_h_from_v(w))  # the same fields for both
    means = [rbm.hidden.mean(sample.eta_h)[:, 0].abs() for sample in given]
    size = sum(x.abs().mT @ m / len(x) for x, m in zip((v, w), means, strict=True))
    total, low = moments(rbm, given[0]), moments(rounded(rbm), given[0])
    difference = minus_moments(total, rbm, given[1]), minus_moments(low, rounded(rbm), given[1])
    assert difference[1].W.dtype == torch.float32
    assert ((difference[1].W - difference[0].W).abs() <= 2.1 * ROUNDING * size + 1e-6).all()
    for x, y in zip(difference[0].tensors[1:], difference[1].tensors[1:], strict=True):
        torch.testing.assert_close(x, y, rtol=1e-6, atol=1e-6)  # biases are not rounded


@pytest.mark.parametrize("negative", [CD(2, low_precision=True), PCD(1, 500, low_precision=True)], ids=["cd", "pcd"])
def test_the_whole_gradient_is_near_that_of_float32(negative):
    """States differ where a field passes its random number: a few in a thousand, whose means stay the same."""
    rbm = packed(machine(Bernoulli(60), Bernoulli(40), 0.3).to(dtype=torch.float32))[1]
    v = points(Bernoulli(60), 500).float()
    assert not can_call(rbm, len(v), Noise(1))
    found = []
    for kind in (negative, type(negative)(negative.steps)):
        noise = Noise(1)
        state = PCD(1, 500).init(rbm, noise) if isinstance(negative, PCD) else {}
        one = Objective(rbm, v, kind, state, (), [], noise)
        found.append(one.gradient())
    for low, plain in zip(*(x.tensors for x in found), strict=True):
        assert float((low - plain).square().mean()) <= 0.01 * float(plain.square().mean())


def test_learning_ends_at_the_likelihood_of_float32():
    """Exact ln p of the bundled digits, of six seeds each, after learning some five nats: 0.2 nat apart at most.

    The mean difference has a standard error of 0.035 nat (ten seeds: 0.026).
    """
    options = {"hidden": "bernoulli:12", "batch_size": 600, "epochs": 120, "learning_rate": 0.2, "measure": 1}

    def score(precision, seed):
        run = hm.train("digits", precision=precision, seed=seed, out=None, validation=0.0, **options)
        return run.summary["scores"]["held_out"]["value"]

    difference = np.array([score("bfloat16", seed) - score("float32", seed) for seed in range(6)])
    assert difference.any()
    assert abs(difference.mean()) <= 0.2


@pytest.mark.parametrize(
    ("options", "on"),
    [
        ({"visible": "ising"}, True),
        ({"hidden": "onehot:2x3", "negative": "cd"}, True),
        ({}, False),  # zeros and ones on both sides are added, not multiplied
        ({"visible": "ising", "precision": "float32"}, False),
        ({"visible": "ising", "precision": "float64"}, False),
        ({"hidden": "gaussian:4"}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("units", [True, False])
def test_it_is_the_default_where_there_are_units_for_it_and_states_are_whole_numbers(monkeypatch, options, on, units):
    monkeypatch.setattr("harmonium.runs.plan.has_units", lambda device: units)
    data = as_dataset(np.eye(20, dtype=np.uint8))
    plan = make_plan(config_from({"data": "array", "hidden": "bernoulli:4", **options}), data)
    assert plan.negative.low_precision == (on and units)
    assert all(x.dtype == (torch.float64 if "float64" in options.values() else torch.float32) for x in
               plan.state.rbm.tensors)  # fmt: skip


@pytest.mark.parametrize(
    "options", [{"negative": "exact"}, {"optimizer": "em", "hidden": "onehot:3", "centre": "no"}], ids=str
)
def test_other_gradients_refuse_it(options):
    data = as_dataset(np.eye(20, dtype=np.uint8))
    with pytest.raises(InputError, match="precision=bfloat16 is for the products of Gibbs chains"):
        make_plan(config_from({"data": "array", "hidden": "bernoulli:4", "precision": "bfloat16", **options}), data)


def test_units_are_looked_for_on_the_processor_by_name(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    assert bfloat16.has_units(torch.device("cpu"))
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert not bfloat16.has_units(torch.device("cpu"))
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")
    assert not bfloat16.has_units(torch.device("cpu"))
