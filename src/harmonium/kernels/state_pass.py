"""The compiled loops over states of two values; `harmonium.kernels.states` prepares what they read.

    s B = sum of the rows of B whose s is 1                                   a row added for each 1
        = sum over fours of entries  T_g[s_4g, s_4g+1, s_4g+2, s_4g+3]        a row added for every four entries

T_g holds the sixteen sums that four rows of B can have, added or left out, or subtracted for states of -1 (Arlazarov,
Dinic, Kronrod and Faradzev 1970).  No number is multiplied.  Everything goes tile by tile of columns, so that what is
picked from stays in the first caches; a tile is first laid out by itself, row behind row, whichever way the matrix lies
in memory.  Copies are plain loops: of slices they take Numba many seconds to compile.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonium.kernels.enumeration import compiled
from harmonium.kernels.lanes import (
    LANES,
    NARROW,
    ROW,
    add_looked_up,
    add_picked,
    copy_lanes,
    count_ones,
    ones_of,
    signed_sums_of_four,
    sums_of_four,
    turn,
    turn_onto,
    write_eight,
)
from harmonium.kernels.states import HALF, ROWS, TILE, WORD
from harmonium.kernels.team_pass import FIRST, floats, integers, loop, matrix, next_part, number, words, words_at

_HALF = np.float32(0.5)
#: For each byte the places of its ones, lowest first, and zeros behind them.
_PLACES = np.array(
    [[i for i in range(8) if byte >> i & 1] + [0] * (8 - byte.bit_count()) for byte in range(256)], np.uint8
)


@loop
def pack_bits(data: Any) -> None:
    """States (n, K) as bits, words (ceil(K / 32), n), and how many of each row are 1; -1 where one is not `low` either.

    A part is `ROWS` rows, and ends with such a one.
    """
    a = words_at(data)
    states, bits, ones = matrix(a, FIRST), words(a, FIRST + 3), integers(a, FIRST + 6)
    low = np.float32(-1) if a[FIRST + 8] != 0 else np.float32(0)
    n, K = states.shape
    whole = K - K % LANES
    part = next_part(a)
    while part * ROWS < n:
        for r in range(part * ROWS, min((part + 1) * ROWS, n)):
            row = states.ctypes.data + 4 * r * K
            strange, count = np.int32(0), 0
            for k in range(bits.shape[0]):
                bits[k, r] = 0
            for first in range(0, whole, LANES):
                found = ones_of(row + 4 * first, low)
                strange |= found
                bits[first // WORD, r] |= np.uint32(found & 0xFFFF) << np.uint32(first % WORD)
                count += count_ones(np.uint32(found & 0xFFFF))
            for k in range(whole, K):
                x = states[r, k]
                if x == 1:
                    bits[k // WORD, r] |= np.uint32(1) << np.uint32(k % WORD)
                    count += 1
                elif x != low:
                    strange = np.int32(1 << LANES)
            ones[r] = count
            if strange >> LANES:
                ones[r] = -1
                break
        part = next_part(a)


@compiled
def up_to_each(ones: np.ndarray) -> int:
    """Numbers of ones, (n,), become those up to and with each; the last of them, or -1 where one is below 0."""
    total = 0
    for r in range(ones.size):
        if ones[r] < 0:
            return -1
        total += ones[r]
        ones[r] = total
    return total


@compiled
def list_ones(bits: np.ndarray, places: np.ndarray) -> None:
    """Which entries are 1, row by row, into places (ones + SLACK,)."""
    table, out, at = _PLACES.ctypes.data, places.ctypes.data, 0
    for r in range(bits.shape[1]):
        for k in range(bits.shape[0]):
            word = bits[k, r]
            for i in range(4):
                byte = (word >> np.uint32(8 * i)) & np.uint32(255)
                write_eight(out + 4 * at, table + 8 * np.int64(byte), np.int32(k * WORD + 8 * i))
                at += count_ones(byte)


@compiled
def turn_lists(ends: np.ndarray, places: np.ndarray, turned_ends: np.ndarray, turned: np.ndarray) -> None:
    """The same ones, entry by entry: which rows have them, and where each entry's end, (K,)."""
    turned_ends[:] = 0
    for j in range(ends[-1]):
        turned_ends[places[j]] += 1
    total = 0
    for k in range(turned_ends.size):
        total += turned_ends[k]
        turned_ends[k] = total - turned_ends[k]
    at = 0
    for r in range(ends.size):
        for j in range(at, ends[r]):
            turned[turned_ends[places[j]]] = r
            turned_ends[places[j]] += 1
        at = ends[r]


