"""Moments of weighted samples, and the one gradient behind every training algorithm.

    d(mean ln p) / d theta = < T(v), T(h), v h >_data - < T(v), T(h), v h >_model

A set of moments has the shapes of the machine's parameters, so it is stored as one: moments add, mirror and mix as
machines do.  The hidden units enter through their conditional means (Rao-Blackwellised).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from harmonium.kernels.fused_units import can_fuse, sigmoid
from harmonium.kernels.states import States, products
from harmonium.machine import RBM
from harmonium.units import Bernoulli


@dataclass(frozen=True, eq=False)
class Sample:
    """Visible states v (N, V) that stand for a distribution, with weights (N,) that sum to one, or equal ones.

    eta_h (N, k_h, H) and the mean statistics < T(v) > (k_v, V), where they are known already, save work.  Of stacked
    machines all but the weights have a leading axis more.  Where some rows came without their label, `known` (N,) says
    which have it; the others hold a drawn one.  `states` are the rows v again, packed for another product.
    """

    v: Tensor
    weight: Tensor | None = None
    eta_h: Tensor | None = None
    mean_statistics: Tensor | None = None
    known: Tensor | None = None
    states: States | None = None


def with_hidden_fields(rbm: RBM, v: Tensor, mean_statistics: Tensor | None = None) -> Sample:
    """Rows v (N, V), and their hidden natural parameters."""
    states = States(v)
    return Sample(v, eta_h=rbm.eta_h_from_v(states), mean_statistics=mean_statistics, states=states)


def moments(rbm: RBM, sample: Sample, out: Tensor | None = None) -> RBM:
    """< T(v) >, < E[T(h)|v] > and < v E[h|v] > over the sample, in the places of a, b and W; W is written into `out`.

    `out`, like the W of the result, has each hidden unit's entries together, as `harmonium.machine.packed` lays them.
    """
    v, weight = sample.v, sample.weight
    mean_h, a, b = _means(rbm, sample)
    if weight is None:
        W = _products(rbm.W.dtype, mean_h, sample, 1 / v.shape[-2], None if out is None else out.mT)
    else:
        W = torch.matmul((weight.unsqueeze(-1) * mean_h).mT, v, out=None if out is None else out.mT)
    return replace(rbm, W=W.mT, a=a, b=b)


def minus_moments(total: RBM, rbm: RBM, sample: Sample) -> RBM:
    """`total`, whose W is overwritten, minus the moments of a sample without weights: both products meet in one W."""
    mean_h, a, b = _means(rbm, sample)
    W = _products(rbm.W.dtype, mean_h, sample, -1 / sample.v.shape[-2], total.W.mT, add=True)
    return replace(total, W=W.mT, a=total.a - a, b=total.b - b)


def contrast(rbm: RBM, sample: Sample, n: int, out: Tensor | None = None) -> tuple[RBM, Tensor]:
    """Moments of the first n rows minus those of the others, by one product, and < E[h|v] > (..., H) of the former.

    W is written into `out`, as `moments` does.
    """
    mean_h, fresh = _hidden_means(rbm, sample)
    others = sample.v.shape[-2] - n
    data, model = (mean_h.narrow(-3, start, rows) for start, rows in ((0, n), (n, others)))
    b, b_model = data.mean(-3), model.mean(-3)
    a, a_model = (_statistics(rbm, sample.v.narrow(-2, start, rows)) for start, rows in ((0, n), (n, others)))
    # of the sum over all rows / n the others are to be  - n / others  times what they are
    if fresh:
        model.mul_(-n / others)
    else:
        mean_h = torch.cat([data, model * (-n / others)], -3)
    W = _products(rbm.W.dtype, mean_h[..., 0, :], sample, 1 / n, None if out is None else out.mT)
    return replace(rbm, W=W.mT, a=a - a_model, b=b - b_model), b[..., 0, :]


def _means(rbm: RBM, sample: Sample) -> tuple[Tensor, Tensor, Tensor]:
    """E[h|v] (N, H), and over the sample < T(v) > and < E[T(h)|v] >."""
    mean_h, _ = _hidden_means(rbm, sample)
    a = sample.mean_statistics
    if a is None:
        a = _statistics(rbm, sample.v, sample.weight)
    return mean_h[..., 0, :], a, _over_rows(mean_h, sample.weight)


def _hidden_means(rbm: RBM, sample: Sample) -> tuple[Tensor, bool]:
    """E[T(h)|v] (N, k_h, H), and whether nothing else lies in its memory."""
    eta_h = rbm.eta_h_from_v(sample.v) if sample.eta_h is None else sample.eta_h
    # rows with weights are states that are enumerated: they may be few, and once, and do not wait for a compiler
    fused = sample.weight is None and isinstance(rbm.hidden, Bernoulli) and can_fuse(eta_h)
    return (sigmoid(eta_h), True) if fused else (rbm.hidden.mean(eta_h), False)


def _statistics(rbm: RBM, v: Tensor, weight: Tensor | None = None) -> Tensor:
    """< T(v) > over rows v (N, V)."""
    if rbm.visible.k == 1 and weight is None:
        return v.mean(-2, keepdim=True)
    return _over_rows(rbm.visible.statistics(v), weight)


def _over_rows(x: Tensor, weight: Tensor | None) -> Tensor:
    """The mean over the rows of x (..., N, k, size): (..., k, size)."""
    return x.mean(-3) if weight is None else torch.tensordot(weight, x, ([0], [x.dim() - 3]))


def _products(
    precision: torch.dtype, h: Tensor, sample: Sample, factor: float, out: Tensor | None, *, add: bool = False
) -> Tensor:
    """factor · h' v (..., H, V) of the sample's rows into `out`, or added to it; nothing else of that size is made.

    `precision` is that of the machine's weights: where it is not that of h and v these are rounded to it.
    """
    v = sample.v
    if precision != v.dtype:
        product = torch.matmul(h.to(precision).mT, v.to(precision)).to(v.dtype).mul_(factor)
        return product if out is None else out.add_(product) if add else out.copy_(product)
    if out is None:
        out = v.new_empty(*h.shape[:-2], h.shape[-1], v.shape[-1])
    if h.dim() == 2:
        return products(h, sample.states or v, factor, out, add=add)
    return torch.baddbmm(out, h.mT, v, beta=float(add), alpha=factor, out=out)


def likelihood_gradient(data: RBM, model: RBM) -> RBM:
    """Moments of the data minus moments of the model: the ascent direction, per datum and nat."""
    return data.map(torch.sub, model)
