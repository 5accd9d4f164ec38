"""What no program of matrix products can go below by much: those of an update, and nothing else.

CD-1 needs five, two layers up, one down, and the two of the gradient:

    v W,   h W',   v' W,   v' h,   v'' h'

A discriminative gradient needs the first and one of the last.  Libraries, precisions and orders of the weights in
memory are all tried, and the quickest is taken: NumPy and torch in float32, torch in bfloat16.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from speed.cases import Case
from speed.rows import Rows
from speed.tools import Training

Step = Callable[[], object]
#: Candidates this many times slower than the quickest at first sight are not looked at again.
_HOPELESS = 4.0
#: How many trials, and seconds of one.
_TRIALS, _TRIAL = 5, 0.02


def products(case: Case, rows: Rows, variant: str = "") -> Training:
    """The quickest way found, which the note names."""
    steps = candidates(case)
    quickest = fastest(steps)
    step = steps[quickest]

    def more(updates: int) -> None:
        for _ in range(updates):
            step()

    return Training(more, quickest)


def fastest(steps: dict[str, Step], clock: Callable[[], float] = time.perf_counter) -> str:
    """The name of the one with the smallest median of a few trials that take turns."""

    def seconds(step: Step, times: int = 1) -> float:
        began = clock()
        for _ in range(times):
            step()
        return (clock() - began) / times

    first: dict[str, float] = {}
    for name, step in steps.items():
        once = seconds(step)  # the first call pays for what is set up on the way
        first[name] = once if once > _TRIAL else seconds(step)
    left = [name for name in steps if first[name] <= _HOPELESS * min(first.values())]
    trials: dict[str, list[float]] = {name: [] for name in left}
    for _ in range(_TRIALS):
        for name in left:
            trials[name].append(seconds(steps[name], max(1, round(_TRIAL / max(first[name], 1e-6)))))
    return min(left, key=lambda name: statistics.median(trials[name]))


def candidates(case: Case) -> dict[str, Step]:
    """Every library, precision and order of the weights, as a function that makes one update's products."""
    import torch

    V, H, N = case.weights // case.units, case.units, case.batch
    all_five = case.products == 5
    found: dict[str, Step] = {}
    generator = np.random.default_rng(0)
    v, h = generator.random((N, V), np.float32).round(), generator.random((N, H), np.float32)
    W = generator.standard_normal((V, H), np.float32) * np.float32(0.01)
    for order, turned in (("V × H", False), ("H × V", True)):
        how = {"turned": turned, "all_five": all_five}
        array: Any = np.asfortranarray(W) if turned else W
        room = np.empty((H, V) if turned else (V, H), np.float32)
        own = (np.empty_like(h), np.empty_like(v), room)
        found[f"NumPy, float32, weights {order}"] = _step(np.matmul, v, h, array, *own, **how)
        for dtype in (torch.float32, torch.bfloat16):
            name = f"torch, {str(dtype).removeprefix('torch.')}, weights {order}"
            weights = torch.from_numpy(W).T.contiguous().T if turned else torch.from_numpy(W)
            x, y = torch.from_numpy(v).to(dtype), torch.from_numpy(h).to(dtype)
            outs = (torch.empty_like(y), torch.empty_like(x), torch.from_numpy(room).to(dtype))
            found[name] = _step(torch.mm, x, y, weights.to(dtype), *outs, **how)
    return found


def _step(
    multiply: Callable[..., object], v: Any, h: Any, W: Any, up: Any, down: Any, gradient: Any, *, turned: bool,
    all_five: bool,
) -> Step:  # fmt: skip
    """The products of one update by a library's own product; the gradient lies in memory as the weights do."""
    left, right = (h.T, v) if turned else (v.T, h)

    def step() -> None:
        multiply(v, W, out=up)
        if all_five:
            multiply(h, W.T, out=down)
            multiply(v, W, out=up)
            multiply(left, right, out=gradient)
        multiply(left, right, out=gradient)

    return step
