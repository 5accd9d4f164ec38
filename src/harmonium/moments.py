"""Moments of weighted samples, and the one gradient behind every training algorithm.

    d(mean ln p) / d theta = < T(v), T(h), v h >_data - < T(v), T(h), v h >_model

A set of moments has the shapes of the machine's parameters, so it is stored as one: moments add, mirror and mix as
machines do.  The hidden units enter through their conditional means (Rao-Blackwellised).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from harmonium.machine import RBM


@dataclass(frozen=True, eq=False)
class Sample:
    """Visible states v (N, V) that stand for a distribution, with weights (N,) that sum to one, or equal ones.

    eta_h (N, k_h, H) and the mean statistics < T(v) > (k_v, V), where they are known already, save work.  Of stacked
    machines all but the weights have a leading axis more.  Where some rows came without their label, `known` (N,) says
    which have it; the others hold a drawn one.
    """

    v: Tensor
    weight: Tensor | None = None
    eta_h: Tensor | None = None
    mean_statistics: Tensor | None = None
    known: Tensor | None = None


def moments(rbm: RBM, sample: Sample) -> RBM:
    """< T(v) >, < E[T(h)|v] > and < v E[h|v] > over the sample, in the places of a, b and W."""
    v = sample.v
    eta_h = rbm.eta_h_from_v(v) if sample.eta_h is None else sample.eta_h
    mean_h = rbm.hidden.mean(eta_h)  # (N, k_h, H)
    n = v.shape[-2]
    if sample.weight is None:
        weight = v.new_full((n,), 1 / n)
        W = (mean_h[..., 0, :].mT @ v).mul_(1 / n).mT  # laid out as `packed` does
    else:
        weight = sample.weight
        W = ((weight.unsqueeze(-1) * mean_h[..., 0, :]).mT @ v).mT
    if sample.mean_statistics is not None:
        a = sample.mean_statistics
    elif rbm.visible.k == 1:
        a = (weight @ v).unsqueeze(-2)
    else:
        a = torch.tensordot(weight, rbm.visible.statistics(v), ([0], [v.dim() - 2]))
    if rbm.hidden.k > 1:
        b = torch.tensordot(weight, mean_h, ([0], [v.dim() - 2]))
    else:
        b = (weight @ mean_h[..., 0, :]).unsqueeze(-2)
    return replace(rbm, W=W, a=a, b=b)


def likelihood_gradient(data: RBM, model: RBM) -> RBM:
    """Moments of the data minus moments of the model: the ascent direction, per datum and nat."""
    return data.map(torch.sub, model)
