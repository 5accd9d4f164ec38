"""Compiled loops on several threads: parts of the work, cut without regard to how many threads there are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch

#: Numbers of a part: below two of them, handing work out costs more than it saves.
PART = 1 << 17


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


def each(job: Callable[[int], object], count: int) -> None:
    """job(0) ... job(count - 1), on torch's number of threads; what is called must let go of the interpreter's lock."""
    threads = min(torch.get_num_threads(), count)
    if threads <= 1:
        for i in range(count):
            job(i)
    else:
        for _ in _pool(threads).map(job, range(count)):
            pass


def in_parts(job: Callable[[int, int], object], count: int) -> None:
    """job(start, stop) over parts of 0 ... count; parts begin at multiples of `PART`."""
    if count < 2 * PART or torch.get_num_threads() == 1:
        job(0, count)
    else:
        each(lambda i: job(i * PART, min((i + 1) * PART, count)), -(-count // PART))
