"""Annealing: states carried from one machine to another, and the weights that they gather on the way.

    p_t(v) ~ exp(-F_t(v)),   F_t the free energy of lerp(start, end, t),   t_0, t_1, ..., t_K from 0 to 1 or back
    ln w   = sum_k F_{k-1}(v_{k-1}) - F_k(v_{k-1}),    v_k from v_{k-1} by one Gibbs sweep that leaves p_k invariant

Where v_0 ~ p_{t_0}, E[w] = Z_{t_K} / Z_{t_0} (Neal 2001; Jarzynski 1997), for rising and for falling schedules alike; a
block Gibbs sweep is reversible in v, so that the falling one is the exact reverse of the rising one (Crooks 1999).
The fields of an interpolated machine are the interpolated fields: W is never copied, and a start of independent
units costs no product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from harmonium.gibbs import sample_side
from harmonium.machine import RBM
from harmonium.noise import Noise

#: Called before each sweep with the step's number and each chain's gain in ln w (N,).
Watch = Callable[[int, Tensor], None]


@torch.no_grad()
def anneal(
    start: RBM, end: RBM, v: Tensor, schedule: Sequence[float], noise: Noise, *, watch: Watch | None = None
) -> tuple[Tensor, Tensor]:
    """Carry v (N, V) along the schedule: the last states (N, V), and ln w (N,) in float64.

    t = 0 is `start` and t = 1 is `end`, two machines on the same sides.  The last sweep is made at the last but one
    temperature: the states that come back are those that were weighted last.
    """
    hidden, visible = end.hidden, end.visible
    coupled = bool((start.W != 0).any())
    shift = (end.a - start.a).double()
    log_w = torch.zeros(len(v), dtype=torch.float64, device=v.device)

    def fields(v: Tensor) -> tuple[Tensor, Tensor]:
        eta_end = end.eta_h_from_v(v)
        return (start.eta_h_from_v(v) if coupled else start.b.expand_as(eta_end)), eta_end

    eta_start, eta_end = fields(v)
    for k, (before, now) in enumerate(pairwise(schedule)):
        if k > 0:
            h = sample_side(hidden, _between(eta_start, eta_end, before), noise)
            towards = end.eta_v_from_h(h)
            away = start.eta_v_from_h(h) if coupled else start.a.expand_as(towards)
            v = sample_side(visible, _between(away, towards, before), noise)
            eta_start, eta_end = fields(v)
        # Differences of log-partitions are small beside them: they are taken in float64 whatever the chains are in
        wide = eta_start.double(), eta_end.double()
        gain = hidden.log_partition(_between(*wide, now)) - hidden.log_partition(_between(*wide, before))
        gain += (now - before) * visible.dot(shift, v.double())
        log_w += gain
        if watch is not None:
            watch(k, gain)
    return v, log_w


def _between(x: Tensor, y: Tensor, t: float) -> Tensor:
    """(1 - t) x + t y, which is x and y themselves at the ends."""
    return x if t == 0 else y if t == 1 else torch.lerp(x, y, t)
