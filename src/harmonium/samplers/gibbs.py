"""Gibbs sampling: `number` chains, each of which gives its state after `steps` sweeps.

    h ~ p(h | v),  v ~ p(v | h);      with clamped entries  v_free ~ p(v_free | h)  alone

Use it to see where chains lead, for completions, and on machines that mix; not to learn how much weight far modes
have.  The second half of the sweeps is watched, but not of chains with clamped entries: each samples a distribution
of its own, given what it holds, and that they differ says nothing.
"""

from __future__ import annotations

import torch

from harmonium.diagnostics import LEAST_DRAWS, Watched
from harmonium.gibbs import start_visible, sweep
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.samplers.base import NOTHING, Given, Samples


def sample_by_gibbs(rbm: RBM, number: int, steps: int, noise: Noise, given: Given = NOTHING) -> Samples:
    """The last states of chains from `given.start`, or from units that are independent."""
    v = start_visible(rbm, number, noise) if given.start is None else given.start
    held, watched, series = v, Watched(rbm), []
    for s in range(steps):
        eta_h = rbm.eta_h_from_v(v)
        if s > steps // 2 and given.clamp is None:
            series.append(watched(v, eta_h=eta_h))
        v = sweep(rbm, v, noise, eta_h=eta_h)
        if given.clamp is not None:
            v = torch.where(given.clamp, held, v)
    return Samples(v, torch.stack(series) if len(series) >= LEAST_DRAWS else None)
