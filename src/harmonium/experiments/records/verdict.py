"""What becomes of a mark, by numbers: two values of ln p a machine, each with half of its 95 % interval.

    low  = the least of  value - half_width  over the ways         confirmed      mean over seeds of low  >= mark
    high = the greatest of  value + half_width                     contradicted   mean over seeds of high <  mark

So a mark counts as reached only where both ways, errors taken off, reach it; between the two it is undecided.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harmonium.evaluate.likelihood import FAR_APART
from harmonium.experiments.statistics import Interval


@dataclass(frozen=True)
class Scored:
    """A machine's average ln p of the test images in nats, found in several ways."""

    ways: tuple[Interval, ...]

    @property
    def low(self) -> float:
        """What it reaches at least."""
        return min(way.low for way in self.ways)

    @property
    def high(self) -> float:
        """What it reaches at most."""
        return max(way.high for way in self.ways)

    @property
    def value(self) -> float:
        """The lowest of the values: what is claimed."""
        return min(way.value for way in self.ways)

    @property
    def difference(self) -> Interval:
        """The first way less the second, with the interval of two independent errors."""
        first, second = self.ways[:2]
        return Interval(first.value - second.value, math.hypot(first.half_width, second.half_width))

    @property
    def doubtful(self) -> bool:
        """Whether the ways lie further apart than two estimates of one number should."""
        values = [way.value for way in self.ways]
        return max(values) - min(values) > FAR_APART


def against(scored: Sequence[Scored], mark: float) -> str:
    """What becomes of "such machines reach `mark` nats": see the head of this file."""
    if _mean([one.low for one in scored]) >= mark:
        return "confirmed"
    return "contradicted" if _mean([one.high for one in scored]) < mark else "undecided"


def reached_after(
    seconds: Sequence[float], values: Sequence[float], half_widths: Sequence[float], mark: float
) -> float | None:
    """Seconds at the first value at the mark or above, after which no interval lies below it; None where there is none.

    A later value that is below by no more than its error has not left the mark.
    """
    at = None
    for second, value, half_width in zip(seconds, values, half_widths, strict=True):
        if value + half_width < mark:
            at = None
        elif at is None and value >= mark:
            at = second
    return at


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
