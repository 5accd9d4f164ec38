"""phi_s and psi_s against 150 digits: the closed forms cancel near 0, where float32 once lost the gradient."""

import math
from functools import cache

import mpmath as mp
import pytest
import torch

from harmonium.kernels.langevin import psi
from harmonium.units.multivalued import field_from_psi, phi

PRECISIONS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
VALUES_OF_S = pytest.mark.parametrize("s", [1, 2, 3, 8, 50, math.inf])
POWERS = [10.0**e for e in range(-8, 7)]
CORNERS = [1e-30, 3e-5, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0, 1.01, 1.5, 2.0, 3.0, 8.0, 15.0, 20.0, 40.0, 50.0]
BETWEEN = torch.logspace(-3, 2, 60, dtype=torch.float64).tolist()
FIELDS = [0.0, *(sign * x for x in POWERS + CORNERS + BETWEEN for sign in (1, -1))]


@cache
def oracle(x: float, s: float) -> tuple[mp.mpf, mp.mpf, mp.mpf]:
    """phi_s, its first and its second derivative at x."""
    infinite = math.isinf(s)
    with mp.workdps(150):
        s = mp.mpf(1 if infinite else s)
        if x == 0:
            return mp.log(2), mp.mpf(0), mp.mpf(1) / 3 if infinite else (s + 2) / (3 * s)
        x = mp.mpf(x)
        if infinite:
            return mp.log(2 * mp.sinh(x) / x), mp.coth(x) - 1 / x, 1 / x**2 - mp.csch(x) ** 2
        n = (s + 1) / s
        value = mp.log(2 / (s + 1)) + mp.log(mp.sinh(n * x) / mp.sinh(x / s))
        slope = n * mp.coth(n * x) - mp.coth(x / s) / s
        return value, slope, mp.csch(x / s) ** 2 / s**2 - n**2 * mp.csch(n * x) ** 2


def worst(got: torch.Tensor, want: list[mp.mpf], *, relative: bool) -> float:
    """The largest error, in units of the last place of the true value (or of 1)."""
    eps = torch.finfo(got.dtype).eps
    errors = []
    for g, w in zip(got.tolist(), want, strict=True):
        unit = mp.mpf(2) ** mp.floor(mp.log(abs(w), 2)) if relative and w != 0 else 1
        errors.append(float(abs(g - w) / unit / eps))
    return max(errors)


@PRECISIONS
@VALUES_OF_S
def test_phi_psi_and_the_curvature_agree_with_150_digits(s, dtype):
    x = torch.tensor(FIELDS, dtype=dtype, requires_grad=True)
    value = phi(x, s)
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    values, slopes, curvatures = zip(*(oracle(f, s) for f in x.tolist()), strict=True)
    assert worst(value.detach(), values, relative=True) < 4
    assert worst(psi(x.detach(), s), slopes, relative=True) < 8
    assert worst(slope.detach(), slopes, relative=True) < 8
    assert worst(curvature, curvatures, relative=False) < 8
    assert slope[0] == 0  # exactly, at x = 0
    assert phi(torch.zeros((), dtype=dtype), s).item() == pytest.approx(math.log(2), rel=2 * torch.finfo(dtype).eps)


@PRECISIONS
def test_one_is_tanh_and_many_is_the_interval(dtype):
    x = torch.tensor(FIELDS, dtype=dtype)
    torch.testing.assert_close(psi(x, 1), x.tanh(), rtol=8 * torch.finfo(dtype).eps, atol=0)
    torch.testing.assert_close(psi(x, 10**7), psi(x, math.inf), rtol=1e-5, atol=0)
    torch.testing.assert_close(phi(x, 10**5), phi(x, math.inf), rtol=1e-4, atol=0)


# Table of w*, where tanh((phi_s(2w) - ln 2) / 2) = d: Yokoyama, Katsumata and Yasuda (2019), section 2.3
W_STAR = {
    0.1: (0.3275, 0.3977, 0.4346, 0.4577, 0.5008, 0.5596),
    0.3: (0.6151, 0.7341, 0.7983, 0.8388, 0.9155, 1.0220),
    0.5: (0.8814, 1.0317, 1.1157, 1.1696, 1.2729, 1.4192),
    0.8: (1.4436, 1.6283, 1.7401, 1.8145, 1.9624, 2.1819),
}


@pytest.mark.parametrize("d", W_STAR)
def test_the_toy_of_two_visible_units_has_its_maximum_where_the_paper_says(d):
    for s, w in zip((1, 2, 3, 4, 8, math.inf), W_STAR[d], strict=True):
        m = torch.tanh((phi(torch.tensor(2 * w).double(), s) - math.log(2)) / 2)
        assert m.item() == pytest.approx(d, abs=6e-5)  # w is printed with four digits


@PRECISIONS
@VALUES_OF_S
def test_the_inverse_of_psi_serves_small_and_extreme_means_side_by_side(s, dtype):
    field = torch.tensor([0.0, 1e-8, -1e-3, 0.2, -0.7, 1.0, 4.0], dtype=dtype)
    eps = torch.finfo(dtype).eps
    extreme = torch.tensor([1 - eps, -1 + eps], dtype=dtype)
    got = field_from_psi(torch.cat([psi(field, s), extreme]), s)
    # the slope of psi at 4 is above 1e-3: rounding of the mean moves the field by no more than 1e4 eps
    torch.testing.assert_close(got[:-2], field, rtol=1e4 * eps, atol=1e-21)
    assert got.isfinite().all()
    assert (got[-2] > 5) & (got[-1] < -5)


@PRECISIONS
@VALUES_OF_S
def test_the_inverse_of_psi_ends_at_the_edge(s, dtype):
    edge = torch.tensor([1.0, -1.0, 0.5], dtype=dtype) * (1 + torch.finfo(dtype).eps)
    got = field_from_psi(edge, s)
    assert (got[0] > 5) & (got[1] < -5)
    torch.testing.assert_close(psi(got[2], s).item(), 0.5, rtol=1e-6, atol=0)
