"""The exact partition function: enumeration against brute force over both sides, Gaussian pairs against quadrature."""

import importlib
import math
from dataclasses import replace
from itertools import pairwise, product

import pytest
import torch

from harmonium.errors import InputError
from harmonium.logz import enumeration_cost, exact_estimate, exact_log_z, exact_moments
from harmonium.logz.exact import FAST_START, enumeration_seconds, smaller_side_hidden
from harmonium.machine import RBM, zeros
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.sides import (
    DISCRETE,
    ENUMERABLE_PAIRS,
    brute_log_likelihood,
    brute_log_z,
    energies,
    generator,
    machine,
    nodes,
    over_pairs,
    over_strengths,
    points,
    uniform,
)


@over_strengths
@over_pairs(ENUMERABLE_PAIRS)
def test_ln_z_and_ln_p_agree_with_brute_force(visible, hidden, strength):
    rbm = machine(visible, hidden, strength)
    log_z = exact_log_z(rbm)
    assert log_z == pytest.approx(float(brute_log_z(rbm)), abs=1e-10, rel=1e-10)
    assert exact_moments(rbm)[0] == pytest.approx(log_z, abs=1e-12, rel=1e-12)
    assert exact_log_z(rbm.mirror()) == pytest.approx(log_z, abs=1e-10, rel=1e-10)
    v = points(visible)
    log_p = visible.log_base - rbm.free_energy(v) - log_z
    torch.testing.assert_close(log_p, brute_log_likelihood(rbm, v), rtol=1e-10, atol=1e-10)
    # and the probabilities of the visible states sum (or integrate) to one
    x, log_x = nodes(visible)
    total = (log_x - rbm.free_energy(x) - log_z).logsumexp(0)
    assert float(total) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("entries", [1, 7, 40])
@over_pairs(tuple(product(DISCRETE[::2], DISCRETE[::3])))
def test_blocks_of_any_size_give_the_same_sums(visible, hidden, entries, monkeypatch):
    rbm = machine(visible, hidden, 2.0)
    whole_z, whole = exact_moments(rbm)
    monkeypatch.setattr(importlib.import_module("harmonium.logz.exact"), "BLOCK_ENTRIES", entries)
    log_z, parts = exact_moments(rbm)
    assert log_z == pytest.approx(whole_z, abs=1e-11)
    assert exact_log_z(rbm) == pytest.approx(whole_z, abs=1e-11)
    for x, y in zip(parts.tensors, whole.tensors, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-11, atol=1e-12)


def test_fields_of_thousands_do_not_overflow():
    rbm = machine(Ising(3), Bernoulli(3), 1000.0)
    (v, _), (h, _) = nodes(rbm.visible), nodes(rbm.hidden)
    assert exact_log_z(rbm) == pytest.approx(float((-energies(rbm, v, h)).flatten().logsumexp(0)), rel=1e-12)
    assert all(x.isfinite().all() for x in exact_moments(rbm)[1].tensors)


def test_a_float32_machine_is_scored_in_float64():
    rbm = machine(Bernoulli(3), Multivalued(2, 3), 2.0).to(dtype=torch.float32)
    assert exact_estimate(rbm).value == pytest.approx(float(brute_log_z(rbm.to(dtype=torch.float64))), abs=1e-12)
    assert exact_estimate(rbm).stderr == 0


@pytest.mark.parametrize(
    ("visible", "hidden", "states"),
    [
        (Bernoulli(2), Bernoulli(3), 4),
        (Multivalued(2, 3), Bernoulli(3), 8),
        (Gaussian(2), Ising(3), 8),
        (Product(Bernoulli(2), OneHot(1, 3)), Interval(4), 12),
        (OneHot(2, 2, none=True), Multivalued(3, 2), 9),
    ],
    ids=lambda x: getattr(x, "spec", x),
)
def test_the_side_with_fewer_states_is_enumerated(visible, hidden, states):
    for rbm in (machine(visible, hidden, 1.0), machine(hidden, visible, 1.0)):
        turned = smaller_side_hidden(rbm)
        assert turned.hidden.n_states == states
        assert enumeration_cost(rbm) == states * turned.visible.size


@over_pairs(tuple(product((Gaussian(1, 0.7), Gaussian(1)), repeat=2)))
def test_two_gaussian_sides_agree_with_quadrature(visible, hidden):
    rbm = machine(visible, hidden, 2.0)
    assert exact_log_z(rbm) == pytest.approx(float(brute_log_z(rbm)), abs=1e-9)


@over_pairs(tuple(product((Gaussian(3, 0.7), Gaussian(3)), (Gaussian(2, 1.3), Gaussian(2)))))
def test_larger_gaussian_pairs_agree_with_integrating_one_side_at_a_time(visible, hidden):
    rbm = machine(visible, hidden, 2.0)
    # F(v) = q(v) is quadratic: from its values recover the matrix and the maximum, then the Gaussian integral
    zero = torch.zeros(3).double()
    hessian = torch.autograd.functional.hessian(rbm.free_energy, zero)
    slope = torch.autograd.functional.jacobian(rbm.free_energy, zero)
    at = -torch.linalg.solve(hessian, slope)
    wanted = 1.5 * math.log(2 * math.pi) - 0.5 * torch.logdet(hessian) - rbm.free_energy(at)
    assert exact_log_z(rbm) == pytest.approx(float(wanted), abs=1e-11)


