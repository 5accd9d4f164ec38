"""The compiled loops of the split enumeration; `harmonium.kernels.split_exponential` prepares what they read.

State (t, p, q) of top, middle and low digits has the weight

    w = e^(own_top[t] + own_mid[p]) own_low[q]  prod_i x_i  prod_u s_u
    x_i = top[t, i] mid[p, i] + low[i, q],      s_u = sum over the entries c of unit u  top[t, c] mid[p, c] low[c, q]

and the other side has the means  low[i, q] / x_i  and  top[t, c] mid[p, c] low[c, q] / s_u:  for ln Z one addition and
one multiplication a state and unit.  Numbers are kept as mantissa · 2^exponent; the exponents are taken out of the
running products before these could leave the range of float64 (at `ends`), and logarithms are taken once a row of low
states.

Low states go in stripes of `STRIPE`, the unit slower than the state, so that the inner loops run along memory and
what they work on stays in the first caches.  Units come in fours and rows in twos: the caller fills up.  Everything
is a plain loop over flat memory, because copies of slices take Numba many seconds to compile.
"""

from __future__ import annotations

import math

import numpy as np

from harmonium.kernels.compiled import compiled
from harmonium.kernels.split_exponential import LN_2, STRIPE, Floats, Integers, Sums, Tables

_UNITS = 64  # worked on together where the means are summed
_NOTHING = -80.0  # nats below the largest row: the means of 2^40 such rows do not change a sum in float64
_FRACTION, _ONE, _BIAS = 0x000FFFFFFFFFFFFF, 0x3FF0000000000000, 1023


@compiled
def _normalise(mantissa: Floats, exponent: Integers, p: int) -> None:
    """Bring the mantissas of rows p and p + 1 into [1, 2)."""
    bits = mantissa.view(np.int64)
    for j in range(p * STRIPE, (p + 2) * STRIPE):
        exponent[j] += (bits[j] >> 52) - _BIAS
        bits[j] = (bits[j] & _FRACTION) | _ONE


@compiled
def _multiply(
    mantissa: Floats, p: int, top: Floats, t: int, mid: Floats, low: Floats, at: int, first: int, last: int
) -> None:
    """Multiply rows p and p + 1 by x_i, first <= i < last; the factors of unit 0 begin at low[at]."""
    # unsigned numbers: of signed ones Numba must ask whether they count from the end, and would not vectorise
    S = np.uint64(STRIPE)
    r0 = np.uint64(p) * S
    r1 = r0 + S
    for i in range(first, last, 4):
        a0, a1 = top[t, i] * mid[p, i], top[t, i + 1] * mid[p, i + 1]
        a2, a3 = top[t, i + 2] * mid[p, i + 2], top[t, i + 3] * mid[p, i + 3]
        b0, b1 = top[t, i] * mid[p + 1, i], top[t, i + 1] * mid[p + 1, i + 1]
        b2, b3 = top[t, i + 2] * mid[p + 1, i + 2], top[t, i + 3] * mid[p + 1, i + 3]
        j0 = np.uint64(at) + np.uint64(i) * S
        j1 = j0 + S
        j2 = j1 + S
        j3 = j2 + S
        for q in range(S):
            l0, l1, l2, l3 = low[j0 + q], low[j1 + q], low[j2 + q], low[j3 + q]
            mantissa[r0 + q] *= ((a0 + l0) * (a1 + l1)) * ((a2 + l2) * (a3 + l3))
            mantissa[r1 + q] *= ((b0 + l0) * (b1 + l1)) * ((b2 + l2) * (b3 + l3))


@compiled
def _unit_sums(
    total: Floats, top: Floats, t: int, mid: Floats, p: int, low: Floats, at: int, first: int, last: int
) -> None:
    """s_u of row p over the entries first <= c < last: total (S,); the factors of entry 0 begin at low[at]."""
    for q in range(STRIPE):
        total[q] = 0.0
    for c in range(first, last):
        factor = top[t, c] * mid[p, c]
        for q in range(STRIPE):
            total[q] += factor * low[at + c * STRIPE + q]


