"""The inverse distribution functions on an even grid of u: means, histograms, order, support and extreme arguments."""

import pytest
import torch

from harmonium.units import Gaussian, Product, Sparse
from laws.sides import TINY, generator, over_sides, over_strengths, parameters

GRID = 2**13
U = (torch.arange(GRID).double() + 0.5) / GRID


def on_the_grid(side, eta):
    """One sample for each grid point, the same u for every unit: (GRID, size)."""
    return side.sample(eta.expand(GRID, -1, -1), U[:, None].expand(GRID, side.n))


def unit_columns(side):
    """For each unit: its part, the part's slice of the flat state, and where in it the unit lies."""
    at = 0
    for part in side.parts if isinstance(side, Product) else (side,):
        width = part.size // part.n
        for _ in range(part.n):
            yield part, slice(at, at + width)
            at += width


def natural(part, eta, values):
    """eta · T(x) - own_energy(x) of one unit of the part, found anew: eta (k, width), values (L, width) -> (L,)."""
    total = values @ eta[0]
    if isinstance(part, Sparse):
        return total + eta[1] * values.abs().sum(1)
    if isinstance(part, Gaussian):
        return total + (eta[1] if part.k > 1 else -0.5 / part.variance) * values.square().sum(1)
    return total


@over_strengths
@over_sides()
def test_the_mean_over_the_grid_is_the_mean(side, strength):
    for eta in parameters(side, generator(side.spec, "grid"), 2 * strength, (3,)):
        statistics = side.statistics(on_the_grid(side, eta))
        # x rises with u and x² falls, then rises: the midpoint rule errs by less than twice the range over the grid
        # (four times leaves room for the tails that a Gaussian quantile has beyond the last point)
        reach = (statistics.amax(0) - statistics.amin(0)).clamp_min(1e-300)
        error = (statistics.mean(0) - side.mean(eta)).abs()
        assert (error <= 4 * reach / GRID).all(), float((error / reach).max() * GRID)


@over_strengths
@over_sides()
def test_samples_increase_with_u_and_stay_in_the_support(side, strength):
    for eta in parameters(side, generator(side.spec, "order"), 2 * strength, (3,)):
        x = on_the_grid(side, eta)
        assert (side.decode(x).diff(dim=0) >= 0).all()
        assert (side.decode(x).diff(dim=0) > 0).any(0).all()
        assert side.accepts(side.decode(x)).all()
        assert torch.equal(side.encode(side.decode(x)), x)


@over_strengths
@over_sides()
def test_each_value_of_a_unit_takes_its_probability_of_the_grid(side, strength):
    """The values of one unit are cut from [0, 1) one after the other: their counts are exact to one grid point.

    A unit that cannot be counted is cut at 32 points of its distribution function instead, by quadrature.
    """
    eta = parameters(side, generator(side.spec, "histogram"), 2 * strength)
    x = on_the_grid(side, eta)
    for part, where in unit_columns(side):
        values, weight = (torch.from_numpy(t) for t in TINY[part.name].unit(part))
        if part.n_states is not None:
            p = (natural(part, eta[:, where], values) + weight.log()).softmax(0)
            counts = (x[:, None, where] == values).all(-1).sum(0)
            assert counts.sum() == GRID
            assert ((counts - GRID * p).abs() <= 1 + 1e-9).all()
        else:
            # characteristic values: E[cos(t x)] and E[sin(t x)] of the grid are those of the density
            p = (natural(part, eta[:, where], values) + weight.log()).softmax(0)
            for t in (0.5, 1.0, 2.0):
                for wave in (torch.cos, torch.sin):
                    got, want = wave(t * x[:, where]).mean(), (p * wave(t * values[:, 0])).sum()
                    assert abs(float(got - want)) < 60 / GRID


EXTREME = (-1e4, -1e2, -1e-4, -1e-30, 0.0, 1e-30, 1e-4, 1e2, 1e4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@over_sides()
def test_extreme_fields_and_uniforms_give_finite_numbers_in_the_support(side, dtype):
    u = torch.tensor([0.0, 2.0**-24, 0.5, 1 - 2.0**-24], dtype=dtype)
    for field in EXTREME:
        for signs in (1.0, torch.where(torch.arange(side.size) % 2 == 0, 1.0, -1.0).to(dtype)):
            eta = side.neutral(u)
            eta[0] = field * signs
            assert side.log_partition(eta).isfinite()
            assert side.mean(eta).isfinite().all()
            x = side.sample(eta.expand(len(u), -1, -1), u[:, None].expand(len(u), side.n))
            assert x.dtype == dtype
            assert side.accepts(side.decode(x)).all()
            assert torch.equal(side.encode(side.decode(x)), x)
            assert (side.decode(x).diff(dim=0) >= 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@over_sides()
def test_no_uniform_draws_a_value_of_probability_zero(side, dtype):
    """Where exp(-1e4) rounds to nothing, neither the first nor the last uniform may reach it."""
    if side.n_states is None:
        pytest.skip("the values of a continuous side have no probability")
    last = 1 - 2.0**-24 if dtype == torch.float32 else 1 - 2.0**-53
    u = torch.tensor([0.0, last], dtype=dtype)[:, None].expand(2, side.n)
    gen = generator(side.spec, "zero")
    for _ in range(80):
        eta = side.neutral(u)
        eta[0] = (5 * torch.randn(side.size, generator=gen)).to(dtype)
        dead = torch.rand(side.size, generator=gen)
        eta[0, dead < 0.3] = -1e4
        eta[0, dead > 0.9] = 1e4
        x = side.sample(eta.expand(2, -1, -1), u)
        for part, where in unit_columns(side):
            values, weight = (torch.from_numpy(t) for t in TINY[part.name].unit(part))
            p = (natural(part, eta[:, where].double(), values) + weight.log()).softmax(0)
            drawn = (x[:, None, where] == values.to(dtype)).all(-1)
            assert (drawn.sum(1) == 1).all()
            assert (p.expand(2, -1)[drawn] > 1e-40).all()
