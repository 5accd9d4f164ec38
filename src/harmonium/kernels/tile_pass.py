"""The compiled loops of products with states of two values; `harmonium.kernels.states` prepares what they read.

    s B = sum of the rows of B whose s is 1                                   a row added for each 1
        = sum over fours of entries  T_g[s_4g, s_4g+1, s_4g+2, s_4g+3]        a row added for every four entries
    h' s: row k = sum of the rows of h where s_k is 1
                = sum over the patterns p of k's four that have it of  S_p,    S_p = sum of the rows of h with p

T_g holds the sixteen sums that four rows of B can have, added or left out, or subtracted for states of -1 (Arlazarov,
Dinic, Kronrod and Faradzev 1970).  Fours that are all 0 need nothing: where ones keep together, as in pictures, there
are half as many others as ones.  No number is multiplied.  Everything goes tile by tile of columns, so that what is
picked from stays in the near caches; a tile is first laid out by itself, row behind row, whichever way the matrix lies
in memory.  Copies are plain loops: of slices they take Numba many seconds to compile.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonium.kernels.compiled import compiled
from harmonium.kernels.lanes import (
    LANES,
    NARROW,
    ROW,
    add_looked_up,
    add_picked,
    add_picked_narrow,
    copy_lanes,
    signed_sums_of_four,
    sums_of_four,
    sums_of_patterns,
    turn,
    turn_onto,
)
from harmonium.kernels.state_pass import begin_of
from harmonium.kernels.states import HALF, TILE, WORD
from harmonium.kernels.team_pass import FIRST, floats, integers, loop, matrix, next_part, number, words, words_at

_HALF = np.float32(0.5)


@compiled
def room(count: int) -> np.ndarray:
    """So many numbers that begin where a line of the cache does."""
    memory = np.empty(count + LANES, np.float32)
    return memory[-(memory.ctypes.data // 4) % LANES :][:count]


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


@compiled
def _tables_of(
    B: np.ndarray, turned: bool, column: int, width: int, k: int, chunk: np.ndarray, table: int, signed: bool
) -> None:
    """The sums of the eight fours of word k, in `width` columns of B, at the address `table`: narrow rows."""
    K = B.shape[1 if turned else 0]
    stop = min((k + 1) * WORD, K)
    if width < HALF or stop - k * WORD < WORD:
        chunk[:] = 0
    _lay_out(B, turned, column, width, k * WORD, stop, chunk, HALF)
    for group in range(WORD // 4):
        rows, to = chunk.ctypes.data + 4 * group * NARROW, table + 16 * group * NARROW
        if signed:
            signed_sums_of_four(to, rows)
        else:
            sums_of_four(to, rows)


@compiled
def sums_room(K: int, fours: bool) -> np.ndarray:
    """What `sums_of_tile` picks from: the rows of a tile, or the sums of a narrow one."""
    return room(-(-K // WORD) * WORD * 4 * HALF if fours else K * TILE)


@compiled
def sums_of_tile(
    B: np.ndarray, turned: bool, bias: np.ndarray, column: int, ends: np.ndarray, places: np.ndarray, fours: bool,
    table: np.ndarray, out: int, stride: int,
) -> None:  # fmt: skip
    """Rows of a tile, at the address `out` and `stride` bytes apart: bias + s B by listed ones or patterns.

    The columns are those from `column` on; beyond the last one rows are 0, or what is left of earlier tiles.
    """
    n, M = ends.size, bias.size
    K = B.shape[1 if turned else 0]
    width = min(TILE, M - column)
    begin, chunk = room(TILE), room(WORD * HALF if fours else 0)
    for c in range(TILE):
        begin[c] = bias[column + c] if c < width else np.float32(0)
    start, picked, where = begin.ctypes.data, table.ctypes.data, places.ctypes.data
    if not fours:
        _lay_out(B, turned, column, width, 0, K, table, TILE)
        for r in range(n):
            at = begin_of(ends, r)
            count = ends[r] - (ends[r - 1] if r > 0 else 0)
            add_picked(out + r * stride, start, picked, where + 4 * at, count)
        return
    for half in range(0, width, HALF):
        for k in range(-(-K // WORD)):
            to = picked + 4 * (k * WORD * 4 * HALF)
            _tables_of(B, turned, column + half, min(HALF, width - half), k, chunk, to, False)
        for r in range(n):
            at = begin_of(ends, r)
            count = ends[r] - (ends[r - 1] if r > 0 else 0)
            add_picked_narrow(out + r * stride + 4 * half, start + 4 * half, picked, where + 4 * at, count)


@loop
def picked_sums(data: Any) -> None:
    """out (n, M) = bias + s B by the listed ones or patterns; a part is a tile."""
    a = words_at(data)
    B, turned, bias = matrix(a, FIRST), a[FIRST + 3] != 0, floats(a, FIRST + 4)
    ends, places, fours, out = integers(a, FIRST + 6), integers(a, FIRST + 8), a[FIRST + 10] != 0, matrix(a, FIRST + 11)
    n, M = out.shape
    table = sums_room(B.shape[1 if turned else 0], fours)
    last = room(n * TILE if M % TILE else 0)
    column = next_part(a) * TILE
    while column < M:
        if M - column >= TILE:
            sums_of_tile(B, turned, bias, column, ends, places, fours, table, out.ctypes.data + 4 * column, 4 * M)
        else:
            sums_of_tile(B, turned, bias, column, ends, places, fours, table, last.ctypes.data, ROW)
            for r in range(n):
                for c in range(M - column):
                    out[r, column + c] = last[r * TILE + c]
        column = next_part(a) * TILE


@loop
def looked_up_sums(data: Any) -> None:
    """out (n, M) = bias + s B by fours of entries, of states {0, 1} or, `signed`, {-1, 1}; a part is a narrow tile."""
    a = words_at(data)
    B, turned, bias = matrix(a, FIRST), a[FIRST + 3] != 0, floats(a, FIRST + 4)
    bits, out, signed = words(a, FIRST + 6), matrix(a, FIRST + 9), a[FIRST + 12] != 0
    n, M = out.shape
    chunk, tables, begin, sums = room(WORD * HALF), room(WORD * 4 * HALF), room(HALF), room(n * HALF)
    table, to = tables.ctypes.data, sums.ctypes.data
    begin[:] = 0
    column = next_part(a) * HALF
    while column < M:
        width = min(HALF, M - column)
        for c in range(width):
            begin[c] = bias[column + c]
        for r in range(n):
            copy_lanes(begin.ctypes.data, to + r * NARROW, HALF // LANES)
        for k in range(bits.shape[0]):
            _tables_of(B, turned, column, width, k, chunk, table, signed)
            for r in range(n):
                add_looked_up(to + r * NARROW, table, bits[k, r])
        for r in range(n):
            if width == HALF:
                copy_lanes(to + r * NARROW, out.ctypes.data + 4 * (r * M + column), HALF // LANES)
            else:
                for c in range(width):
                    out[r, column + c] = sums[r * HALF + c]
        column = next_part(a) * HALF


@compiled
def products_of_tile(
    tile: np.ndarray, column: int, width: int, ends: np.ndarray, rows: np.ndarray, fours: bool,
    factor: np.float32, add: bool, signed: bool, out: np.ndarray,
) -> None:  # fmt: skip
    """Rows column to column + width of factor · h' s, of h's columns in a tile, into out (H, K), or added to it.

    The lists are turned: the rows of each entry, or of each pattern of four.
    Of `signed` states, {-1, 1}:  h' s = 2 (h' [s = 1] - sum of the rows of h / 2).
    """
    K, n = out.shape[1], tile.size // TILE
    begin, sums, of_patterns = room(TILE), room(LANES * TILE), room(16 * TILE)
    begin[:] = 0
    if signed:
        factor *= np.float32(2)
        for r in range(n):
            for c in range(TILE):
                begin[c] -= _HALF * tile[r * TILE + c]
    nothing = room(TILE)
    nothing[:] = 0
    where, table, to, stride = rows.ctypes.data, tile.ctypes.data, sums.ctypes.data, 4 * K
    for k in range(0, K, LANES):
        entries = min(LANES, K - k)
        if fours:
            for first in range(0, entries, 4):
                for p in range(1, 16):
                    place = 4 * (k + first) + p
                    at = ends[place - 1]
                    add_picked(
                        of_patterns.ctypes.data + p * ROW, nothing.ctypes.data, table, where + 4 * at, ends[place] - at
                    )
                sums_of_patterns(to + first * ROW, of_patterns.ctypes.data)
            if signed:
                for i in range(entries):
                    for c in range(TILE):
                        sums[i * TILE + c] += begin[c]
        else:
            for i in range(entries):
                at = ends[k + i - 1] if k + i > 0 else 0
                add_picked(to + i * ROW, begin.ctypes.data, table, where + 4 * at, ends[k + i] - at)
        whole = width - width % LANES if entries == LANES else 0
        for c in range(0, whole, LANES):
            turn_onto(to + 4 * c, ROW, out.ctypes.data + (column + c) * stride + 4 * k, stride, factor, add)
        for c in range(whole, width):
            for i in range(entries):
                before = out[column + c, k + i] if add else np.float32(0)
                out[column + c, k + i] = before + factor * sums[i * TILE + c]


@loop
def picked_products(data: Any) -> None:
    """factor · h' s of h (n, H) into out (H, K), or added to it, by turned lists; a part is a tile."""
    a = words_at(data)
    h, ends, rows, fours = matrix(a, FIRST), integers(a, FIRST + 3), integers(a, FIRST + 5), a[FIRST + 7] != 0
    out, factor = matrix(a, FIRST + 8), np.float32(number(a[FIRST + 11]))
    add, signed = a[FIRST + 12] != 0, a[FIRST + 13] != 0
    n, H = h.shape
    tile = room(n * TILE)
    tile[:] = 0
    column = next_part(a) * TILE
    while column < H:
        width = min(TILE, H - column)
        _lay_out(h, False, column, width, 0, n, tile, TILE)
        products_of_tile(tile, column, width, ends, rows, fours, factor, add, signed, out)
        column = next_part(a) * TILE
