"""Mixtures of products, as machines with one one-hot hidden unit (see `harmonium.convert`), fitted by EM.

    E:  r_nc = p(h = c | v_n)        M:  pi_c = <r_c>,   m_c = <r_c v> / <r_c>,   field_c = inverse of `mean` at m_c

(Dempster, Laird and Rubin 1977.)  The data's moments are all that an M-step needs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harmonium.convert import from_mixture
from harmonium.machine import RBM
from harmonium.moments import Sample, moments
from harmonium.noise import Noise
from harmonium.units import OneHot, UnitFamily


def mixture_step(rbm: RBM, data: RBM, rows: int, pseudo_count: float) -> RBM:
    """The M-step: a new machine from the moments `data` of `rows` rows under the old one.

    `pseudo_count` imaginary neutral rows keep every component finite.
    """
    assert isinstance(rbm.hidden, OneHot)
    share, total = data.b[0], data.W.mT  # (q,), (q, V)
    if rbm.hidden.none:
        share = torch.cat([1 - share.sum(0, keepdim=True), share])
        total = torch.cat([(data.a - total.sum(0, keepdim=True)), total])
    share = share.clamp_min(0)
    prior = rbm.visible.mean(rbm.visible.neutral(rbm.W))  # (1, V)
    alpha = pseudo_count / rows
    means = (total + alpha * prior) / (share + alpha).unsqueeze(1)
    # Rounding must not carry a mean across the edge of the units' range, where its field would be infinite
    means = prior + (means - prior) * (1 - 2 * torch.finfo(means.dtype).eps)
    eta = rbm.visible.eta_from_mean(means.unsqueeze(1))
    log_pi = ((share + alpha) / (share + alpha).sum()).log()
    return from_mixture(rbm.visible, log_pi, eta, none=rbm.hidden.none)


def fit_mixture(
    visible: UnitFamily, X: Tensor, components: int, noise: Noise, *, steps: int = 15, pseudo_count: float = 1.0
) -> RBM:
    """A mixture of `components` products fitted to rows X (N, V) by `steps` iterations, each begun at a row of its own.

    The visible side must have a field alone (k = 1).
    """
    order = torch.argsort(noise.uniform(len(X)))[:components]
    prior = visible.mean(visible.neutral(X))[0]
    # Half of the way from the overall mean to a row: components that differ, and exclude nothing yet
    means = (X[order] + X.mean(0)) / 2
    means = prior + (means - prior) * 0.95
    eta = visible.eta_from_mean(means.unsqueeze(1))
    rbm = from_mixture(visible, eta.new_zeros(len(order)).log_softmax(0), eta)
    for _ in range(steps):
        rbm = mixture_step(rbm, moments(rbm, Sample(X)), len(X), pseudo_count)
    return rbm
