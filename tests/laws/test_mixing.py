"""Diagnostics of chains: against series of known autocorrelation, and on a machine that Gibbs sampling cannot cross."""

import math

import pytest
import torch

from harmonium.diagnostics import Mixing, Watched, diagnose
from harmonium.errors import InputError
from harmonium.evaluate.mixing import mixing
from harmonium.logz import exact_log_z
from harmonium.noise import Noise
from harmonium.sampling import draw
from harmonium.units import Bernoulli, Ising
from laws.hard_machines import agreement, two_far_modes
from laws.sides import machine


def autoregressive(coefficient, draws=4000, chains=8, seed=0):
    x = Noise(seed, dtype=torch.float64).normal(draws, chains)
    for t in range(1, draws):
        x[t] = coefficient * x[t - 1] + math.sqrt(1 - coefficient**2) * x[t]
    return x.unsqueeze(-1)


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.9])
def test_the_autocorrelation_time_is_that_of_the_series(coefficient):
    """tau = (1 + r) / (1 - r) of an autoregression; 32,000 values give it to some per cent."""
    seen = diagnose(autoregressive(coefficient))
    assert seen.tau == pytest.approx((1 + coefficient) / (1 - coefficient), rel=0.25)
    assert seen.ess * seen.tau == pytest.approx(32_000)
    assert seen.rhat < 1.02
    assert seen.mixed
    assert seen.verdict.startswith("The chains agree")


def test_the_worst_series_counts_and_series_without_spread_do_not():
    good, slow = autoregressive(0.0), autoregressive(0.9)
    flat = torch.ones_like(good)
    assert diagnose(torch.cat([good, slow, flat], -1)) == diagnose(slow)
    assert diagnose(flat) == Mixing(1.0, 32_000.0, 1.0, 8, 4000)
    apart = flat * torch.arange(8)[:, None]  # chains that never move, each in a place of its own
    assert math.isinf(diagnose(apart).rhat)
    assert not diagnose(apart).mixed
    assert diagnose(apart).as_dict()["rhat"] is None


def test_what_is_watched_are_free_energies_and_the_leading_directions():
    for rbm in (machine(Bernoulli(3), Ising(3), 1.0), machine(Ising(3), Bernoulli(1), 1.0)):
        v = rbm.visible.states(torch.arange(8), like=rbm.W)
        seen = Watched(rbm)(v)
        torch.testing.assert_close(seen[:, 0], rbm.free_energy(v))
        U, _, _ = torch.linalg.svd(rbm.W, full_matrices=False)
        projections = (v @ U).abs()
        wide = Watched(rbm)(v)[:, 1:].abs().flip(-1)
        ratio = wide / projections[:, : wide.shape[1]].clamp_min(1e-12)
        assert torch.allclose(wide, projections[:, : wide.shape[1]] * ratio.median(0).values, atol=1e-9)
        assert torch.equal(Watched(rbm)(v, eta_h=rbm.eta_h_from_v(v)), seen)


def test_gibbs_chains_in_two_far_modes_are_warned_of():
    rbm = two_far_modes(4)
    pattern = two_far_modes(4).W[:, 0].sign().expand(16, -1)
    apart = mixing(rbm, chains=32, steps=400, data=pattern)
    assert apart.rhat > 1.5
    assert not apart.mixed
    assert "have not mixed" in apart.verdict
    # blind: from data nobody starts in the heavier mode; of one seed it is a toss, of eight 4 standard errors
    seen = [[mixing(rbm, chains=32, steps=400, data=x, seed=s).rhat for s in range(8)] for x in (pattern, -pattern)]
    assert sum(seen[0]) > sum(seen[1])


def test_a_machine_that_mixes_is_not_warned_of():
    seen = mixing(machine(Bernoulli(3), Ising(3), 0.5), chains=16, steps=400)
    assert seen.mixed
    assert (seen.chains, seen.draws) == (16, 199)


def test_tempering_on_two_far_modes_is_not_warned_of_and_has_their_shares():
    """32 ladders of 10,000 sweeps, times of some 400: worth 800 states, of which 320 are taken; six errors are 0.15."""
    rbm = two_far_modes(4)
    drawn = draw(rbm, 320, 10_000, method="tempering", seed=1)
    seen = diagnose(drawn.series)
    assert seen.rhat < 1.05, seen
    assert seen.mixed
    assert float((agreement(drawn.v) > 0).double().mean()) == pytest.approx(0.75, abs=0.15)
    assert drawn.facts["round_trips"] > 100
    assert exact_log_z(rbm) == pytest.approx(44.0483, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"chains": 1}, "chains=1 with steps=1000 cannot be compared"),
        ({"steps": 17}, "chains=32 with steps=17 cannot be compared"),
        ({"data": torch.ones(3, 3)}, "data has 3 rows, but 16 chains start from one each"),
        ({"data": torch.ones(20, 4)}, r"data has shape \(20, 4\)"),
    ],
)
def test_chains_that_cannot_be_compared(options, words):
    with pytest.raises(InputError, match=words):
        mixing(machine(Bernoulli(3), Ising(3), 1.0), **options)
