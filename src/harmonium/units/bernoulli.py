"""Bernoulli units, x in {0, 1}.

A(eta) = ln(1 + e^eta),    mean = sigmoid(eta),    eta = ln(m / (1 - m))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from harmonium.kernels.softplus import sum_softplus
from harmonium.units.base import UnitFamily, enumerate_units


@dataclass(frozen=True)
class Bernoulli(UnitFamily):
    """n independent units with values 0 and 1; grey data in [0, 1] stand for their own means."""

    n: int
    name: ClassVar[str] = "bernoulli"
    support: ClassVar[str] = "values from 0 to 1"
    two_values: ClassVar[tuple[float, float] | None] = (0.0, 1.0)

    def log_partition(self, eta: Tensor) -> Tensor:
        """sum_i ln(1 + exp eta_i): (..., 1, n) -> (...)."""
        return sum_softplus(eta.squeeze(-2))

    def mean(self, eta: Tensor) -> Tensor:
        """P(x_i = 1)."""
        return eta.sigmoid()

    def sample(self, eta: Tensor, u: Tensor) -> Tensor:
        """1 where u has passed P(x_i = 0)."""
        zero = eta.squeeze(-2).neg().sigmoid_()
        return torch.ge(u, zero, out=zero) if not zero.requires_grad else (u >= zero).to(zero.dtype)

    def eta_from_mean(self, mean: Tensor) -> Tensor:
        """The logit (Hinton 2012, A Practical Guide to Training RBMs, section 8.1)."""
        return torch.logit(mean)

    @property
    def levels(self) -> tuple[int, ...]:
        """The states of each unit."""
        return (2,) * self.n

    def states(self, index: Tensor, *, like: Tensor) -> Tensor:
        """Binary numbers, the last unit counting fastest."""
        return enumerate_units(like.new_tensor([[0.0], [1.0]]), self.n, index)

    def accepts(self, X: Tensor) -> Tensor:
        """0, 1 and the means between them."""
        return (X >= 0) & (X <= 1)
