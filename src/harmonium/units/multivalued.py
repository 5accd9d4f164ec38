"""Multivalued units, x in X_s = {(2k - s)/s, k = 0..s}: s + 1 evenly spaced values from -1 to 1.

    phi_s(x) = ln(2/(s+1)) + ln[ sinh((s+1)x/s) / sinh(x/s) ]          A(eta) = sum_i phi_s(eta_i)
    psi_s(x) = ((s+1)/s) coth((s+1)x/s) - (1/s) coth(x/s)              mean   = psi_s(eta)

Each value carries the base measure 2/(s+1), so that s = 1 is the Ising unit and s -> infinity the interval
(Yokoyama, Katsumata and Yasuda 2019, eqs 1-9 and 14).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.kernels.fused_units import can_fuse, fused_means, fused_samples
from harmonium.kernels.langevin import psi
from harmonium.units.base import UnitFamily, enumerate_units, parse_count

_TINY = 1e-30  # a field below this is zero, and its reciprocal is still finite in float32
#: More values than float32 can tell apart: the interval.
MOST_S = 2**24


def checked_count(name: str, n: object) -> None:
    """Raise InputError unless n is a whole number of units from 1 on."""
    if _whole(n) < 1:
        raise InputError(f"the number of {name} units must be a whole number from 1 on, not {n!r}; such as 16.")


def checked_s(name: str, n: object, s: object, *, infinite: bool) -> None:
    """Raise InputError unless n is a number of units and s one of 1, 2, 3, ... (or inf, where `infinite`)."""
    checked_count(name, n)
    if s == math.inf:
        if not infinite:
            raise InputError(f"s of {name} units must be finite, not inf; use Interval({n}), which is their limit.")
    elif not 1 <= _whole(s) <= MOST_S:
        raise InputError(
            f"s of {name} units must be a whole number from 1 to {MOST_S}, not {shortened(repr(s))}; such as 4."
        )


def _whole(x: object) -> int:
    """x as an int, where it is a whole number of any type, else 0."""
    return int(x) if isinstance(x, int | np.integer) and not isinstance(x, bool) else 0


def parse_s(name: str, count: str, options: dict[str, str]) -> float:
    """s of a family's spelling, ``s=4`` or ``s=inf``, its only option; raises InputError."""
    s = options.get("s", "")
    whole = s.isdecimal() and len(s) < 20 and 1 <= int(s) <= MOST_S
    if set(options) != {"s"} or not (s == "inf" or whole):
        given = ",".join(f"{k}={v}" for k, v in options.items()) or "nothing"
        raise InputError(
            f"{name} units need one option, s=1, 2, 3, … to {MOST_S} or inf, not {shortened(given)!r}; "
            f"write {name}:{count},s=4."
        )
    return math.inf if s == "inf" else int(s)


def shortened(text: str) -> str:
    """The text, or its beginning where it would fill the sentence."""
    return text if len(text) <= 40 else text[:40] + "…"


class _Phi(torch.autograd.Function):
    """phi_s with psi_s as its derivative: through the closed form, float32 would lose the gradient near 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, s: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.s = s
        t = x.abs().clamp_min(_TINY)
        if math.isinf(s):
            # |x| + ln((1 - exp(-2|x|)) / |x|): the quotient is accurate, and 2 at x = 0
            return t + (-torch.expm1(-2 * t) / t).log()
        quotient = torch.expm1(t * (-2 * (s + 1) / s)) / torch.expm1(t * (-2 / s))
        return t + (quotient * (2 / (s + 1))).log()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return grad * psi(x, ctx.s), None


def phi(x: Tensor, s: float) -> Tensor:
    """The log-partition of one multivalued unit in field x, in nats; ln 2 at x = 0; s may be infinite."""
    result: Tensor = _Phi.apply(x, s)  # type: ignore[no-untyped-call]
    return result


def field_from_psi(mean: Tensor, s: float) -> Tensor:
    """The inverse of psi_s by bisection, for means strictly between -1 and 1."""
    high = torch.ones_like(mean)
    for _ in range(60):  # each entry has its own bracket; a mean at the edge or beyond, by rounding, ends at 2^60
        short = psi(high, s) < mean.abs()
        if not bool(short.any()):
            break
        high = torch.where(short, high * 2, high)
    low = -high
    for _ in range(70):  # halves the bracket down to the rounding of float64
        middle = (low + high) / 2
        below = psi(middle, s) < mean
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Multivalued(UnitFamily):
    """n independent units with the s + 1 values of X_s."""

    n: int
    s: int
    name: ClassVar[str] = "multivalued"
    support: ClassVar[str] = "the values (2k - s)/s for k = 0..s"

    def __post_init__(self) -> None:
        checked_s(self.name, self.n, self.s, infinite=False)

    @property
    def log_base(self) -> float:
        """n ln(2/(s+1))."""
        return self.n * math.log(2 / (self.s + 1))

    def log_partition(self, eta: Tensor) -> Tensor:
        """sum_i phi_s(eta_i): (..., 1, n) -> (...)."""
        return phi(eta.squeeze(-2), self.s).sum(-1)

    def mean(self, eta: Tensor) -> Tensor:
        """psi_s(eta)."""
        if can_fuse(eta):
            return fused_means(eta, self.name, self.s)
        return psi(eta, self.s)

    def sample(self, eta: Tensor, u: Tensor) -> Tensor:
        """Inverse of the geometric distribution over k, in a constant number of operations."""
        field = eta.squeeze(-2)
        if can_fuse(field):
            return fused_samples(field, u, self.s)
        q = field.abs().clamp_min(_TINY) * (2 / self.s)
        up = field > 0
        # For a positive field k counts down from s as its uniform grows: 1 - u keeps the sample increasing in u.
        # What u stands for is the interval from u to the next: its end 1 would draw what has no probability.
        v = torch.where(up, 1 - u, u).clamp_max(1 - torch.finfo(u.dtype).eps / 2)
        steps = (-torch.log1p(v * torch.expm1(-q * (self.s + 1))) / q).floor().clamp(0, self.s)
        x = (self.s - 2 * steps) / self.s
        return torch.where(up, x, -x)

    def eta_from_mean(self, mean: Tensor) -> Tensor:
        """The inverse of psi_s."""
        return field_from_psi(mean, self.s)

    @property
    def levels(self) -> tuple[int, ...]:
        """The states of each unit."""
        return (self.s + 1,) * self.n

    def states(self, index: Tensor, *, like: Tensor) -> Tensor:
        """In base s + 1, the last unit counting fastest."""
        values = (2 * torch.arange(self.s + 1, dtype=like.dtype, device=like.device) - self.s) / self.s
        return enumerate_units(values.unsqueeze(-1), self.n, index)

    def accepts(self, X: Tensor) -> Tensor:
        """The s + 1 values, to the rounding of float32."""
        k = (X + 1) * (self.s / 2)
        return (X.abs() <= 1) & ((k - k.round()).abs() < 1e-5 * self.s)

    @property
    def spec(self) -> str:
        """Such as ``multivalued:200,s=4``."""
        return f"{self.name}:{self.n},s={self.s}"

    @classmethod
    def from_spec(cls, count: str, options: dict[str, str]) -> UnitFamily:
        """``multivalued:200,s=4``; s=inf is the interval."""
        from harmonium.units.interval import Interval

        s = parse_s(cls.name, count, options)
        n = parse_count(cls.name, count)
        return Interval(n) if math.isinf(s) else cls(n, int(s))
