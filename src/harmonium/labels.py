"""Labels as the last part of the visible side: class probabilities without sampling.

    P(y | x) = softmax over y of [ a_y·T(y) + A_h(b + x W_x + y W_y) ]

the softmax of minus the free energy over the label's states (Larochelle and Bengio 2008; Yokoyama, Katsumata and
Yasuda 2019, eqs 22-23).  x W_x is computed once; each label adds one vector to it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.machine import RBM
from harmonium.units import Product, UnitFamily


def label_part(rbm: RBM) -> UnitFamily:
    """The last part of a product visible side; raises InputError where there is none to enumerate."""
    if not isinstance(rbm.visible, Product) or rbm.visible.parts[-1].n_states is None:
        raise InputError(
            f"a label must be the last, discrete part of the visible side, such as bernoulli:784+onehot:10, "
            f"not {rbm.visible.spec}."
        )
    return rbm.visible.parts[-1]


def label_states(rbm: RBM) -> Tensor:
    """All states of the label part, (C, size_y)."""
    label = label_part(rbm)
    return label.states(torch.arange(label.n_states or 0, device=rbm.W.device), like=rbm.W)


def eta_h_from_x(rbm: RBM, x: Tensor) -> Tensor:
    """Hidden parameters for each label: x (N, V - size_y) -> (N, C, k_h, H)."""
    states = label_states(rbm)
    inputs = rbm.visible.size - states.shape[1]
    eta = rbm.b.expand(len(x), len(states), -1, -1).clone()
    eta[:, :, 0] += (x @ rbm.W[:inputs]).unsqueeze(1) + states @ rbm.W[inputs:]
    return eta


def log_label_probabilities(rbm: RBM, x: Tensor, *, eta_h: Tensor | None = None) -> Tensor:
    """ln P(y | x), in nats: x (N, V - size_y) -> (N, C), in the order of `label_states`."""
    label, states = label_part(rbm), label_states(rbm)
    eta_h = eta_h_from_x(rbm, x) if eta_h is None else eta_h
    a_y = rbm.a[: label.k, -label.size :]
    own = label.dot(a_y, states)
    return (own + rbm.hidden.log_partition(eta_h)).log_softmax(-1)
