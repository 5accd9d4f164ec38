"""Machines on which estimates go wrong quietly, with everything about them known exactly.

A sampler or an estimator of ln Z that is right on these has found what it could not see from where it started.
"""

import math

import torch

from harmonium.machine import RBM
from harmonium.units import Ising

_UNITS, _HIDDEN, _COUPLING = 12, 8, 0.45


def two_far_modes(against: float = 8.0, dtype: torch.dtype = torch.float64) -> RBM:
    """Twelve ±1 units that nearly all agree with a pattern (probability 3/4) or nearly none (1/4).

    The visible fields, which add up to `against`, are against the pattern; the hidden ones, which act through the
    couplings alone, are for it, just enough for its three quarters.  On the way from the machine's own biases (t = 0)
    to the machine (t = 1) the mode of the pattern is a small one until the passage between the modes has closed.

    against    share of the pattern at t = 0.1, 0.4, 0.7, 1    leaving it in a Gibbs sweep at t = 0.4, 0.7, 1    ln Z
       8             0.005   0.0009   0.02   0.75                    0.09   8e-7    1e-12                      44.056
       4             0.07    0.03     0.2    0.75                    0.02   6e-8    8e-14                      44.048

    With 8, of 256 chains annealed in 100 even steps 0.45 on average arrive in the pattern: two out of three such
    estimates of ln Z hold none and say ln Z - ln 4 with a small standard error, and 1000 steps make it worse.
    """
    pattern = _pattern(dtype)
    a = -against / _UNITS
    b = torch.full((1, _HIDDEN), _towards(a), dtype=dtype)
    W = _COUPLING * pattern[:, None].expand(_UNITS, _HIDDEN)
    return RBM(Ising(_UNITS), Ising(_HIDDEN), W.contiguous(), a * pattern[None], b)


def agreement(v: torch.Tensor) -> torch.Tensor:
    """How much states of `two_far_modes` agree with its pattern, from -1 to 1: (..., 12) -> (...)."""
    return v @ _pattern(v.dtype) / _UNITS


def _pattern(dtype: torch.dtype) -> torch.Tensor:
    """+1 and -1 in turn, so that no mode is all of one value."""
    pattern = torch.ones(_UNITS, dtype=dtype)
    pattern[::2] = -1
    return pattern


def _towards(a: float) -> float:
    """The hidden field that gives the pattern three quarters: bisection of a sum over how many units agree."""
    low, high = 0.0, 10.0
    for _ in range(60):
        b = (low + high) / 2
        weight = {
            m: math.comb(_UNITS, (m + _UNITS) // 2) * math.exp(a * m) * (2 * math.cosh(b + _COUPLING * m)) ** _HIDDEN
            for m in range(-_UNITS, _UNITS + 1, 2)
        }
        more = sum(w for m, w in weight.items() if m > 0) > 3 * sum(w for m, w in weight.items() if m < 0)
        low, high = (low, b) if more else (b, high)
    return low
