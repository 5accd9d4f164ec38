"""Pseudo-likelihoods and reconstructions of every pair of families, against sums over all states."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from harmonium.errors import InputError
from harmonium.evaluate import pseudolikelihood
from harmonium.evaluate.pseudolikelihood import log_conditionals, pseudo_log_likelihood
from harmonium.evaluate.reconstruction import reconstruction
from harmonium.logz import exact_log_z
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.sides import (
    PAIRS,
    TINY,
    brute_log_likelihood,
    energies,
    log_density,
    machine,
    nodes,
    over_pairs,
    over_strengths,
    representatives,
)  # fmt: skip


def units_of(side):
    """The entries of each unit, and the nodes of its values: (slice, values (L, width), ln weights (L,))."""
    at = 0
    for part in side.parts if isinstance(side, Product) else (side,):
        values, weight = TINY[part.name].unit(part)
        width = part.size // part.n
        for _ in range(part.n):
            yield slice(at, at + width), torch.from_numpy(values), torch.from_numpy(np.log(weight))
            at += width


def brute_log_conditionals(rbm, v):
    """ln p(v) - ln of the sum (integral) of p over the values of one unit, all from energies: (N, size) -> (N, n)."""
    h, log_h = nodes(rbm.hidden)

    def log_weight(states):  # ln of the sum over h of base(h) exp(-E)
        return (log_h - energies(rbm, states, h)).logsumexp(1)

    columns = []
    for entries, values, log_node in units_of(rbm.visible):
        every = v.unsqueeze(1).repeat(1, len(values), 1)
        every[:, :, entries] = values
        terms = log_weight(every.flatten(0, 1)).view(len(v), -1) + log_node
        columns.append(log_weight(v) - terms.logsumexp(1))
    return torch.stack(columns, 1)


def discrete_base(side):
    """What the oracle's weights hold of the base measure, of each unit: ln 2/(s+1) for multivalued units."""
    parts = side.parts if isinstance(side, Product) else (side,)
    return torch.tensor([part.log_base / part.n for part in parts for _ in range(part.n)], dtype=torch.float64)


