"""Gaussian units, x real, E = (x - c)^2 / (2 sigma^2) with c moved by the other side.

    fixed variance:    T(x) = x,         A(eta) = sigma^2 eta^2 / 2 + ln(2 pi sigma^2) / 2,    mean = sigma^2 eta
    learned variance:  T(x) = (x, x^2),  eta = (c / sigma^2, -1 / (2 sigma^2)),  the same A,
                       mean = (c, c^2 + sigma^2)

In the energy of Cho, Ilin and Raiko (2011) and Hinton (2012), (v - a)^2 / (2 sigma^2) - (v / sigma) w h,
the parameters here are a / sigma^2 and W = w / sigma.  The base measure is dx.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.units.base import UnitFamily, parse_count

#: Learned variances are kept between these; data scaled to unit variance never meet the bounds.
VARIANCE_RANGE = (1e-4, 1e4)


@dataclass(frozen=True)
class Gaussian(UnitFamily):
    """n independent real units; `variance` is their common fixed variance, or None to learn one a unit."""

    n: int
    variance: float | None = None
    name: ClassVar[str] = "gaussian"
    support: ClassVar[str] = "finite real values"

    def __post_init__(self) -> None:
        if self.variance is not None and not (0 < self.variance < math.inf):
            raise InputError(f"variance must be a positive number (or left out to be learned), not {self.variance}.")

    @property
    def k(self) -> int:
        """The field, and minus half of the precision where that is learned."""
        return 1 if self.variance is not None else 2

    def _field_and_variance(self, eta: Tensor) -> tuple[Tensor, Tensor]:
        """(..., k, n) -> (..., n) each."""
        if self.variance is not None:
            return eta[..., 0, :], eta.new_full((), self.variance)
        return eta[..., 0, :], -0.5 / eta[..., 1, :]

    def statistics(self, x: Tensor) -> Tensor:
        """x, and x² where the variance is learned."""
        return x.unsqueeze(-2) if self.k == 1 else torch.stack([x, x.square()], -2)

    def own_energy(self, x: Tensor) -> Tensor | float:
        """sum_i x_i² / (2 sigma²) where the variance is fixed; a learned one is among the parameters."""
        return 0.0 if self.variance is None else x.square().sum(-1) / (2 * self.variance)

    def at_temperature(self, temperature: float) -> Gaussian:
        """A fixed variance grows with the temperature."""
        return self if self.variance is None else Gaussian(self.n, self.variance * temperature)

    def log_partition(self, eta: Tensor) -> Tensor:
        """sum_i sigma_i^2 eta_i^2 / 2 + ln(2 pi sigma_i^2) / 2: (..., k, n) -> (...)."""
        field, variance = self._field_and_variance(eta)
        return (0.5 * variance * field.square() + 0.5 * (2 * math.pi * variance).log()).sum(-1)

    def mean(self, eta: Tensor) -> Tensor:
        """E[x], and E[x²] where the variance is learned."""
        field, variance = self._field_and_variance(eta)
        mean = variance * field
        return mean.unsqueeze(-2) if self.k == 1 else torch.stack([mean, mean.square() + variance], -2)

    def sample(self, eta: Tensor, u: Tensor) -> Tensor:
        """c + sigma times the standard normal quantile of u."""
        field, variance = self._field_and_variance(eta)
        # u = 0 is a point of the grid of uniforms; half of a grid step keeps the quantile finite (|z| < 5.5)
        inside = u.clamp(2.0**-25, 1 - 2.0**-24)
        return variance * field + variance.sqrt() * torch.special.ndtri(inside)

    def eta_from_mean(self, mean: Tensor) -> Tensor:
        """c / sigma² (and -1 / (2 sigma²))."""
        if self.variance is not None:
            return mean / self.variance
        first, second = mean[..., 0, :], mean[..., 1, :]
        variance = (second - first.square()).clamp(*VARIANCE_RANGE)
        return torch.stack([first / variance, -0.5 / variance], -2)

    def neutral(self, like: Tensor) -> Tensor:
        """Zero mean; unit variance where it is learned."""
        eta = super().neutral(like)
        if self.k == 2:
            eta[1] = -0.5
        return eta

    def project_(self, eta: Tensor) -> None:
        """Keep learned variances within VARIANCE_RANGE, in place."""
        if self.k == 2:
            low, high = VARIANCE_RANGE
            eta[..., 1, :].clamp_(-0.5 / low, -0.5 / high)

    def precision(self, eta: Tensor) -> Tensor:
        """1 / sigma²."""
        return 1 / self._field_and_variance(eta)[1].expand(self.n)

    def accepts(self, X: Tensor) -> Tensor:
        """Every finite number."""
        return X.isfinite()

    @property
    def spec(self) -> str:
        """Such as ``gaussian:40`` (learned) or ``gaussian:40,variance=1.0``."""
        return f"{self.name}:{self.n}" + ("" if self.variance is None else f",variance={self.variance!r}")

    @classmethod
    def from_spec(cls, count: str, options: dict[str, str]) -> Gaussian:
        """Option variance=NUMBER or variance=learned (the default)."""
        options = dict(options)
        variance = options.pop("variance", "learned")
        if options:
            raise InputError(f"gaussian units take one option, variance, and no {next(iter(options))!r}.")
        try:
            return cls(parse_count(cls.name, count), None if variance == "learned" else float(variance))
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"variance must be a number or 'learned', not {variance!r}.") from None
