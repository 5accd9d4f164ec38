"""Importance estimation and the TAP expansion, against sums over all states."""

import math

import pytest
import torch

from harmonium.convert import to_bernoulli, to_ising
from harmonium.errors import InputError
from harmonium.logz import exact_moments
from harmonium.machine import RBM
from harmonium.moments import Sample, moments
from harmonium.negative import KLIEP, TAP
from harmonium.negative.kliep import importance, log_mixture
from harmonium.negative.tap import cumulants, log_z_tap, solve, tap_moments
from harmonium.noise import Noise, seed_for
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.sides import (
    DISCRETE,
    TINY,
    brute_log_likelihood,
    brute_log_z,
    generator,
    log_density,
    machine,
    nodes,
    over_pairs,
    over_sides,
    parameters,
    points,
    uniform,
)

HIDDEN = (Bernoulli(3), OneHot(2, 3), Interval(2), Gaussian(2), Product(Ising(1), Gaussian(1, 0.8)))


def assert_same(got, want, **tolerance):
    for x, y in zip(got.tensors, want.tensors, strict=True):
        torch.testing.assert_close(x, y, **({"rtol": 1e-9, "atol": 1e-10} | tolerance))


# ---- importance estimation -------------------------------------------------------------------------------------------


@over_pairs(tuple((v, HIDDEN[(i + j) % 5]) for i, v in enumerate(DISCRETE) for j in (0, 2)))
def test_with_all_states_as_the_reference_it_is_exact(visible, hidden):
    """Every state once, and again some states several times with as many times the density."""
    rbm = machine(visible, hidden, 1.5)
    x, _ = nodes(visible)
    _, exact = exact_moments(rbm)
    p = brute_log_likelihood(rbm, x).exp()
    copies = 1 + torch.arange(len(x)) % 3
    for times in (torch.ones_like(copies), copies):
        again = x.repeat_interleave(times, 0)
        log_q = (times.double() / times.sum()).log().repeat_interleave(times)
        sample, log_z, effective = importance(rbm, again, log_q)
        assert_same(moments(rbm, sample), exact)
        assert log_z == pytest.approx(float(brute_log_z(rbm)), abs=1e-10)
        assert effective == pytest.approx(float(1 / (p.square() / times).sum()), rel=1e-9)


