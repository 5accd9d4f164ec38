"""From seconds of an update, a number a round, to what the tables show.

seconds of an epoch     seconds of an update · 60,000 / rows of a minibatch
a ratio                 of two tools in the same round; then the median over rounds, and its quartiles
connection updates      V · H · rows / seconds
the slope of a curve    of ln seconds against ln size, by least squares, with its standard error
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from speed.cases import CLASSES, EPOCH, Case
from speed.rounds import Measured, Timed
from speed.tools import FLOOR, SCIKIT, TOOLS


@dataclass(frozen=True)
class Spread:
    """A median with its quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Of numbers, one a round."""
        low, median, high = (float(q) for q in np.quantile(list(values), (0.25, 0.5, 0.75)))
        return cls(median, low, high)


@dataclass(frozen=True)
class Row:
    """One tool on one case, at its best number of threads.

    Ratios are of times: above 1 it takes longer than the products alone, or than scikit-learn.
    """

    tool: str
    threads: int
    epoch: Spread
    to_floor: Spread | None
    to_scikit: Spread | None
    updates: float
    connections: float
    memory: int
    note: str

    @property
    def label(self) -> str:
        """The tool's name and gradient."""
        return TOOLS[self.tool].label


def best(timed: Iterable[Timed], tool: str) -> Timed | None:
    """The number of threads with the smallest median, if the tool was measured at all."""
    own = [t for t in timed if t.tool == tool and t.seconds]
    return min(own, key=lambda t: statistics.median(t.seconds), default=None)


def ratios(a: Timed, b: Timed | None) -> Spread | None:
    """Of the times of a and b within each round."""
    return None if b is None else Spread.of(x / y for x, y in zip(a.seconds, b.seconds, strict=True))


def row(case: Case, timed: Timed, floor: Timed | None, scikit: Timed | None) -> Row:
    """What is said of one tool on a case."""
    update = statistics.median(timed.seconds)
    return Row(
        timed.tool,
        timed.threads,
        Spread.of(s * EPOCH / case.batch for s in timed.seconds),
        ratios(timed, floor),
        ratios(timed, scikit),
        1 / update,
        case.weights * case.batch / update,
        timed.memory,
        timed.note,
    )


def rows_of(measured: Measured) -> list[Row]:
    """A row a tool, the products alone first, each at its best number of threads."""
    case, timed = measured.case, measured.timed
    floor, scikit = best(timed, FLOOR), best(timed, SCIKIT)
    found = (best(timed, tool) for tool in (FLOOR, *case.tools))
    return [row(case, t, floor, scikit) for t in found if t is not None]


#: Bytes beside rows, parameters and chains that a training may take at its peak.
ROOM = 300 << 20


def allowance(case: Case) -> int:
    """Bytes: the rows with one a pixel, the parameters three times, a chain a row of a minibatch, and `ROOM`."""
    visible = case.visible + CLASSES * case.labels
    parameters, chains = case.weights + visible + case.units, case.batch * (visible + case.units)
    return case.rows * case.visible + 4 * (3 * parameters + chains) + ROOM


@dataclass(frozen=True)
class Slope:
    """An exponent and its standard error, infinite where two points leave none."""

    value: float
    error: float


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> Slope:
    """The exponent p of seconds = constant · size^p."""
    x, y = np.log(np.asarray(sizes, float)), np.log(np.asarray(seconds, float))
    x, y = x - x.mean(), y - y.mean()
    value = float(x @ y / (x @ x))
    free = len(x) - 2
    residual = y - value * x
    return Slope(value, math.sqrt(float(residual @ residual) / free / float(x @ x)) if free > 0 else math.inf)


def median_seconds(measured: Measured, threads: int) -> float:
    """Of an update with so many threads, not a number where that is missing."""
    found = [statistics.median(t.seconds) for t in measured.timed if t.threads == threads and t.seconds]
    return found[0] if found else math.nan
