"""Schedules: values that change while training goes on, as functions of the step t of T.

constant        r(t) = r0
linear          r(t) = r0 + (r1 - r0) t / (T - 1)
sqrt            r(t) = r0 / sqrt(1 + t / t0),  t0 = T / 10       (Grosse and Salakhutdinov 2015, with g = t0)
sqrt-linear     r(t) = r0 (1 - t / T) / sqrt(1 + t / t0)
switch          r(t) = r0 before a given fraction of T, r1 after
growing         minibatch sizes from n0 to n1 in even steps, epoch by epoch
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Schedule = Callable[[int], float]


def constant(first: float, final: float, total: int) -> Schedule:
    """Always `first`."""
    return lambda t: first


def linear(first: float, final: float, total: int) -> Schedule:
    """From `first` at the first step to `final` at the last."""
    return lambda t: first + (final - first) * min(1.0, t / max(total - 1, 1))


def sqrt(first: float, final: float, total: int) -> Schedule:
    """Flat for a tenth of the training, then falling as 1 / sqrt(t)."""
    return lambda t: first / math.sqrt(1 + t / max(total / 10, 1))


def sqrt_linear(first: float, final: float, total: int) -> Schedule:
    """As `sqrt`, and falling to nothing."""
    fall = sqrt(first, final, total)
    return lambda t: fall(t) * (1 - min(t, total - 1) / total)


def switch(first: float, final: float, total: int, fraction: float) -> Schedule:
    """`first` before the given fraction of the training, `final` from there on."""
    return lambda t: first if t < fraction * total else final


#: Learning-rate schedules by name.
SCHEDULES: dict[str, Callable[[float, float, int], Schedule]] = {
    "constant": constant,
    "linear": linear,
    "sqrt": sqrt,
    "sqrt-linear": sqrt_linear,
}


def minibatch_sizes(first: int, final: int, epochs: int, per_epoch: int) -> np.ndarray:
    """The size of every minibatch, (epochs * per_epoch,): constant within an epoch, growing evenly over epochs."""
    sizes = np.rint(np.linspace(first, final, epochs)).astype(np.int64)
    return np.repeat(sizes, per_epoch)


def passes_per_epoch(rows: int, first: int, final: int, epochs: int) -> int:
    """Minibatches an epoch for an average of one pass over the data an epoch."""
    return max(1, math.ceil(rows * epochs / int(minibatch_sizes(first, final, epochs, 1).sum())))
