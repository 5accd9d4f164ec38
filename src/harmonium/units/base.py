"""One side of the machine: an exponential family of independent units.

    p(x | eta) = base exp(eta · T(x) - own_energy(x) - A(eta)),      mean(eta) = E[T(x)] = dA / d eta

A family is a frozen description without tensors.  It says how many units there are and what their sums are;
the machine, the samplers, the gradients and the likelihoods are written once, for all families.

Shapes (any leading axes, written ...):

    x     (..., size)        one state, stored flat; size = n * width (width = q for one-hot units, 1 otherwise)
    eta   (..., k, size)     natural parameters; row 0 is the field, the only row that the other side adds to
    u     (..., n)           one uniform number in [0, 1) a unit
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from harmonium.errors import InputError


class UnitFamily(ABC):
    """The description of one side; subclasses are frozen dataclasses."""

    name: ClassVar[str]
    #: Number of units; a row of data has one column a unit.
    n: int

    @property
    def k(self) -> int:
        """Natural parameters per entry (1: the field alone)."""
        return 1

    @property
    def size(self) -> int:
        """Numbers in one stored state."""
        return self.n

    @property
    def log_base(self) -> float:
        """The logarithm of the base measure of one whole state, ``ln base(x)``; the same for every state."""
        return 0.0

    # ---- the exponential family -------------------------------------------------------------------------------

    def statistics(self, x: Tensor) -> Tensor:
        """Sufficient statistics T(x): (..., size) -> (..., k, size)."""
        return x.unsqueeze(-2)

    def dot(self, eta: Tensor, x: Tensor) -> Tensor:
        """eta · T(x): (..., k, size), (..., size) -> (...); without a temporary of the size of x for a field alone."""
        if self.k > 1:
            return (eta * self.statistics(x)).sum((-2, -1))
        return torch.einsum("...i,...i->...", x, eta[..., 0, :]) if eta.ndim > 2 else x @ eta[0]

    def own_energy(self, x: Tensor) -> Tensor | float:
        """What a state costs apart from its fields, in nats (x² / 2 sigma² of fixed variance): (..., size) -> (...)."""
        return 0.0

    def at_temperature(self, temperature: float) -> UnitFamily:
        """The same units with their own energy divided by the temperature (their parameters are the machine's)."""
        return self

    @abstractmethod
    def log_partition(self, eta: Tensor) -> Tensor:
        """A(eta) of the whole side, in nats: (..., k, size) -> (...)."""

    @abstractmethod
    def mean(self, eta: Tensor) -> Tensor:
        """E[T(x)] given eta: (..., k, size) -> (..., k, size)."""

    @abstractmethod
    def sample(self, eta: Tensor, u: Tensor) -> Tensor:
        """The inverse distribution function at u, increasing in u: (..., k, size), (..., n) -> (..., size)."""

    @abstractmethod
    def eta_from_mean(self, mean: Tensor) -> Tensor:
        """The inverse of `mean`, for means in the interior: (..., k, size) -> (..., k, size)."""

    def neutral(self, like: Tensor) -> Tensor:
        """Natural parameters of units that know nothing (zero field): (k, size)."""
        return torch.zeros(self.k, self.size, dtype=like.dtype, device=like.device)

    def project_(self, eta: Tensor) -> None:  # noqa: B027  bounded units have nothing to do
        """Put parameters (k, size) back into the allowed region, in place (only Gaussian units have one)."""

    def precision(self, eta: Tensor) -> Tensor:
        """Curvature that holds unbounded units together: (k, size) -> (size,); infinite for bounded units."""
        return torch.full((self.size,), math.inf, dtype=eta.dtype, device=eta.device)

    # ---- enumeration ------------------------------------------------------------------------------------------

    @property
    def levels(self) -> tuple[int, ...] | None:
        """How many states each unit has, the unit that counts fastest last; None where they cannot be counted."""
        return None

    @property
    def n_states(self) -> int | None:
        """Number of states of the whole side; None where they cannot be counted."""
        return None if self.levels is None else math.prod(self.levels)

    def states(self, index: Tensor, *, like: Tensor) -> Tensor:
        """The states of the given numbers, 0 to n_states - 1, in a fixed order: (B,) int64 -> (B, size)."""
        raise InputError(f"{self.spec} has no countable states to enumerate; put a discrete family on one side.")

    # ---- data -------------------------------------------------------------------------------------------------

    def encode(self, X: Tensor) -> Tensor:
        """Data columns to stored states: (..., n) -> (..., size), in X's dtype."""
        return X

    def decode(self, x: Tensor) -> Tensor:
        """Stored states to data columns: (..., size) -> (..., n)."""
        return x

    @abstractmethod
    def accepts(self, X: Tensor) -> Tensor:
        """True where a data value may be used as it is: (..., n) -> (..., n) bool."""

    #: What `accepts` accepts, in words.
    support: ClassVar[str]
    #: The two values that stand for black and white when a family is binary; None where images stay grey.
    two_values: ClassVar[tuple[float, float] | None] = None

    # ---- the command line's spelling --------------------------------------------------------------------------

    @property
    def spec(self) -> str:
        """The spelling that `parse_side` reads back, such as ``bernoulli:784``."""
        return f"{self.name}:{self.n}"

    @classmethod
    def from_spec(cls, count: str, options: dict[str, str]) -> UnitFamily:
        """Build the family from the words of its spelling; raises InputError naming what is wrong."""
        if options:
            raise InputError(f"{cls.name} units take no option {next(iter(options))!r}; write {cls.name}:{count}.")
        return cls(parse_count(cls.name, count))  # type: ignore[call-arg]


def parse_count(name: str, text: str) -> int:
    """A positive number of units from its spelling."""
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"the number of {name} units must be a whole number from 1 on, not {text!r}; write {name}:16.")
    return int(text)


def enumerate_units(table: Tensor, n: int, index: Tensor) -> Tensor:
    """States of n like units by number, the last unit counting fastest.

    table (levels, width) holds the states of one unit, index (B,) the numbers; returns (B, n * width).
    """
    levels = len(table)
    index = index.clone()
    digits = torch.empty(len(index), n, dtype=torch.int64, device=index.device)
    for j in reversed(range(n)):
        torch.remainder(index, levels, out=digits[:, j])
        index //= levels
    return table[digits].flatten(1)