@compiled
def _products(
    tables: Tables,
    stripe: int,
    top: Floats,
    top_entries: Floats,
    t: int,
    mantissa: Floats,
    exponent: Integers,
    total: Floats,
) -> None:
    """own_low prod x prod s of the middle states and one stripe: mantissa in [1, 2) and exponent, (P S,)."""
    S, ends, units = STRIPE, tables.ends, tables.units
    P, V, C = len(tables.mid), tables.mid.shape[1], tables.mid_entries.shape[1]
    for p in range(0, P, 2):
        for r in range(p, p + 2):
            for q in range(S):
                mantissa[r * S + q] = tables.own_low[stripe * S + q]
                exponent[r * S + q] = tables.own_exponent[stripe * S + q]
        for u in range(len(units) - 1):
            for r in range(p, p + 2):
                _unit_sums(
                    total,
                    top_entries,
                    t,
                    tables.mid_entries,
                    r,
                    tables.low_entries,
                    stripe * C * S,
                    units[u],
                    units[u + 1],
                )
                for q in range(S):
                    mantissa[r * S + q] *= total[q]
            _normalise(mantissa, exponent, p)
    first = 0
    for last in ends:  # the rows within the units: these factors stay in the first caches meanwhile
        for p in range(0, P, 2):
            _multiply(mantissa, p, top, t, tables.mid, tables.low, stripe * V * S, first, last)
            _normalise(mantissa, exponent, p)
        first = last


@compiled
def _row(mantissa: Floats, exponent: Integers, p: int) -> tuple[float, float]:
    """Put row p to one exponent, its mantissas then being plain numbers: their sum, at least 1, and ln of the scale."""
    start, stop = p * STRIPE, (p + 1) * STRIPE
    largest = exponent[start]
    for j in range(start, stop):
        largest = max(largest, exponent[j])
    power = exponent.view(np.float64)
    total = 0.0
    for j in range(start, stop):
        exponent[j] = max(exponent[j] - largest + _BIAS, 0) << 52  # the bits of 2^(exponent - largest), or of 0
        mantissa[j] *= power[j]
        total += mantissa[j]
    return total, largest * LN_2


@compiled
def log_sums(own_top: Floats, top: Floats, top_entries: Floats, tables: Tables) -> Floats:
    """ln of the sum of w over middle and low states: own_top (T,), top (T, V), top_entries (T, C) -> (T,)."""
    P, L = len(tables.mid), len(tables.own_low) // STRIPE
    mantissa, exponent = np.empty(P * STRIPE), np.empty(P * STRIPE, np.int64)
    unit_sums, result = np.empty(STRIPE), np.empty(len(top))
    for t in range(len(top)):
        largest, total = -np.inf, 0.0
        for stripe in range(L):
            _products(tables, stripe, top, top_entries, t, mantissa, exponent, unit_sums)
            for p in range(P):
                row_sum, scale = _row(mantissa, exponent, p)
                x = tables.own_mid[p] + scale
                if x > largest:
                    total *= math.exp(largest - x)
                    largest = x
                total += row_sum * math.exp(x - largest)
        result[t] = own_top[t] + largest + math.log(total)
    return result


