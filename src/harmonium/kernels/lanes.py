"""Vectors of sixteen float32 numbers at addresses in memory, for the compiled loops in `state_pass`.

Numba makes vectors of plain loops only where it can prove that nothing overlaps; where rows are picked from a table it
cannot.  These are the few steps that must not be left to luck, written in the compiler's own language: it splits the
vectors for processors whose own are shorter.  Addresses are whole numbers, strides are in bytes; nothing is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from harmonium.kernels.instructions import instruction
from harmonium.kernels.states import HALF, TILE

#: Numbers in a vector.
LANES = 16
#: Bytes of a vector, of a row of a tile, and of one of a narrow tile.
_WIDTH, ROW, NARROW = 4 * LANES, 4 * TILE, 4 * HALF
_I16, _I32, _I64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_ADDRESS = types.int64


def _constant(number: int) -> ir.Constant:
    return ir.Constant(_I64, number)


def _every(number: float) -> ir.Constant:
    return ir.Constant(_VECTOR, [number] * LANES)


def _load(builder: Any, address: Any, offset: int = 0) -> Any:
    place = builder.inttoptr(builder.add(address, _constant(offset)), _VECTOR.as_pointer())
    return builder.load(place, align=4)


def _store(builder: Any, value: Any, address: Any, offset: int = 0) -> None:
    place = builder.inttoptr(builder.add(address, _constant(offset)), _VECTOR.as_pointer())
    builder.store(value, place, align=4)


def _spread(builder: Any, number: Any, vector: Any) -> Any:
    """A vector of one number."""
    none = ir.Constant(vector, ir.Undefined)
    zeros = ir.Constant(ir.VectorType(_I32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(builder.insert_element(none, number, ir.Constant(_I32, 0)), none, zeros)


@instruction(types.int32, _ADDRESS, types.float32)
def ones_of(builder: Any, at: Any, low: Any) -> Any:
    """Which of the sixteen numbers are 1, a bit each; bit 16 says that one is neither `low` nor 1."""
    x = _load(builder, at)
    one = builder.bitcast(builder.fcmp_ordered("==", x, _every(1)), _I16)
    other = builder.bitcast(builder.fcmp_unordered("!=", x, _spread(builder, low, _VECTOR)), _I16)
    strange = builder.icmp_unsigned("!=", one, other)
    high = builder.shl(builder.zext(strange, _I32), ir.Constant(_I32, LANES))
    return builder.or_(builder.zext(one, _I32), high)


@instruction(types.int32, types.uint32)
def count_ones(builder: Any, word: Any) -> Any:
    """How many bits are set."""
    return builder.ctpop(word)


def _write(builder: Any, count: int, out: Any, places: Any, first: Any) -> None:
    bytes_, whole = ir.VectorType(ir.IntType(8), count), ir.VectorType(_I32, count)
    added = builder.zext(builder.load(builder.inttoptr(places, bytes_.as_pointer()), align=1), whole)
    builder.store(
        builder.add(_spread(builder, first, whole), added), builder.inttoptr(out, whole.as_pointer()), align=4
    )


@instruction(types.void, _ADDRESS, _ADDRESS, types.int32)
def write_eight(builder: Any, out: Any, places: Any, first: Any) -> None:
    """Eight numbers (int32): `first`, and what each of eight bytes adds to it."""
    _write(builder, 8, out, places, first)


@instruction(types.void, _ADDRESS, _ADDRESS, types.int32)
def write_two(builder: Any, out: Any, places: Any, first: Any) -> None:
    """The same for two."""
    _write(builder, 2, out, places, first)


def _add_picked(builder: Any, width: int, out: Any, start: Any, table: Any, places: Any, count: Any) -> None:
    room: Callable[..., Any] = cgutils.alloca_once_value  # the compiler keeps it in registers
    sums = [room(builder, _load(builder, start, at)) for at in range(0, width, _WIDTH)]
    with cgutils.for_range(builder, count) as loop:
        place = builder.inttoptr(builder.add(places, builder.shl(loop.index, _constant(2))), _I32.as_pointer())
        row = builder.add(table, builder.mul(builder.zext(builder.load(place), _I64), _constant(width)))
        for c, total in enumerate(sums):
            builder.store(builder.fadd(builder.load(total), _load(builder, row, _WIDTH * c)), total)
    for c, total in enumerate(sums):
        _store(builder, builder.load(total), out, _WIDTH * c)


@instruction(types.void, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS, types.int64)
def add_picked(builder: Any, out: Any, start: Any, table: Any, places: Any, count: Any) -> None:
    """A row of `out` is the row at `start` plus those rows of the table whose numbers (int32) stand at `places`."""
    _add_picked(builder, ROW, out, start, table, places, count)


@instruction(types.void, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS, types.int64)
def add_picked_narrow(builder: Any, out: Any, start: Any, table: Any, places: Any, count: Any) -> None:
    """The same of rows of narrow tiles."""
    _add_picked(builder, NARROW, out, start, table, places, count)


@instruction(types.void, _ADDRESS, _ADDRESS)
def sums_of_patterns(builder: Any, out: Any, sums: Any) -> None:
    """Four rows from sixteen: row i of `out` adds those of `sums` whose number has bit i.  Row 0 is not looked at."""
    for at in range(0, ROW, _WIDTH):
        s = [None, *(_load(builder, sums, ROW * m + at) for m in range(1, 16))]
        for bit, step in ((0, 1), (2, 4)):
            # of the two bits from `bit` on, whatever the other two are
            others = [4 * m for m in range(4)] if bit == 0 else list(range(4))
            of = {}
            for value in (1, 2, 3):
                terms = [s[value * step + other] for other in others]
                of[value] = builder.fadd(builder.fadd(terms[0], terms[1]), builder.fadd(terms[2], terms[3]))
            _store(builder, builder.fadd(of[1], of[3]), out, ROW * bit + at)
            _store(builder, builder.fadd(of[2], of[3]), out, ROW * (bit + 1) + at)


def _write_sums(builder: Any, out: Any, rows: Any, signed: bool) -> None:
    for at in range(0, NARROW, _WIDTH):
        sums = [_every(0)]
        for k in range(4):
            row = _load(builder, rows, NARROW * k + at)
            low = [builder.fsub(total, row) for total in sums] if signed else sums
            sums = [*low, *(builder.fadd(total, row) for total in sums)]
        for m, total in enumerate(sums):
            _store(builder, total, out, NARROW * m + at)


@instruction(types.void, _ADDRESS, _ADDRESS)
def sums_of_four(builder: Any, out: Any, rows: Any) -> None:
    """The sixteen sums that four rows, one behind the other, can have: row m of `out` adds those whose bit m has.

    All rows are of narrow tiles.
    """
    _write_sums(builder, out, rows, signed=False)


@instruction(types.void, _ADDRESS, _ADDRESS)
def signed_sums_of_four(builder: Any, out: Any, rows: Any) -> None:
    """The same where the other rows are subtracted."""
    _write_sums(builder, out, rows, signed=True)


@instruction(types.void, _ADDRESS, _ADDRESS, types.uint32)
def add_looked_up(builder: Any, out: Any, table: Any, word: Any) -> None:
    """Add to the row `out` eight rows of the table, of sixteen a group, that the word's eight parts of four bits name.

    All rows are of narrow tiles.
    """
    word, shift = builder.zext(word, _I64), NARROW.bit_length() - 1
    rows = []
    for group in range(8):
        by = shift - 4 * group
        place = builder.shl(word, _constant(by)) if by > 0 else builder.lshr(word, _constant(-by))
        rows.append(builder.add(table, builder.and_(place, _constant(15 * NARROW))))
    for at in range(0, NARROW, _WIDTH):
        terms = [_load(builder, row, 16 * NARROW * group + at) for group, row in enumerate(rows)]
        while len(terms) > 1:  # pairwise: a sum need not wait for all before it
            terms = [builder.fadd(x, y) for x, y in zip(terms[::2], terms[1::2], strict=True)]
        _store(builder, builder.fadd(_load(builder, out, at), terms[0]), out, at)


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Sixteen vectors as the columns of what they are the rows of: pairs, fours, eights change places."""
    step = 1
    while step < LANES:
        for i in range(LANES):
            if not i & step:
                x, y = rows[i], rows[i + step]
                low = [j if not j & step else LANES + j - step for j in range(LANES)]
                high = [j + step if not j & step else LANES + j for j in range(LANES)]
                rows[i], rows[i + step] = (
                    builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(_I32, LANES), order))
                    for order in (low, high)
                )
        step *= 2
    return rows


