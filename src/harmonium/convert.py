"""Exact changes of description that change no probability.

    Ising -> Bernoulli     s = 2 x - 1:     x = (1 + s)/2 on one side, E is linear in it, so fields and weights rescale
    Bernoulli -> Ising     v = (1 + s)/2, h = (1 + t)/2:   w' = w/4,  a' = a/2 + sum_j w/4,  b' = b/2 + sum_i w/4
    one-hot -> mixture     pi_c ~ e^(b_c) exp A_v(a + W_c),   component c = independent units in field a + W_c

Values x = scale y + shift on the visible side:  a -> scale a,  W -> scale W,  b -> b + shift sum_i W_i.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.machine import RBM
from harmonium.units import Bernoulli, Ising, OneHot, UnitFamily


def _with_visible(rbm: RBM, visible: UnitFamily, scale: float, shift: float) -> RBM:
    """The same machine for y where x = scale y + shift; a constant of the energy is dropped."""
    b = rbm.b.clone()
    b[0] += shift * rbm.W.sum(0)
    return replace(rbm, visible=visible, W=scale * rbm.W, a=scale * rbm.a, b=b)


def to_bernoulli(rbm: RBM) -> RBM:
    """Every Ising side as a Bernoulli side, -1 read as 0; other sides stay."""
    for _ in range(2):
        if isinstance(rbm.visible, Ising):
            rbm = _with_visible(rbm, Bernoulli(rbm.visible.n), 2.0, -1.0)
        rbm = rbm.mirror()
    return rbm


def to_ising(rbm: RBM) -> RBM:
    """Every Bernoulli side as an Ising side, 0 read as -1; other sides stay."""
    for _ in range(2):
        if isinstance(rbm.visible, Bernoulli):
            rbm = _with_visible(rbm, Ising(rbm.visible.n), 0.5, 0.5)
        rbm = rbm.mirror()
    return rbm


def _single_onehot(rbm: RBM) -> OneHot:
    if not isinstance(rbm.hidden, OneHot) or rbm.hidden.n != 1:
        raise InputError(
            f"a mixture has one hidden choice, so the hidden side must be onehot:1xL, not {rbm.hidden.spec}."
        )
    return rbm.hidden


def to_mixture(rbm: RBM) -> tuple[Tensor, Tensor]:
    """The mixture that a machine with one one-hot hidden unit is.

    Returns ln pi (C,) and the components' natural parameters (C, k_v, V); with a none state C = q + 1, none first.
    Raises InputError for other hidden sides.
    """
    hidden = _single_onehot(rbm)
    states = hidden.states(torch.arange(math.prod(hidden.levels)), like=rbm.W)  # (C, q)
    eta = rbm.eta_v_from_h(states)
    log_weight = states @ rbm.b[0] + rbm.visible.log_partition(eta)
    return log_weight.log_softmax(0), eta


def from_mixture(visible: UnitFamily, log_pi: Tensor, eta: Tensor, *, none: bool = False) -> RBM:
    """The machine with one one-hot hidden unit that is the given mixture; the inverse of `to_mixture`.

    log_pi (C,), eta (C, k_v, V); rows of eta beyond the field must be common to all components.  With `none` the
    first component belongs to the none state.  Otherwise the gauge is free, and a holds the mean field.
    """
    log_base = log_pi - visible.log_partition(eta)
    if none:
        a, b = eta[0], log_base[1:] - log_base[0]
        eta = eta[1:]
    else:
        a, b = eta.mean(0), log_base - log_base.mean()
    W = (eta[:, 0] - a[0]).mT
    return RBM(visible, OneHot(1, W.shape[1], none), W.contiguous(), a.clone(), b.unsqueeze(0))
