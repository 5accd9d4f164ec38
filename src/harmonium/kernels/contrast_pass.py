"""The compiled loop from rows to their share of the gradient; `harmonium.kernels.contrast` prepares what it reads.

    x = b + v W,    m = 1 / (1 + e^-x),    W: sum_r f_r m_r v_r',    b: sum_r f_r m_r,    a: sum_r f_r v_r

f is one factor for the first rows (the data: 1 / how many) and another for the rest (chains: -1 / how many).  From a
tile of hidden units' fields to their gradient everything stays in the near caches.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonium.kernels.compiled import compiled
from harmonium.kernels.instructions import wide
from harmonium.kernels.lanes import ROW
from harmonium.kernels.state_pass import pack_row
from harmonium.kernels.states import TILE
from harmonium.kernels.team_pass import FIRST, floats, integers, loop, matrix, next_part, number, words, words_at
from harmonium.kernels.tile_pass import products_of_tile, room, sums_of_tile, sums_room
from harmonium.kernels.toss_pass import sigmoids, tosses


@compiled
def _weigh(tile: np.ndarray, start: int, stop: int, factor: np.float32, sums: np.ndarray) -> None:
    """Rows start to stop of a tile times the factor, and their sums, (TILE,)."""
    wide()
    for c in range(TILE):
        sums[c] = 0
    for r in range(start, stop):
        for c in range(TILE):
            x = tile[r * TILE + c] * factor
            tile[r * TILE + c] = x
            sums[c] += x


@compiled
def _visible(
    ends: np.ndarray, rows: np.ndarray, fours: bool, n: int, first: np.float32, others: np.float32, of_a: np.ndarray
) -> None:
    """sum_r f_r v_r of the first n rows and the others, by turned lists, into of_a (V,)."""
    of_a[:] = 0
    at = 0
    for place in range(ends.size):
        of_data = 0
        for j in range(at, ends[place]):
            of_data += rows[j] < n
        share = first * np.float32(of_data) + others * np.float32(ends[place] - at - of_data)
        if fours:
            for i in range(4):
                if share != 0 and place >> i & 1:  # what would lie beyond the last entry is never 1
                    of_a[4 * (place // 16) + i] += share
        elif place < of_a.size:
            of_a[place] = share
        at = ends[place]


@loop
def contrast_tiles(data: Any) -> None:
    """The sums over the rows, of W into of_W (H, V), written or added; a part is a tile of hidden units, the last is a.

    Fields x of the rows from `start` on are written into x; mean_h (H,) is the sum over the first n rows, with factors.
    """
    a = words_at(data)
    W, b = matrix(a, FIRST), floats(a, FIRST + 3)
    ends, places = integers(a, FIRST + 5), integers(a, FIRST + 7)
    turned_ends, rows, fours = integers(a, FIRST + 9), integers(a, FIRST + 11), a[FIRST + 13] != 0
    n, first, others = int(a[FIRST + 14]), np.float32(number(a[FIRST + 15])), np.float32(number(a[FIRST + 16]))
    x, of_W, add = matrix(a, FIRST + 17), matrix(a, FIRST + 20), a[FIRST + 23] != 0
    of_a, of_b, mean_h = floats(a, FIRST + 24), floats(a, FIRST + 26), floats(a, FIRST + 28)
    H, V = W.shape
    tile, table = room(ends.size * TILE), sums_room(V, fours)
    data_sums, other_sums = room(TILE), room(TILE)
    start = ends.size - x.shape[0]
    column = next_part(a) * TILE
    while column < H:
        width = min(TILE, H - column)
        sums_of_tile(W, True, b, column, ends, places, fours, table, tile.ctypes.data, ROW)
        for r in range(start, ends.size):
            for c in range(width):
                x[r - start, column + c] = tile[r * TILE + c]
        sigmoids(tile, tile, 0, tile.size)
        _weigh(tile, 0, n, first, data_sums)
        _weigh(tile, n, ends.size, others, other_sums)
        for c in range(width):
            mean_h[column + c] = data_sums[c]
            of_b[column + c] = data_sums[c] + other_sums[c]
        products_of_tile(tile, column, width, turned_ends, rows, fours, np.float32(1), add, False, of_W)
        column = next_part(a) * TILE
    if column < H + TILE:
        _visible(turned_ends, rows, fours, n, first, others, of_a)


@loop
def toss_rows(data: Any) -> None:
    """States of units in fields x (n, K), into out (n, K), and packed while they are near, from row `first` on.

    A part is `rows` of them.
    """
    wide()
    a = words_at(data)
    key, block, x, out = a[FIRST], a[FIRST + 1], matrix(a, FIRST + 2), matrix(a, FIRST + 5)
    bits, ones, patterns = words(a, FIRST + 8), integers(a, FIRST + 11), integers(a, FIRST + 13)
    first, rows = int(a[FIRST + 15]), int(a[FIRST + 16])
    n, K = x.shape
    fields, states = x.reshape(-1), out.reshape(-1)
    start = next_part(a) * rows
    while start < n:
        stop = min(start + rows, n)
        tosses(key, block, fields, False, states, start * K, stop * K)
        for r in range(start, stop):
            pack_row(out[r], np.float32(0), bits, first + r, ones, patterns)
        start = next_part(a) * rows
