"""Values on both sides of 0 in a field f, each with the prior exp(-lambda |x|): two truncated geometric distributions.

    |x| = a + d m, m = 0..levels - 1:    d = 2/s,  a = d (s even, and 0 is a value) or d/2 (s odd);  [0, 1] for s = inf
    G±   = (-lambda ± f) a + ln sum_m e^((-lambda ± f) d m),     G = ln[ e^G+ + e^G- ],     D = G+ - G-
    A    = softplus(G) where 0 is a value, else G
    E[x] = P (tanh(D/2) mu + nu),    E|x| = P (mu + tanh(D/2) nu),    P = P(x != 0),    mu ± nu = E[|x|] on either side

D and nu are odd in f.  As differences they would lose their digits near f = 0; there they are integrals over [-f, f] of
dG/df and of its derivative, by a few Gauss nodes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonium.kernels import geometric
from harmonium.kernels.softplus import softplus

#: Below this field the integrals are taken: two nodes reach the rounding of float32 there, four that of float64.  For a
#: great lambda the mean of a continuous side is 1 / lambda, as smooth over a range as it is far from 0.
_NEAR, _NEAR_OF_LAMBDA = 0.125, 0.02
#: Steps of Newton's method (about twenty for means that are 1e-6 from their ends), last of them that go on blindly
#: where rounding hides the descent, and the largest lambda.
_STEPS, _LAST, _MOST = 100, 4, 1e9


@cache
def _gauss(nodes: int) -> list[tuple[float, float]]:
    """Nodes on [-1, 1] and weights that sum to one."""
    x, weight = np.polynomial.legendre.leggauss(nodes)
    return list(zip(x.tolist(), (weight / 2).tolist(), strict=True))


@dataclass(frozen=True)
class Signed:
    """Values above and below 0: |x| = least + d m with m = 0..levels - 1."""

    levels: float
    d: float
    least: float
    zero: bool  # whether 0 is a value

    @classmethod
    def of(cls, s: float) -> Signed:
        """The values of X_s."""
        if math.isinf(s):
            return cls(math.inf, 1.0, 0.0, False)
        return cls(s // 2, 2 / s, 2 / s, True) if s % 2 == 0 else cls((s + 1) // 2, 2 / s, 1 / s, False)

    def split(self, f: Tensor, minus: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """ln P(x != 0) / P(x = 0) (infinite where 0 is no value), D and G of fields f and minus = -lambda."""
        up, down = minus + f, minus - f
        plus = geometric.log_sum(up, self.levels, self.d)
        less = geometric.log_sum(down, self.levels, self.d)
        difference = 2 * self.least * f + (plus - less)
        return self.least * up + plus, self.least * down + less, difference

    def difference(self, f: Tensor, minus: Tensor) -> tuple[Tensor, Tensor]:
        """D and 2 nu for small f, as the integrals of the mean and of the variance of one side."""
        D, gap = torch.zeros_like(f), torch.zeros_like(f)
        for x, weight in _gauss(4 if f.dtype == torch.float64 else 2):
            y = minus + x * f
            D = D + weight * geometric.mean(y, self.levels, self.d)
            gap = gap + weight * geometric.variance(y, self.levels, self.d)
        return 2 * f * (self.least + D), 2 * f * gap

    def log_sum(self, f: Tensor, minus: Tensor) -> Tensor:
        """A without the base measure."""
        G = torch.logaddexp(*self.split(f, minus)[:2])
        return softplus(G) if self.zero else G

    def shares(self, f: Tensor, minus: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """P(x != 0), D, and E[|x| given the sign] of either sign."""
        plus, less, D = self.split(f, minus)
        P = torch.logaddexp(plus, less).sigmoid() if self.zero else torch.ones_like(f)
        above, below = (self.least + geometric.mean(y, self.levels, self.d) for y in (minus + f, minus - f))
        return P, D, above, below

    def means(self, f: Tensor, minus: Tensor) -> tuple[Tensor, Tensor]:
        """E[x] and E|x|; differentiable, also at f = 0."""
        P, D, above, below = self.shares(f, minus)
        gap, near = above - below, f.abs() < _NEAR
        if math.isinf(self.levels):
            near |= f.abs() < -minus * _NEAR_OF_LAMBDA
        if bool(near.any()):
            D_near, gap_near = self.difference(f[near], minus[near])
            D, gap = D.masked_scatter(near, D_near), gap.masked_scatter(near, gap_near)
        half, middle = (D / 2).tanh(), (above + below) / 2
        return P * (half * middle + gap / 2), P * (middle + half * gap / 2)

    def moments(self, f: Tensor, minus: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]:
        """E[x], E|x| and the covariances of x with x, of x with |x|, and of |x| with |x|."""
        P, D, above, below = self.shares(f, minus)
        up, down = P * D.sigmoid(), P * (-D).sigmoid()
        up_square = up * (above.square() + geometric.variance(minus + f, self.levels, self.d))
        down_square = down * (below.square() + geometric.variance(minus - f, self.levels, self.d))
        x, y = up * above - down * below, up * above + down * below
        square = up_square + down_square
        return (x, y), (square - x * x, up_square - down_square - x * y, square - y * y)

    def sample(self, f: Tensor, minus: Tensor, u: Tensor) -> Tensor:
        """The inverse distribution function, from -1 up: each side from its far end inwards."""
        plus, less, _ = self.split(f, minus)
        top = torch.maximum(plus, less)
        top = top.clamp_min(0) if self.zero else top
        above, below = (plus - top).exp(), (less - top).exp()
        to_zero = below + (-top).exp() if self.zero else below
        total = to_zero + above
        # u stands for an interval of the grid of uniforms: its ends must not reach what has no probability
        eps = torch.finfo(u.dtype).eps
        u = u.clamp(eps / 4, 1 - eps / 2)
        x, low = u * total, u * total < below
        share = torch.where(low, x / below, (1 - u) * total / above).clamp(0, 1)
        size = self.least + geometric.quantile(minus + torch.where(low, -f, f), self.levels, self.d, share)
        return torch.where(low, -size, torch.where(x < to_zero, torch.zeros_like(size), size))

    @torch.no_grad()
    def fit(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """f and -lambda with the means E[x] = first and E|x| = second, entry by entry, in float64; lambda may be < 0.

        Newton's method on A - f first + lambda second, which is convex: steps that do not descend are made smaller,
        until rounding hides the descent.
        """
        f, minus, size = torch.zeros_like(first), torch.full_like(first, -1.0), torch.ones_like(first)
        value, ends = self.log_sum(f, minus) - minus * second, torch.zeros_like(first)
        for _ in range(_STEPS):
            (x, y), (xx, xy, yy) = self.moments(f, minus)
            x, y, determinant = x - first, y - second, (xx * yy - xy * xy).clamp_min(1e-280)
            step_f, step_minus = (yy * x - xy * y) / determinant, (xx * y - xy * x) / determinant
            sure = (step_f * x + step_minus * y).abs() < 1e-9
            size, ends = torch.where(sure, 1.0, size), ends + sure
            new_f, new_minus = f - size * step_f, (minus - size * step_minus).clamp(-_MOST, _MOST)
            new = self.log_sum(new_f, new_minus) - new_f * first - new_minus * second
            better = torch.where(sure, ends <= _LAST, new <= value)
            f, minus = torch.where(better, new_f, f), torch.where(better, new_minus, minus)
            value, size = torch.where(better, new, value), torch.where(better, (2 * size).clamp_max(1), size / 4)
            if bool(((ends >= _LAST) | (size < 1e-9)).all()):
                break
        return f, minus


class _LogSum(torch.autograd.Function):
    """A with the means as its derivatives: through the closed form, float32 would lose the gradient near 0."""

    @staticmethod
    def forward(ctx: Any, f: Tensor, minus: Tensor, sides: Signed) -> Tensor:
        ctx.save_for_backward(f, minus)
        ctx.sides = sides
        return sides.log_sum(f, minus)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        first, second = ctx.sides.means(*ctx.saved_tensors)
        return grad * first, grad * second, None


def log_sum(f: Tensor, minus: Tensor, s: float) -> Tensor:
    """A of one unit without its base measure, in nats; its derivatives are `Signed.means`."""
    result: Tensor = _LogSum.apply(f, minus, Signed.of(s))  # type: ignore[no-untyped-call]
    return result
