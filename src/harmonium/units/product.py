"""Several families side by side on one side of the machine, such as pixels + label or the columns of a table.

    A(eta) = sum of the parts' A,    T(x) = the parts' statistics next to each other

A part with fewer natural parameters than the largest has rows of zeros, which nothing reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import pad

from harmonium.errors import InputError
from harmonium.units.base import UnitFamily


def parts_of(side: UnitFamily) -> tuple[UnitFamily, ...]:
    """The families that lie side by side, in order: the side itself, or the parts of a product and of those in it."""
    return tuple(leaf for part in side.parts for leaf in parts_of(part)) if isinstance(side, Product) else (side,)


@dataclass(frozen=True, init=False)
class Product(UnitFamily):
    """The independent product of its parts, in order: ``Product(Bernoulli(784), OneHot(1, 10))``."""

    parts: tuple[UnitFamily, ...]
    name: ClassVar[str] = "product"
    support: ClassVar[str] = "what each part supports"

    def __init__(self, *parts: UnitFamily) -> None:
        if not parts:
            raise InputError("a product side needs at least one part, such as bernoulli:784+onehot:10.")
        object.__setattr__(self, "parts", parts)

    @property
    def n(self) -> int:  # type: ignore[override]
        """Units of all parts."""
        return sum(p.n for p in self.parts)

    @property
    def size(self) -> int:
        """Entries of all parts."""
        return sum(p.size for p in self.parts)

    @property
    def k(self) -> int:
        """The largest of the parts'."""
        return max(p.k for p in self.parts)

    @property
    def log_base(self) -> float:
        """The sum over parts."""
        return sum(p.log_base for p in self.parts)

    def split(self, x: Tensor) -> tuple[Tensor, ...]:
        """A tensor over entries (..., size) cut into the parts'."""
        return x.split([p.size for p in self.parts], -1)

    def _pieces(self, eta: Tensor) -> Iterator[tuple[UnitFamily, Tensor]]:
        for part, piece in zip(self.parts, self.split(eta), strict=True):
            yield part, piece[..., : part.k, :]

    def _join(self, pieces: list[Tensor]) -> Tensor:
        """Pieces (..., k_p, size_p) to (..., k, size), missing rows zero."""
        return torch.cat([pad(x, (0, 0, 0, self.k - x.shape[-2])) for x in pieces], -1)

    def statistics(self, x: Tensor) -> Tensor:
        """The parts' statistics side by side."""
        return self._join([p.statistics(y) for p, y in zip(self.parts, self.split(x), strict=True)])

    def own_energy(self, x: Tensor) -> Tensor | float:
        """The sum over parts."""
        return sum(p.own_energy(y) for p, y in zip(self.parts, self.split(x), strict=True))

    def at_temperature(self, temperature: float) -> Product:
        """Part by part."""
        return Product(*(p.at_temperature(temperature) for p in self.parts))

    def log_partition(self, eta: Tensor) -> Tensor:
        """The sum over parts."""
        return torch.stack([p.log_partition(e) for p, e in self._pieces(eta)]).sum(0)

    def mean(self, eta: Tensor) -> Tensor:
        """The parts' means side by side."""
        return self._join([p.mean(e) for p, e in self._pieces(eta)])

    def sample(self, eta: Tensor, u: Tensor) -> Tensor:
        """Each part from its own uniforms."""
        uniforms = u.split([p.n for p in self.parts], -1)
        return torch.cat([p.sample(e, v) for (p, e), v in zip(self._pieces(eta), uniforms, strict=True)], -1)

    def eta_from_mean(self, mean: Tensor) -> Tensor:
        """Part by part."""
        return self._join([p.eta_from_mean(m) for p, m in self._pieces(mean)])

    def neutral(self, like: Tensor) -> Tensor:
        """Part by part."""
        return self._join([p.neutral(like) for p in self.parts])

    def project_(self, eta: Tensor) -> None:
        """Part by part, in place."""
        for part, piece in self._pieces(eta):
            part.project_(piece)

    def precision(self, eta: Tensor) -> Tensor:
        """Part by part."""
        return torch.cat([p.precision(e) for p, e in self._pieces(eta)])

    @property
    def levels(self) -> tuple[int, ...] | None:
        """Those of all parts; None if any part cannot be counted."""
        levels: tuple[int, ...] = ()
        for part in self.parts:
            if part.levels is None:
                return None
            levels += part.levels
        return levels

    def states(self, index: Tensor, *, like: Tensor) -> Tensor:
        """Mixed radix, the last part counting fastest."""
        columns: list[Tensor] = []
        for part in reversed(self.parts):
            count = part.n_states
            if count is None:
                return super().states(index, like=like)
            columns.append(part.states(index % count, like=like))
            index = index // count
        return torch.cat(columns[::-1], -1)

    def encode(self, X: Tensor) -> Tensor:
        """Part by part: (..., n) -> (..., size)."""
        columns = X.split([p.n for p in self.parts], -1)
        return torch.cat([p.encode(c) for p, c in zip(self.parts, columns, strict=True)], -1)

    def decode(self, x: Tensor) -> Tensor:
        """Part by part: (..., size) -> (..., n)."""
        return torch.cat([p.decode(y) for p, y in zip(self.parts, self.split(x), strict=True)], -1)

    def accepts(self, X: Tensor) -> Tensor:
        """Part by part."""
        columns = X.split([p.n for p in self.parts], -1)
        return torch.cat([p.accepts(c) for p, c in zip(self.parts, columns, strict=True)], -1)

    @property
    def spec(self) -> str:
        """The parts joined by +."""
        return "+".join(p.spec for p in self.parts)
