"""The compiled loops over units of two values; `harmonium.kernels.tosses` prepares what they read.

    P(low) = 1 / (1 + e^x)        the unit is high where  u >= P(low),  that is where  u (1 + e^x) >= 1
    P(high) = 1 - 1 / (1 + e^x)

    e^x = 2^n 2^r,   n whole and r within 1/2 of zero;   2^r - 1 is a polynomial;   relative error |x| 2^-24 or so

Field, random word and comparison meet in one pass over memory, without a uniform number being stored.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harmonium.kernels.compiled import compiled
from harmonium.kernels.instructions import wide
from harmonium.kernels.philox import BLOCKS
from harmonium.kernels.philox_pass import fill_stripe
from harmonium.kernels.team import PART
from harmonium.kernels.team_pass import FIRST, floats, loop, next_part, words_at

_LOG2_E = np.float32(1 / math.log(2))
#: Taylor coefficients of (2^r - 1) / r, the last first: relative errors below a unit of float32 where |r| <= 1/2.
_P0, _P1, _P2, _P3, _P4, _P5, _P6 = (np.float32(math.log(2) ** k / math.factorial(k)) for k in range(7, 0, -1))
#: Beyond, e^x or its reciprocal is no normal number of float32; no uniform number is that near to 0 or 1.
_MOST = np.float32(125)
_ONE, _HALF, _UP = np.float32(1), np.float32(0.5), np.float32(128.5)
_24, _FLOAT32 = np.int32(0xFFFFFF), np.float32(2.0**-24)
_STRIPE = 4 * BLOCKS


@compiled
def _odds(x: np.ndarray, at: np.uint64, count: np.uint64, scale: np.float32, e: np.ndarray, power: np.ndarray) -> None:
    """e^(scale x) of count fields from x[at] on, as power · (1 + e): power holds the bits of a float32."""
    wide()
    for j in range(count):
        y = x[at + j] * scale
        y = -_MOST if y < -_MOST else y  # what is no number stays none
        y = _MOST if y > _MOST else y
        n = np.int32(y + _UP)  # rounded, and 128 more, so that what is cut off is a positive number
        r = y - np.float32(np.int32(n - np.int32(128)))
        e[j] = ((((((_P0 * r + _P1) * r + _P2) * r + _P3) * r + _P4) * r + _P5) * r + _P6) * r
        power[j] = np.int32(np.int32(n - np.int32(1)) << np.int32(23))


@compiled
def tosses(
    key: np.uint64, block: np.uint64, x: np.ndarray, ising: bool, out: np.ndarray, start: int, stop: int
) -> None:
    """States of units start to stop in fields x (n,), into out (n,): {0, 1}, or {-1, 1}."""
    wide()
    words = np.empty(2 * BLOCKS, np.uint64)
    low = words.view(np.int32)
    e, power = np.empty(_STRIPE, np.float32), np.empty(_STRIPE, np.int32)
    two_to_n = power.view(np.float32)
    scale = np.float32(2) * _LOG2_E if ising else _LOG2_E
    least = -_ONE if ising else np.float32(0)
    for stripe in range(start - start % _STRIPE, stop, _STRIPE):
        fill_stripe(key, block + np.uint64(stripe // 4), words)
        first = max(start, stripe)
        at, count, skipped = np.uint64(first), np.uint64(min(stripe + _STRIPE, stop) - first), np.uint64(first - stripe)
        _odds(x, at, count, scale, e, power)
        for j in range(count):
            u = np.float32(low[skipped + j] & _24) * _FLOAT32
            out[at + j] = _ONE if u * (two_to_n[j] * e[j] + two_to_n[j] + _ONE) >= _ONE else least


@compiled
def sigmoids(x: np.ndarray, out: np.ndarray, start: int, stop: int) -> None:
    """1 / (1 + e^-x) of fields start to stop, into out (n,)."""
    wide()
    e, power = np.empty(_STRIPE, np.float32), np.empty(_STRIPE, np.int32)
    two_to_n = power.view(np.float32)
    for first in range(start, stop, _STRIPE):
        at, count = np.uint64(first), np.uint64(min(_STRIPE, stop - first))
        _odds(x, at, count, -_LOG2_E, e, power)
        for j in range(count):
            out[at + j] = _ONE / (two_to_n[j] * e[j] + two_to_n[j] + _ONE)


@loop
def toss_all(data: Any) -> None:
    """`tosses` of all units in fields x (n,) into out (n,); a part is `PART` of them."""
    wide()
    a = words_at(data)
    key, block, ising, x, out = a[FIRST], a[FIRST + 1], a[FIRST + 2] != 0, floats(a, FIRST + 3), floats(a, FIRST + 5)
    start = next_part(a) * PART
    while start < x.size:
        tosses(key, block, x, ising, out, start, min(start + PART, x.size))
        start = next_part(a) * PART


@loop
def all_sigmoids(data: Any) -> None:
    """`sigmoids` of all fields x (n,) into out (n,); a part is `PART` of them."""
    wide()
    a = words_at(data)
    x, out = floats(a, FIRST), floats(a, FIRST + 2)
    start = next_part(a) * PART
    while start < x.size:
        sigmoids(x, out, start, min(start + PART, x.size))
        start = next_part(a) * PART
