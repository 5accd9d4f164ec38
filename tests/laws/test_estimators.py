"""Composite likelihoods and minimum probability flow: gradients against their objectives summed by brute force."""

import math
from itertools import combinations, product

import pytest
import torch

from harmonium.errors import InputError
from harmonium.evaluate.pseudolikelihood import pseudo_log_likelihood
from harmonium.machine import RBM
from harmonium.moments import Sample, likelihood_gradient, moments
from harmonium.negative import Composite, Flow, blocks
from harmonium.negative.blocks import blocks_of, choose_blocks
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.sides import (
    DISCRETE,
    brute_log_likelihood,
    energies,
    generator,
    machine,
    nodes,
    over_pairs,
    over_strengths,
    points,
    uniform,
)
from laws.test_pseudolikelihood import units_of

VISIBLE = (*DISCRETE, Product(Ising(2), OneHot(1, 3), Multivalued(1, 2)))
HIDDEN = (Bernoulli(3), OneHot(2, 3), Interval(2), Gaussian(2), Product(Ising(1), Gaussian(1, 0.8)))
#: Each visible family with two of the hidden ones, each hidden one with several visible ones.
over_discrete = over_pairs(tuple((v, HIDDEN[(i + j) % 5]) for i, v in enumerate(VISIBLE) for j in (0, 2)))
NOISE = Noise(0, dtype=torch.float64)


def log_weight(rbm, v):
    """ln of the sum over h of base(h) exp(-E(v, h)): (N,)."""
    h, log_h = nodes(rbm.hidden)
    return (log_h - energies(rbm, v, h)).logsumexp(1)


def replaced(v, block):
    """The row v (V,) with the units of the block at all their values together: (L, V)."""
    rows = []
    for values in product(*(values for _, values, _ in block)):
        row = v.clone()
        for (entries, _, _), value in zip(block, values, strict=True):
            row[entries] = value
        rows.append(row)
    return torch.stack(rows)


def composite_objective(rbm, v, weight, order):
    units = list(units_of(rbm.visible))
    chosen = list(combinations(units, order))
    total = 0.0
    for row, w in zip(v, weight, strict=True):
        for block in chosen:
            total = total + w * (log_weight(rbm, row[None])[0] - log_weight(rbm, replaced(row, block)).logsumexp(0))
    return total * (len(units) / order / len(chosen))


def flow_objective(rbm, v, weight):
    units, K = list(units_of(rbm.visible)), 0.0
    for row, w in zip(v, weight, strict=True):
        for unit in units:
            there = replaced(row, [unit])
            there = there[(there != row).any(1)]
            K = K + w / len(units) * ((log_weight(rbm, there) - log_weight(rbm, row[None])) / 2).exp().mean()
    return -len(units) * (K if K <= 1 else 1 + K.log())


def autograd_of(objective, rbm):
    """The objective and its gradient, in the places of the parameters."""
    leaves = rbm.map(lambda x: x.clone().requires_grad_())
    value = objective(leaves)
    grads = torch.autograd.grad(value, leaves.tensors)
    return float(value.detach()), RBM(rbm.visible, rbm.hidden, *grads)


def gradient_of(negative, rbm, data):
    model, state, info = negative.step(rbm, data, negative.init(rbm, NOISE), NOISE)
    assert state == {}
    return likelihood_gradient(moments(rbm, data), model), info


def weighted(visible, count=3):
    """Some rows and unequal weights."""
    weight = uniform((count,), generator(visible.spec, "weights"), 0.2, 1.0)
    return points(visible, count), weight / weight.sum()


def assert_same(got, want, **tolerance):
    for x, y in zip(got.tensors, want.tensors, strict=True):
        torch.testing.assert_close(x, y, **({"rtol": 1e-9, "atol": 1e-10} | tolerance))


