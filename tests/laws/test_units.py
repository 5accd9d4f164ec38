"""A side is an exponential family: its densities sum to one, its means are derivatives, its inverses are inverses."""

import math

import pytest
import torch

from harmonium.noise import Noise
from harmonium.start import first_machine, independent_parameters
from laws.sides import generator, log_density, nodes, over_sides, over_strengths, parameters, representatives


def fields(side, strength, rows=5):
    return parameters(side, generator(side.spec, "fields"), strength, (rows,))


@over_strengths
@over_sides()
def test_probabilities_sum_to_one(side, strength):
    x, log_weight = nodes(side)
    eta = fields(side, 3 * strength)
    # the weights hold the base measure already
    log_p = log_density(side, eta[:, None], x) - side.log_base + log_weight
    torch.testing.assert_close(log_p.logsumexp(1), torch.zeros(len(eta)).double(), rtol=0, atol=1e-11)


@over_strengths
@over_sides()
def test_mean_is_the_expected_statistic_and_the_derivative_of_the_log_partition(side, strength):
    eta = fields(side, 3 * strength).requires_grad_()
    mean = side.mean(eta)
    (slope,) = torch.autograd.grad(side.log_partition(eta).sum(), eta)
    torch.testing.assert_close(slope, mean, rtol=1e-12, atol=1e-14)
    x, log_weight = nodes(side)
    p = (log_density(side, eta.detach()[:, None], x) - side.log_base + log_weight).exp()
    expected = torch.einsum("bn,nks->bks", p, side.statistics(x))
    torch.testing.assert_close(mean.detach(), expected, rtol=1e-10, atol=1e-11)


@over_strengths
@over_sides()
def test_mean_is_the_difference_quotient_of_the_log_partition(side, strength):
    eta = fields(side, strength)
    read = side.mean(side.neutral(eta)) != 0  # entries that a product only pads are read by nothing
    read[0] = True
    step = 1e-5
    for k, i in read.nonzero().tolist():
        e = torch.zeros_like(eta[0])
        e[k, i] = step
        quotient = (side.log_partition(eta + e) - side.log_partition(eta - e)) / (2 * step)
        torch.testing.assert_close(quotient, side.mean(eta)[:, k, i], rtol=1e-8, atol=1e-9)


@over_strengths
@over_sides()
def test_eta_from_mean_inverts_mean(side, strength):
    eta = fields(side, 3 * strength)
    back = side.eta_from_mean(side.mean(eta))
    torch.testing.assert_close(side.mean(back), side.mean(eta), rtol=1e-12, atol=1e-12)
    # eta itself comes back up to a gauge that no probability sees
    x = representatives(side)
    torch.testing.assert_close(
        log_density(side, back[:, None], x), log_density(side, eta[:, None], x), rtol=1e-10, atol=1e-9
    )


@over_sides()
def test_an_extreme_mean_does_not_spoil_its_neighbours(side):
    eta = fields(side, 1.0, 2)
    eta[0, 0] *= 12
    back = side.mean(side.eta_from_mean(side.mean(eta)))
    torch.testing.assert_close(back, side.mean(eta), rtol=1e-12, atol=1e-12)


@over_sides()
def test_neutral_units_know_nothing(side):
    neutral = side.neutral(torch.empty(0, dtype=torch.float64))
    assert neutral.shape == (side.k, side.size)
    assert (neutral[0] == 0).all()
    projected = neutral.clone()
    side.project_(projected)
    assert torch.equal(projected, neutral)


@over_strengths
@over_sides()
def test_precision_is_the_inverse_variance_of_unbounded_units(side, strength):
    eta = fields(side, strength, 1)[0]
    hessian = torch.autograd.functional.hessian(side.log_partition, eta)
    precision = side.precision(eta)
    variance = hessian[0, :, 0].diagonal()
    finite = precision.isfinite()
    torch.testing.assert_close((1 / precision)[finite], variance[finite], rtol=1e-12, atol=0)
    # a bounded unit freezes in a strong field: only an unbounded one may claim a curvature
    far = side.neutral(eta)
    far[0] = torch.linspace(500, 1500, side.size)
    variance = torch.autograd.functional.hessian(side.log_partition, far)[0, :, 0].diagonal()
    assert torch.equal(variance < 1e-5, ~finite)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@over_sides()
def test_a_start_reproduces_the_means_of_the_data(side, dtype):
    x = representatives(side).to(dtype)
    statistics = side.statistics(x).mean(0)
    eta = independent_parameters(side, statistics, len(x))
    prior = side.mean(side.neutral(x))
    wanted = (statistics * len(x) + prior) / (len(x) + 1)
    torch.testing.assert_close(side.mean(eta), wanted, rtol=1e-5 if dtype == torch.float32 else 1e-12, atol=1e-6)
    side.project_(projected := eta.clone())
    assert torch.equal(projected, eta)


@pytest.mark.parametrize("rows", [1, 60_000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@over_sides()
def test_a_start_from_units_that_never_changed_is_finite(side, dtype, rows):
    states = representatives(side).to(dtype)
    for x in states[:: max(1, len(states) // 4)]:
        eta = independent_parameters(side, side.statistics(x), rows)
        assert eta.isfinite().all()
        assert side.mean(eta).isfinite().all()


@over_sides()
def test_the_first_machine_takes_the_start_and_keeps_its_own_copy(side):
    noise = Noise(5, dtype=torch.float64)
    a = fields(side, 1.0, 1)[0]
    rbm = first_machine(side, side, noise, a=a, weight_scale=0.5)
    assert torch.equal(rbm.a, a)
    assert rbm.a.data_ptr() != a.data_ptr()
    assert torch.equal(rbm.b, side.neutral(a))
    # 9 weights at least: the chance that 0.5 times a normal lies beyond 5 everywhere or nowhere near is below 1e-20
    assert 0 < float(rbm.W.abs().max()) < 5 * math.sqrt(2)


@over_sides()
@pytest.mark.parametrize("shape", [(), (4,), (3, 4)], ids=["one eta", "an eta a row", "an eta a level and row"])
def test_the_product_with_the_statistics_is_the_sum_over_them(side, shape):
    x = representatives(side)
    x = x[torch.arange(12).remainder(len(x))].view(3, 4, -1)
    eta = parameters(side, generator(side.spec, "dot"), 2.0, shape)
    torch.testing.assert_close(side.dot(eta, x), (eta * side.statistics(x)).sum((-2, -1)), rtol=1e-14, atol=1e-14)
