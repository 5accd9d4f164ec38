"""What several parts of this study read from curves, and say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from harmonium.experiments.multivalued.simulation import Curves, Floats
from harmonium.experiments.statistics import Interval
from harmonium.experiments.words import interval
from harmonium.plots.bands import Band

#: The rule behind all verdicts of these parts.
RULE = (
    "Confirmed: the intervals of all differences, which hold together with 95 % (Student's of the pairs, corrected "
    "after Bonferroni), lie on the claimed side of zero; partly: of some; contradicted: of none, and one lies on the "
    "other side."
)
#: Colours of the machines by s, wherever they appear.
COLOURS = {"1": 0, "2": 3, "4": 2, "∞": 1}


def best_of_mean(curves: Curves) -> int:
    """The measurement at which the mean divergence over the repeats is lowest."""
    return int(curves.kld.mean(0).argmin())


def rise(curves: Curves) -> Floats:
    """By how much each repeat's divergence rises from the best update of the mean curve to the end: (R,)."""
    return curves.kld[:, -1] - curves.kld[:, best_of_mean(curves)]


def own_best(curves: Curves) -> Floats:
    """The lowest divergence that each repeat ever has, as one would stop who knew the truth: (R,)."""
    return curves.kld.min(1)


def over_updates(curves: Curves, values: Floats) -> Floats:
    """The average of a curve (R, T) over all updates from the first to the last: (R,)."""
    x = curves.updates
    return ((values[:, 1:] + values[:, :-1]) / 2 * np.diff(x)).sum(1) / x[-1]


def first_repeats(curves: Curves, number: int) -> Curves:
    """The curves of the first repeats alone."""
    return Curves(curves.updates, curves.kld[:number], curves.train[:number], curves.validation[:number])


def top(curves: Iterable[Curves]) -> float:
    """The upper edge of a picture of divergences: what the mean curves need from 20 updates on."""
    return 1.1 * max(float(one.kld.mean(0)[one.updates >= 20].max()) for one in curves)


def band(name: str, x: Floats, values: Floats, *, colour: int | None = None, dashed: bool = False) -> Band:
    """The mean over repeats (R, T) with its standard error."""
    error = values.std(0, ddof=1) / np.sqrt(len(values))
    return Band(name, x, values.mean(0), error, dashed, colour)


def listed(pairs: Sequence[tuple[str, Interval]], decimals: int = 3) -> str:
    """Named intervals in a row."""
    return "; ".join(f"{name} {interval(found, decimals, sign=True)}" for name, found in pairs)
