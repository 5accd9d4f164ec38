"""Sparse units against sums and integrals of 400 digits, against multivalued units at lambda = 0, and trained."""

import math
from functools import cache

import mpmath as mp
import pytest
import torch

from harmonium.kernels.signed import Signed, log_sum
from harmonium.machine import RBM
from harmonium.training.update import GradientUpdate
from harmonium.units import Interval, Multivalued, Sparse, parse_side

PRECISIONS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
VALUES_OF_S = pytest.mark.parametrize("s", [1, 2, 3, 4, 8, math.inf])
FIELDS = (0.0, 1e-20, -1e-6, 1e-3, 0.1, 0.124, -0.126, 0.3, 1.0, -3.0, 10.0, 88.0, 1000.5, -1e4, 1e6)
LAMBDAS = (0.0, 1e-6, 0.1, 0.7, 3.0, 10.0, 88.0, 1e3)


@cache
def oracle(f: float, strength: float, s: float) -> tuple[mp.mpf, mp.mpf, mp.mpf]:
    """ln of the sum over the values (or of the integral), E[x] and E|x|."""
    with mp.workdps(400):
        f, strength = mp.mpf(f), mp.mpf(strength)
        if math.isinf(s):
            rates = (f - strength, -f - strength)
            sums = [mp.expm1(y) / y if y else mp.mpf(1) for y in rates]
            firsts = [(mp.exp(y) - z) / y if y else mp.mpf(1) / 2 for y, z in zip(rates, sums, strict=True)]
            total = sum(sums)
            return mp.log(total), (firsts[0] - firsts[1]) / total, sum(firsts) / total
        values = [mp.mpf(2 * k - s) / s for k in range(s + 1)]
        weights = [mp.exp(f * x - strength * abs(x)) for x in values]
        total = sum(weights)
        pairs = list(zip(weights, values, strict=True))
        return mp.log(total), sum(w * x for w, x in pairs) / total, sum(w * abs(x) for w, x in pairs) / total


@PRECISIONS
@VALUES_OF_S
def test_log_sum_and_both_means_agree_with_400_digits(s, dtype):
    eps = torch.finfo(dtype).eps
    grid = torch.cartesian_prod(torch.tensor(FIELDS, dtype=dtype), torch.tensor(LAMBDAS, dtype=dtype).neg())
    f, minus = (x.clone().requires_grad_() for x in grid.unbind(1))
    A = log_sum(f, minus, s)
    x, size = torch.autograd.grad(A.sum(), (f, minus))
    assert torch.equal(torch.stack(Signed.of(s).means(f, minus)), torch.stack([x, size]))
    rows = zip(f.tolist(), minus.tolist(), A.tolist(), x.tolist(), size.tolist(), strict=True)
    for field, below, log_z, mean, mean_size in rows:
        want = oracle(field, -below, s)
        assert abs(log_z - want[0]) < 3 * eps * max(1, abs(field), -below), (field, below)
        assert abs(mean - want[1]) <= 3 * eps * min(1, 1e3 * abs(field)) + 1e-300, (field, below)
        assert abs(mean_size - want[2]) < 3 * eps, (field, below)
        if abs(want[1]) > 1e-25:  # what is not lost to underflow keeps its digits, also next to zero field
            assert abs(mean / want[1] - 1) < 60 * eps, (field, below)


@PRECISIONS
@VALUES_OF_S
def test_the_derivative_at_zero_field_is_the_variance(s, dtype):
    for strength in (0.0, 0.7, 5.0):
        f = torch.zeros(3, dtype=dtype, requires_grad=True)
        (slope,) = torch.autograd.grad(log_sum(f, f.detach() - strength, s).sum(), f, create_graph=True)
        (curvature,) = torch.autograd.grad(slope.sum(), f)
        assert (slope == 0).all()
        got = slope.detach().new_full((1,), 1e-20)
        with mp.workdps(60):
            want = oracle(1e-20, strength, s)[1] / mp.mpf(1e-20)
        mean = Signed.of(s).means(got, torch.full_like(got, -strength))[0]
        assert float(mean) / 1e-20 == pytest.approx(float(want), rel=20 * torch.finfo(dtype).eps)
        torch.testing.assert_close(curvature, torch.full_like(f, float(want)), rtol=2e-5, atol=0)


@PRECISIONS
@pytest.mark.parametrize("s", [1, 2, 3, 8, math.inf])
def test_without_a_prior_they_are_multivalued_units(s, dtype):
    sparse, plain = Sparse(9, s), Interval(9) if math.isinf(s) else Multivalued(9, s)
    field = torch.tensor([0.0, 1e-20, 1e-3, -0.2, 0.9, -3.0, 20.0, 1e3, -1e6], dtype=dtype)
    eta = torch.stack([field, torch.zeros_like(field)])
    tight = {"rtol": 20 * torch.finfo(dtype).eps, "atol": 0}
    torch.testing.assert_close(sparse.log_partition(eta), plain.log_partition(eta[:1]), **tight)
    torch.testing.assert_close(sparse.mean(eta)[:1], plain.mean(eta[:1]), **tight)
    u = (torch.arange(997).to(dtype)[:, None] + 0.5).expand(-1, 9) / 997
    x, y = (side.sample(e.expand(997, -1, -1), u) for side, e in ((sparse, eta), (plain, eta[:1])))
    if math.isinf(s):
        torch.testing.assert_close(x, y, rtol=0, atol=2e-4 if dtype == torch.float32 else 1e-12)
    else:  # a u on the very edge of two values may go to either
        assert (x != y).double().mean() < (3e-3 if dtype == torch.float32 else 3e-4)


@pytest.mark.parametrize("s", [2, 4, 8])
def test_a_great_lambda_leaves_zero_alone(s):
    side = Sparse(1, s)
    eta = torch.tensor([[0.5], [-100.0 * s]])
    assert float(side.log_partition(eta)) == pytest.approx(side.log_base, abs=1e-6)
    assert (side.sample(eta.expand(50, -1, -1), torch.linspace(0, 1, 51)[:50, None]) == 0).all()


def test_a_step_keeps_lambda_at_zero_or_above():
    side = Sparse(2, 4)
    rbm = RBM(side, side, torch.zeros(2, 2), *(torch.tensor([[0.0, 0.0], [-0.01, -0.5]]) for _ in range(2)))

    class Downhill:  # everything is pushed up, and so -lambda
        transforms = ()

        def gradient(self):
            return rbm.map(torch.ones_like)

    update = GradientUpdate(rbm, "sgd", lambda step: 0.1)
    update.step(0, Downhill())
    for eta in (update.rbm.a, update.rbm.b):
        torch.testing.assert_close(eta, torch.tensor([[0.1, 0.1], [0.0, -0.4]]))


@pytest.mark.parametrize("s", [2, 3, 4, 8, math.inf])
def test_means_that_no_prior_can_reach_give_the_likeliest_lambda_zero(s):
    side, plain = Sparse(1, s), Interval(1) if math.isinf(s) else Multivalued(1, s)
    mean = torch.tensor([[0.2], [0.97]]).double()  # |x| nearly always 1: lambda would have to be negative
    eta = side.eta_from_mean(mean)
    assert float(eta[1]) == 0
    torch.testing.assert_close(plain.mean(eta[:1]), mean[:1], rtol=1e-12, atol=0)


@pytest.mark.parametrize("spec", ["sparse:200,s=4", "sparse:3,s=1", "sparse:7,s=inf"])
def test_the_spelling_is_read_back(spec):
    side = parse_side(spec)
    assert side.spec == spec
    assert isinstance(side, Sparse)
    assert parse_side(side.spec) == side
