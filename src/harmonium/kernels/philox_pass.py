"""The compiled loops over random words; `harmonium.kernels.philox` is the plain twin and says what they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonium.kernels.compiled import compiled
from harmonium.kernels.instructions import wide
from harmonium.kernels.philox import BLOCKS, INCREMENTS, MULTIPLIERS, ROUNDS, Words
from harmonium.kernels.team import PART
from harmonium.kernels.team_pass import FIRST, doubles, floats, loop, next_part, words_at

_M0, _M1 = np.uint64(MULTIPLIERS[0]), np.uint64(MULTIPLIERS[1])
_W0, _W1 = np.uint64(INCREMENTS[0]), np.uint64(INCREMENTS[1])
_LOW, _HALF, _ELEVEN = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(11)
_BLOCKS = np.uint64(BLOCKS)
_24 = np.int32(0xFFFFFF)
_FLOAT32, _FLOAT64 = np.float32(2.0**-24), 2.0**-53


@compiled
def fill_stripe(key: np.uint64, block: np.uint64, words: Words) -> None:
    """The stripe of words that begins at that block, into words (2 BLOCKS,)."""
    wide()
    # words stay in lanes of 64 bits, whose upper halves the products do not see: this is what vectorises
    for j in range(_BLOCKS):
        x0, x1 = (block + j) & _LOW, (block + j) >> _HALF
        x2, x3 = np.uint64(0), np.uint64(0)
        k0, k1 = key & _LOW, key >> _HALF
        for _ in range(ROUNDS):
            p, q = (x0 & _LOW) * _M0, (x2 & _LOW) * _M1
            x0, x1 = (q >> _HALF) ^ x1 ^ k0, q & _LOW
            x2, x3 = (p >> _HALF) ^ x3 ^ k1, p & _LOW
            k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
        words[j] = x0 | (x1 << _HALF)
        words[_BLOCKS + j] = x2 | (x3 << _HALF)


@compiled
def fill_float32(key: np.uint64, block: np.uint64, out: np.ndarray, start: int, stop: int) -> None:
    """Uniform numbers start to stop of those from that block on, into out; start begins a stripe."""
    wide()
    words = np.empty(2 * BLOCKS, np.uint64)
    low = words.view(np.int32)
    for first in range(start, stop, 4 * BLOCKS):
        fill_stripe(key, block + np.uint64(first // 4), words)
        at, count = np.uint64(first), np.uint64(min(4 * BLOCKS, stop - first))
        for j in range(count):
            out[at + j] = np.float32(low[j] & _24) * _FLOAT32


@compiled
def fill_float64(key: np.uint64, block: np.uint64, out: np.ndarray, start: int, stop: int) -> None:
    """The same in float64."""
    wide()
    words = np.empty(2 * BLOCKS, np.uint64)
    for first in range(start, stop, 2 * BLOCKS):
        fill_stripe(key, block + np.uint64(first // 2), words)
        at, count = np.uint64(first), np.uint64(min(2 * BLOCKS, stop - first))
        for j in range(count):
            out[at + j] = np.float64(words[j] >> _ELEVEN) * _FLOAT64


@loop
def fill_all_float32(data: Any) -> None:
    """`fill_float32` of all of out (n,); a part is `PART` of them."""
    wide()
    a = words_at(data)
    key, block, out = a[FIRST], a[FIRST + 1], floats(a, FIRST + 2)
    start = next_part(a) * PART
    while start < out.size:
        fill_float32(key, block, out, start, min(start + PART, out.size))
        start = next_part(a) * PART


@loop
def fill_all_float64(data: Any) -> None:
    """`fill_float64` of all of out (n,); a part is `PART` of them."""
    wide()
    a = words_at(data)
    key, block, out = a[FIRST], a[FIRST + 1], doubles(a, FIRST + 2)
    start = next_part(a) * PART
    while start < out.size:
        fill_float64(key, block, out, start, min(start + PART, out.size))
        start = next_part(a) * PART
