"""Annealing of hidden states h in {0, 1}^H with the visible side, v in {0, 1}^V, summed out: the compiled loops.

    p_t(h) ~ e^((1 - t) b0·h)  [ e^(b·h) prod_i (1 + e^f_i) ]^t,      f_i = a_i + sum_j W_ij h_j
    p_t(h_j | the others)  has the log odds  (1 - t) b0_j + t (b_j + D_j)
    D_j = ln prod_i (1 + e^f_i | h_j = 1) / (1 + e^f_i | h_j = 0)

With s_i = P(v_i = 1 | h), c_i = 1 - s_i and g_ij = e^W_ij the ratio needs no exponential, no division and, for many
units together, one logarithm:

    h_j = 0:   D_j = ln prod_i (c_i + s_i g_ij)                 if it flips   s_i <- s_i g_ij / x_i,  c_i <- c_i / x_i
    h_j = 1:   D_j = sum_i W_ij - ln prod_i (s_i + c_i g_ij)    if it flips   c_i <- c_i g_ij / x_i,  s_i <- s_i / x_i

x_i being the factors of the product.  They are sums of positive numbers, so that nothing cancels whatever the weights,
and each flip makes c_i + s_i = 1 anew, so that no error grows.  Even the first e^f_i are products from a table.

Indices of the inner loops are unsigned: of signed ones Numba must ask whether they count from the end, and would not
vectorise.  The plain twin is `harmonium.logz.collapsed.anneal_plain`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from harmonium.kernels.compiled import compiled
from harmonium.kernels.split_exponential import Floats, Integers

#: What one field may reach, in nats, so that the products of tables stay within float64.
MOST_FIELD = 300.0
_LARGEST = 600.0  # nats that a running product may move before its logarithm is taken


class Tables(NamedTuple):
    """A machine of {0, 1} units in float64, and where running products must be cut."""

    g: Floats  # (H, V) e^W
    row_sum: Floats  # (H,) sum_i W_ij
    e_a: Floats  # (V,) e^a
    b: Floats  # (H,)
    b0: Floats  # (H,) fields at t = 0
    constant: float  # added to the logarithm of what stands in brackets
    ratio_cuts: Integers  # units before which the logarithm of the product of c + s g is taken, the last of them V
    sum_cuts: Integers  # the same for the product of 1 + e^f


def prepare(W: Floats, a: Floats, b: Floats, b0: Floats, constant: float) -> Tables | None:
    """What the loops read, from W (H, V); None where fields are too large for them, or no numbers."""
    if not (np.abs(a) + np.abs(W).sum(0) <= MOST_FIELD).all():
        return None
    highest = a + W.clip(0).sum(0)
    cuts = _cuts(np.abs(W).max(0)), _cuts(np.logaddexp(0, highest))
    return Tables(np.exp(W), W.sum(1), np.exp(a), b, b0, constant, *cuts)


def _cuts(nats: Floats) -> Integers:
    """Where a product over the units, each factor within so many nats of 1, is cut: (V,) -> (cuts,)."""
    cuts, passed = [], 0.0
    for i, x in enumerate(nats):
        if passed + x > _LARGEST:
            cuts.append(i)
            passed = 0.0
        passed += x
    return np.array([*cuts, len(nats)], np.int64)


@compiled
def _log_ratio(present: Floats, absent: Floats, g: Floats, cuts: Integers) -> float:
    """ln prod_i (present_i + absent_i g_i)."""
    total, first = 0.0, np.uint64(0)
    for cut in cuts:
        product, last = 1.0, np.uint64(cut)
        for i in range(first, last):
            product *= present[i] + absent[i] * g[i]
        total += math.log(product)
        first = last
    return total


@compiled
def _flip(present: Floats, absent: Floats, g: Floats) -> None:
    """The chances of v after a unit has changed its state."""
    for i in range(np.uint64(len(g))):
        risen = absent[i] * g[i]
        share = 1.0 / (present[i] + risen)
        absent[i] = risen * share
        present[i] *= share


@compiled
def _chances(h: Integers, tables: Tables, zero: Floats, one: Floats) -> float:
    """Put P(v_i = 0 | h) and P(v_i = 1 | h) into zero and one (V,); returns sum_i ln(1 + e^f_i)."""
    for i in range(np.uint64(len(one))):
        one[i] = tables.e_a[i]
    for j in range(len(h)):
        if h[j] == 1:
            g = tables.g[j]
            for i in range(np.uint64(len(one))):
                one[i] *= g[i]
    total, first = 0.0, np.uint64(0)
    for cut in tables.sum_cuts:
        product, last = 1.0, np.uint64(cut)
        for i in range(first, last):
            x = 1.0 + one[i]
            product *= x
            zero[i] = 1.0 / x
            one[i] *= zero[i]
        total += math.log(product)
        first = last
    return total


@compiled
def anneal(h: Integers, schedule: Floats, uniforms: Floats, rising: bool, tables: Tables) -> Floats:
    """Carry h (N, H), in place, along the schedule (K + 1,): ln w (N,).  uniforms (K - 1, N, H), one a visit."""
    N, H = h.shape
    log_w, chances = np.zeros(N), np.empty((2, len(tables.e_a)))
    for n in range(N):
        x = tables.constant + _chances(h[n], tables, chances[0], chances[1])  # d ln p_t(h) / dt, but for ln Z
        for j in range(H):
            x += (tables.b[j] - tables.b0[j]) * h[n, j]
        for k in range(len(schedule) - 1):
            t = schedule[k]
            if k > 0:
                for visit in range(H):
                    j = visit if rising else H - 1 - visit
                    state = h[n, j]
                    D = _log_ratio(chances[state], chances[1 - state], tables.g[j], tables.ratio_cuts)
                    gain = tables.b[j] + (D if state == 0 else tables.row_sum[j] - D)
                    odds = (1 - t) * tables.b0[j] + t * gain
                    new = 1 if uniforms[k - 1, n, j] >= 1.0 / (1.0 + math.exp(odds)) else 0
                    if new != state:
                        _flip(chances[state], chances[1 - state], tables.g[j])
                        h[n, j] = new
                        x += (new - state) * (gain - tables.b0[j])
            log_w[n] += (schedule[k + 1] - t) * x
    return log_w
