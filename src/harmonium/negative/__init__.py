"""Algorithms for the model's moments, a line each in `NEGATIVES`; `Clamped` and `Hybrid` are for labels."""

from __future__ import annotations

from collections.abc import Callable

from harmonium.negative.base import Info, Negative, Sampling, State
from harmonium.negative.cd import CD
from harmonium.negative.clamped import Clamped
from harmonium.negative.composite import Composite
from harmonium.negative.exact import Exact
from harmonium.negative.flow import Flow
from harmonium.negative.hybrid import Hybrid
from harmonium.negative.kliep import KLIEP
from harmonium.negative.pcd import PCD
from harmonium.negative.tap import TAP

#: Algorithms by name; each value builds one from the number of Gibbs steps and of chains.
NEGATIVES: dict[str, Callable[[int, int], Negative]] = {
    "cd": lambda steps, chains: CD(steps),
    "pcd": lambda steps, chains: PCD(steps, chains),
    "exact": lambda steps, chains: Exact(),
    "pseudolikelihood": lambda steps, chains: Composite(1),
    "pairs": lambda steps, chains: Composite(2),
    "flow": lambda steps, chains: Flow(),
    "kliep": lambda steps, chains: KLIEP(steps, chains),
    "tap": lambda steps, chains: TAP(20 * steps, chains),
}

__all__ = [
    "CD",
    "KLIEP",
    "NEGATIVES",
    "PCD",
    "TAP",
    "Clamped",
    "Composite",
    "Exact",
    "Flow",
    "Hybrid",
    "Info",
    "Negative",
    "Sampling",
    "State",
]
