"""The ratio of two partition functions from samples of both: Bennett's acceptance ratio.

    sum_{x ~ p_0} s(ln f_1/f_0 (x) - C - M)  =  sum_{x ~ p_1} s(ln f_0/f_1 (x) + C + M)
    C = ln Z_1 / Z_0,    s(y) = 1 / (1 + exp(-y)),    M = ln n_0 / n_1

The estimator of least variance among all that average over both sides (Bennett 1976); between two ends of an annealing
the log-ratios are the logarithms of the weights that it gathers, forwards and backwards (Crooks 2000; Shirts, Bair,
Hooker and Pande 2003).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def bennett(forward: Tensor, reverse: Tensor) -> tuple[float, float]:
    """ln Z_1 / Z_0 in nats, and its standard error for independent samples.

    forward (n_0,): ln f_1/f_0 at samples of p_0 (or ln w of annealings from 0 to 1); reverse (n_1,): ln f_0/f_1 at
    samples of p_1 (or ln w of annealings from 1 to 0).
    """
    w, u = forward.double().flatten(), reverse.double().flatten()
    M = math.log(len(w) / len(u))
    # Beyond the smallest and the largest value that one sample alone would give, one side outweighs the other
    room = 1 + abs(M)
    low = float(torch.minimum(w.min(), (-u).min())) - M - room
    high = float(torch.maximum(w.max(), (-u).max())) - M + room
    while high - low > 1e-12 * max(1.0, abs(low), abs(high)):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        excess = float((w - middle - M).sigmoid().sum() - (u + middle + M).sigmoid().sum())
        low, high = (middle, high) if excess > 0 else (low, middle)
    C = (low + high) / 2
    variance = sum(_relative_variance(y) for y in (w - C - M, u + C + M))
    return C, math.sqrt(variance)


def _relative_variance(y: Tensor) -> float:
    """Variance of the mean of s(y) over its square: () from (n,); infinite for a single sample."""
    if len(y) < 2:
        return math.inf
    log_s = torch.nn.functional.logsigmoid(y)
    relative = (log_s - log_s.logsumexp(0) + math.log(len(y))).exp()  # s / mean(s), also where s underflows
    return float(relative.var()) / len(y)
