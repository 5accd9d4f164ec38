"""How often 95 % intervals hold the truth, over machines of several families, weak and strong: the short form.

The long form, pair by pair, is ``benchmarks/intervals.py``, which writes ``docs/coverage.md``.  Here the estimates of
all machines are pooled: an estimator whose intervals hold the truth in 95 of 100 cases fails by chance with the
probability that each test states, one whose standard errors are half of what they should be (67 of 100) always.
"""

import numpy as np
import pytest
import torch
from scipy.stats import binom

from harmonium.logz import Bidirectional, ParallelTempering, exact_log_z
from harmonium.logz.bases import independent_base
from harmonium.logz.schedules import even_schedule
from harmonium.logz.trajectory import Follower
from harmonium.noise import Noise, seed_for
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.sides import ENUMERABLE_PAIRS, machine

SOME_PAIRS = (
    (Bernoulli(3), Ising(3)),
    (OneHot(2, 3), Multivalued(2, 3)),
    (Interval(2), Bernoulli(3)),
    (Gaussian(2), Ising(3)),
    (Product(Bernoulli(2), OneHot(1, 3)), Gaussian(2)),
)
STRENGTHS = (0.2, 0.7, 2.0)
ALARM = 1e-5


def noise_for(*words) -> Noise:
    return Noise(seed_for("coverage", *words), dtype=torch.float64)


def both(rbm, noise):
    return Bidirectional(even_schedule(10), 64, independent_base(rbm))(rbm, noise)


def tempering(rbm, noise):
    return ParallelTempering(16, 40, rounds=1)(rbm, noise)


def trajectory(rbm, noise):
    return Follower(16, 16).init(rbm, rbm.decoupled(), noise).estimate()


def errors(estimator, pairs, machines):
    """Of each machine: error, half width, in nats."""
    found = []
    for visible, hidden in pairs:
        for strength in STRENGTHS:
            for seed in range(machines):
                rbm = machine(visible, hidden, strength, seed)
                z = estimator(rbm, noise_for(estimator.__name__, visible.spec, hidden.spec, strength, seed))
                found.append((z.value - exact_log_z(rbm), z.half_width))
    return np.array(found).T


def least(runs, rate):
    """The number of intervals below which a rate is not believed: false alarms in `ALARM` of all seeds."""
    return binom.ppf(ALARM, runs, rate)


@pytest.mark.parametrize(("estimator", "machines"), [(both, 6), (tempering, 4), (trajectory, 12)])
def test_intervals_hold_the_truth_as_often_as_they_say(estimator, machines):
    """At least as many as a rate of 95 % leaves but for 1e-5."""
    error, width = errors(estimator, SOME_PAIRS, machines)
    assert (abs(error) <= width).sum() >= least(len(error), 0.95)
    assert (abs(error) > width).sum() > 0  # intervals that always hold it are too wide: 0.95^60 = 5 %, at these seeds


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [both, tempering, trajectory])
def test_intervals_hold_the_truth_for_every_pair_of_families(estimator):
    """24 machines a pair, 6,000 in all: the pooled rate, known to 0.3 %, and no pair by itself far below it."""
    held, runs = 0, 0
    for pair in ENUMERABLE_PAIRS:
        error, width = errors(estimator, (pair,), 8)
        holds = int((abs(error) <= width).sum())
        assert holds >= least(len(error), 0.93) - 1, pair
        held, runs = held + holds, runs + len(error)
    assert 0.93 < held / runs < 0.98
