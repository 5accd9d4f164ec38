"""Algorithms for the model's moments, a line each in `NEGATIVES`."""

from __future__ import annotations

from collections.abc import Callable

from harmonium.negative.base import Info, Negative, State
from harmonium.negative.cd import CD
from harmonium.negative.clamped import Clamped
from harmonium.negative.exact import Exact
from harmonium.negative.pcd import PCD

#: Algorithms by name; each value builds one from the number of Gibbs steps and of chains.
NEGATIVES: dict[str, Callable[[int, int], Negative]] = {
    "cd": lambda steps, chains: CD(steps),
    "pcd": lambda steps, chains: PCD(steps, chains),
    "exact": lambda steps, chains: Exact(),
    "clamped": lambda steps, chains: Clamped(),
}

__all__ = ["CD", "NEGATIVES", "PCD", "Clamped", "Exact", "Info", "Negative", "State"]
