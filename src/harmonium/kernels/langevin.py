"""The Langevin function and its combinations, without cancellation.

    L(x)       = coth x - 1/x                                        L(x) ~ x/3 near 0
    psi_s(x)   = ((s+1)/s) coth((s+1)x/s) - (1/s) coth(x/s) = ((s+1)/s) L((s+1)x/s) - (1/s) L(x/s)
    psi_inf(x) = L(x)

The poles of the two hyperbolic cotangents cancel term by term in the second form.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor


@cache
def langevin_coefficients() -> tuple[float, ...]:
    """Coefficients c_k of L(x) = sum_k c_k x^(2k-1), c_k = 4^k B_2k / (2k)!, for 16 terms.

    B_2k = (-1)^(k+1) 2 (2k)! zeta(2k) / (2 pi)^2k gives c_k = 2 (-1)^(k+1) zeta(2k) / pi^2k.
    """
    zeta = {1: math.pi**2 / 6, 2: math.pi**4 / 90}

    def coefficient(k: int) -> float:
        # From k = 3 on, a thousand terms of zeta are exact to rounding.
        z = zeta.get(k) or math.fsum(m ** (-2.0 * k) for m in range(1, 1001))
        return 2 * (-1) ** (k + 1) * z / math.pi ** (2 * k)

    return tuple(coefficient(k) for k in range(1, 17))


def langevin(x: Tensor) -> Tensor:
    """coth x - 1/x, elementwise; odd, and accurate to a few units in the last place from 0 to infinity."""
    small = x.abs() < 1
    square = x.mul(x).clamp_max(1)
    # successive terms shrink by pi² at least: 16 of them reach the rounding of float64, 8 that of float32
    terms = langevin_coefficients()[: 16 if x.dtype == torch.float64 else 8]
    series = torch.full_like(x, terms[-1])
    for c in reversed(terms[:-1]):
        series = series * square + c
    safe = torch.where(small, torch.ones_like(x), x)  # keeps 1/0 out of the gradient too
    return torch.where(small, series * x, 1 / safe.tanh() - 1 / safe)


def langevin_slope(x: Tensor) -> Tensor:
    """L'(x) = 1/x² - 1/sinh² x, elementwise; even, 1/3 at 0."""
    small = x.abs() < 1
    square = x.mul(x).clamp_max(1)
    terms = langevin_coefficients()[: 16 if x.dtype == torch.float64 else 8]
    series = torch.full_like(x, (2 * len(terms) - 1) * terms[-1])
    for k in range(len(terms) - 1, 0, -1):
        series = series * square + (2 * k - 1) * terms[k - 1]
    safe = torch.where(small, torch.ones_like(x), x)
    # e^-80 is nothing even in float64; the sinh of more would overflow float32
    return torch.where(small, series, safe.square().reciprocal() - safe.clamp(-40, 40).sinh().square().reciprocal())


def psi(x: Tensor, s: float) -> Tensor:
    """The mean of one multivalued unit in field x (Yokoyama, Katsumata and Yasuda 2019, eq. 14)."""
    if math.isinf(s):
        return langevin(x)
    return (s + 1) / s * langevin(x * ((s + 1) / s)) - langevin(x / s) / s
