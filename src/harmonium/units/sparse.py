"""Multivalued units with a sparsity that is learned: the values of X_s, each with a prior exp(-lambda |x|).

    p(x) = base exp(f x - lambda |x| - A),    T(x) = (x, |x|),    eta = (f, -lambda),    lambda >= 0

Each value carries the base measure 2/(s+1), or dx for s = inf; A and the means are in `kernels/signed.py`.
lambda = 0 is the multivalued unit (`units/multivalued.py`), lambda -> infinity with even s a unit that is always 0.
A Laplace-like prior on hidden units whose strength is trained with the weights: Yasuda and Katsumata (2023),
Discriminative restricted Boltzmann machine with trainable sparsity, Nonlinear Theory and Its Applications 14(2), and
Yasuda and Sekimoto (2024), Gaussian-discrete restricted Boltzmann machine with sparse-regularized hidden layer,
Behaviormetrika.  Where they train gamma in lambda = softplus(gamma), lambda itself is trained here and projected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from harmonium.kernels.signed import Signed, log_sum
from harmonium.units.base import UnitFamily, parse_count
from harmonium.units.interval import multivalued_units
from harmonium.units.multivalued import checked_s, field_from_psi, parse_s

#: Neutral units have the strength softplus(0), which training may lower as well as raise.
NEUTRAL = math.log(2)


@dataclass(frozen=True)
class Sparse(UnitFamily):
    """n independent units with the values of X_s (s may be ``math.inf``) and a trained strength lambda >= 0 each."""

    n: int
    s: float
    name: ClassVar[str] = "sparse"
    support: ClassVar[str] = "the values (2k - s)/s for k = 0..s, or -1 to 1 for s=inf"

    def __post_init__(self) -> None:
        checked_s(self.name, self.n, self.s, infinite=True)

    @property
    def k(self) -> int:
        """The field, and -lambda."""
        return 2

    @property
    def plain(self) -> UnitFamily:
        """The same values without the prior."""
        return multivalued_units(self.n, self.s)

    @property
    def log_base(self) -> float:
        """n ln(2/(s+1)), or 0."""
        return self.plain.log_base

    def statistics(self, x: Tensor) -> Tensor:
        """x and |x|."""
        return torch.stack([x, x.abs()], -2)

    def log_partition(self, eta: Tensor) -> Tensor:
        """sum_i A(eta_i): (..., 2, n) -> (...)."""
        return log_sum(eta[..., 0, :], eta[..., 1, :], self.s).sum(-1) + self.log_base

    def mean(self, eta: Tensor) -> Tensor:
        """E[x] and E|x|."""
        return torch.stack(Signed.of(self.s).means(eta[..., 0, :], eta[..., 1, :]), -2)

    def sample(self, eta: Tensor, u: Tensor) -> Tensor:
        """Inverse of the geometric distribution on either side of 0, in a constant number of operations."""
        return Signed.of(self.s).sample(eta[..., 0, :], eta[..., 1, :], u)

    def eta_from_mean(self, mean: Tensor) -> Tensor:
        """The likeliest field and lambda >= 0: those with these means, or with E[x] alone where lambda ends at 0."""
        m = mean.double()
        first, second = m[..., 0, :], m[..., 1, :]
        free = field_from_psi(first, self.s)
        if self.s == 1:  # |x| is always 1, and lambda without effect
            return torch.stack([free, torch.zeros_like(free)], -2).to(mean.dtype)
        f, minus = Signed.of(self.s).fit(first, second)
        # the most that E|x| can be beside this E[x] is its value at lambda = 0
        dense = second >= Signed.of(self.s).means(free, torch.zeros_like(free))[1]
        f, minus = torch.where(dense, free, f), torch.where(dense, torch.zeros_like(minus), minus)
        return torch.stack([f, minus.clamp_max(0)], -2).to(mean.dtype)

    def neutral(self, like: Tensor) -> Tensor:
        """Zero field, lambda = softplus(0)."""
        eta = super().neutral(like)
        eta[1] = -NEUTRAL
        return eta

    def project_(self, eta: Tensor) -> None:
        """Keep lambda >= 0, in place."""
        eta[..., 1, :].clamp_(max=0)

    @property
    def levels(self) -> tuple[int, ...] | None:
        """The states of each unit; None for s=inf."""
        return self.plain.levels

    def states(self, index: Tensor, *, like: Tensor) -> Tensor:
        """In base s + 1, the last unit counting fastest."""
        return super().states(index, like=like) if math.isinf(self.s) else self.plain.states(index, like=like)

    def accepts(self, X: Tensor) -> Tensor:
        """The s + 1 values, to the rounding of float32, or all from -1 to 1."""
        return self.plain.accepts(X)

    @property
    def spec(self) -> str:
        """Such as ``sparse:200,s=4`` or ``sparse:200,s=inf``."""
        return f"{self.name}:{self.n},s={self.s}"

    @classmethod
    def from_spec(cls, count: str, options: dict[str, str]) -> Sparse:
        """``sparse:200,s=4``; s=inf takes any value from -1 to 1."""
        s = parse_s(cls.name, count, options)
        return cls(parse_count(cls.name, count), s)
