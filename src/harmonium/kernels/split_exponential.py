"""Sums over all states of products of (1 + e^field), without an exponential or a logarithm in the inner loop.

The number of a state is split into top, middle and low digits, and a field is the sum of what each of them adds:

    field_i(t, p, q) = top[t, i] + mid[p, i] + low[q, i]
    prod_i (1 + e^field_i) = e^(sum_i top[t, i] + mid[p, i]) prod_i (e^-top[t, i] e^-mid[p, i] + e^low[q, i])

so that only three small tables hold exponentials.  The  sum_c e^field_c  of a one-hot unit is such a sum of products
already.  For the gradient, the other side's means are summed over all but one group of digits at a time: with the
digits' own values that is all the moments need.

Each unit's factors are moved to the middle of the range of float64; what moved them is added back in the log domain.
Where they do not fit even so (one unit's fields spread over hundreds of nats) `prepare` returns None, and the caller
takes the log domain (`harmonium.kernels.softplus`).  The loops are in `harmonium.kernels.enumeration`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Job = TypeVar("Job")
Result = TypeVar("Result")
Scalar = TypeVar("Scalar", np.float64, np.int64)

LN_2 = math.log(2.0)
#: Low states that the loops work on together; two rows of products and the factors of 64 units are 34 kB.
STRIPE = 64
#: Half of what one factor may range over, in nats: four of them are multiplied before their exponent is looked at.
MOST_HALF_RANGE = 150.0
#: What the top and middle digits may move a field from its centre, in nats: what has underflowed stays nothing then.
MOST_SWING = 300.0
_LARGEST = 600.0  # nats that a running product may move before its exponent is taken out
_MOST_FACTORS = 128  # and factors, so that those of one stripe stay in the processor's second cache
_NOWHERE = -(1 << 40)  # exponent of the states that only fill up a stripe
_FLUSH = 1e-290  # numbers below have lost digits or soon will; they count for nothing and would be slow


class Digits(NamedTuple):
    """What each of n states of one group of digits adds to the states they are part of; or sums over the rest."""

    own: Floats  # (n,) ln of the weight
    fields: Floats  # (n, V) fields of units with the states 0 and 1
    entries: Floats  # (n, C) fields of the entries of one-hot units


class Moments(NamedTuple):
    """Sums over all other digits of the weights (own) and of the weighted means (fields, entries), over e^scale."""

    scale: float
    top: Digits
    mid: Digits
    low: Digits


class Tables(NamedTuple):
    """Factors of P middle states and L stripes of S low states: V units of two states, C entries of one-hot units."""

    own_mid: Floats  # (P,) in nats, -inf in rows that only fill up
    mid: Floats  # (P, V)
    mid_entries: Floats  # (P, C)
    own_low: Floats  # (L S,) mantissas
    own_exponent: Integers  # (L S,)
    low: Floats  # (L V S,)
    low_entries: Floats  # (L C S,)
    ends: Integers  # units after which the exponents are taken out, the last of them V
    units: Integers  # the first entry of each one-hot unit, and C at the end


class Sums(NamedTuple):
    """Sums of w, and of w times the other side's means, over all digits but those named, in units of e^scale."""

    scale: Floats  # (1,), -inf before anything is added
    flat: Floats  # the memory of all that follow
    top: Floats  # (T,)
    mid: Floats  # (P,)
    low: Floats  # (L S,)
    top_means: Floats  # (T, V)
    mid_means: Floats  # (P, V)
    low_means: Floats  # (L V S,), still to be multiplied by the tables' low
    top_entries: Floats  # (T, C)
    mid_entries: Floats  # (P, C)
    low_entries: Floats  # (L C S,), still to be multiplied by the tables' low_entries


