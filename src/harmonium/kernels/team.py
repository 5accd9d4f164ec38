"""Compiled loops on the threads that torch has.

After a parallel operation torch's threads go on waiting for the next one at full speed, for a millisecond or so.
Threads of our own would share the cores with them, and be woken in a tenth of a millisecond; these begin at once.  So a
loop is handed to OpenMP's team itself where torch brings GNU's, and to a pool of threads elsewhere.

A loop (`harmonium.kernels.team_pass`) takes part after part until none is left: which thread does what is open, what
comes out is not.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from harmonium.kernels.threads import each

#: Numbers of a part where a loop goes over them one by one: a few stripes of random numbers.
PART = 1 << 14


@cache
def _openmp() -> tuple[Callable[..., None], int] | None:
    """Of the library that torch has loaded: what begins a parallel region, (loop, data, threads, flags), and the
    address of what its threads meet at."""
    for path in sorted((Path(torch.__file__).parent / "lib").glob("libgomp*.so*")):
        try:
            library = ctypes.CDLL(str(path))
            begin, meet = library.GOMP_parallel, library.GOMP_barrier
        except (OSError, AttributeError):
            continue
        begin.argtypes, begin.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint), None
        return cast(Callable[..., None], begin), cast(int, ctypes.cast(meet, ctypes.c_void_p).value)
    return None


def barrier() -> int | None:
    """The address of the function at which all threads of a parallel region meet; None where there is no OpenMP."""
    openmp = _openmp()
    return None if openmp is None else openmp[1]


def run_at(address: int, data: int, threads: int) -> None:
    """The function at the address with this data, on so many of OpenMP's threads."""
    openmp = _openmp()
    assert openmp is not None
    openmp[0](address, data, threads, 0)


def words_of(x: Tensor | int | float) -> Sequence[int]:
    """An argument as words of 64 bits: of a contiguous tensor address and shape, of a float its bits in double
    precision, whatever torch's default is."""
    if isinstance(x, Tensor):
        return (x.data_ptr(), *x.shape)
    if isinstance(x, float):
        return struct.unpack("=Q", struct.pack("=d", x))
    return (x,)


def run(loop: Any, arguments: Sequence[Tensor | int | float], parts: int, *, alone: bool = False) -> None:
    """All parts of a loop on torch's number of threads, or in this one `alone`, given `words_of` the arguments."""
    words = [0, parts]
    for x in arguments:
        words += words_of(x)
    data = np.array(words, np.uint64)
    threads = 1 if alone or parts < 2 else torch.get_num_threads()
    if threads == 1:
        loop.ctypes(data.ctypes.data)
    elif _openmp() is not None:
        run_at(loop.address, data.ctypes.data, threads)
    else:
        each(lambda i: loop.ctypes(data.ctypes.data), threads)
