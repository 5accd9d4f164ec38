"""Samplers of multivalued, interval and sparse units against exact histograms, and the two ends of s.

The chi-square and Kolmogorov-Smirnov tests have a fixed seed and a false-alarm rate of 1e-5 each, 2e-3 for the file.
"""

import math

import pytest
import torch
from scipy import stats

from harmonium.kernels.langevin import psi
from harmonium.logz.exact import exact_log_z, exact_moments
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.units import Bernoulli, Interval, Ising, Multivalued, Sparse
from harmonium.units.multivalued import phi

FIELDS = (0.0, 1e-6, -1e-6, 0.3, -0.3, 3.0, -3.0, 50.0, -50.0)
DRAWS, ALARM = 20_000, 1e-5
FINITE = (*(Multivalued(1, s) for s in (1, 2, 3, 7)), *(Sparse(1, s) for s in (1, 2, 3, 4, 7)))
INFINITE = (Interval(1), Sparse(1, math.inf))


def exact(side, field: float, strength: float) -> torch.Tensor:
    """Probabilities of the values in their order, by summing."""
    x = 2 * torch.arange(side.s + 1, dtype=torch.float64) / side.s - 1
    return (field * x - strength * x.abs()).softmax(0)


def eta_of(side, field: float, dtype) -> tuple[torch.Tensor, float]:
    eta = side.neutral(torch.empty(0, dtype=dtype))
    eta[0] = field
    return eta, float(-eta[1]) if side.k == 2 else 0.0


def counts_of(side, eta, u) -> torch.Tensor:
    x = side.sample(eta.expand(len(u), -1, -1), u.unsqueeze(1))[:, 0]
    return torch.bincount(((x.double() + 1) * side.s / 2).round().long(), minlength=side.s + 1)


@pytest.mark.parametrize("side", FINITE, ids=lambda side: side.spec)
def test_counts_of_drawn_values_are_the_probabilities(side):
    for field in FIELDS:
        eta, strength = eta_of(side, field, torch.float32)
        p = exact(side, field, strength)
        counts = counts_of(side, eta, Noise(seed_for(side.spec, field)).uniform(DRAWS))
        # values that are hardly ever drawn are one bin; alone they would not follow chi-square
        rare = p * DRAWS < 10
        got, want = ([*x[~rare].tolist(), float(x[rare].sum())] for x in (counts, p * DRAWS))
        if want[-1] < 10:  # even together: no more than a Poisson count of that mean
            assert stats.poisson.sf(got.pop() - 1, want[-1]) > ALARM
            want.pop()
        statistic = sum((g - w) ** 2 / w for g, w in zip(got, want, strict=True))
        assert stats.chi2.sf(statistic, max(1, len(got) - 1)) > ALARM, (field, got, want)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("side", FINITE, ids=lambda side: side.spec)
def test_counts_on_an_even_grid_are_the_probabilities_to_one_point(side, dtype):
    grid = 1 << 14
    u = (torch.arange(grid, dtype=dtype) + 0.5) / grid
    for field in FIELDS:
        eta, strength = eta_of(side, field, dtype)
        error = (counts_of(side, eta, u) - exact(side, field, strength) * grid).abs().max()
        assert error <= 1 + 4 * grid * torch.finfo(dtype).eps, field


def distribution(x: torch.Tensor, field: float, strength: float) -> torch.Tensor:
    """P(X <= x) of exp(field x - strength |x|) on [-1, 1], in float64."""

    def area(rate: float, ends: torch.Tensor) -> torch.Tensor:  # of exp(rate t) from 0 to each end, over exp(|field|)
        if abs(rate) < 1e-12:
            return ends * math.exp(-abs(field))
        return ((rate * ends - abs(field)).exp() - math.exp(-abs(field))) / rate

    one = torch.ones((), dtype=torch.float64)
    below = area(-field - strength, one)
    at = torch.where(
        x < 0,
        below - area(-field - strength, (-x).clamp_min(0)),
        below + area(field - strength, x.clamp_min(0)),
    )
    return at / (below + area(field - strength, one))