@over_sides()
def test_the_density_of_the_reference_is_that_of_the_mixture(side):
    eta = parameters(side, generator(side.spec, "mixture"), 1.5, (4,))
    share = uniform((4,), generator("share"))
    share /= share.sum()
    x = points(side, 5)
    rbm = machine(side, Bernoulli(2), 1.0)
    wanted = sum(w * log_density(side, e, x).exp() for w, e in zip(share, eta, strict=True)).log()
    torch.testing.assert_close(log_mixture(rbm, x, eta, share.log()), wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("steps", [1, 2])
@over_pairs(
    ((Ising(3), Bernoulli(3)), (OneHot(2, 3), Interval(2)), (Gaussian(2), Bernoulli(2)), (Interval(2), Ising(2)))
)
def test_weights_undo_the_reference(visible, hidden, steps):
    """40,000 points around three unequal rows, 6.5 sigma of ~20 numbers; without weights they are off by far more."""
    rbm = machine(visible, hidden, 1.5)
    v, weight = points(visible, 3), torch.tensor([0.2, 0.7, 0.1], dtype=torch.float64)
    negative = KLIEP(steps, 40_000)
    noise = Noise(seed_for(visible.spec, steps), dtype=torch.float64)
    got, state, info = negative.step(rbm, Sample(v, weight), negative.init(rbm, noise), noise)
    assert state == {}
    x, log_x = nodes(visible)
    p = (brute_log_likelihood(rbm, x) - visible.log_base + log_x).exp()
    p /= p.sum()
    mean_h = rbm.hidden.mean(rbm.eta_h_from_v(x))
    h = mean_h[:, 0]
    for mine, values in (
        (got.W, x[:, :, None] * h[:, None]),
        (got.a, rbm.visible.statistics(x)),
        (got.b, mean_h),
    ):
        exact = torch.tensordot(p, values, 1)
        sigma = (torch.tensordot(p, (values - exact).square(), 1) / info["effective_samples"]).sqrt()
        assert ((mine - exact).abs() <= 6.5 * sigma).all()
    error = math.sqrt(1 / info["effective_samples"])
    assert 100 < info["effective_samples"] < 40_001
    assert info["log_z_kliep"] == pytest.approx(float(brute_log_z(rbm)), abs=6.5 * error)
    likelihood = float(weight @ brute_log_likelihood(rbm, v))
    assert info["objective"] - likelihood == pytest.approx(float(brute_log_z(rbm)) - info["log_z_kliep"], abs=1e-9)


# ---- the TAP expansion -----------------------------------------------------------------------------------------------

UNITS = (Bernoulli(3), Ising(3), Multivalued(2, 2), Multivalued(2, 3), Interval(2))
TAP_PAIRS = tuple((v, UNITS[(i + j) % 5]) for i, v in enumerate(UNITS) for j in (0, 1))
CONVERGED = TAP(iterations=200, chains=1, damping=0.9, tolerance=1e-12)


def solution(rbm):
    eta_v, eta_h, change = solve(rbm, rbm.a.clone(), rbm.b.clone(), CONVERGED)
    assert change < 1e-12
    return eta_v, eta_h


def scaled(rbm, t):
    return RBM(rbm.visible, rbm.hidden, t * rbm.W, rbm.a, rbm.b)


@pytest.mark.parametrize("side", [*UNITS, Multivalued(1, 8)], ids=lambda side: side.spec)
def test_cumulants_are_those_of_the_distribution(side):
    values, weight = (torch.from_numpy(x) for x in TINY[side.name].unit(side))
    x = values[:, 0]
    eta = torch.tensor([-12.0, -3.0, -1.0, -0.2, 0.0, 1e-9, 0.7, 0.999, 1.001, 5.0]).double()
    p = (weight.log() + eta[:, None] * x).softmax(1)
    m = p @ x
    centred = x - m[:, None]
    c, third = (p * centred**2).sum(1), (p * centred**3).sum(1)
    found = cumulants(side, eta[None].expand(3, -1) if side.n == 1 else eta[:, None].expand(-1, side.n))
    for got, want in zip(found, (m, c, third / c), strict=True):
        got = got[0] if side.n == 1 else got[:, 0]
        torch.testing.assert_close(got, want, rtol=1e-7, atol=1e-11)


@pytest.mark.parametrize("side", UNITS, ids=lambda side: side.spec)
def test_cumulants_stay_within_bounds_where_float32_has_nothing_left(side):
    eta = torch.tensor([-300.0, -40.0, 25.0, 90.0])[:, None].expand(-1, side.n)
    m, c, slope = cumulants(side, eta)
    assert (m.abs() <= 1).all()
    assert ((c >= 0) & (c < 0.05)).all()
    assert (slope.abs() <= 2).all()


@over_pairs(TAP_PAIRS)
def test_without_couplings_it_is_exact(visible, hidden):
    rbm = machine(visible, hidden, 1.0).decoupled()
    eta_v, eta_h = solution(rbm)
    assert float(log_z_tap(rbm, eta_v, eta_h)) == pytest.approx(float(brute_log_z(rbm)), abs=1e-10)
    got = tap_moments(rbm, eta_v, eta_h)
    torch.testing.assert_close(got.a, rbm.visible.mean(rbm.a))
    torch.testing.assert_close(got.W, rbm.visible.mean(rbm.a).T @ rbm.hidden.mean(rbm.b))


@over_pairs(TAP_PAIRS)
def test_moments_are_the_derivatives_of_ln_z(visible, hidden):
    """Where the equations are solved ln Z is stationary in the fields, and its derivative along any direction is ..."""
    rbm = machine(visible, hidden, 0.4)
    gen = generator(visible.spec, hidden.spec, "direction")
    direction = rbm.map(lambda x: uniform(tuple(x.shape), gen, -1, 1))

    def log_z(t):
        moved = rbm.map(lambda x, d: x + t * d, direction)
        return float(log_z_tap(moved, *solution(moved)))

    got = tap_moments(rbm, *solution(rbm))
    slope = sum(float((x * d).sum()) for x, d in zip(got.tensors, direction.tensors, strict=True))
    assert slope == pytest.approx((log_z(1e-4) - log_z(-1e-4)) / 2e-4, abs=1e-7)


@over_pairs(TAP_PAIRS)
def test_the_error_is_of_third_order_in_the_couplings(visible, hidden):
    """With W scaled by t the error of ln Z, over the expansion's own term of second order, is of order t."""
    rbm = machine(visible, hidden, 0.5)

    def share(t):
        smaller = scaled(rbm, t)
        eta_v, eta_h = solution(smaller)
        second = cumulants(visible, eta_v)[1] @ smaller.W.square() @ cumulants(hidden, eta_h)[1].T / 2
        return abs(float((log_z_tap(smaller, eta_v, eta_h) - brute_log_z(smaller)) / second))

    assert 1e-9 < share(0.01) < 0.01
    assert share(0.01) < 0.1 * max(share(1.0), share(0.4))


def test_ising_and_bernoulli_machines_agree():
    ising = machine(Ising(4), Ising(3), 0.5)
    bernoulli = to_bernoulli(ising)
    assert_same(to_ising(bernoulli), ising)
    there, here = solution(bernoulli), solution(ising)
    m, s = tap_moments(bernoulli, *there), tap_moments(ising, *here)
    torch.testing.assert_close(2 * m.a - 1, s.a)
    torch.testing.assert_close(2 * m.b - 1, s.b)
    torch.testing.assert_close(4 * m.W - 2 * m.a.T - 2 * m.b + 1, s.W)
    error = log_z_tap(bernoulli, *there) - brute_log_z(bernoulli)
    assert float(error) == pytest.approx(float(log_z_tap(ising, *here) - brute_log_z(ising)), abs=1e-10)
    assert abs(float(error)) > 1e-6


@over_pairs(((Bernoulli(3), Ising(3)), (Product(Ising(1), Interval(1)), Multivalued(2, 3)), (Interval(2), Interval(2))))
def test_steps_go_on_from_the_solutions_before(visible, hidden):
    rbm, v = machine(visible, hidden, 0.5), points(visible)
    negative, noise = TAP(iterations=4, chains=5), Noise(1, dtype=torch.float64)
    state = negative.init(rbm, noise)
    changes = []
    for _ in range(12):
        model, state, info = negative.step(rbm, Sample(v), state, noise)
        changes.append(info["tap_change"])
    assert changes[-1] < 1e-4 < 2e-3 < changes[0]
    eta_v, eta_h = solution(rbm)  # weak couplings: one solution
    assert_same(model, tap_moments(rbm, eta_v, eta_h), rtol=1e-4, atol=1e-4)
    assert info["log_z_tap"] == pytest.approx(float(log_z_tap(rbm, eta_v, eta_h)), abs=1e-8)
    likelihood = float(brute_log_likelihood(rbm, v).mean())
    assert info["objective"] == pytest.approx(likelihood + float(brute_log_z(rbm)) - info["log_z_tap"])


def test_wrong_arguments_get_one_sentence():
    noise = Noise(0, dtype=torch.float64)
    for visible, hidden in (
        (OneHot(1, 3), Ising(2)),
        (Ising(2), Gaussian(1)),
        (Product(Ising(1), OneHot(1, 2)), Ising(1)),
    ):
        with pytest.raises(InputError, match="tap knows bernoulli, ising, multivalued and interval units, not "):
            TAP().init(machine(visible, hidden, 0.5), noise)
    for make in (lambda: TAP(damping=0.0), lambda: TAP(damping=1.5)):
        with pytest.raises(InputError, match="damping must lie above 0 and be at most 1"):
            make()
    for make in (lambda: TAP(0), lambda: TAP(1, 0), lambda: KLIEP(0), lambda: KLIEP(1, 0)):
        with pytest.raises(InputError, match="must be a whole number from 1 on, not 0"):
            make()
