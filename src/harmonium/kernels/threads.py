"""Compiled loops on several threads: parts of the work, cut without regard to how many threads there are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch


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