@compiled
def _room(count: int) -> np.ndarray:
    """So many numbers that begin where a line of the cache does."""
    room = np.empty(count + LANES, np.float32)
    return room[-(room.ctypes.data // 4) % LANES :][:count]


@compiled
def _lay_out(
    B: np.ndarray, turned: bool, column: int, width: int, start: int, stop: int, tile: np.ndarray, across: int
) -> None:
    """`width` columns of rows start to stop of B (K, M), given as its transpose (M, K) if `turned`, into the tile.

    `across` is how many numbers a row of the tile has.
    """
    stride, source, to = 4 * B.shape[1], B.ctypes.data, tile.ctypes.data
    columns = width - width % LANES
    rows = stop - start - (stop - start) % LANES if turned else stop - start
    if turned:
        for c in range(0, columns, LANES):
            for k in range(0, rows, LANES):
                turn(source + (column + c) * stride + 4 * (start + k), stride, to + 4 * (k * across + c), 4 * across)
        for c in range(width):
            for k in range(0 if c >= columns else rows, stop - start):
                tile[k * across + c] = B[column + c, start + k]
    else:
        for k in range(rows):
            copy_lanes(source + (start + k) * stride + 4 * column, to + 4 * k * across, columns // LANES)
            for c in range(columns, width):
                tile[k * across + c] = B[start + k, column + c]


@loop
def picked_sums(data: Any) -> None:
    """out (n, M) = bias + s B by the listed ones; a part is a tile."""
    a = words_at(data)
    B, turned, bias = matrix(a, FIRST), a[FIRST + 3] != 0, floats(a, FIRST + 4)
    ends, places, out = integers(a, FIRST + 6), integers(a, FIRST + 8), matrix(a, FIRST + 10)
    n, M = out.shape
    K = B.shape[1 if turned else 0]
    tile, begin, sums = _room(K * TILE), _room(TILE), _room(TILE)
    where, table, start = places.ctypes.data, tile.ctypes.data, begin.ctypes.data
    column = next_part(a) * TILE
    while column < M:
        width = min(TILE, M - column)
        _lay_out(B, turned, column, width, 0, K, tile, TILE)
        for c in range(width):
            begin[c] = bias[column + c]
        at = 0
        for r in range(n):
            goal = out.ctypes.data + 4 * (r * M + column) if width == TILE else sums.ctypes.data
            add_picked(goal, start, table, where + 4 * at, ends[r] - at)
            if width < TILE:
                for c in range(width):
                    out[r, column + c] = sums[c]
            at = ends[r]
        column = next_part(a) * TILE


@loop
def looked_up_sums(data: Any) -> None:
    """out (n, M) = bias + s B by fours of entries, of states {0, 1} or, `signed`, {-1, 1}; a part is a narrow tile."""
    a = words_at(data)
    B, turned, bias = matrix(a, FIRST), a[FIRST + 3] != 0, floats(a, FIRST + 4)
    bits, out, signed = words(a, FIRST + 6), matrix(a, FIRST + 9), a[FIRST + 12] != 0
    n, M = out.shape
    K = B.shape[1 if turned else 0]
    chunk, tables, begin, sums = _room(WORD * HALF), _room(8 * 16 * HALF), _room(HALF), _room(n * HALF)
    rows, table, to = chunk.ctypes.data, tables.ctypes.data, sums.ctypes.data
    begin[:] = 0
    column = next_part(a) * HALF
    while column < M:
        width = min(HALF, M - column)
        for c in range(width):
            begin[c] = bias[column + c]
        for r in range(n):
            copy_lanes(begin.ctypes.data, to + r * NARROW, HALF // LANES)
        for k in range(bits.shape[0]):
            stop = min((k + 1) * WORD, K)
            if width < HALF or stop - k * WORD < WORD:
                chunk[:] = 0
            _lay_out(B, turned, column, width, k * WORD, stop, chunk, HALF)
            for group in range(8):
                if signed:
                    signed_sums_of_four(table + 16 * group * NARROW, rows + 4 * group * NARROW)
                else:
                    sums_of_four(table + 16 * group * NARROW, rows + 4 * group * NARROW)
            for r in range(n):
                add_looked_up(to + r * NARROW, table, bits[k, r])
        for r in range(n):
            if width == HALF:
                copy_lanes(to + r * NARROW, out.ctypes.data + 4 * (r * M + column), HALF // LANES)
            else:
                for c in range(width):
                    out[r, column + c] = sums[r * HALF + c]
        column = next_part(a) * HALF


@loop
def picked_products(data: Any) -> None:
    """factor · h' s of h (n, H) into out (H, K), or added to it, by ones listed entry by entry; a part is a tile.

    Of `signed` states, {-1, 1}:  h' s = 2 (h' [s = 1] - sum of the rows of h / 2).
    """
    a = words_at(data)
    h, ends, places, out = matrix(a, FIRST), integers(a, FIRST + 3), integers(a, FIRST + 5), matrix(a, FIRST + 7)
    factor, add, signed = np.float32(number(a[FIRST + 10])), a[FIRST + 11] != 0, a[FIRST + 12] != 0
    n, H = h.shape
    K = ends.size
    tile, begin, sums = _room(n * TILE), _room(TILE), _room(LANES * TILE)
    begin[:] = 0
    if signed:
        factor *= np.float32(2)
    where, table, to, stride = places.ctypes.data, tile.ctypes.data, sums.ctypes.data, 4 * K
    column = next_part(a) * TILE
    while column < H:
        width = min(TILE, H - column)
        _lay_out(h, False, column, width, 0, n, tile, TILE)
        if signed:
            for c in range(width):
                begin[c] = 0
            for r in range(n):
                for c in range(width):
                    begin[c] -= _HALF * tile[r * TILE + c]
        for k in range(0, K, LANES):
            entries = min(LANES, K - k)
            for i in range(entries):
                at = ends[k + i - 1] if k + i > 0 else 0
                add_picked(to + i * ROW, begin.ctypes.data, table, where + 4 * at, ends[k + i] - at)
            whole = width - width % LANES if entries == LANES else 0
            for c in range(0, whole, LANES):
                goal = out.ctypes.data + (column + c) * stride + 4 * k
                turn_onto(to + 4 * c, ROW, goal, stride, factor, add)
            for c in range(whole, width):
                for i in range(entries):
                    before = out[column + c, k + i] if add else np.float32(0)
                    out[column + c, k + i] = before + factor * sums[i * TILE + c]
        column = next_part(a) * TILE
