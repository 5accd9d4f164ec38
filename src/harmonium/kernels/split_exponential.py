"""Sums over all states of products of (1 + e^field), without an exponential or a logarithm in the inner loop.

The number of a state is split into high and low digits; fields are linear in the state, so

    field(p Q + q) = high[p] + low[q],      prod_i (1 + e^field_i) = prod_i (1 + E_high[p, i] E_low[q, i])

costs one multiply-add and one multiply for each (state, unit), and one logarithm for each state and `_CHUNK` units.
A chunk's product must fit a float64: where fields are too large for that the function says so and the caller
takes the log domain (`harmonium.kernels.softplus`).
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

_CHUNK = 16
_LARGEST = 600.0  # e^600 and a chunk's product below it are finite in float64, with room for the ones


def fits(high: Tensor, low: Tensor) -> bool:
    """Whether every chunk's product stays finite: fields high (P, V) and low (Q, V) in float64."""
    if high.dtype != torch.float64:
        return False
    largest = float(high.abs().max() + low.abs().max())
    bound = (high.max(0).values + low.max(0).values).clamp_min(0) + math.log(2)
    return largest < _LARGEST and all(float(c.sum()) < _LARGEST for c in bound.split(_CHUNK))


def log_sum(high: Tensor, low: Tensor, own_high: Tensor, own_low: Tensor) -> float:
    """logsumexp over p, q of  own_high[p] + own_low[q] + sum_i ln(1 + exp(high[p, i] + low[q, i])), in nats.

    high (P, V), low (Q, V), own_high (P,), own_low (Q,), all float64 and such that `fits`.
    """
    factors_high, factors_low = high.exp(), low.exp()
    totals = torch.empty(len(high), dtype=high.dtype, device=high.device)
    before = torch.get_num_threads()
    if before == 1 or high.device.type != "cpu":
        _fill(totals, range(len(high)), factors_high, factors_low, own_high, own_low)
        return float(totals.logsumexp(0))
    # One worker a processor, each with whole operations to itself: threads that share an operation wait for each other
    # at its end, and where the processors are busy with other work that costs more than the sums
    try:
        with ThreadPoolExecutor(before, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            shares = [range(first, len(high), before) for first in range(before)]
            list(pool.map(lambda share: _fill(totals, share, factors_high, factors_low, own_high, own_low), shares))
    finally:
        torch.set_num_threads(before)
    return float(totals.logsumexp(0))


def _fill(
    totals: Tensor, share: range, factors_high: Tensor, factors_low: Tensor, own_high: Tensor, own_low: Tensor
) -> None:
    """totals[p] for the given p."""
    Q, V = factors_low.shape
    full = V // _CHUNK * _CHUNK
    work = torch.empty_like(factors_low)
    for p in share:
        torch.mul(factors_low, factors_high[p], out=work).add_(1)
        log_weight = own_low + work[:, full:].prod(-1).log_()
        log_weight += work[:, :full].view(Q, -1, _CHUNK).prod(-1).log_().sum(-1)
        totals[p] = own_high[p] + log_weight.logsumexp(0)


def log_sum_plain(high: Tensor, low: Tensor, own_high: Tensor, own_low: Tensor) -> float:
    """The plain twin, in the log domain."""
    fields = high.unsqueeze(1) + low  # (P, Q, V)
    terms = own_high.unsqueeze(1) + own_low + torch.logaddexp(fields, torch.zeros_like(fields)).sum(-1)
    return float(terms.flatten().logsumexp(0))