@over_strengths
@over_pairs(PAIRS)
def test_conditionals_are_those_of_the_joint_distribution(visible, hidden, strength):
    rbm = machine(visible, hidden, strength)
    v = representatives(visible)[:8]
    expected = brute_log_conditionals(rbm, v) + discrete_base(visible)
    found = log_conditionals(rbm, v)
    assert found.shape == (len(v), visible.n)
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-10)
    torch.testing.assert_close(pseudo_log_likelihood(rbm, v), expected.sum(1), atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("hidden", [Bernoulli(3), OneHot(1, 3), Gaussian(2, 0.7)], ids=lambda side: side.spec)
@pytest.mark.parametrize(
    "visible",
    [Bernoulli(1), Ising(1), OneHot(1, 4), OneHot(1, 3, none=True), Multivalued(1, 3), Interval(1), Gaussian(1)],
    ids=lambda side: side.spec,
)
def test_with_one_visible_unit_it_is_the_likelihood(visible, hidden):
    rbm = machine(visible, hidden, 1.5)
    v = representatives(visible)
    exact = brute_log_likelihood(rbm, v)
    torch.testing.assert_close(pseudo_log_likelihood(rbm, v), exact, atol=1e-10, rtol=1e-10)
    if visible.n_states is not None or hidden.n_states is not None:
        assert exact_log_z(rbm) == pytest.approx(float((visible.log_base - rbm.free_energy(v) - exact)[0]), abs=1e-10)


def test_independent_units_score_their_likelihood():
    rbm = machine(Product(Bernoulli(2), OneHot(1, 3), Gaussian(1)), Bernoulli(3), 1.0).decoupled()
    v = representatives(rbm.visible)
    exact = log_density(rbm.visible, rbm.a, v)
    torch.testing.assert_close(pseudo_log_likelihood(rbm, v), exact, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("hidden", [Bernoulli(40), Gaussian(40)], ids=lambda side: side.spec)
@pytest.mark.parametrize("visible", [Interval(3), Gaussian(3)], ids=lambda side: side.spec)
def test_quadrature_holds_where_densities_are_steep(visible, hidden):
    """Slopes up to 200 an interval and modes 50 standard deviations apart, against Simpson's rule on a fine grid."""
    rbm = machine(visible, hidden, 6.0)
    v = 0.7 * representatives(visible)[:2]
    found = log_conditionals(rbm, v)[:, 1]
    reach = 1.0 if isinstance(visible, Interval) else 200.0
    x = torch.linspace(-reach, reach, 60_001, dtype=torch.float64)
    weight = torch.full_like(x, 4.0)
    weight[::2], weight[[0, -1]] = 2.0, 1.0
    weight *= (x[1] - x[0]) / 3
    for row, value in zip(v, found, strict=True):
        every = row.repeat(len(x), 1)
        every[:, 1] = x
        log_z = (weight.log() - rbm.free_energy(every)).logsumexp(0)
        assert float(value) == pytest.approx(float(-rbm.free_energy(row) - log_z), abs=1e-8)


def test_blocks_change_nothing(monkeypatch):
    rbm = machine(Product(Bernoulli(5), OneHot(3, 4), Gaussian(2)), Bernoulli(6), 1.0)
    v = representatives(rbm.visible)
    whole = log_conditionals(rbm, v)
    for entries in (1, 60, 500):
        monkeypatch.setattr(pseudolikelihood, "BLOCK_ENTRIES", entries)
        torch.testing.assert_close(log_conditionals(rbm, v), whole, atol=1e-12, rtol=1e-12)


def test_float32_machines_are_scored_in_float64():
    rbm = machine(Bernoulli(4), Bernoulli(5), 3.0).to(dtype=torch.float32)
    v = representatives(Bernoulli(4)).float()
    torch.testing.assert_close(
        log_conditionals(rbm, v), log_conditionals(rbm.to(dtype=torch.float64), v), atol=0, rtol=0
    )
    assert torch.equal(log_conditionals(rbm, v), log_conditionals(rbm, v))


# ---- reconstruction ------------------------------------------------------------------------------------------------


@over_pairs(PAIRS)
def test_reconstruction_is_what_its_formula_says(visible, hidden):
    rbm = machine(visible, hidden, 1.0)
    v = representatives(visible)[:8]
    h, log_h = nodes(hidden)
    given_v = (log_h - energies(rbm, v, h)).softmax(1)
    mean_h = given_v @ h  # from energies alone
    states, log_base = nodes(visible)
    log_weight = (log_base[:, None] - energies(rbm, states, mean_h)).T  # ln p(v | h') + const, over all v
    nats = log_weight.logsumexp(1) + energies(rbm, v, mean_h).diagonal() - visible.log_base
    found = reconstruction(rbm, v)
    torch.testing.assert_close(found.nats, nats, atol=1e-9, rtol=1e-9)
    expected = (v - log_weight.softmax(1) @ states).square().sum(1)
    torch.testing.assert_close(found.squared, expected, atol=1e-9, rtol=1e-9)


# ---- wrong inputs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", [log_conditionals, reconstruction])
def test_wrong_inputs_get_one_sentence(score):
    rbm = machine(Bernoulli(3), Bernoulli(2), 1.0)
    for v, words in (
        (torch.zeros(0, 3), "v has no rows to be scored; give at least one."),
        (torch.zeros(2, 4), r"v has shape \(2, 4\), but bernoulli:3 needs \(rows, 3\)"),
        (torch.zeros(3), r"v has shape \(3,\)"),
        (torch.full((1, 3), math.nan), "v holds a value that is not finite"),
    ):
        with pytest.raises(InputError, match=words):
            score(rbm, v)
    with pytest.raises(InputError, match="W holds a value that is not finite"):
        score(replace(rbm, W=rbm.W * math.inf), torch.zeros(1, 3))
