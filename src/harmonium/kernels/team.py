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
def _openmp() -> Callable[..., None] | None:
    """What begins a parallel region in the library that torch has loaded: (loop, data, threads, flags)."""
    for path in sorted((Path(torch.__file__).parent / "lib").glob("libgomp*.so*")):
        try:
            begin = ctypes.CDLL(str(path)).GOMP_parallel
        except (OSError, AttributeError):
            continue
        begin.argtypes, begin.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint), None
        return cast(Callable[..., None], begin)
    return None


def run(loop: Any, arguments: Sequence[Tensor | int | float], parts: int, *, alone: bool = False) -> None:
    """All parts of a loop on torch's number of threads, or in this one `alone`.

    `arguments` become words of 64 bits: a tensor its address and shape, a float its bits, in double precision whatever
    torch's default is.  Tensors must be contiguous.
    """
    words = [0, parts]
    for x in arguments:
        if isinstance(x, Tensor):
            words += (x.data_ptr(), *x.shape)
        elif isinstance(x, float):
            words += struct.unpack("=Q", struct.pack("=d", x))
        else:
            words.append(x)
    data = np.array(words, np.uint64)
    threads = 1 if alone or parts < 2 else torch.get_num_threads()
    begin = _openmp()
    if threads == 1:
        loop.ctypes(data.ctypes.data)
    elif begin is not None:
        begin(loop.address, data.ctypes.data, threads, 0)
    else:
        each(lambda i: loop.ctypes(data.ctypes.data), threads)
