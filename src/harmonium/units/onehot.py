"""One-hot units of q states (Potts units): of q entries exactly one is 1; with a "none" state at most one.

    A(eta) = ln sum_c e^eta_c,    mean = softmax(eta)              (with none: one more term e^0)

A hidden side of ONE such unit makes the machine a mixture of q products; see `harmonium.convert`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.units.base import UnitFamily, enumerate_units, parse_count


@dataclass(frozen=True)
class OneHot(UnitFamily):
    """n units of q states each, stored as n blocks of q entries; data columns hold the states 0..q-1 (-1: none)."""

    n: int
    q: int
    none: bool = False
    name: ClassVar[str] = "onehot"
    support: ClassVar[str] = "whole numbers from 0 to q - 1 (and -1 where a none state is allowed)"

    @property
    def size(self) -> int:
        """n blocks of q."""
        return self.n * self.q

    def _blocks(self, eta: Tensor) -> Tensor:
        """(..., 1, n q) -> (..., n, levels) with the none state, whose field is 0, in front."""
        fields = eta.squeeze(-2).unflatten(-1, (self.n, self.q))
        return torch.nn.functional.pad(fields, (1, 0)) if self.none else fields

    def log_partition(self, eta: Tensor) -> Tensor:
        """sum over units of logsumexp over states: (..., 1, n q) -> (...)."""
        return self._blocks(eta).logsumexp(-1).sum(-1)

    def mean(self, eta: Tensor) -> Tensor:
        """The probability of each state."""
        return self._blocks(eta).softmax(-1)[..., int(self.none) :].flatten(-2).unsqueeze(-2)

    def sample(self, eta: Tensor, u: Tensor) -> Tensor:
        """The first state at which the cumulative probability passes u."""
        total = self._blocks(eta).softmax(-1).cumsum(-1)
        # scaled by the last sum, which rounding leaves next to 1: the largest u must not draw an impossible last state
        passed = total[..., :-1] <= u.unsqueeze(-1) * total[..., -1:]
        return self.encode(passed.sum(-1) - int(self.none)).to(eta.dtype)

    def eta_from_mean(self, mean: Tensor) -> Tensor:
        """ln m in the gauge where a unit's fields sum to zero; with none, ln m - ln m_none (no gauge is left)."""
        blocks = mean.squeeze(-2).unflatten(-1, (self.n, self.q))
        eta = blocks.log()
        eta = eta - ((1 - blocks.sum(-1, keepdim=True)).log() if self.none else eta.mean(-1, keepdim=True))
        return eta.flatten(-2).unsqueeze(-2)

    @property
    def levels(self) -> tuple[int, ...]:
        """The states of each unit."""
        return (self.q + int(self.none),) * self.n

    def states(self, index: Tensor, *, like: Tensor) -> Tensor:
        """In base q (none first where it is allowed), the last unit counting fastest."""
        table = torch.eye(self.q, dtype=like.dtype, device=like.device)
        if self.none:
            table = torch.cat([torch.zeros_like(table[:1]), table])
        return enumerate_units(table, self.n, index)

    def encode(self, X: Tensor) -> Tensor:
        """State numbers to 0/1 blocks: (..., n) -> (..., n q)."""
        states = torch.arange(self.q, dtype=X.dtype, device=X.device)
        return (X.unsqueeze(-1) == states).to(X.dtype).flatten(-2)

    def decode(self, x: Tensor) -> Tensor:
        """0/1 blocks to state numbers, -1 for none: (..., n q) -> (..., n)."""
        blocks = x.unflatten(-1, (self.n, self.q))
        states = torch.arange(1, self.q + 1, dtype=x.dtype, device=x.device)
        return (blocks * states).sum(-1) - 1

    def accepts(self, X: Tensor) -> Tensor:
        """0..q-1, and -1 where none is allowed."""
        return (X == X.round()) & (X >= -int(self.none)) & (X < self.q)

    @property
    def spec(self) -> str:
        """Such as ``onehot:1x55`` or ``onehot:3x10,none=true``."""
        return f"{self.name}:{self.n}x{self.q}" + (",none=true" if self.none else "")

    @classmethod
    def from_spec(cls, count: str, options: dict[str, str]) -> OneHot:
        """``onehot:55`` is one unit of 55 states, ``onehot:3x10`` three of ten; option none=true."""
        options = dict(options)
        units, _, states = count.rpartition("x")
        none = options.pop("none", "false").lower()
        if options or none not in ("true", "false"):
            word = next(iter(options), f"none={none}")
            raise InputError(f"one-hot units take none=true or none=false and no option {word!r}.")
        return cls(parse_count(cls.name, units or "1"), parse_count(cls.name, states), none == "true")
