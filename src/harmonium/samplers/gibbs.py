"""Gibbs sampling: `number` chains, each of which gives its state after `steps` sweeps.

    h ~ p(h | v),  v ~ p(v | h);      with clamped entries  v_free ~ p(v_free | h)  alone

Use it to see where chains lead, for completions, and on machines that mix; not to learn how much weight far modes
have.  The second half of the sweeps is watched.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harmonium.diagnostics import LEAST_DRAWS, Watched
from harmonium.gibbs import start_visible, sweep
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.samplers.base import Samples


def sample_by_gibbs(
    rbm: RBM,
    number: int,
    steps: int,
    noise: Noise,
    *,
    start: Tensor | None = None,
    clamp: Tensor | None = None,
    snapshots: Sequence[RBM] | None = None,
    base: Tensor | None = None,
) -> Samples:
    """The last states of chains from `start` (number, V), or from units that are independent."""
    v = start_visible(rbm, number, noise) if start is None else start
    given, watched, series = v, Watched(rbm), []
    for s in range(steps):
        eta_h = rbm.eta_h_from_v(v)
        if s > steps // 2:
            series.append(watched(v, eta_h=eta_h))
        v = sweep(rbm, v, noise, eta_h=eta_h)
        if clamp is not None:
            v = torch.where(clamp, given, v)
    return Samples(v, torch.stack(series) if len(series) >= LEAST_DRAWS else None)
