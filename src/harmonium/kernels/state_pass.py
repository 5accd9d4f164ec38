"""The compiled loops that look at states of two values and list them; `harmonium.kernels.states` says what for.

    bits     a word for every 32 entries of a row
    place    the number of a 1 in its row; or of a pattern: of four entries, not all 0, 16 · (which four) + their bits
    lists    the places of each row, row by row; turned, the rows of each place, place by place

Lists of `LISTED` rows lie one behind the other, with some room after them, so that threads do not meet.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonium.kernels.compiled import compiled
from harmonium.kernels.lanes import LANES, count_ones, ones_of, write_eight, write_two
from harmonium.kernels.states import LISTED, ROWS, SLACK, WORD
from harmonium.kernels.team_pass import (
    FIRST,
    NONE_LEFT,
    counts_at,
    doubles,
    indices,
    integers,
    loop,
    matrix,
    next_part,
    words,
    words_at,
    write_word,
)

#: For each byte the places of its ones, lowest first, and zeros behind them.
_ONES = np.array(
    [[i for i in range(8) if byte >> i & 1] + [0] * (8 - byte.bit_count()) for byte in range(256)], np.uint8
)
#: For each byte the places of its patterns, and how many they are.
_PATTERNS = np.array(
    [([byte & 15] * bool(byte & 15) + [16 + (byte >> 4)] * bool(byte >> 4) + [0, 0])[:2] for byte in range(256)],
    np.uint8,
)
_FILLED = np.array([bool(byte & 15) + bool(byte >> 4) for byte in range(256)], np.uint8)
_FIRSTS = np.uint32(0x11111111)


@compiled
def pack_row(
    row: np.ndarray, low: np.float32, bits: np.ndarray, r: int, ones: np.ndarray, patterns: np.ndarray
) -> bool:
    """Entries (K,) as bits of row r, words (ceil(K / 32), n), and its ones and patterns, (n,).

    Whether all are 1 or `low`; where one is not, the ones are given as -1.
    """
    K, at = row.size, row.ctypes.data
    strange, count, filled = np.int32(0), 0, 0
    for k in range(bits.shape[0]):
        word = np.uint32(0)
        for half in range(2):
            first = k * WORD + half * LANES
            if first + LANES <= K:
                found = ones_of(at + 4 * first, low)
                strange |= found
                word |= np.uint32(found & 0xFFFF) << np.uint32(half * LANES)
            else:
                for i in range(first, K):
                    if row[i] == 1:
                        word |= np.uint32(1) << np.uint32(i - k * WORD)
                    elif row[i] != low:
                        strange = np.int32(1 << LANES)
        bits[k, r] = word
        count += count_ones(word)
        some = word | (word >> np.uint32(1)) | (word >> np.uint32(2)) | (word >> np.uint32(3))
        filled += count_ones(some & _FIRSTS)
    states = strange >> LANES == 0
    ones[r], patterns[r] = count if states else -1, filled
    return states


@loop
def pack_bits(data: Any) -> None:
    """States (n, K) as bits, from row `first` on, as `pack_row` does; a part is `ROWS` rows, ended by a strange one."""
    a = words_at(data)
    states, bits, ones, patterns = matrix(a, FIRST), words(a, FIRST + 3), integers(a, FIRST + 6), integers(a, FIRST + 8)
    low, start = np.float32(-1) if a[FIRST + 10] != 0 else np.float32(0), int(a[FIRST + 11])
    n = states.shape[0]
    part = next_part(a)
    while part * ROWS < n:
        for r in range(part * ROWS, min((part + 1) * ROWS, n)):
            if not pack_row(states[r], low, bits, start + r, ones, patterns):
                break
        part = next_part(a)


@compiled
def up_to_each(counts: np.ndarray) -> int:
    """Numbers of places, (n,), become those up to and with each; the last of them, or -1 where one is below 0."""
    total = 0
    for r in range(counts.size):
        if counts[r] < 0:
            return -1
        total += counts[r]
        counts[r] = total
    return total


@loop
def choose_lists(data: Any) -> None:
    """Whether ones or patterns cost less, and where each row's list of these ends; a single part.

    Costs are those of a pattern, of all that patterns need besides, of a one, and of the third way, to look up all
    fours.  Whether it is patterns is written to the addresses `flags`.  At those of `parts` stand the numbers of the
    next parts of the stages that look up, first, and of those that do not: what is not chosen has none left.
    `strange` (1,) becomes 1 where a row has other values than 1 and 0; then all lists are empty.
    """
    a = words_at(data)
    ones, patterns, ends = integers(a, FIRST), integers(a, FIRST + 2), integers(a, FIRST + 4)
    strange, costs = integers(a, FIRST + 6), doubles(a, FIRST + 8)
    flags, parts = indices(a, FIRST + 10), indices(a, FIRST + 12)
    if next_part(a) > 0:
        return
    n = ones.size
    total, filled = 0, 0
    for r in range(n):
        if ones[r] < 0:
            strange[0] = 1
        total += ones[r]
        filled += patterns[r]
    fours = costs[0] * filled + costs[1] < costs[2] * total
    for i in range(flags.size):
        write_word(flags[i], np.uint64(fours))
    look_up = costs[3] < min(costs[0] * filled + costs[1], costs[2] * total)
    for i in range(parts.size):
        if look_up != (i == 0):
            write_word(parts[i], NONE_LEFT)
    at = 0
    for r in range(n):
        at += 0 if strange[0] else patterns[r] if fours else ones[r]
        ends[r] = at


@compiled
def begin_of(ends: np.ndarray, r: int) -> int:
    """Where the list of row r begins."""
    return (ends[r - 1] if r > 0 else 0) + SLACK * (r // LISTED)


@loop
def list_places(data: Any) -> None:
    """The ones of each row, or its patterns, into places; a part is `LISTED` rows."""
    a = words_at(data)
    bits, ends, places, fours = words(a, FIRST), integers(a, FIRST + 3), integers(a, FIRST + 5), a[FIRST + 7] != 0
    table, patterns, out = _ONES.ctypes.data, _PATTERNS.ctypes.data, places.ctypes.data
    n = bits.shape[1]
    part = next_part(a)
    while part * LISTED < n:
        at = begin_of(ends, part * LISTED)
        for r in range(part * LISTED, min((part + 1) * LISTED, n)):
            for k in range(bits.shape[0]):
                word = bits[k, r]
                if word != 0:
                    for i in range(4):
                        byte = np.int64((word >> np.uint32(8 * i)) & np.uint32(255))
                        if fours:
                            write_two(out + 4 * at, patterns + 2 * byte, np.int32(4 * (k * WORD + 8 * i)))
                            at += int(_FILLED[byte])
                        else:
                            write_eight(out + 4 * at, table + 8 * byte, np.int32(k * WORD + 8 * i))
                            at += count_ones(np.uint32(byte))
        part = next_part(a)


@loop
def count_places(data: Any) -> None:
    """How often each place is listed, (parts, places); a part is `LISTED` rows."""
    a = words_at(data)
    ends, places, counts = integers(a, FIRST), integers(a, FIRST + 2), counts_at(a, FIRST + 4)
    part = next_part(a)
    while part < counts.shape[0]:
        of_part = counts[part]
        for place in range(of_part.size):
            of_part[place] = 0
        last = min((part + 1) * LISTED, ends.size) - 1
        for j in range(
            begin_of(ends, part * LISTED), begin_of(ends, last) + ends[last] - (ends[last - 1] if last else 0)
        ):
            of_part[places[j]] += 1
        part = next_part(a)


@compiled
def begins_of_places(counts: np.ndarray, ends: np.ndarray) -> None:
    """Counts (parts, places) become where each part's rows of a place begin; and the ends of the places' lists."""
    total = 0
    for place in range(counts.shape[1]):
        for part in range(counts.shape[0]):
            count = counts[part, place]
            counts[part, place] = total
            total += count
        ends[place] = total


@loop
def find_begins(data: Any) -> None:
    """`begins_of_places`; a single part."""
    a = words_at(data)
    if next_part(a) == 0:
        begins_of_places(counts_at(a, FIRST), integers(a, FIRST + 3))


@loop
def turn_lists(data: Any) -> None:
    """The same lists place by place: which rows have it, from each part's begin on; a part is `LISTED` rows."""
    a = words_at(data)
    ends, places, begins, rows = (
        integers(a, FIRST),
        integers(a, FIRST + 2),
        counts_at(a, FIRST + 4),
        integers(a, FIRST + 7),
    )
    part = next_part(a)
    while part < begins.shape[0]:
        of_part = begins[part]
        for r in range(part * LISTED, min((part + 1) * LISTED, ends.size)):
            at = begin_of(ends, r)
            for j in range(at, at + ends[r] - (ends[r - 1] if r > 0 else 0)):
                rows[of_part[places[j]]] = r
                of_part[places[j]] += 1
        part = next_part(a)
