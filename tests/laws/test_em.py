"""Expectation-maximisation: the likelihood never falls, and the M-step matches every expected moment."""

import pytest
import torch

from harmonium.errors import InputError
from harmonium.logz import exact_moments
from harmonium.moments import Sample, moments
from harmonium.negative import Exact
from harmonium.noise import Noise
from harmonium.training.em import EM
from harmonium.training.objective import Objective
from harmonium.units import Bernoulli, Gaussian, OneHot
from laws.sides import SIDES, brute_log_likelihood, machine, over_sides, points
from laws.test_gradients import assert_same, derivative

NONE = pytest.mark.parametrize("none", [False, True])
FIELD_ALONE = tuple(side for side in SIDES if side.k == 1)
#: Sides whose means are inverted in closed form; the laws of a single step hold for all.
QUICK = (
    "bernoulli:3",
    "ising:3",
    "onehot:2x3",
    "onehot:2x2,none=true",
    "gaussian:2,variance=0.7",
    "bernoulli:2+onehot:1x3",
)


def em_and_objective(side, none, pseudo_count, rows=40):
    em = EM(machine(side, OneHot(1, 3, none), 2.0), pseudo_count)
    noise = Noise(0, dtype=torch.float64)
    return em, Objective(em.rbm, points(side, rows, seed=1), Exact(), {}, (), [], noise)


@NONE
@over_sides(FIELD_ALONE)
def test_the_m_step_matches_the_moments_that_the_e_step_expects(side, none):
    """With no pseudo-count the new machine's own moments are those of the data under the old one."""
    em, objective = em_and_objective(side, none, 0.0)
    for _ in range(2):
        expected = moments(em.rbm, Sample(objective.v))
        em.step(0, objective)
        assert_same(exact_moments(em.rbm)[1], expected, 1e-9)


@NONE
@over_sides(FIELD_ALONE)
def test_the_likelihood_of_the_training_data_never_falls(side, none):
    em, objective = em_and_objective(side, none, 0.0)
    last = float(brute_log_likelihood(em.rbm, objective.v).mean())
    first = last
    for step in range(10):
        em.step(step, objective)
        value = float(brute_log_likelihood(em.rbm, objective.v).mean())
        assert value >= last - 1e-12
        last = value
    assert last > first + 1e-3


@NONE
@over_sides(tuple(side for side in FIELD_ALONE if side.spec in QUICK))
def test_it_converges_to_a_stationary_point_of_the_likelihood_up_to_the_pseudo_count(side, none):
    em, objective = em_and_objective(side, none, 1e-3)
    for step in range(250):
        em.step(step, objective)
    slope = derivative(lambda m: brute_log_likelihood(m, objective.v).mean(), em.rbm)
    # each component gets pseudo_count neutral rows among 40: no moment moves by more than about 2 x 4 x 1e-3 / 40;
    # the rest is the slow end of EM
    assert max(float(x.abs().max()) for x in slope.tensors) < 2e-3


@NONE
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@over_sides(FIELD_ALONE)
def test_a_component_without_data_and_units_that_never_change_stay_finite(side, none, dtype):
    em = EM(machine(side, OneHot(1, 3, none), 2.0).to(dtype=dtype))
    em.rbm.b[0, 0] = -1e4
    v = points(side, 1).expand(50, -1).to(dtype)
    objective = Objective(em.rbm, v, Exact(), {}, (), [], Noise(0, dtype=dtype))
    for step in range(3):
        em.step(step, objective)
    assert all(x.isfinite().all() for x in em.rbm.tensors)
    assert exact_moments(em.rbm)[0] < 1e6


def test_machines_that_are_no_mixture_of_fields_are_refused():
    with pytest.raises(InputError, match="one one-hot hidden unit"):
        EM(machine(Bernoulli(3), OneHot(2, 3), 1.0))
    with pytest.raises(InputError, match="fix the variance"):
        EM(machine(Gaussian(2), OneHot(1, 3), 1.0))
