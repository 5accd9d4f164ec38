"""Few numbers, honestly: Student's intervals and tests for the scores of a handful of seeds.

mean ± t_{n-1} s / sqrt(n)                       the interval of a mean (Student 1908)
a - b, Welch's degrees of freedom                the interval of a difference (Welch 1947)
mean(a_i - b_i) ± t_{n-1} s / sqrt(n)            the interval of a paired difference; of m of them t at 1 - 0.025/m
y = c + slope x                                  least squares, Student's interval of the slope
F = between / within                             one-way analysis of variance (Fisher 1925)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval, and the spread (standard deviation) behind it where there is one."""

    value: float
    half_width: float
    sd: float = math.nan
    n: int = 1

    @property
    def low(self) -> float:
        """The lower end."""
        return self.value - self.half_width

    @property
    def high(self) -> float:
        """The upper end."""
        return self.value + self.half_width

    def __str__(self) -> str:
        if not math.isfinite(self.half_width):
            return minus(f"{self.value:.2f}")
        return minus(f"{self.value:.2f} ± {self.half_width:.2f}")

    def as_dict(self) -> dict[str, float | int | None]:
        """For JSON."""
        ends = {"value": self.value, "half_width": self.half_width, "sd": self.sd}
        return {**{k: v if math.isfinite(v) else None for k, v in ends.items()}, "n": self.n}


def minus(text: str) -> str:
    """With a true minus sign."""
    return text.replace("-", "−")


def mean(values: Sequence[float]) -> Interval:
    """The mean of independent values, with Student's interval; infinitely wide for one value."""
    from scipy import stats

    x = np.asarray(values, float)
    if len(x) < 2:
        return Interval(float(x.mean()), math.inf, math.nan, len(x))
    sd = float(x.std(ddof=1))
    return Interval(float(x.mean()), float(stats.t.ppf(0.975, len(x) - 1)) * sd / math.sqrt(len(x)), sd, len(x))


def difference(a: Sequence[float], b: Sequence[float]) -> tuple[Interval, float]:
    """mean(a) - mean(b) with Welch's interval, and the two-sided p-value of no difference."""
    from scipy import stats

    x, y = np.asarray(a, float), np.asarray(b, float)
    if min(len(x), len(y)) < 2 or x.std() == y.std() == 0:
        return Interval(float(x.mean() - y.mean()), math.inf), math.nan
    result = stats.ttest_ind(x, y, equal_var=False)
    ends = result.confidence_interval(0.95)
    return Interval(float(x.mean() - y.mean()), float(ends.high - ends.low) / 2), float(result.pvalue)


def paired(a: npt.ArrayLike, b: npt.ArrayLike, comparisons: int = 1) -> tuple[Interval, float]:
    """mean(a - b) of pairs with Student's interval, and the two-sided p-value of no difference.

    Where it is one of several `comparisons`, all intervals hold together with 95 %, and the p-value is multiplied
    by their number (Bonferroni 1936).
    """
    from scipy import stats

    x = np.asarray(a, float) - np.asarray(b, float)
    found = mean(x.tolist())
    if found.n < 2 or found.sd == 0:
        return found, math.nan
    error = found.sd / math.sqrt(found.n)
    half = float(stats.t.ppf(1 - 0.025 / comparisons, found.n - 1)) * error
    p = 2 * float(stats.t.sf(abs(found.value) / error, found.n - 1))
    return Interval(found.value, half, found.sd, found.n), min(1.0, p * comparisons)


def slope(x: Sequence[float], y: Sequence[float]) -> tuple[Interval, float]:
    """The least-squares slope of y on x with Student's interval, and the p-value of no slope."""
    from scipy import stats

    fit = stats.linregress(np.asarray(x, float), np.asarray(y, float))
    half = float(stats.t.ppf(0.975, len(x) - 2) * fit.stderr)
    return Interval(float(fit.slope), half, n=len(x)), float(fit.pvalue)


def variance_ratio(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Fisher's F between groups and its p-value: are all means equal?"""
    from scipy import stats

    result = stats.f_oneway(*groups)
    return float(result.statistic), float(result.pvalue)


def p_value(p: float) -> str:
    """As a reader says it."""
    if not math.isfinite(p):
        return "p not known"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
