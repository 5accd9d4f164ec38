"""The compiled loops over units; `harmonium.kernels.fused_units` prepares what they read.

One exponential gives a hidden unit's log-partition A and its mean; with t = |x|, e = exp(-t), E = expm1(-y):

    {0, 1}                          A = max(x, 0) + ln(1 + e)            mean = 1/(1 + e), or e/(1 + e) for x < 0
    {-1, 1}     y = 2t              A = t + ln(2 + E)                    mean = -E/(2 + E), of the sign of x
    X_s         y1 = 2t/s,          A = t + ln[ 2/(s+1) E2/E1 ]          mean = ((s+1)/s) coth((s+1)t/s) - coth(t/s)/s
                y2 = (s+1) y1                                            with coth(y/2) = -(2 + E)/E
    [-1, 1]     y = 2t              A = t + ln( -E/t )                   mean = coth t - 1/t

Near 0, where the poles of the cotangents cancel, the mean is a series in t².  A logarithm is taken once for a product
of four units, and the sums of blocks of units are added in float64.  Loops are short, without calls, and work on one
block at a time, so that they run as vectors within the first cache: a few nanoseconds for a unit and label, a tenth and
less of what one tensor operation after the other takes.

Samples are the inverse distribution functions of `harmonium.units`, in double precision; v is the uniform number
counted from the likelier end:

    X_s         h = (s - 2k)/s,  k = floor( -ln[1 - v (1 - e^(-2t(s+1)/s))] s/(2t) )
    [-1, 1]     h = 1 + ln[1 - v (1 - e^(-2t))] / t                                     and the sign of x
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from harmonium.kernels.compiled import compiled

Floats = npt.NDArray[np.float32]

#: Units that are worked on together.
BLOCK = 128
BERNOULLI, ISING, MULTIVALUED, INTERVAL = 0, 1, 2, 3
#: The series serves where y2 = 2 (s+1) t / s is below; its terms then shrink by 0.15 at least.
_NEAR = np.float32(2.4)
_TINY = np.float32(1e-30)  # a field below this is zero, and its reciprocal is still finite
#: In a smaller field the distribution differs from the even one by less than a uniform number can tell.
_NO_FIELD = 1e-7

_LOG2_E = np.float32(1.4426950408889634)
_LN_2_HIGH, _LN_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_SQRT_HALF, _FRACTION = np.int32(0x3F3504F3), np.int32(0x007FFFFF)
_ONE, _TWO, _HALF = np.float32(1), np.float32(2), np.float32(0.5)
#: Taylor coefficients of (e^r - 1 - r) / r², the last first; |r| <= ln 2 / 2.
_EXP = tuple(np.float32(1 / math.factorial(k)) for k in range(7, 1, -1))
#: (ln(1 + x) - x + x²/2) / x³ for 1 + x from sqrt(1/2) to sqrt(2), the last first (the minimax polynomial of Cephes).
_LOG = tuple(
    np.float32(c)
    for c in (
        7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
        2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )
)  # fmt: skip


@compiled
def _exp_of_minus(y: Floats, E: Floats, bits: Any, m: int, less: np.float32) -> None:
    """E[j] = exp(-y[j]) - less for y >= 0: 2^n e^r with r within ln 2 / 2 of zero; accurate for less = 0 and 1."""
    scale = bits.view(np.float32)
    e0, e1, e2, e3, e4, e5 = _EXP
    for j in range(m):
        x = -min(y[j], np.float32(87))
        n = np.int32(x * _LOG2_E - _HALF)
        r = (x - np.float32(n) * _LN_2_HIGH) - np.float32(n) * _LN_2_LOW
        E[j] = r + r * r * (((((e0 * r + e1) * r + e2) * r + e3) * r + e4) * r + e5)
        bits[j] = (n + np.int32(127)) << np.int32(23)
    for j in range(m):
        E[j] = scale[j] * E[j] + (scale[j] - less)


@compiled
def _sum_of_logs(f: Floats, g: Floats, m: int) -> float:
    """sum_j ln f[j] over j < m, a product of four at a time; f beyond m is overwritten."""
    quarter = (m + 3) // 4
    for j in range(m, 4 * quarter):
        f[j] = _ONE
    bits = g.view(np.int32)
    c0, c1, c2, c3, c4, c5, c6, c7, c8 = _LOG
    for j in range(quarter):
        g[j] = (f[j] * f[j + quarter]) * (f[j + 2 * quarter] * f[j + 3 * quarter])
    exponent = np.int32(0)
    for j in range(quarter):
        b = bits[j] - _SQRT_HALF
        exponent += b >> np.int32(23)
        bits[j] = (b & _FRACTION) + _SQRT_HALF
    total = np.float32(0)
    for j in range(quarter):
        x = g[j] - _ONE
        p = (((((((c0 * x + c1) * x + c2) * x + c3) * x + c4) * x + c5) * x + c6) * x + c7) * x + c8
        total += x + x * x * (x * p - _HALF)
    return float(total) + float(exponent) * 0.6931471805599453


@compiled
def units(x: Floats, mean: Floats, at: int, m: int, kind: int, s: float, series: Floats, room: Any) -> float:
    """The sum of A over m units in fields x, and their means into mean[at : at + m]."""
    f, y, E, E2, g, bits = room
    linear = np.float32(0)
    if kind == BERNOULLI:
        for j in range(m):
            y[j] = abs(x[j])
            linear += max(x[j], np.float32(0))
        _exp_of_minus(y, E, bits, m, np.float32(0))
        for j in range(m):
            f[j] = _ONE + E[j]
            mean[at + j] = (_ONE if x[j] > 0 else E[j]) / f[j]
        return float(linear) + _sum_of_logs(f, g, m)
    ratio = np.float32(2 / s) if kind == MULTIVALUED else _TWO
    least = np.float32(0) if kind == ISING else _TINY
    for j in range(m):
        t = max(abs(x[j]), least)
        linear += t
        y[j] = t * ratio
    _exp_of_minus(y, E, bits, m, _ONE)
    if kind == ISING:
        for j in range(m):
            f[j] = _TWO + E[j]
            mean[at + j] = (-E[j] if x[j] > 0 else E[j]) / f[j]
        return float(linear) + _sum_of_logs(f, g, m)
    k1, k2 = np.float32(1), np.float32(0)
    if kind == MULTIVALUED:
        k1, k2 = np.float32(1 / s), np.float32((s + 1) / s)
        factor = np.float32(2 / (s + 1))
        for j in range(m):
            y[j] = max(abs(x[j]), _TINY) * (_TWO * k2)
        _exp_of_minus(y, E2, bits, m, _ONE)
        for j in range(m):
            f[j] = E2[j] / E[j] * factor
    else:
        for j in range(m):
            f[j] = -E[j] / max(abs(x[j]), _TINY)
    c0, c1, c2, c3, c4 = series[0], series[1], series[2], series[3], series[4]
    c5, c6, c7, c8, c9 = series[5], series[6], series[7], series[8], series[9]
    for j in range(m):
        t = max(abs(x[j]), _TINY)
        if kind == MULTIVALUED:
            far = k1 * (_TWO + E[j]) / E[j] - k2 * (_TWO + E2[j]) / E2[j]
        else:
            far = -(_TWO + E[j]) / E[j] - _ONE / t
        q = min(t * t, _TWO)  # beyond, the series is not used
        p = ((((((((c9 * q + c8) * q + c7) * q + c6) * q + c5) * q + c4) * q + c3) * q + c2) * q + c1) * q + c0
        value = p * abs(x[j]) if y[j] < _NEAR else far
        mean[at + j] = value if x[j] > 0 else -value
    return float(linear) + _sum_of_logs(f, g, m)


@compiled
def unit_means(x: Floats, mean: Floats, kind: int, s: float, series: Floats) -> None:
    """The means of units in fields x (n,), into mean (n,)."""
    f, g = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    y, E, E2 = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    room = (f, y, E, E2, g, np.empty(BLOCK, np.int32))
    for first in range(0, len(x), BLOCK):
        m = min(BLOCK, len(x) - first)
        units(x[first : first + m], mean, first, m, kind, s, series, room)


@compiled
def multivalued_samples(x: Any, u: Any, s: float, below_one: float, out: Any) -> None:
    """Samples of X_s in fields x (n,) at uniform numbers u (n,), into out (n,)."""
    for i in range(x.size):
        t = max(abs(float(x[i])), _NO_FIELD)
        v = min(1 - float(u[i]) if x[i] > 0 else float(u[i]), below_one)
        steps = math.floor(-math.log1p(v * math.expm1(-2 * t * ((s + 1) / s))) * s / (2 * t))
        h = (s - 2 * min(max(steps, 0.0), s)) / s
        out[i] = h if x[i] > 0 else -h


@compiled
def interval_samples(x: Any, u: Any, s: float, below_one: float, out: Any) -> None:
    """The same on [-1, 1]; s is not looked at."""
    for i in range(x.size):
        t = max(abs(float(x[i])), _NO_FIELD)
        v = min(1 - float(u[i]) if x[i] > 0 else float(u[i]), below_one)
        h = 1 + max(math.log1p(v * math.expm1(-2 * t)) / t, -2.0)
        out[i] = h if x[i] > 0 else -h