@pytest.mark.parametrize("visible", [Gaussian(3, 0.7), Gaussian(3), Product(Gaussian(2), Gaussian(1, 0.7))])
@pytest.mark.parametrize("hidden", [Gaussian(2, 1.3), Gaussian(2), Product(Bernoulli(1), Gaussian(1))])
def test_a_machine_is_refused_exactly_when_its_precision_matrix_is_indefinite(visible, hidden):
    unit = machine(visible, hidden, 2.0)
    pv, ph = visible.precision(unit.a), hidden.precision(unit.b)
    seen = set()
    for scale in (0.5, 1.2, 1.42, 1.44, 3.0):
        rbm = replace(unit, W=unit.W * scale)
        loose = ph.isfinite()
        W = rbm.W[:, loose]
        P = torch.cat([torch.cat([pv.diag(), -W], 1), torch.cat([-W.mT, ph[loose].diag()], 1)])
        if bool((torch.linalg.eigvalsh(P) > 0).all()):
            rbm.check_normalisable()
            seen.add(True)
        else:
            with pytest.raises(InputError, match=r"not normalisable.*singular value"):
                rbm.check_normalisable()
            seen.add(False)
    assert seen == {True, False}


@over_pairs(
    ((Gaussian(2), Bernoulli(3)), (Interval(2), Gaussian(2)), (Product(Gaussian(1), Bernoulli(2)), Interval(2)))
)
def test_bounded_units_hold_an_unbounded_side_whatever_the_weights(visible, hidden):
    machine(visible, hidden, 50.0).check_normalisable()
    machine(hidden, visible, 50.0).check_normalisable()


@pytest.mark.parametrize("name", ["W", "a", "b"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_parameter_that_is_not_finite_is_refused_by_name(name, value):
    rbm = machine(Bernoulli(3), Ising(3), 1.0)
    getattr(rbm, name)[0, 1] = value
    with pytest.raises(InputError, match=f"^{name} holds a value"):
        exact_log_z(rbm)


@over_pairs(((Interval(2), Interval(2)), (Interval(2), Gaussian(2)), (Product(Gaussian(1), Bernoulli(2)), Interval(2))))
def test_what_cannot_be_enumerated_is_refused_with_the_reason(visible, hidden):
    rbm: RBM = machine(visible, hidden, 0.2)
    assert enumeration_cost(rbm) == math.inf
    for ask in (exact_log_z, exact_moments):
        with pytest.raises(InputError, match=r"neither .* can be enumerated"):
            ask(rbm)


@pytest.mark.parametrize("hidden", [Bernoulli, Ising])
@pytest.mark.parametrize("visible", [Bernoulli, Ising])
@pytest.mark.parametrize("n", [14, 18, 20], ids="2^{}".format)
def test_enumeration_of_many_states_keeps_its_digits(n, visible, hidden):
    """A diagonal coupling pairs the units: Z and the moments are those of n pairs, in blocks and by split digits."""
    gen = generator("factor", n)
    a, b, w = uniform((1, n), gen, -2, 2), uniform((1, n), gen, -2, 2), uniform((n,), gen, -3, 3)
    rbm = RBM(visible(n), hidden(n), w.diag(), a, b)
    x, y = (torch.tensor(side.two_values).double() for side in (rbm.visible, rbm.hidden))
    pair = (a[0] * x[:, None, None] + b[0] * y[:, None] + w * x[:, None, None] * y[:, None]).view(4, n)
    log_z, moments = exact_moments(rbm)
    for value in (log_z, exact_log_z(rbm)):
        assert value == pytest.approx(float(pair.logsumexp(0).sum()), rel=1e-13)
    p = pair.softmax(0).view(2, 2, n)
    v, h, vh = (
        (p.sum(1) * x[:, None]).sum(0),
        (p.sum(0) * y[:, None]).sum(0),
        (p * (x[:, None] * y)[..., None]).sum((0, 1)),
    )
    wanted = torch.outer(v, h) - (v * h).diag() + vh.diag()  # different pairs are independent
    for got, want in ((moments.a[0], v), (moments.b[0], h), (moments.W, wanted)):
        torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-13)


def test_the_predicted_time_grows_with_the_states_and_knows_what_cannot_be_done():
    seconds = [enumeration_seconds(zeros(Bernoulli(784), Bernoulli(n))) for n in (5, 10, 16, 25, 30, 40, 70)]
    assert all(x < y for x, y in pairwise(seconds))
    assert seconds[-1] == math.inf
    assert 10 < seconds[4] < 300
    assert enumeration_seconds(machine(Interval(2), Gaussian(2), 0.1)) == math.inf
    assert enumeration_seconds(machine(Gaussian(2), Gaussian(2), 0.1)) < 1e-3
    # a fallback is foreseen: fields that spread over thousands of nats
    rbm = zeros(Bernoulli(784), Bernoulli(16))
    wide = replace(rbm, W=rbm.W + 1000)
    assert enumeration_seconds(wide) > 5 * (enumeration_seconds(rbm) - FAST_START)
