"""Parallel tempering: sweeps and swaps leave every level's distribution as it is, and Bennett's ratio finds ln Z.

The false-alarm rate of each chi-square test is 1e-9.
"""

import math

import numpy as np
import pytest
import torch

from harmonium.ladders import Tempered, Trajectory, even_positions
from harmonium.logz import exact_log_z
from harmonium.logz.tempering import ParallelTempering, log_z_from_ratios
from harmonium.noise import Noise, seed_for
from harmonium.tempering import temper, tuned
from harmonium.units import Bernoulli, Gaussian, Ising, OneHot
from laws.hard_machines import agreement, two_far_modes
from laws.sides import DISCRETE, brute_log_likelihood, machine, nodes, over_pairs
from laws.test_gibbs import assert_drawn_from

REPLICAS = 20_000
COARSE = (0.0, 0.3, 0.6, 1.0)
PAIRS = tuple((v, h) for v in DISCRETE for h in DISCRETE)[::13]


def noise_for(*words):
    return Noise(seed_for(*words), dtype=torch.float64)


def ladder_of(kind, visible, hidden, wrong=False):
    last, middle = machine(visible, hidden, 2.0), machine(visible, hidden, 1.0, seed=1)
    if kind == "trajectory":
        return Trajectory((middle.decoupled(), middle, last), COARSE)
    return (TimesTheTargets if wrong else Tempered)(last.decoupled(middle.a), last, COARSE)


class TimesTheTargets(Tempered):
    """A mistake that was published: swaps by t F_1, although the chains at t follow F_t, which is not t F_1."""

    def log_ratios(self, v, fields):
        F, t = self.target.free_energy(v), self._t.flatten()
        return (t[:-1] - t[1:]) * F[:, :-1], (t[1:] - t[:-1]) * F[:, 1:]


def exactly_at_all_levels(ladder, noise):
    """Every level's states from its exact distribution: (R, K, V), and the probabilities of all states (K, B)."""
    states, _ = nodes(ladder.target.visible)
    p = torch.stack([brute_log_likelihood(ladder.level(k), states).softmax(0) for k in range(len(ladder))])
    drawn = [states[torch.searchsorted(q.cumsum(0), noise.uniform(REPLICAS)).clamp_max(len(q) - 1)] for q in p]
    return torch.stack(drawn, 1), p, states


@pytest.mark.parametrize("kind", ["tempered", "trajectory"])
@over_pairs(PAIRS)
def test_every_level_stays_at_its_distribution(visible, hidden, kind):
    """Strong couplings and four levels: swaps with another energy than the levels' own would show here."""
    ladder, noise = ladder_of(kind, visible, hidden), noise_for("stay", visible.spec, hidden.spec, kind)
    v, p, states = exactly_at_all_levels(ladder, noise)
    run = temper(ladder, v, 4, noise)
    assert (run.rejection < 0.98).all()  # swaps happen
    for k in range(len(ladder)):
        assert_drawn_from(p[k], run.v[:, k], states)


def test_the_published_mistake_is_seen():
    ladder, noise = ladder_of("tempered", Bernoulli(3), Ising(3), wrong=True), noise_for("mistake")
    v, p, states = exactly_at_all_levels(ladder, noise)
    run = temper(ladder, v, 4, noise)

    def check():
        for k in range(len(ladder)):
            assert_drawn_from(p[k], run.v[:, k], states)

    with pytest.raises(AssertionError):
        check()


def test_neighbours_that_agree_always_swap_and_states_go_straight_up_and_down():
    """K levels all alike: a state is back at its end after 2 K sweeps, so that there is half a round trip a sweep."""
    rbm = machine(Ising(3), Bernoulli(3), 1.0).decoupled()
    for levels in (2, 5, 6):
        ladder = Tempered(rbm, rbm, even_positions(levels))
        noise = noise_for("straight", levels)
        run = temper(ladder, ladder.start(3, noise), 200 + 2 * levels, noise)
        assert run.rejection.abs().max() < 1e-12
        assert run.round_trips == pytest.approx(3 * 100, abs=3 * levels)


