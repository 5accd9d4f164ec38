"""Continuous units on the interval, x in [-1, 1]: the multivalued unit with s = infinity.

    phi_inf(x) = ln[ 2 sinh(x) / x ],    psi_inf(x) = coth x - 1/x

(Yokoyama, Katsumata and Yasuda 2019, eqs 7 and 14; their inverse-transform sampler.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from harmonium.kernels.fused_units import can_fuse, fused_means, fused_samples
from harmonium.kernels.langevin import psi
from harmonium.units.base import UnitFamily
from harmonium.units.multivalued import _TINY, Multivalued, checked_count, field_from_psi, phi


@dataclass(frozen=True)
class Interval(UnitFamily):
    """n independent units with any value from -1 to 1, uniform at zero field."""

    n: int
    name: ClassVar[str] = "interval"
    support: ClassVar[str] = "values from -1 to 1"

    def __post_init__(self) -> None:
        checked_count(self.name, self.n)

    def log_partition(self, eta: Tensor) -> Tensor:
        """sum_i phi_inf(eta_i): (..., 1, n) -> (...)."""
        return phi(eta.squeeze(-2), math.inf).sum(-1)

    def mean(self, eta: Tensor) -> Tensor:
        """psi_inf(eta), the Langevin function."""
        if can_fuse(eta):
            return fused_means(eta, self.name)
        return psi(eta, math.inf)

    def sample(self, eta: Tensor, u: Tensor) -> Tensor:
        """x = 1 + ln(v + (1 - v) e^(-2|eta|)) / |eta| for eta > 0, mirrored for eta < 0."""
        field = eta.squeeze(-2)
        if can_fuse(field):
            return fused_samples(field, u, math.inf)
        t = field.abs().clamp_min(_TINY)
        up = field > 0
        # mirrored, so that the sample is increasing in u; v = 1 would draw an end that has no probability
        v = torch.where(up, 1 - u, u).clamp_max(1 - torch.finfo(u.dtype).eps / 2)
        # log1p and expm1 keep the digits where the field is small, the clamp the ends where v = 1
        x = 1 + (torch.log1p(v * torch.expm1(-2 * t)) / t).clamp_min(-2)
        return torch.where(up, x, -x)

    def eta_from_mean(self, mean: Tensor) -> Tensor:
        """The inverse of the Langevin function."""
        return field_from_psi(mean, math.inf)

    def accepts(self, X: Tensor) -> Tensor:
        """-1 to 1."""
        return X.abs() <= 1


def multivalued_units(n: int, s: float) -> UnitFamily:
    """n units with values X_s; s is 1, 2, 3, ... or infinity, which makes them intervals."""
    return Interval(n) if s == math.inf else Multivalued(n, int(s))