@pytest.mark.parametrize("order", [1, 2])
@over_discrete
def test_composite_likelihoods_have_the_gradient_of_their_objective(visible, hidden, order):
    rbm = machine(visible, hidden, 1.5)
    v, weight = weighted(visible)
    value, want = autograd_of(lambda x: composite_objective(x, v, weight, min(order, visible.n)), rbm)
    got, info = gradient_of(Composite(order), rbm, Sample(v, weight))
    assert_same(got, want)
    assert info["objective"] == pytest.approx(value, abs=1e-10)


@over_discrete
def test_one_block_of_all_units_is_the_likelihood(visible, hidden):
    rbm = machine(visible, hidden, 1.5)
    v, weight = weighted(visible)
    value, want = autograd_of(lambda x: weight @ brute_log_likelihood(x, v), rbm)
    got, info = gradient_of(Composite(visible.n), rbm, Sample(v, weight))
    assert_same(got, want)
    assert info["objective"] == pytest.approx(value, abs=1e-10)


@over_discrete
def test_blocks_of_one_unit_are_the_pseudo_likelihood(visible, hidden):
    rbm, v = machine(visible, hidden, 2.0), points(visible)
    _, info = gradient_of(Composite(1), rbm, Sample(v))
    assert info["objective"] == pytest.approx(float(pseudo_log_likelihood(rbm, v).mean()), abs=1e-10)


def test_grey_values_stand_in_for_bernoulli_states():
    rbm = machine(Bernoulli(4), Bernoulli(3), 1.5)
    v, weight = uniform((3, 4), generator("grey")), torch.full((3,), 1 / 3, dtype=torch.float64)
    for order in (1, 2):
        _, want = autograd_of(lambda x, order=order: composite_objective(x, v, weight, order), rbm)
        assert_same(gradient_of(Composite(order), rbm, Sample(v))[0], want)


@over_strengths
@over_discrete
def test_flow_has_the_gradient_of_its_objective(visible, hidden, strength):
    rbm = machine(visible, hidden, strength)
    v, weight = weighted(visible)
    value, want = autograd_of(lambda x: flow_objective(x, v, weight), rbm)
    got, info = gradient_of(Flow(), rbm, Sample(v, weight))
    assert_same(got, want)
    assert info["objective"] == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("sign", [1, -1])
def test_flow_is_right_on_both_sides_of_one(sign):
    """Rows that the machine believes in (K < 1) and rows that it does not (K > 1)."""
    rbm = machine(Ising(3), Bernoulli(2), 0.3)
    rbm.a.fill_(sign * 1.5)
    v, weight = torch.ones(2, 3).double(), torch.tensor([0.3, 0.7], dtype=torch.float64)
    v[0, 1] = -1
    value, want = autograd_of(lambda x: flow_objective(x, v, weight), rbm)
    assert (value > -3) == (sign == 1)  # -n K at K = 1
    got, info = gradient_of(Flow(), rbm, Sample(v, weight))
    assert_same(got, want)
    assert info["objective"] == pytest.approx(value)


@pytest.mark.parametrize("negative", [Composite(1), Composite(2), Flow()], ids=str)
@over_discrete
def test_at_the_truth_the_gradient_vanishes(visible, hidden, negative):
    rbm = machine(visible, hidden, 1.0)
    v, _ = nodes(visible)
    p = log_weight(rbm, v).softmax(0)
    got, _ = gradient_of(negative, rbm, Sample(v, p))
    assert_same(got, rbm.map(torch.zeros_like), atol=1e-12)
    moved, _ = gradient_of(negative, rbm.map(lambda x: 1.1 * x + 0.03), Sample(v, p))
    assert max(float(x.abs().max()) for x in moved.tensors) > 1e-5  # elsewhere it does not


@pytest.mark.parametrize("negative", [Composite(1), Composite(2), Flow()], ids=str)
def test_chunks_change_nothing(monkeypatch, negative):
    rbm = machine(Product(Bernoulli(4), OneHot(2, 3)), Product(Bernoulli(3), Gaussian(2)), 1.0)
    data = Sample(*weighted(rbm.visible, 5))
    whole, info = gradient_of(negative, rbm, data)
    for entries in (1, 100, 700):
        monkeypatch.setattr(blocks, "CHUNK_ENTRIES", entries)
        part, again = gradient_of(negative, rbm, data)
        assert_same(part, whole)
        assert again["objective"] == pytest.approx(info["objective"])


