"""Counter-based random words: the n-th is a function of n and a key, so any part of a stream can be had at once.

    Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): ten rounds on a block of four 32-bit words x and a 64-bit key k,

    p = M0 x0,  q = M1 x2,      x <- ( hi(q) ^ x1 ^ k0,  lo(q),  hi(p) ^ x3 ^ k1,  lo(p) ),      k <- k + (W0, W1)

Block n begins as x = (lo(n), hi(n), 0, 0).  A stripe is `BLOCKS` of them: first all words 0 and 1, block after block,
then all words 2 and 3, which is how a processor's vectors write them.  A number is made of the low bits of its word:

    float32      24 bits of one word:     multiples of 2^-24, 4 BLOCKS to a stripe
    float64      53 bits of two words:    multiples of 2^-53, 2 BLOCKS to a stripe

A stripe is worked on by one thread, so what is drawn does not depend on how many there are.  This is the plain twin, in
NumPy; `harmonium.kernels.philox_pass` is the compiled one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Blocks of a stripe: what is worked on fits into the first cache.
BLOCKS = 256
#: Multipliers and increments of the key, the article's.
MULTIPLIERS, INCREMENTS, ROUNDS = (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85), 10

Words = npt.NDArray[np.uint64]
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def per_stripe(double: bool) -> int:
    """Numbers of float64 or float32 in a stripe."""
    return (2 if double else 4) * BLOCKS


def stripe(key: int, block: int) -> Words:
    """The stripe of words that begins at that block, two to an entry, the lower first: (2 BLOCKS,)."""
    n = np.arange(BLOCKS, dtype=np.uint64) + np.uint64(block)
    x0, x1, x2, x3 = n & _LOW, n >> _HALF, np.zeros_like(n), np.zeros_like(n)
    k0, k1 = np.uint64(key) & _LOW, np.uint64(key) >> _HALF
    for _ in range(ROUNDS):
        p, q = x0 * np.uint64(MULTIPLIERS[0]), x2 * np.uint64(MULTIPLIERS[1])
        x0, x1, x2, x3 = (q >> _HALF) ^ x1 ^ k0, q & _LOW, (p >> _HALF) ^ x3 ^ k1, p & _LOW
        k0, k1 = (k0 + np.uint64(INCREMENTS[0])) & _LOW, (k1 + np.uint64(INCREMENTS[1])) & _LOW
    return np.concatenate([x0 | (x1 << _HALF), x2 | (x3 << _HALF)])


def uniforms(key: int, block: int, count: int, *, double: bool = False) -> npt.NDArray[np.floating]:
    """So many uniform numbers in [0, 1) from that block on: (count,)."""
    stripes = -(-count // per_stripe(double))
    words = np.concatenate([stripe(key, block + i * BLOCKS) for i in range(stripes)] or [np.empty(0, np.uint64)])
    if double:
        return ((words >> np.uint64(11)).astype(np.float64) * 2.0**-53)[:count]
    low = words.view(np.uint32) & np.uint32(0xFFFFFF)
    return (low.astype(np.float32) * np.float32(2.0**-24))[:count]
