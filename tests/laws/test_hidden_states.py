"""Hidden states, their entropy and their correlations against sums over all states of both sides."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from harmonium.errors import InputError
from harmonium.evaluate import hidden_states as module
from harmonium.evaluate.hidden_moments import activation_by_class, hidden_correlation, model_hidden_correlation
from harmonium.evaluate.hidden_states import (
    counted_entropy,
    entropy_of,
    hidden_state_distribution,
    levels_of,
    one_hot_use,
)
from harmonium.logz.exact import sample_v_exactly
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Gaussian, Multivalued, OneHot, Product
from laws.sides import DISCRETE, SIDES, brute_log_z, energies, machine, nodes, over_sides, points

HIDDEN = (*DISCRETE, Product(Multivalued(1, 2), OneHot(2, 3), Bernoulli(1)))
#: Visible sides, one of them continuous.
VISIBLE = (Bernoulli(3), Gaussian(2))


def posterior(rbm, v):
    """p(h | v) over all hidden states: (N, S)."""
    h, log_h = nodes(rbm.hidden)
    return (log_h - energies(rbm, v, h)).softmax(1)


def correlation(p, h):
    """Of states h (S, H) with probabilities p (S,), term by term; NaN where one entry is constant."""
    mean = p @ h
    covariance = sum(float(w) * torch.outer(x - mean, x - mean) for w, x in zip(p, h, strict=True))
    sd = covariance.diagonal().clamp_min(0).sqrt()
    sd[sd < 1e-7] = math.nan
    return covariance / torch.outer(sd, sd)


@over_sides(HIDDEN)
@pytest.mark.parametrize("visible", VISIBLE, ids=lambda side: side.spec)
def test_distribution_and_entropy_are_those_of_all_states(side, visible):
    rbm, v, labels = machine(visible, side, 1.5), points(visible, 9), np.array([7, 9, 9, 7, 7, 8, 9, 7, 8])
    found, p = hidden_state_distribution(rbm, v, labels), posterior(rbm, v)
    torch.testing.assert_close(found.states, nodes(side)[0])
    torch.testing.assert_close(found.p, p.mean(0), atol=1e-12, rtol=1e-10)
    assert found.classes == (7, 8, 9)
    for c, row, entropy in zip(found.classes, found.by_class, found.class_entropy, strict=True):
        own = p[torch.from_numpy(labels == c)].mean(0)
        torch.testing.assert_close(row, own, atol=1e-12, rtol=1e-10)
        assert entropy.nats == pytest.approx(-sum(x * math.log(x) for x in own.tolist()))
    assert found.entropy.bits == pytest.approx(-sum(x * math.log2(x) for x in p.mean(0).tolist()))
    assert found.entropy.effective == pytest.approx(2**found.entropy.bits)
    assert found.in_use == int((p.sum(0) >= 1).sum())
    assert len(set(found.names)) == len(found.states)
    assert found.draws == 0


@over_sides(HIDDEN)
def test_counted_states_have_the_probabilities_of_all_states(side, monkeypatch):
    """Shares of 40,000 samples lie within 5 binomial standard errors; 1 table in 10,000 would fail by chance."""
    rbm, v, labels = machine(Bernoulli(3), side, 1.0), points(Bernoulli(3), 8), np.arange(8) % 2
    exact = hidden_state_distribution(rbm, v, labels)
    monkeypatch.setattr(module, "MOST_LISTED", 1)
    found = hidden_state_distribution(rbm, v, labels, draws=40_000, most=5)
    assert (found.draws, found.rows) == (40_000, 8)
    assert (found.p.diff() <= 0).all()
    assert len(found.p) == min(5, len(exact.p))
    assert found.in_use <= len(exact.p)
    for i, state in enumerate(found.states):
        (at,) = (exact.states == state).all(1).nonzero()[0].tolist()
        assert exact.levels[at].tolist() == found.levels[i].tolist()
        for p, q, n in ((exact.p, found.p, 40_000), *zip(exact.by_class, found.by_class, (20_000,) * 2, strict=True)):
            assert abs(float(p[at] - q[i])) < 5 * math.sqrt(float(p[at]) / n) + 1e-12
    assert found.entropy.nats == pytest.approx(exact.entropy.nats, abs=0.03)
    for own, other in zip(found.class_entropy, exact.class_entropy, strict=True):
        assert own.nats == pytest.approx(other.nats, abs=0.04)
    again = hidden_state_distribution(rbm, v, labels, draws=40_000, most=5)
    torch.testing.assert_close(again.p, found.p, atol=0, rtol=0)


def test_levels_count_as_the_side_does():
    for side in HIDDEN:
        index = torch.arange(side.n_states)
        digits = levels_of(side, nodes(side)[0])
        weights = torch.tensor([math.prod(side.levels[j + 1 :]) for j in range(side.n)])
        assert (digits @ weights).tolist() == index.tolist()


def test_entropy_of_independent_units_is_the_sum_of_theirs():
    """Without couplings p(h | v) is a product, whatever v is; many units too, as far as samples show it."""
    rbm = machine(Bernoulli(4), Bernoulli(12), 1.0)
    rbm = replace(rbm, W=rbm.W * 0)
    p = rbm.b[0].sigmoid()
    wanted = float(-(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum())
    v = points(Bernoulli(4), 5)
    assert hidden_state_distribution(rbm, v).entropy.nats == pytest.approx(wanted)
    sharp = RBM(Bernoulli(4), Bernoulli(40), torch.zeros(4, 40).double(), rbm.a, torch.full((1, 40), -6.0).double())
    p = 1 / (1 + math.exp(6))
    wanted = -40 * (p * math.log(p) + (1 - p) * math.log(1 - p))
    found = hidden_state_distribution(sharp, v, draws=200_000)
    assert found.entropy.nats == pytest.approx(wanted, abs=0.01)
    assert found.entropy.unseen < 0.01
    assert float(found.p[0]) == pytest.approx((1 - p) ** 40, abs=0.005)
    assert found.names[:2] == ["#1", "#2"]


def test_the_correction_takes_most_of_the_bias_of_counts():
    """400 sets of 500 draws from 64 even states: the plug-in value is 63/1000 nats too low, the corrected one 0."""
    gen = torch.Generator().manual_seed(0)
    sets = [torch.bincount(torch.randint(64, (500,), generator=gen), minlength=64) for _ in range(400)]
    found = [counted_entropy(counts) for counts in sets]
    plain, nats = np.array([e.plug_in for e in found]), np.array([e.nats for e in found])
    assert plain.mean() - math.log(64) == pytest.approx(-63 / 1000, abs=0.004)
    assert nats.mean() == pytest.approx(math.log(64), abs=0.004)
    lonely = counted_entropy(torch.tensor([1, 1, 1, 5, 0]))
    assert (lonely.unseen, lonely.correction) == (3 / 8, 3 / 16)
    assert entropy_of(torch.tensor([0.0, 1.0])).nats == 0


@over_sides(HIDDEN)
@pytest.mark.parametrize("visible", VISIBLE, ids=lambda side: side.spec)
def test_correlation_under_the_data_is_that_of_all_states(side, visible):
    rbm, v = machine(visible, side, 1.5), points(visible, 9)
    wanted = correlation(posterior(rbm, v).mean(0), nodes(side)[0])
    torch.testing.assert_close(hidden_correlation(rbm, v), wanted, atol=1e-9, rtol=1e-9, equal_nan=True)


@over_sides(HIDDEN)
@pytest.mark.parametrize("visible", [Bernoulli(1), OneHot(2, 4), Gaussian(2)], ids=lambda side: side.spec)
def test_correlation_under_the_machine_is_that_of_all_states(side, visible):
    rbm = machine(visible, side, 1.0)
    (all_v, log_v), (all_h, log_h) = nodes(visible), nodes(side)
    p = (log_v[:, None] + log_h - energies(rbm, all_v, all_h) - brute_log_z(rbm)).exp().sum(0)
    wanted = correlation(p, all_h)
    torch.testing.assert_close(model_hidden_correlation(rbm), wanted, atol=1e-8, rtol=1e-8, equal_nan=True)


def test_both_ways_and_samples_agree_on_a_large_machine():
    """4,096 hidden states are summed, 256 visible ones are, and 20,000 samples (errors 1 / sqrt(20,000))."""
    rbm = machine(Bernoulli(8), Bernoulli(12), 3.0)
    by_rows = model_hidden_correlation(rbm)  # the visible side has fewer states
    wide = RBM(Bernoulli(13), rbm.hidden, torch.cat([rbm.W, torch.zeros(5, 12)]), torch.zeros(1, 13).double(), rbm.b)
    wide.a[0, :8] = rbm.a[0]
    torch.testing.assert_close(model_hidden_correlation(wide), by_rows, atol=1e-10, rtol=1e-10)
    samples = sample_v_exactly(rbm, 20_000, Noise(0, dtype=torch.float64))
    assert float((model_hidden_correlation(rbm, samples) - by_rows).abs().max()) < 6 / math.sqrt(20_000)
    assert float(by_rows.triu(1).abs().max()) > 0.1  # there is something to find


def test_a_constant_unit_has_no_correlation():
    rbm = machine(Bernoulli(3), Bernoulli(3), 1.0)
    rbm.W[:, 1], rbm.b[0, 1] = 0.0, 200.0
    for found in (hidden_correlation(rbm, points(Bernoulli(3))), model_hidden_correlation(rbm)):
        assert found[1].isnan().all()
        assert found[:, 1].isnan().all()
        assert found[0, 2].isfinite()
        assert (found[0, 0], found[2, 2]) == (1, 1)


@over_sides()
def test_activations_are_averaged_class_by_class(side):
    rbm, v = machine(Bernoulli(3), side, 1.0), points(Bernoulli(3), 9)
    labels = np.array([3, 1, 1, 3, 1, 2, 3, 3, 1])
    found, (h, log_h) = activation_by_class(rbm, v, labels), nodes(side)
    means = (log_h - energies(rbm, v, h)).softmax(1) @ h
    assert (found.classes, found.rows) == ((1, 2, 3), (4, 1, 4))
    for c, mean, error in zip(found.classes, found.mean, found.stderr, strict=True):
        own = means[torch.from_numpy(labels == c)].numpy()
        np.testing.assert_allclose(mean, own.mean(0), atol=1e-9)
        if len(own) > 1:
            np.testing.assert_allclose(error, own.std(0, ddof=1) / math.sqrt(len(own)), atol=1e-9)
        else:
            assert error.isnan().all()


@pytest.mark.parametrize("none", [False, True])
def test_states_of_one_hot_units_that_win_and_that_are_used(none):
    side = OneHot(2, 4, none=none)
    rbm = machine(Bernoulli(6), side, 3.0)
    rbm.b[0, 1], rbm.b[0, 6], rbm.W[:, 6] = -30.0, -3.0, 0.0
    v = nodes(Bernoulli(6))[0]
    found, wins, share = one_hot_use(rbm, v), [0] * 8, np.zeros(8)
    for row in v:
        for unit in range(2):
            field = (rbm.b[0] + row @ rbm.W)[4 * unit : 4 * unit + 4].tolist()
            weights = [math.exp(x) for x in field] + [1.0] * none
            share[4 * unit : 4 * unit + 4] += np.array(weights[:4]) / sum(weights) / len(v)
            if weights.index(max(weights)) < 4:
                wins[4 * unit + weights.index(max(weights))] += 1
    assert found.wins.tolist() == wins
    np.testing.assert_allclose(found.share, share)
    assert (found.winners, found.used) == (sum(w > 0 for w in wins), sum(s > 0.01 / 4 for s in share))
    assert found.winners < found.used < 8  # else the two could be mixed up


def test_memory_is_cut_into_blocks(monkeypatch):
    rbm, v, labels = machine(Bernoulli(5), Bernoulli(4), 1.0), points(Bernoulli(5), 23), np.arange(23) % 3
    before = hidden_state_distribution(rbm, v, labels), hidden_correlation(rbm, v), activation_by_class(rbm, v, labels)
    for name in ("hidden_states", "hidden_moments"):
        monkeypatch.setattr(f"harmonium.evaluate.{name}.BLOCK_ENTRIES", 64)
    after = hidden_state_distribution(rbm, v, labels), hidden_correlation(rbm, v), activation_by_class(rbm, v, labels)
    torch.testing.assert_close(after[0].by_class, before[0].by_class)
    torch.testing.assert_close(after[1], before[1])
    torch.testing.assert_close(after[2].stderr, before[2].stderr)


def test_what_cannot_be_counted_is_refused():
    v = points(Bernoulli(3))
    continuous = [side for side in SIDES if side.n_states is None]
    for side in continuous:
        rbm = machine(Bernoulli(3), side, 0.5)
        for refuse in (hidden_state_distribution, hidden_correlation, lambda rbm, v: model_hidden_correlation(rbm)):
            with pytest.raises(InputError, match="cannot be counted"):
                refuse(rbm, v)
    rbm = machine(Bernoulli(3), Bernoulli(2), 0.5)
    with pytest.raises(InputError, match="one-hot"):
        one_hot_use(rbm, v)
    with pytest.raises(InputError, match="labels"):
        hidden_state_distribution(rbm, v, [1, 2])
    with pytest.raises(InputError, match="whole number a row"):
        activation_by_class(rbm, v, [0.5] * len(v))
    with pytest.raises(InputError, match="draws"):
        hidden_state_distribution(rbm, v, draws=0)
    with pytest.raises(InputError, match="give samples"):
        model_hidden_correlation(machine(Bernoulli(21), Bernoulli(22), 0.1))