def test_a_random_part_of_the_blocks_is_right_on_average(monkeypatch):
    """The mean over single blocks is the gradient of all; with the next law, the expectation of any part is."""
    rbm = machine(Product(Bernoulli(3), OneHot(1, 3)), Ising(2), 1.5)
    data = Sample(*weighted(rbm.visible))
    whole, _ = gradient_of(Composite(2), rbm, data)
    singles = []
    for pair in combinations(range(4), 2):
        monkeypatch.setattr("harmonium.negative.composite.choose_blocks", lambda *_, pair=pair: torch.tensor([pair]))
        singles.append(gradient_of(Composite(2), rbm, data)[0])
    mean = singles[0].map(lambda *x: torch.stack(x).mean(0), *singles[1:])
    assert_same(mean, whole)


@pytest.mark.parametrize(("n", "order", "most"), [(5, 1, 3), (5, 2, 4), (5, 2, 7), (6, 3, 2)])
def test_every_block_is_chosen_equally_often(n, order, most):
    """1,000 choices, 6.5 sigma a block of independent ones; blocks hold different units, and units have even shares."""
    counts, noise = dict.fromkeys(combinations(range(n), order), 0), Noise(3, dtype=torch.float64)
    for _ in range(1000):
        chosen = choose_blocks(n, order, most, noise)
        assert len(chosen) == most
        assert int(chosen.flatten().bincount().max()) <= math.ceil(most / (n // order))
        for block in chosen.tolist():
            counts[tuple(block)] += 1
    expected = 1000 * most / len(counts)
    assert max(abs(count - expected) for count in counts.values()) < 6.5 * expected**0.5
    everything = choose_blocks(n, order, len(counts), noise)
    assert [tuple(block) for block in everything.tolist()] == list(counts)


def test_blocks_name_the_entries_and_all_values_of_their_units():
    side = Product(Bernoulli(2), OneHot(2, 3, none=True), Ising(1))
    units = list(units_of(side))
    found = {}
    for group in blocks_of(side, choose_blocks(5, 2, 10, NOISE), torch.empty(0).double()):
        for entries in group.entries.tolist():
            found[tuple(entries)] = {tuple(x) for x in group.values.tolist()}
    wanted = {}
    for one, two in combinations(units, 2):
        at = (*range(side.size)[one[0]], *range(side.size)[two[0]])
        wanted[at] = {(*x, *y) for x in one[1].tolist() for y in two[1].tolist()}
    assert found == wanted


@pytest.mark.parametrize("negative", [Composite(1), Composite(2), Flow()], ids=str)
def test_nothing_overflows(negative):
    """Weights and biases in the hundreds, in float32, with rows that the machine does not believe in."""
    rbm = machine(Bernoulli(6), Bernoulli(4), 2.0).map(lambda x: 300 * x).to(dtype=torch.float32)
    got, info = gradient_of(negative, rbm, Sample(points(Bernoulli(6)).float()))
    assert math.isfinite(info["objective"])
    assert all(bool(x.isfinite().all()) for x in got.tensors)
    assert max(float(x.abs().max()) for x in got.tensors) > 0.01


def test_what_cannot_be_summed_is_refused_in_one_sentence():
    for side in (Interval(2), Gaussian(2), Product(Bernoulli(2), Gaussian(1))):
        for negative in (Composite(1), Composite(2), Flow()):
            with pytest.raises(InputError, match=r"units without countable values; use cd or pcd, or discrete units\."):
                negative.init(machine(side, Bernoulli(2), 1.0), NOISE)
    with pytest.raises(InputError, match=r"would sum over 90000 joint values of 2 units of onehot:2x300"):
        Composite(2).init(machine(OneHot(2, 300), Bernoulli(2), 1.0), NOISE)
    for make in (lambda: Composite(0), lambda: Composite(1, 0), lambda: Flow(0)):
        with pytest.raises(InputError, match="must be a whole number from 1 on, not 0"):
            make()
