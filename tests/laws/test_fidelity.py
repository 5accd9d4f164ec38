"""Moments of the model against sums over all states, standard errors against sampling, and the free-energy gap."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from harmonium.data import Dataset
from harmonium.errors import InputError
from harmonium.evaluate import fidelity as module
from harmonium.evaluate.fidelity import Agreement, can_enumerate, fidelity
from harmonium.evaluate.gap import free_energy_gap
from harmonium.evaluate.likelihood import free_energies
from harmonium.feed import make_feed
from harmonium.logz.exact import sample_v_exactly
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Gaussian, Ising, OneHot, Product
from laws.sides import (
    ENUMERABLE_PAIRS,
    brute_log_z,
    energies,
    machine,
    nodes,
    over_pairs,
    points,
)  # fmt: skip


def unit_numbers(side):
    """The unit of each entry, by what encode does with one unit alone changed."""
    if isinstance(side, OneHot):
        return [j for j in range(side.n) for _ in range(side.q)]
    if isinstance(side, Product):
        own = [unit_numbers(part) for part in side.parts]
        return [(k, unit) for k, units in enumerate(own) for unit in units]
    return list(range(side.n))


@over_pairs(ENUMERABLE_PAIRS)
def test_model_moments_are_those_of_all_states(visible, hidden):
    rbm = machine(visible, hidden, 1.0)
    v = points(visible, 9)
    found = fidelity(rbm, v)
    (all_v, log_v), (all_h, log_h) = nodes(visible), nodes(hidden)
    p = (log_v[:, None] + log_h - energies(rbm, all_v, all_h) - brute_log_z(rbm)).exp()
    mean = p.sum(1) @ all_v
    covariance = (all_v - mean).T @ (p.sum(1)[:, None] * (all_v - mean))
    torch.testing.assert_close(found.means.model, mean, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(found.hidden.model, p.sum(0) @ all_h, atol=1e-9, rtol=1e-9)
    units = unit_numbers(visible)
    pairs = [(i, j) for i, j in itertools.combinations(range(visible.size), 2) if units[i] != units[j]]
    assert list(map(tuple, found.pairs.T.tolist())) == pairs
    expected = torch.stack([covariance[i, j] for i, j in pairs]) if pairs else torch.zeros(0, dtype=torch.float64)
    torch.testing.assert_close(found.covariances.model, expected, atol=1e-9, rtol=1e-9)
    data = torch.from_numpy(np.cov(v.numpy().T, bias=True).reshape(visible.size, visible.size))
    torch.testing.assert_close(found.means.data, v.mean(0), atol=1e-12, rtol=1e-12)
    own = torch.stack([data[i, j] for i, j in pairs]) if pairs else expected
    torch.testing.assert_close(found.covariances.data, own, atol=1e-12, rtol=1e-12)
    h = (log_h - energies(rbm, v, all_h)).softmax(1) @ all_h
    torch.testing.assert_close(found.hidden.data, h.mean(0), atol=1e-9, rtol=1e-9)
    assert math.isinf(found.samples)


_strong = machine(Product(Bernoulli(12), OneHot(3, 3), Ising(3)), Bernoulli(6), 2.0)
#: Couplings that show, and no rare values: the fields are zero where half of the hidden units are on.
BIG = replace(_strong, a=-_strong.W.sum(1).unsqueeze(0) / 2, b=_strong.b * 0)


def drawn(number, seed, rbm=BIG):
    return sample_v_exactly(rbm, number, Noise(seed, dtype=torch.float64))


@pytest.mark.parametrize("exact", [True, False], ids=["enumerated", "sampled"])
@pytest.mark.parametrize("kind", ["means", "covariances", "hidden"])
def test_differences_are_as_large_as_their_standard_errors_say(kind, exact):
    """Over 60 data sets from the machine itself the mean z² is 1, less what the reach of a row takes (below 0.05)."""
    z2 = []
    for seed in range(60):
        samples = None if exact else drawn(3000, 1000 + seed)
        z2.append(getattr(fidelity(BIG, drawn(4000, seed), samples), kind).z.square().mean())
    mean, error = float(torch.stack(z2).mean()), float(torch.stack(z2).std()) / math.sqrt(60)
    assert error < 0.12  # else this would be no test
    assert 0.95 - 6 * error < mean < 1 + 6 * error


def test_the_noise_is_what_sampling_alone_makes():
    found = fidelity(BIG, drawn(2000, 5))
    for kind in (found.means, found.covariances, found.hidden):
        assert 0.4 < kind.rms / kind.rms_noise < 2.2
        assert kind.r2 > 0.9
        assert kind.slope == pytest.approx(1, abs=0.1)


def test_a_wrong_machine_is_seen_and_the_worst_entry_named():
    wrong = replace(BIG, a=BIG.a.clone())
    wrong.a[0, 4] += 1.0
    found = fidelity(wrong, drawn(2000, 6))
    assert int(found.means.worst(1)) == 4
    assert abs(float(found.means.z[4])) > 8
    uncoupled = fidelity(replace(BIG, W=BIG.W * 0), drawn(2000, 6))
    assert float(uncoupled.covariances.z.abs().max()) > 8
    assert uncoupled.covariances.r2 < 0.2
    weak = fidelity(replace(BIG, W=BIG.W * 0.8), drawn(20_000, 6))
    assert weak.covariances.slope < 0.9


def test_a_rare_event_is_no_finding():
    """A pixel that one row of a thousand has lit, and the model hardly ever does."""
    rbm = machine(Bernoulli(3), Bernoulli(2), 0.5)
    rbm.a[0, 0] = -18.0
    v = drawn(1000, 0, rbm)
    for lit in (0, 1):
        v[:lit, 0] = 1
        found = fidelity(rbm, v)
        assert abs(float(found.means.z[0])) <= 1
        assert abs(float(found.covariances.z[0])) <= 1


def test_many_entries_are_thinned(monkeypatch):
    monkeypatch.setattr(module, "MOST_ENTRIES", 8)
    found = fidelity(BIG, drawn(50, 1))
    assert len(found.means.data) == BIG.visible.size
    assert found.pairs.unique().tolist() == [0, 3, 7, 10, 13, 16, 20, 23]
    monkeypatch.undo()
    whole = fidelity(BIG, drawn(50, 1))
    where = [whole.pairs.T.tolist().index(pair) for pair in found.pairs.T.tolist()]
    torch.testing.assert_close(found.covariances.model, whole.covariances.model[where])


def test_agreement_of_equal_and_of_constant_moments():
    same = Agreement(torch.ones(3), torch.ones(3), torch.zeros(3))
    assert same.z.tolist() == [0, 0, 0]
    assert math.isnan(same.slope)
    assert math.isnan(same.r2)
    line = Agreement(torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1.0, 3.0, 5.0]), torch.ones(3))
    assert line.slope == pytest.approx(2)
    assert line.r2 == pytest.approx(1 - 14 / 2)
    assert line.rms == pytest.approx(math.sqrt(14 / 3))
    assert line.worst(2).tolist() == [2, 1]


def test_wrong_inputs_get_one_sentence():
    large = machine(Bernoulli(40), Bernoulli(40), 0.1)
    assert not can_enumerate(large)
    assert not can_enumerate(machine(Gaussian(1), Gaussian(1), 0.1))
    for v, samples, words in (
        (torch.zeros(0, 40), None, "v has no rows"),
        (torch.zeros(1, 40), None, "v has one row"),
        (torch.zeros(2, 39), None, "needs \\(rows, 40\\)"),
        (torch.zeros(2, 40), None, "too large to enumerate; give samples"),
        (torch.zeros(2, 40), torch.zeros(2, 39), "samples has shape"),
    ):
        with pytest.raises(InputError, match=words):
            fidelity(large, v, samples)


# ---- the free-energy gap -------------------------------------------------------------------------------------------


def feed_of(states):
    return make_feed(
        Dataset(states.numpy(), None, 1.0, (6,), "t", "t"), Bernoulli(states.shape[1]), dtype=torch.float64
    )


def test_the_gap_is_the_difference_of_the_likelihoods():
    rbm = machine(Bernoulli(6), Bernoulli(4), 2.0)
    v = torch.cat([drawn(300, 0, rbm), points(Bernoulli(6), 200)])
    train, new = torch.arange(300), torch.arange(300, 500)
    feed = feed_of(v)
    found = free_energy_gap(rbm, feed, train[:200], new)
    f = rbm.free_energy(v)
    assert found.value == pytest.approx(float(f[300:].mean() - f[:200].mean()), abs=1e-12)
    error = math.sqrt((float(f[300:].var()) + float(f[:200].var())) / 200)
    assert found.stderr == pytest.approx(error, rel=1e-12)
    assert found.z == found.value / found.stderr > 4  # random rows are worse than its own
    assert free_energy_gap(rbm, feed, train, new).rows == 200
    torch.testing.assert_close(free_energies(rbm, feed, new), f[300:])


def test_without_over_fitting_the_gap_is_within_its_error():
    rbm = machine(Bernoulli(6), Bernoulli(4), 2.0)
    z = []
    for seed in range(100):
        v = drawn(200, seed, rbm)
        z.append(free_energy_gap(rbm, feed_of(v), torch.arange(120), torch.arange(120, 200), seed=seed).z)
    assert 0.6 < np.std(z) < 1.5
    assert abs(np.mean(z)) < 0.6  # six standard errors


def test_a_gap_needs_rows_on_both_sides():
    rbm = machine(Bernoulli(6), Bernoulli(4), 2.0)
    with pytest.raises(InputError, match="not 3 for training and 0 held out; set held_out"):
        free_energy_gap(rbm, feed_of(drawn(3, 0, rbm)), torch.arange(3), torch.arange(0))
    with pytest.raises(InputError, match="not finite"):
        free_energy_gap(
            replace(rbm, b=rbm.b * math.nan), feed_of(drawn(4, 0, rbm)), torch.arange(2), torch.arange(2, 4)
        )
