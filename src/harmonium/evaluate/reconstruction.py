"""The reconstruction error, by one definition: down to the hidden means and back, without drawing anything.

    h' = E[h | v],    v' = E[v | h'],    nats = -ln p(v | h'),    squared = sum_i (v_i - v'_i)²

Deterministic, for every family; nats are densities' where values are continuous.  It is NOT a likelihood, nor a bound
on one: nothing in it sees Z, so it falls while a machine that mixes badly gets worse (Hinton 2012, section 15.1).
Use it to see that something is learned at all, and `harmonium.evaluate.likelihood` to compare machines.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harmonium.checks import checked_states
from harmonium.machine import RBM


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Errors of each row, (N,) in float64: cross-entropy in nats, and the sum of squares."""

    nats: Tensor
    squared: Tensor


@torch.no_grad()
def reconstruction(rbm: RBM, v: Tensor) -> Reconstruction:
    """Reconstruct visible states (N, size) by the hidden means.

    Raises InputError for rows that are missing, not finite or of the wrong width, and for a machine without a
    distribution.
    """
    v, rbm = checked_states(rbm, v), rbm.to(dtype=torch.float64)
    side = rbm.visible
    eta = rbm.eta_v_from_h(rbm.hidden.mean(rbm.eta_h_from_v(v))[..., 0, :])  # (N, k, size)
    log_p = side.dot(eta, v) - side.own_energy(v) - side.log_partition(eta) + side.log_base
    return Reconstruction(-log_p, (v - side.mean(eta)[..., 0, :]).square().sum(-1))
