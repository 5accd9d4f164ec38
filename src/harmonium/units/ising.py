"""Ising units (spins), x in {-1, +1}.

    A(eta) = ln 2 cosh eta,    mean = tanh(eta),    eta = artanh(m)

Half the logit of a Bernoulli unit with the same frequency: a start that forgets the half saturates the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from harmonium.kernels.softplus import sum_softplus
from harmonium.units.base import UnitFamily, enumerate_units


@dataclass(frozen=True)
class Ising(UnitFamily):
    """n independent units with values -1 and +1."""

    n: int
    name: ClassVar[str] = "ising"
    support: ClassVar[str] = "the values -1 and +1"
    two_values: ClassVar[tuple[float, float] | None] = (-1.0, 1.0)

    def log_partition(self, eta: Tensor) -> Tensor:
        """sum_i ln 2 cosh eta_i = sum_i softplus(2 eta_i) - eta_i: (..., 1, n) -> (...)."""
        eta = eta.squeeze(-2)
        return sum_softplus(2 * eta) - eta.sum(-1)

    def mean(self, eta: Tensor) -> Tensor:
        """The magnetisation."""
        return eta.tanh()

    def sample(self, eta: Tensor, u: Tensor) -> Tensor:
        """+1 where u has passed P(x_i = -1) = sigmoid(-2 eta_i)."""
        down = eta.squeeze(-2).mul(-2).sigmoid_()
        return (u >= down).to(down.dtype).mul_(2).sub_(1)

    def eta_from_mean(self, mean: Tensor) -> Tensor:
        """The inverse hyperbolic tangent."""
        return torch.atanh(mean)

    @property
    def levels(self) -> tuple[int, ...]:
        """The states of each unit."""
        return (2,) * self.n

    def states(self, index: Tensor, *, like: Tensor) -> Tensor:
        """As binary numbers with -1 for 0, the last unit counting fastest."""
        return enumerate_units(like.new_tensor([[-1.0], [1.0]]), self.n, index)

    def accepts(self, X: Tensor) -> Tensor:
        """-1 and +1 only."""
        return X.abs() == 1