@instruction(types.void, _ADDRESS, types.int64, _ADDRESS, types.int64)
def turn(builder: Any, source: Any, stride: Any, out: Any, out_stride: Any) -> None:
    """Sixteen rows of sixteen numbers, written as columns."""
    rows = [_load(builder, builder.add(source, builder.mul(stride, _constant(i)))) for i in range(LANES)]
    for i, row in enumerate(_turned(builder, rows)):
        _store(builder, row, builder.add(out, builder.mul(out_stride, _constant(i))))


@instruction(types.void, _ADDRESS, types.int64, _ADDRESS, types.int64, types.float32, types.boolean)
def turn_onto(builder: Any, source: Any, stride: Any, out: Any, out_stride: Any, factor: Any, add: Any) -> None:
    """factor · (sixteen rows of sixteen numbers, as columns), written to `out` or added to it."""
    rows = [_load(builder, builder.add(source, builder.mul(stride, _constant(i)))) for i in range(LANES)]
    factors = _spread(builder, factor, _VECTOR)
    add = builder.trunc(add, ir.IntType(1))
    for i, row in enumerate(_turned(builder, rows)):
        place = builder.add(out, builder.mul(out_stride, _constant(i)))
        before = builder.select(add, _load(builder, place), _every(0))
        _store(builder, builder.fadd(before, builder.fmul(factors, row)), place)


@instruction(types.void, _ADDRESS, _ADDRESS, types.int64)
def copy_lanes(builder: Any, source: Any, out: Any, vectors: Any) -> None:
    """So many vectors."""
    with cgutils.for_range(builder, vectors) as loop:
        offset = builder.mul(loop.index, _constant(_WIDTH))
        _store(builder, _load(builder, builder.add(source, offset)), builder.add(out, offset))
