"""First parameters: visible biases that reproduce each unit's mean, small random weights.

a_i = ln( p_i / (1 - p_i) )      for {0, 1} units (Hinton 2012, A Practical Guide to Training RBMs, section 8.1)
a_i = artanh( m_i ) = half of it for {-1, +1} units, and the inverse of `mean` for every family
W_ij uniform within sqrt( 6 / (V + H) )                    (Glorot and Bengio 2010), where asked for
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from harmonium.machine import RBM, zeros
from harmonium.noise import Noise
from harmonium.units import UnitFamily, parts_of


def independent_parameters(side: UnitFamily, mean: Tensor, rows: int) -> Tensor:
    """Natural parameters of independent units whose means of T(x) are those of data: (k, size) -> (k, size).

    One imaginary row of neutral units is added to the `rows` of data, so that a unit that never changed stays finite.
    """
    prior = side.mean(side.neutral(mean))
    return side.eta_from_mean((mean * rows + prior) / (rows + 1))


def first_machine(
    visible: UnitFamily,
    hidden: UnitFamily,
    noise: Noise,
    *,
    a: Tensor | None = None,
    weight_scale: float | None = None,
    weight_start: str = "normal",
) -> RBM:
    """A machine to start training from.

    Weights are normal with standard deviation `weight_scale` (Hinton's 0.01 if None), or those of `xavier_weights`
    where `weight_start` is xavier; the visible parameters are `a` (k_v, V) or neutral; the hidden fields are zero.
    """
    rbm = zeros(visible, hidden, dtype=noise.dtype, device=noise.device)
    if weight_start == "xavier":
        W = xavier_weights(visible, hidden, noise)
    else:
        W = noise.normal(hidden.size, visible.size).mul_(0.01 if weight_scale is None else weight_scale).mT
    rbm = replace(rbm, W=W)
    return rbm if a is None else replace(rbm, a=a.to(rbm.a, copy=True))


def xavier_weights(visible: UnitFamily, hidden: UnitFamily, noise: Noise) -> Tensor:
    """Uniform within sqrt(6 / (n + H)) for each part of n visible entries: (V, H) (Glorot and Bengio 2010)."""
    W = noise.uniform(hidden.size, visible.size).mul_(2).sub_(1)
    limits = [W.new_full((p.size,), math.sqrt(6 / (p.size + hidden.size))) for p in parts_of(visible)]
    return (W * torch.cat(limits)).mT
