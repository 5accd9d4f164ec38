"""The truncated geometric distribution, values 0, d, ..., (M - 1) d with weights e^(y value), without cancellation.

    ln sum = ln[ expm1(M d y) / expm1(d y) ]                               from ln M at y = 0 to (M - 1) d y
    mean   = (d/2) [ M - 1 + M L(M z) - L(z) ],           z = d y / 2,     L(x) = coth x - 1/x
    var    = (d/2)² [ M² L'(M z) - L'(z) ] = (d/2)² [ csch² z - M² csch² M z ]
    M = inf:  weights e^(y x) on [0, 1],  ln sum = ln[ expm1(y) / y ],  mean = 1/(1 - e^-y) - 1/y

The distribution at -y is the one at y turned around, so that only y <= 0 needs a formula.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from harmonium.kernels.langevin import langevin, langevin_slope

_TINY = 1e-30  # a rate below this is zero, and its reciprocal is still finite in float32
#: Below this width of the whole range the poles are cancelled by series, above it there is nothing to cancel.
_NEAR = 1.0
_FAR = 40.0  # e^-80 is nothing in float64; beyond, expm1 would overflow


def log_sum(y: Tensor, levels: float, d: float) -> Tensor:
    """ln sum_m e^(y d m), m = 0..levels - 1, or ln of the integral over [0, 1] for infinite levels; relative to y."""
    if levels == 1:
        return torch.zeros_like(y)
    t = y.abs().clamp_min(_TINY)
    if math.isinf(levels):
        return y.clamp_min(0) + (-torch.expm1(-t) / t).log()
    return y.clamp_min(0) * (d * (levels - 1)) + (torch.expm1(-t * (d * levels)) / torch.expm1(-t * d)).log()


def mean(y: Tensor, levels: float, d: float) -> Tensor:
    """The mean value, from 0 at y = -inf to the largest value at y = inf; differentiable."""
    if levels == 1:
        return y * 0
    infinite = math.isinf(levels)
    reach = 1.0 if infinite else d * (levels - 1)
    z = y.abs() * (0.5 if infinite else d / 2)
    whole = z if infinite else z * levels
    near = whole < _NEAR
    # the fall to 0 with growing |y|: a series near 0, the tails of the two poles beyond
    safe = torch.where(near, torch.ones_like(z), z)
    if infinite:
        tail = 0.5 / safe - 1 / torch.expm1((2 * safe).clamp_max(2 * _FAR))
        middle = (1 - langevin(z)) / 2
    else:
        over = torch.where(near, torch.ones_like(z), whole)
        tail = d * (1 / torch.expm1((2 * safe).clamp_max(2 * _FAR)) - levels / torch.expm1((2 * over).clamp_max(80.0)))
        middle = (reach - d * (levels * langevin(whole) - langevin(z))) / 2
    low = torch.where(near, middle, tail)
    return torch.where(y > 0, reach - low, low)


def variance(y: Tensor, levels: float, d: float) -> Tensor:
    """The variance, d mean / d y; differentiable."""
    if levels == 1:
        return y * 0
    z = y * (0.5 if math.isinf(levels) else d / 2)
    if math.isinf(levels):
        return langevin_slope(z) / 4
    near = (z * levels).abs() < _NEAR
    inner = torch.where(near, z, torch.zeros_like(z))
    outer = torch.where(near, torch.ones_like(z), z).clamp(-_FAR, _FAR)
    series = levels**2 * langevin_slope(inner * levels) - langevin_slope(inner)
    poles = outer.sinh().square().reciprocal() - (levels / (outer * levels).clamp(-_FAR, _FAR).sinh()).square()
    return torch.where(near, series, poles) * (d / 2) ** 2


def quantile(y: Tensor, levels: float, d: float, c: Tensor) -> Tensor:
    """The value above which lies less than the share c in (0, 1] of the distribution, in a constant number of steps."""
    if levels == 1:
        return torch.zeros_like(c)
    infinite = math.isinf(levels)
    rate = y.abs().clamp_min(_TINY) * (1.0 if infinite else d)
    reach = 1.0 if infinite else levels - 1
    up = y > 0
    # the weights fall from the top for y > 0, from 0 for y < 0: how far from the heavier end; a share of 1 would draw
    # what has no probability
    share = torch.where(up, c, 1 - c).clamp_max(1 - torch.finfo(c.dtype).eps / 2)
    x = -torch.log1p(share * torch.expm1(-rate * (1.0 if infinite else levels))) / rate
    steps = (x if infinite else x.floor()).clamp(0, reach)
    return torch.where(up, reach - steps, steps) * (1.0 if infinite else d)