@dataclass(frozen=True)
class Split:
    """A prepared sum; the top digits come in blocks, each of which is one job of one thread."""

    tables: Tables
    centre: Floats  # (V,) of the top digits' fields
    entry_centre: Floats  # (C,)
    counts: tuple[int, int, int]  # units V, middle states P and low states Q, without what fills up

    def log_sums(self, tops: Iterable[Digits], threads: int = 1) -> Iterator[float]:
        """ln of the sum over all states of each block, in nats, in the blocks' order."""
        from harmonium.kernels.enumeration import log_sums  # Numba takes half a second to import: only when needed

        def job(top: tuple[Floats, Floats, Floats]) -> float:
            return float(np.logaddexp.reduce(log_sums(*top, self.tables)))

        return in_order(job, map(self._top, tops), threads)

    def moments(self, tops: Iterable[Digits], threads: int = 1) -> Iterator[Moments]:
        """The sums over all states of each block, in the blocks' order."""
        from harmonium.kernels.enumeration import add_moments

        def job(top: tuple[Floats, Floats, Floats]) -> Moments:
            t = self.tables
            like = (top[0], t.own_mid, t.own_low, top[1], t.mid, t.low, top[2], t.mid_entries, t.low_entries)
            flat = np.zeros(sum(x.size for x in like))
            pieces = np.split(flat, np.cumsum([x.size for x in like])[:-1])
            views = (x.reshape(y.shape) for x, y in zip(pieces, like, strict=True))
            sums = Sums(np.full(1, -math.inf), flat, *views)
            add_moments(*top, t, sums)
            return self._plain(sums)

        return in_order(job, map(self._top, tops), threads)

    def _top(self, digits: Digits) -> tuple[Floats, Floats, Floats]:
        fields = digits.fields - self.centre
        return digits.own + fields.sum(1), _fill(_exp(-fields), 4, 0.0, 1), _exp(digits.entries - self.entry_centre)

    def _plain(self, sums: Sums) -> Moments:
        """Without what fills up, low digits by state and unit."""
        V, P, Q = self.counts
        of_low, of_entries = sums.low_means * self.tables.low, sums.low_entries * self.tables.low_entries
        low = _by_state(of_low, STRIPE, len(sums.low), sums.mid_means.shape[1])
        entries = _by_state(of_entries, STRIPE, len(sums.low), sums.mid_entries.shape[1])
        return Moments(
            float(sums.scale[0]),
            Digits(sums.top, sums.top_means[:, :V], sums.top_entries),
            Digits(sums.mid[:P], sums.mid_means[:P, :V], sums.mid_entries[:P]),
            Digits(sums.low[:Q], low[:Q, :V], entries[:Q]),
        )


@np.errstate(invalid="ignore")  # fields that are no numbers are declined with the others
def prepare(top_range: Digits, mid: Digits, low: Digits, units: Sequence[int]) -> Split | None:
    """The tables of a sum, or None where the factors could leave the range of float64.

    top_range holds two rows, the least and the largest field and entry of the top digits (its `own` is not read);
    units (U + 1,) the first entry of each one-hot unit and, at the end, their number C.
    """
    starts = np.array(units, np.int64)
    centre, swing = _centre(top_range.fields)
    mid_centre, mid_swing = _centre(mid.fields)
    entry_centre, entry_swing = _centre(top_range.entries)
    mid_entry_centre, mid_entry_swing = _centre(mid.entries)
    swing, entry_swing = swing + mid_swing, entry_swing + mid_entry_swing
    fields, entries = low.fields + (centre + mid_centre), low.entries + (entry_centre + mid_entry_centre)
    # ln of a factor e^-swing + e^low, and of a unit's sum, lies between
    least = np.maximum(-swing, fields.min(0)), _each(np.maximum, entries.min(0) - entry_swing, starts)
    most = np.logaddexp(swing, fields.max(0)), _each(np.logaddexp, entries.max(0) + entry_swing, starts)
    half = np.concatenate(most) / 2 - np.concatenate(least) / 2
    if not (half <= MOST_HALF_RANGE).all() or not (np.concatenate([swing, entry_swing]) <= MOST_SWING).all():
        return None
    shift, unit_shift = (-(x + y) / 2 for x, y in zip(least, most, strict=True))
    mid_fields = mid.fields - mid_centre
    own_mid = mid.own + mid_fields.sum(1) - (shift.sum() + unit_shift.sum())
    exponent = np.floor(low.own / LN_2)
    V, P, Q = len(shift), len(own_mid), len(exponent)
    tables = Tables(
        _fill(own_mid, 2, -math.inf, 0),
        _fill(_fill(_exp(shift - mid_fields), 4, 0.0, 1), 2, None, 0),
        _fill(_exp(mid.entries - mid_entry_centre), 2, None, 0),
        _fill(np.exp(low.own - exponent * LN_2), STRIPE, 1.0, 0),
        _fill(exponent.astype(np.int64), STRIPE, _NOWHERE, 0),
        _by_unit(_fill(_fill(_exp(fields + shift), 4, 1.0, 1), STRIPE, 1.0, 0), STRIPE),
        _by_unit(_fill(_exp(entries + np.repeat(unit_shift, np.diff(starts))), STRIPE, 1.0, 0), STRIPE),
        _ends(_fill(half[:V], 4, 0.0, 0)),
        starts,
    )
    return Split(tables, centre, entry_centre, (V, P, Q))


