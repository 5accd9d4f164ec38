"""What compiled loops share that run on several threads; `harmonium.kernels.team` calls them.

A loop is a function of one address, at which stand the number of the next part, the number of parts, and what follows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import cfunc, types
from numba.np.numpy_support import carray

from harmonium.kernels.compiled import compiled
from harmonium.kernels.instructions import instruction

_I64 = ir.IntType(64)
#: The most words that a loop is given.
_MOST = 40
#: Where the arguments begin.
FIRST = 2
#: The number of the next part of a loop that has nothing to do.
NONE_LEFT = np.uint64(1 << 40)


def loop(function: Callable[[Any], None]) -> Any:
    """A compiled function that other threads can call, with a cache on disk where one can be written."""
    options: dict[str, Any] = {"fastmath": {"contract", "reassoc", "nsz"}, "error_model": "numpy"}
    try:
        return cfunc(types.void(types.voidptr), cache=True, **options)(function)
    except RuntimeError:
        return cfunc(types.void(types.voidptr), **options)(function)


@instruction(types.int64, types.int64)
def _next(builder: Any, address: Any) -> Any:
    """The number at the address, which then is one more, whoever else asks."""
    place = builder.inttoptr(address, _I64.as_pointer())
    return builder.atomic_rmw("add", place, ir.Constant(_I64, 1), "monotonic")


@instruction(types.voidptr, types.int64)
def _pointer(builder: Any, address: Any) -> Any:
    """The address as a pointer."""
    return builder.inttoptr(address, ir.IntType(8).as_pointer())


@instruction(types.float64, types.uint64)
def number(builder: Any, word: Any) -> Any:
    """The float whose bits the word is."""
    return builder.bitcast(word, ir.DoubleType())


@instruction(types.void, types.uint64, types.uint64)
def _call(builder: Any, function: Any, data: Any) -> None:
    """The function at an address, with the data at another."""
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
    given = builder.inttoptr(data, ir.IntType(8).as_pointer())
    builder.call(builder.inttoptr(function, kind.as_pointer()), [given])


@instruction(types.void, types.uint64)
def _meet(builder: Any, function: Any) -> None:
    """The function at an address, which takes nothing."""
    builder.call(builder.inttoptr(function, ir.FunctionType(ir.VoidType(), []).as_pointer()), [])


@loop
def run_stages(data: Any) -> None:
    """Loop after loop, each with its data: how many, what threads meet at after each (0 for one thread), and these."""
    count = carray(data, (2,), np.uint64)
    a = carray(data, (2 + 2 * count[0],), np.uint64)
    for stage in range(np.int64(a[0])):
        _call(a[2 + 2 * stage], a[3 + 2 * stage])
        if a[1] != 0:
            _meet(a[1])


@instruction(types.void, types.int64, types.uint64)
def write_word(builder: Any, address: Any, word: Any) -> None:
    """A word at an address."""
    builder.store(word, builder.inttoptr(address, _I64.as_pointer()))


@compiled
def words_at(data: Any) -> np.ndarray:
    """The words that a loop is given."""
    return carray(data, (_MOST,), np.uint64)


@compiled
def next_part(a: np.ndarray) -> int:
    """A part that no other thread has, or one beyond the last."""
    return _next(a.ctypes.data)


@compiled
def floats(a: np.ndarray, i: int) -> np.ndarray:
    """The row of float32 numbers whose address and size stand at i."""
    return carray(_pointer(np.int64(a[i])), (np.int64(a[i + 1]),), np.float32)


@compiled
def doubles(a: np.ndarray, i: int) -> np.ndarray:
    """The row of float64 numbers whose address and size stand at i."""
    return carray(_pointer(np.int64(a[i])), (np.int64(a[i + 1]),), np.float64)


@compiled
def matrix(a: np.ndarray, i: int) -> np.ndarray:
    """The matrix of float32 numbers whose address and shape stand at i."""
    shape = (np.int64(a[i + 1]), np.int64(a[i + 2]))
    return carray(_pointer(np.int64(a[i])), shape, np.float32)


@compiled
def integers(a: np.ndarray, i: int) -> np.ndarray:
    """The row of int32 numbers whose address and size stand at i."""
    return carray(_pointer(np.int64(a[i])), (np.int64(a[i + 1]),), np.int32)


@compiled
def words(a: np.ndarray, i: int) -> np.ndarray:
    """The matrix of uint32 numbers whose address and shape stand at i."""
    shape = (np.int64(a[i + 1]), np.int64(a[i + 2]))
    return carray(_pointer(np.int64(a[i])), shape, np.uint32)


@compiled
def counts_at(a: np.ndarray, i: int) -> np.ndarray:
    """The matrix of int32 numbers whose address and shape stand at i."""
    shape = (np.int64(a[i + 1]), np.int64(a[i + 2]))
    return carray(_pointer(np.int64(a[i])), shape, np.int32)


@compiled
def indices(a: np.ndarray, i: int) -> np.ndarray:
    """The row of int64 numbers whose address and size stand at i."""
    return carray(_pointer(np.int64(a[i])), (np.int64(a[i + 1]),), np.int64)


@compiled
def bytes_of(a: np.ndarray, i: int) -> np.ndarray:
    """The matrix of bytes whose address and shape stand at i."""
    shape = (np.int64(a[i + 1]), np.int64(a[i + 2]))
    return carray(_pointer(np.int64(a[i])), shape, np.uint8)
