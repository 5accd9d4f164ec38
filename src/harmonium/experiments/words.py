"""Numbers as the reports of all studies write them."""

from __future__ import annotations

from collections.abc import Sequence

from harmonium.experiments.statistics import Interval, mean, minus


def n(value: float | None, decimals: int = 2) -> str:
    """A number with a true minus sign; a dash where there is none."""
    return "–" if value is None else minus(f"{value:,.{decimals}f}")


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation, as papers give their scores."""
    found = mean(values)
    return n(found.value) if found.n < 2 else minus(f"{found.value:.2f} ± {found.sd:.2f}")


def interval(found: Interval, decimals: int = 3, *, sign: bool = False) -> str:
    """A value with the half-width of its 95 % interval."""
    return minus(f"{found.value:{'+' if sign else ''}.{decimals}f} ± {found.half_width:.{decimals}f}")


def above_zero(intervals: Sequence[Interval]) -> str:
    """What becomes of a claim that all these are positive, by intervals that hold together.

    Confirmed where all lie above zero; contradicted where some lie below it and none above; partly where some lie above
    it and others do not; else undecided.
    """
    above = sum(found.low > 0 for found in intervals)
    below = sum(found.high < 0 for found in intervals)
    if above == len(intervals):
        return "confirmed"
    if above:
        return "partly"
    return "contradicted" if below else "undecided"