def _centre(x: Floats) -> tuple[Floats, Floats]:
    """Middle and half width of each column's range."""
    least, most = x.min(0), x.max(0)
    return (least + most) / 2, (most - least) / 2


def _each(ufunc: np.ufunc, x: Floats, starts: Integers) -> Floats:
    """The reduction of each one-hot unit's entries: (C,) -> (U,)."""
    return ufunc.reduceat(x, starts[:-1]) if len(starts) > 1 else np.empty(0)


def _exp(x: Floats) -> Floats:
    result = np.exp(x)
    result[result < _FLUSH] = 0.0
    return result


def _fill(x: NDArray[Scalar], multiple: int, value: float | None, axis: int) -> NDArray[Scalar]:
    """x with entries appended up to a multiple: a value, or what is last (so that no factor is 0)."""
    width = [(0, 0)] * x.ndim
    width[axis] = (0, -x.shape[axis] % multiple)
    return np.pad(x, width, "edge") if value is None else np.pad(x, width, constant_values=value)


def _by_unit(x: Floats, stripe: int) -> Floats:
    """(L S, V) -> (L V S,), the unit slower than the state of its stripe."""
    return np.ascontiguousarray(x.reshape(len(x) // stripe, stripe, x.shape[1]).transpose(0, 2, 1)).reshape(-1)


def _by_state(x: Floats, stripe: int, states: int, units: int) -> Floats:
    """The inverse of `_by_unit`."""
    return x.reshape(states // stripe, units, stripe).transpose(0, 2, 1).reshape(states, units)


def _ends(half: Floats) -> Integers:
    """After which units the exponents are taken out: multiples of 4, the last of them V."""
    ends: list[int] = []
    first, passed = 0, 0.0
    for start in range(0, len(half), 4):
        here = float(half[start : start + 4].sum())
        if start > first and (passed + here > _LARGEST or start - first >= _MOST_FACTORS):
            ends.append(start)
            first, passed = start, 0.0
        passed += here
    if len(half):
        ends.append(len(half))
    return np.array(ends, np.int64)


def in_order(work: Callable[[Job], Result], jobs: Iterator[Job], threads: int) -> Iterator[Result]:
    """The results of the jobs in their order, on threads that are at most a few jobs ahead.

    Sums over them do not depend on the number of threads.  An interrupt waits for the running jobs only.
    """
    if threads == 1:
        yield from map(work, jobs)
        return
    # plain threads: Numba's own pool survives neither a fork nor a second caller
    pool = ThreadPoolExecutor(threads)
    try:
        waiting = deque(pool.submit(work, job) for job in islice(jobs, 2 * threads))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(work, job) for job in islice(jobs, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def plain(top: Digits, mid: Digits, low: Digits, units: Sequence[int]) -> Moments:
    """The plain twin, in the log domain: everything in one block of (T, P, Q) states."""
    own, fields, entries = (
        (x[:, None, None] + y[:, None] + z) for x, y, z in zip(top, mid, low, strict=True)
    )  # (T, P, Q), (T, P, Q, V), (T, P, Q, C)
    log_weight, chances = own + np.logaddexp(0, fields).sum(-1), []
    for first, last in pairwise(units):
        log_sum = np.logaddexp.reduce(entries[..., first:last], -1)
        log_weight = log_weight + log_sum
        chances.append(np.exp(entries[..., first:last] - log_sum[..., None]))
    scale = float(np.logaddexp.reduce(log_weight, None))
    weight = np.exp(log_weight - scale)
    means = weight[..., None] * np.exp(-np.logaddexp(0, -fields))
    chance = weight[..., None] * np.concatenate([*chances, entries[..., :0]], -1)
    return Moments(scale, *(Digits(weight.sum(x), means.sum(x), chance.sum(x)) for x in ((1, 2), (0, 2), (0, 1))))