def test_the_measured_rejection_is_how_often_swaps_are_refused():
    """One pair of levels, exact: 1 - sum over both states of min(p q', p' q), to six standard errors of 20,000."""
    ladder = Tempered(
        *(f(machine(Ising(3), OneHot(2, 3), 2.0)) for f in (lambda m: m.decoupled(), lambda m: m)), (0, 1)
    )
    noise = noise_for("refused")
    v, p, _ = exactly_at_all_levels(ladder, noise)
    joint = p[0][:, None] * p[1]
    refused = 1 - float(torch.minimum(joint, joint.T).sum())
    assert float(temper(ladder, v, 1, noise).rejection) == pytest.approx(refused, abs=6 * 0.5 / REPLICAS**0.5)


def test_a_tuned_ladder_rejects_evenly():
    """Five standard errors of a rejection measured in 64 × 1000 swaps, with a time of ten sweeps, are 0.03."""
    rbm = machine(Bernoulli(3), Ising(3), 3.0)
    uneven = Tempered(rbm.decoupled(), rbm, (0, 0.01, 0.02, 0.03, 0.5, 0.99, 1))
    noise = noise_for("even")
    ladder, v = tuned(uneven, uneven.start(64, noise), noise)
    run = temper(ladder, v, 1000, noise)
    assert float(run.rejection.max() - run.rejection.min()) < 0.15
    assert 0.25 < float(run.rejection.mean()) < 0.65


def test_both_far_modes_get_their_shares_and_ln_z_is_right():
    """Chains that all start against the pattern find its three quarters: 48 ladders, at six standard errors."""
    rbm = two_far_modes(4)
    noise = noise_for("two modes")
    ladder = Tempered(rbm.decoupled(), rbm, even_positions(10))
    ladder, v = tuned(ladder, ladder.start(48, noise), noise)
    run = temper(ladder, v, 2000, noise, observe=lambda v: (agreement(v) > 0).double())
    share = run.observed.mean(0)  # of each ladder
    assert abs(float(share.mean()) - 0.75) < 6 * float(share.std()) / 48**0.5
    assert float(share.std()) / 48**0.5 < 0.05
    rise, stderr = log_z_from_ratios(run.up, run.down)
    error = float(ladder.first.log_z_decoupled()) + rise - exact_log_z(rbm)
    assert abs(error) < 6 * stderr
    assert stderr < 0.2
    assert run.round_trips > 1000


def test_the_standard_error_is_the_spread_of_repetitions():
    """200 groups of 12 ladders: chi-square of 199 degrees lies within 0.6 and 1.6 of its mean but for 1e-7."""
    rbm = machine(Bernoulli(3), Gaussian(2), 1.5)
    ladder, noise = Tempered(rbm.decoupled(), rbm, COARSE), noise_for("spread")
    v = temper(ladder, ladder.start(2400, noise), 50, noise).v
    run = temper(ladder, v, 30, noise)
    groups = [log_z_from_ratios(u, d) for u, d in zip(run.up.split(12, 1), run.down.split(12, 1), strict=True)]
    values, errors = np.array(groups).T
    assert 0.6 < (values.std(ddof=1) ** 2) / (errors**2).mean() < 1.6
    truth = exact_log_z(rbm) - float(ladder.first.log_z_decoupled())
    assert abs(values.mean() - truth) < 6 * values.std() / 200**0.5 + 0.5 * values.var()
    assert math.isinf(log_z_from_ratios(run.up[:, :1], run.down[:, :1])[1])


def test_a_ladder_of_snapshots_gives_the_same_ln_z():
    rbm, early = machine(Ising(3), OneHot(2, 3), 2.0), machine(Ising(3), OneHot(2, 3), 1.0, seed=1)
    path = Trajectory((early.decoupled(), early, rbm), COARSE)
    estimate = ParallelTempering(64, 200, ladder=path, rounds=2)(rbm, noise_for("snapshots"))
    assert abs(estimate.value - exact_log_z(rbm)) < 6 * estimate.stderr
    assert 0 < estimate.stderr < 0.02
    assert 100 < estimate.ess < 64 * 200 * 5
