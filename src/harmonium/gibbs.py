"""Block Gibbs sampling: the only consumer of noise.

h ~ p(h | v),    v ~ p(v | h)          one sweep is both, in this order

Stacked machines have states (R, N, size), and a `harmonium.noise.Streams` whose streams draw a machine's part each.
"""

from __future__ import annotations

from torch import Tensor

from harmonium.kernels.tosses import can_toss, toss
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Ising, UnitFamily


def sample_side(side: UnitFamily, eta: Tensor, noise: Noise) -> Tensor:
    """One state for each row of natural parameters: (..., k, size) -> (..., size)."""
    if isinstance(side, (Bernoulli, Ising)) and can_toss(eta, noise):
        return toss(eta.squeeze(-2), noise, ising=isinstance(side, Ising))
    return side.sample(eta, noise.uniform(*eta.shape[:-2], side.n))


def sample_h_from_v(rbm: RBM, v: Tensor, noise: Noise) -> Tensor:
    """h ~ p(h | v): (..., V) -> (..., H)."""
    return sample_side(rbm.hidden, rbm.eta_h_from_v(v), noise)


def sample_v_from_h(rbm: RBM, h: Tensor, noise: Noise) -> Tensor:
    """v ~ p(v | h): (..., H) -> (..., V)."""
    return sample_side(rbm.visible, rbm.eta_v_from_h(h), noise)


def sweep(rbm: RBM, v: Tensor, noise: Noise, steps: int = 1, *, eta_h: Tensor | None = None) -> Tensor:
    """The visible states after `steps` sweeps from v (N, V); eta_h, where known, saves the first product."""
    for _ in range(steps):
        eta_h = rbm.eta_h_from_v(v) if eta_h is None else eta_h
        v = sample_v_from_h(rbm, sample_side(rbm.hidden, eta_h, noise), noise)
        eta_h = None
    return v


def start_visible(rbm: RBM, chains: int, noise: Noise) -> Tensor:
    """Visible states of independent units with the machine's own biases, a neutral start: (chains, V)."""
    eta = rbm.a.unsqueeze(-3).expand(*rbm.a.shape[:-2], chains, -1, -1)
    return sample_side(rbm.visible, eta, noise)