@compiled
def _add_means(
    weight: Floats,
    p: int,
    top: Floats,
    t: int,
    mid: Floats,
    low: Floats,
    at: int,
    first: int,
    last: int,
    of_top: Floats,
    of_mid: Floats,
    of_low: Floats,
) -> None:
    """Add the weighted means of rows p and p + 1; one division serves two rows and two units."""
    S = np.uint64(STRIPE)
    r0 = np.uint64(p) * S
    r1 = r0 + S
    for i in range(first, last, 2):
        a0, a1 = top[t, i] * mid[p, i], top[t, i + 1] * mid[p, i + 1]
        b0, b1 = top[t, i] * mid[p + 1, i], top[t, i + 1] * mid[p + 1, i + 1]
        j0 = np.uint64(at) + np.uint64(i) * S
        j1 = j0 + S
        ma0, ma1, mb0, mb1 = 0.0, 0.0, 0.0, 0.0
        for q in range(S):
            l0, l1 = low[j0 + q], low[j1 + q]
            xa0, xa1, xb0, xb1 = a0 + l0, a1 + l1, b0 + l0, b1 + l1
            xa, xb = xa0 * xa1, xb0 * xb1
            both = 1.0 / (xa * xb)
            wa, wb = weight[r0 + q] * (both * xb), weight[r1 + q] * (both * xa)  # w / xa and w / xb
            wa0, wa1, wb0, wb1 = wa * xa1, wa * xa0, wb * xb1, wb * xb0  # w / xa0, w / xa1, ...
            ma0 += wa0 * l0
            ma1 += wa1 * l1
            mb0 += wb0 * l0
            mb1 += wb1 * l1
            of_low[j0 + q] += wa0 + wb0
            of_low[j1 + q] += wa1 + wb1
        of_mid[p, i] += ma0
        of_mid[p, i + 1] += ma1
        of_mid[p + 1, i] += mb0
        of_mid[p + 1, i + 1] += mb1
        of_top[t, i] += ma0 + mb0
        of_top[t, i + 1] += ma1 + mb1


@compiled
def _add_entries(
    weight: Floats, p: int, top: Floats, t: int, tables: Tables, stripe: int, total: Floats, sums: Sums
) -> None:
    """Add the weighted means of the one-hot units in row p."""
    units, S = tables.units, STRIPE
    at = stripe * S * tables.mid_entries.shape[1]
    for u in range(len(units) - 1):
        _unit_sums(total, top, t, tables.mid_entries, p, tables.low_entries, at, units[u], units[u + 1])
        for q in range(S):
            total[q] = weight[p * S + q] / total[q]
        for c in range(units[u], units[u + 1]):
            factor, mean = top[t, c] * tables.mid_entries[p, c], 0.0
            for q in range(S):
                mean += total[q] * tables.low_entries[at + c * S + q]
                sums.low_entries[at + c * S + q] += factor * total[q]
            sums.mid_entries[p, c] += factor * mean
            sums.top_entries[t, c] += factor * mean


@compiled
def add_moments(own_top: Floats, top: Floats, top_entries: Floats, tables: Tables, sums: Sums) -> None:
    """Add the states of the given top digits."""
    P, V, S, L = len(tables.mid), tables.mid.shape[1], STRIPE, len(tables.own_low) // STRIPE
    mantissa, exponent = np.empty(P * S), np.empty(P * S, np.int64)
    unit_sums, row_sum, row_log = np.empty(S), np.empty(P), np.empty(P)
    for t in range(len(top)):
        for stripe in range(L):
            _products(tables, stripe, top, top_entries, t, mantissa, exponent, unit_sums)
            largest = sums.scale[0]
            for p in range(P):
                row_sum[p], scale = _row(mantissa, exponent, p)
                row_log[p] = own_top[t] + tables.own_mid[p] + scale
                largest = max(largest, row_log[p])
            if largest > sums.scale[0]:
                shrink = math.exp(sums.scale[0] - largest)
                sums.scale[0] = largest
                for j in range(len(sums.flat)):
                    sums.flat[j] *= shrink
            for p in range(P):
                factor = math.exp(row_log[p] - largest)
                for q in range(S):
                    mantissa[p * S + q] *= factor  # now the weights w
                    sums.low[stripe * S + q] += mantissa[p * S + q]
                sums.mid[p] += factor * row_sum[p]
                sums.top[t] += factor * row_sum[p]
                _add_entries(mantissa, p, top_entries, t, tables, stripe, unit_sums, sums)
            means = sums.top_means, sums.mid_means, sums.low_means
            for first in range(0, V, _UNITS):  # the rows within the units: their factors and sums stay in the cache
                last = min(first + _UNITS, V)
                for p in range(0, P, 2):
                    if max(row_log[p], row_log[p + 1]) - largest > _NOTHING:
                        _add_means(mantissa, p, top, t, tables.mid, tables.low, stripe * V * S, first, last, *means)
