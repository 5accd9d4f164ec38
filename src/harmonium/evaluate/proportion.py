"""A share of a count with its 95 % interval (Clopper and Pearson 1934).

    low  = the 2.5 % point of Beta(x, n - x + 1),    high = the 97.5 % point of Beta(x + 1, n - x)

It holds the true share at least 95 times in 100, for every n and share, and is rather too wide than too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Proportion:
    """`count` of `of`."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share; NaN of nothing."""
        return self.count / self.of if self.of else float("nan")

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self._point(self.count, self.of - self.count + 1, 0.025) if self.count else 0.0

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self._point(self.count + 1, self.of - self.count, 0.975) if self.count < self.of else 1.0

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%})"

    @staticmethod
    def _point(a: float, b: float, probability: float) -> float:
        from scipy.special import betaincinv

        return float(betaincinv(a, b, probability))