@pytest.mark.parametrize("side", INFINITE, ids=lambda side: side.spec)
def test_drawn_numbers_follow_the_distribution_function(side):
    for field in FIELDS:
        eta, strength = eta_of(side, field, torch.float32)
        u = Noise(seed_for(side.spec, field)).uniform(DRAWS)
        x = side.sample(eta.expand(DRAWS, -1, -1), u.unsqueeze(1))[:, 0].double()
        at = distribution(x, field, strength).clamp(0, 1).numpy()
        assert stats.kstest(at, "uniform").pvalue > ALARM, field


@pytest.mark.parametrize("side", INFINITE, ids=lambda side: side.spec)
def test_the_distribution_function_of_a_sample_is_its_uniform(side):
    u = (torch.arange(4096, dtype=torch.float64) + 0.5) / 4096
    for field in FIELDS:
        eta, strength = eta_of(side, field, torch.float64)
        x = side.sample(eta.expand(4096, -1, -1), u.unsqueeze(1))[:, 0]
        torch.testing.assert_close(distribution(x, field, strength), u, rtol=0, atol=1e-9)


def machine_of(hidden, visible=None) -> RBM:
    gen = torch.Generator().manual_seed(5)
    a, b, W = (2 * torch.rand(n, generator=gen, dtype=torch.float64) - 1 for n in (5, 4, 20))
    return RBM(visible or Bernoulli(5), hidden, 2 * W.view(5, 4), a[None], b[None])


def test_one_step_of_values_is_the_ising_machine():
    v = Bernoulli(5).states(torch.arange(32), like=torch.empty(0, dtype=torch.float64))
    tight = {"rtol": 1e-12, "atol": 1e-12}
    for turn in (False, True):
        one, ising = (
            machine_of(side, Ising(5) if turn and isinstance(side, Ising) else Multivalued(5, 1) if turn else None)
            for side in (Multivalued(4, 1), Ising(4))
        )
        x = 2 * v - 1 if turn else v
        (z, moments), (z_ising, moments_ising) = exact_moments(one), exact_moments(ising)
        assert z == pytest.approx(z_ising, rel=1e-12)
        assert exact_log_z(one) == pytest.approx(z_ising, rel=1e-12)
        for got, want in zip(moments.tensors, moments_ising.tensors, strict=True):
            torch.testing.assert_close(got, want, **tight)
        log_p = [r.visible.log_base - r.free_energy(x) - w for r, w in ((one, z), (ising, z_ising))]
        torch.testing.assert_close(*log_p, **tight)
        torch.testing.assert_close(log_p[0].logsumexp(0), torch.zeros(()).double(), **tight)
        eta = one.eta_h_from_v(x)
        torch.testing.assert_close(one.hidden.mean(eta), ising.hidden.mean(eta), **tight)
        u = Noise(3, dtype=torch.float64).uniform(32, 4)
        assert torch.equal(one.hidden.sample(eta, u), ising.hidden.sample(eta, u))


def test_many_values_come_to_the_interval_as_one_over_their_number():
    """s (phi_s - phi_inf) tends to a number, which is x coth x - 1; and so does ln Z of a machine."""
    x = torch.tensor([-4.0, -0.3, 0.01, 1.0, 7.0]).double()
    limit = x * psi(x, math.inf)
    for s in (100, 10_000):
        error = phi(x, s) - phi(x, math.inf)
        torch.testing.assert_close(s * error, limit, rtol=12 / s, atol=12 / s * 7)
    z = exact_log_z(machine_of(Interval(4)))
    errors = [s * (exact_log_z(machine_of(Multivalued(4, s))) - z) for s in (200, 400, 800)]
    # first-order coefficients whose own differences halve
    assert abs(errors[2]) > 0.1
    assert (errors[0] - errors[1]) / (errors[1] - errors[2]) == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("s", [1, 2, 3, 4, 8, 1000, math.inf])
def test_the_gradient_at_nothing_and_next_to_it(s):
    slope = 1 / 3 if math.isinf(s) else (s + 2) / (3 * s)
    x = torch.tensor([0.0, 1e-20, -1e-20], requires_grad=True)
    (grad,) = torch.autograd.grad(phi(x, s).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(grad.sum(), x)
    assert grad.dtype == torch.float32
    assert float(grad[0].detach()) == 0
    torch.testing.assert_close(
        grad.detach()[1:].double() / 1e-20, torch.tensor([slope, -slope]).double(), rtol=1e-6, atol=0
    )
    torch.testing.assert_close(curvature.detach(), torch.full((3,), slope), rtol=1e-6, atol=0)
