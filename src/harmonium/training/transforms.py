"""Transforms of the likelihood gradient, a line each in `make_transforms`; no wrapper models.

    decay    W: gradient - l1 sign(W) - l2 W                      the derivative of -(l1 sum|W| + l2/2 sum W²)
    centre   dW' = dW - mu db' ... of centred units v - mu, h - lambda (see `Centre`)

A transform sees the machine, the gradient and the data's hidden means; what it remembers is a dictionary of tensors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from harmonium.machine import RBM, product


class Transform(Protocol):
    """Gradient in, gradient out."""

    def init(self, rbm: RBM, mean_h: Tensor) -> dict[str, Tensor]:
        """The state before the first step; mean_h (..., H) are the hidden means under the data."""
        ...

    def step(self, rbm: RBM, gradient: RBM, mean_h: Tensor, state: dict[str, Tensor]) -> tuple[RBM, dict[str, Tensor]]:
        """The changed gradient (which may be overwritten) and the next state."""
        ...

    def penalty(self, rbm: RBM) -> float:
        """What it takes from the objective, in nats; 0 where it changes the path only."""
        ...


@dataclass(frozen=True)
class Decay:
    """L1 and L2 penalty on the weights, never on the biases (Hinton 2012, section 10)."""

    l1: float = 0.0
    l2: float = 0.0

    def init(self, rbm: RBM, mean_h: Tensor) -> dict[str, Tensor]:
        """Nothing to remember."""
        return {}

    def step(self, rbm: RBM, gradient: RBM, mean_h: Tensor, state: dict[str, Tensor]) -> tuple[RBM, dict[str, Tensor]]:
        """Subtract the penalty's derivative."""
        W = gradient.W
        if self.l2:
            W = W.sub_(rbm.W, alpha=self.l2)
        if self.l1:
            W = W.sub_(rbm.W.sign(), alpha=self.l1)
        return replace(gradient, W=W), state

    def penalty(self, rbm: RBM) -> float:
        """l1 sum|W| + l2/2 sum W²."""
        return float(self.l1 * rbm.W.abs().sum() + 0.5 * self.l2 * rbm.W.square().sum())


@dataclass(frozen=True)
class Centre:
    """The gradient of the centred machine, E = -(v - mu) W (h - lambda) - ..., in the plain machine's parameters.

        dW' = dW - mu db - da lambda,    da' = da - dW' lambda,    db' = db - dW'^T mu
        mu: the data's mean;    lambda <- (1 - rate) lambda + rate <h>_data

    dW, da, db are the plain gradient (the offsets' constant terms cancel between data and model).
    Montavon and Mueller (2012); Melchior, Fischer and Wiskott (2016).  Do not confuse with centring the data: the
    model and its likelihood are untouched.
    """

    mu: Tensor
    rate: float = 0.01

    def init(self, rbm: RBM, mean_h: Tensor) -> dict[str, Tensor]:
        """lambda starts at the hidden means under the data."""
        return {"lambda": mean_h.clone()}

    def step(self, rbm: RBM, gradient: RBM, mean_h: Tensor, state: dict[str, Tensor]) -> tuple[RBM, dict[str, Tensor]]:
        """Move lambda, then centre."""
        hidden = torch.lerp(state["lambda"], mean_h, self.rate)
        a, b = gradient.a[..., 0, :], gradient.b[..., 0, :]
        W = _minus_outer_(gradient.W, self.mu, b, a, hidden)
        a -= product(W, hidden)
        b -= product(W.mT, self.mu)
        return replace(gradient, W=W), {"lambda": hidden}

    def penalty(self, rbm: RBM) -> float:
        """It changes the path, not the objective."""
        return 0.0


def _minus_outer_(W: Tensor, x: Tensor, y: Tensor, z: Tensor, t: Tensor) -> Tensor:
    """W (..., V, H) minus x y' + z t', in place and in one pass; W.mT is what lies in one piece."""
    left, right = torch.stack([y, t], -1), torch.stack([x.expand_as(z), z], -2)
    turned = W.mT
    (turned.addmm_ if W.dim() == 2 else turned.baddbmm_)(left, right, alpha=-1)
    return W


def make_transforms(*, l1: float = 0.0, l2: float = 0.0, centre: Tensor | None = None) -> tuple[Transform, ...]:
    """The transforms asked for, in the order in which they apply; `centre` is the data's mean (V,) or (R, V)."""
    transforms: list[Transform] = []
    if centre is not None:
        transforms.append(Centre(centre))
    if l1 or l2:
        transforms.append(Decay(l1, l2))
    return tuple(transforms)
