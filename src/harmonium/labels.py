"""Labels as the last part of the visible side: class probabilities without sampling.

    P(y | x) = softmax over y of [ a_y·T(y) + A_h(b + x W_x + y W_y) ]

the softmax of minus the free energy over the label's states (Larochelle and Bengio 2008; Yokoyama, Katsumata and
Yasuda 2019, eqs 22-23).  x W_x is computed once; each label adds one vector to it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.kernels.label_sums import can_fuse, label_sums
from harmonium.machine import RBM
from harmonium.units import Multivalued, Product, UnitFamily


def label_part(rbm: RBM) -> UnitFamily:
    """The last part of a product visible side; raises InputError where there is none to enumerate."""
    if not isinstance(rbm.visible, Product) or rbm.visible.parts[-1].n_states is None:
        raise InputError(
            f"a label must be the last, discrete part of the visible side, such as bernoulli:784+onehot:10, "
            f"not {rbm.visible.spec}."
        )
    return rbm.visible.parts[-1]


def label_states(rbm: RBM) -> Tensor:
    """All states of the label part, (C, size_y); not to be written to."""
    return _states(label_part(rbm), rbm.W.dtype, rbm.W.device)


@lru_cache(maxsize=8)
def _states(label: UnitFamily, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Kept, because each step asks for them several times."""
    like = torch.empty(0, dtype=dtype, device=device)
    return label.states(torch.arange(label.n_states or 0, device=device), like=like)


def log_label_probabilities(rbm: RBM, x: Tensor) -> Tensor:
    """ln P(y | x), in nats: x (N, V - size_y) -> (N, C), in the order of `label_states`."""
    if can_fuse(rbm.hidden.name, rbm.W) and not torch.is_grad_enabled():
        return label_sums(*_fields(rbm, x), rbm.hidden.name, _s(rbm.hidden), means=False).log_p.to(rbm.W)
    field, offset, own = _fields(rbm, x)
    return (own + rbm.hidden.log_partition(_eta_h(rbm, field, offset))).log_softmax(-1)


def free_energy_of_known(rbm: RBM, v: Tensor) -> Tensor:
    """F(v) of rows v (N, V), F(x) = -ln sum_y exp(-F(x, y)) of those without a label (zeros there): (N,), in nats."""
    states, free_energy = label_states(rbm), rbm.free_energy(v)
    inputs = rbm.visible.size - states.shape[1]
    missing = ~v[:, inputs:].any(1)
    if bool(missing.any()):
        x = v[missing, :inputs]
        each = [-rbm.free_energy(torch.cat([x, y.expand(len(x), -1)], 1)) for y in states]
        free_energy[missing] = -torch.stack(each).logsumexp(0)
    return free_energy


class ClampedSums(NamedTuple):
    """Sums over the labels y with weights P(y | x) of the hidden means at (x_n, y).

    log_p (N, C) is ln P(y | x), over_labels (N, H) the sum over y, over_rows (C, H) that over rows, b (k_h, H) that of
    all statistics over both.
    """

    log_p: Tensor
    over_labels: Tensor
    over_rows: Tensor
    b: Tensor


def clamped_sums(rbm: RBM, v: Tensor, eta_h: Tensor | None = None) -> ClampedSums:
    """Of rows v (N, V), whose labels count for nothing; their eta_h (N, k_h, H), where it is known, saves the product.

    Raises InputError where there is no label part.
    """
    inputs = rbm.visible.size - label_part(rbm).size
    x = v[:, :inputs]
    if can_fuse(rbm.hidden.name, rbm.W):
        field = None if eta_h is None else torch.addmm(eta_h[:, 0], v[:, inputs:], rbm.W[inputs:], alpha=-1)
        log_p, over_labels, over_rows = label_sums(*_fields(rbm, x, field), rbm.hidden.name, _s(rbm.hidden))
        return ClampedSums(log_p.to(rbm.W), over_labels, over_rows, over_rows.sum(0, keepdim=True))
    field, offset, own = _fields(rbm, x)
    eta = _eta_h(rbm, field, offset)  # (N, C, k_h, H)
    log_p = (own + rbm.hidden.log_partition(eta)).log_softmax(-1)
    joint = log_p.exp()[..., None, None] * rbm.hidden.mean(eta)
    return ClampedSums(log_p, joint[:, :, 0].sum(1), joint[:, :, 0].sum(0), joint.sum((0, 1)))


def clamped_moments(rbm: RBM, v: Tensor, *, eta_h: Tensor | None = None) -> tuple[RBM, Tensor]:
    """The machine's moments with the rows' inputs held and the labels free, and ln P(y | x) (N, C), in nats.

        < . >  =  mean over rows of  sum_y P(y | x) < . >_(x, y)

    Arguments and errors are those of `clamped_sums`.
    """
    states, sums = label_states(rbm), clamped_sums(rbm, v, eta_h)
    inputs, n = rbm.visible.size - states.shape[1], len(v)
    x = v[:, :inputs]
    W = torch.cat([sums.over_labels.mT @ x, sums.over_rows.mT @ states], 1).mul_(1 / n).mT  # laid out as `packed` does
    # T of the clamped inputs is the data's own: only the label's columns differ
    statistics = rbm.visible.statistics(v).mean(0)
    with_labels = torch.cat([x.new_zeros(len(states), inputs), states], 1)
    share = sums.log_p.exp().mean(0)
    statistics[:, inputs:] = torch.tensordot(share, rbm.visible.statistics(with_labels), 1)[:, inputs:]
    return replace(rbm, W=W, a=statistics, b=sums.b / n), sums.log_p


def _fields(rbm: RBM, x: Tensor, field: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Hidden fields of the inputs (N, H), what each label adds to them (C, H), and the label's own a_y·T(y) (C,)."""
    label, states = label_part(rbm), label_states(rbm)
    inputs = rbm.visible.size - states.shape[1]
    if field is None:
        field = torch.addmm(rbm.b[0], x, rbm.W[:inputs])
    return field, states @ rbm.W[inputs:], label.dot(rbm.a[: label.k, -label.size :], states)


def _eta_h(rbm: RBM, field: Tensor, offset: Tensor) -> Tensor:
    """Hidden parameters for each label: fields (N, H) and (C, H) -> (N, C, k_h, H)."""
    eta = rbm.b.expand(len(field), len(offset), -1, -1).clone()
    eta[:, :, 0] = field.unsqueeze(1) + offset
    return eta


def _s(side: UnitFamily) -> float:
    """The s of multivalued units."""
    return side.s if isinstance(side, Multivalued) else math.inf
