"""A deep belief network as a feed-forward one: the means of each layer, fed to the next.

    encoder       x_l = mean( b_l + x_l-1 W_l )                             l = 1 ... L
    decoder       y_l-1 = mean( a_l + y_l W_l^T )                           l = L ... 1
    classifier    dropout and encoder in turn, then logits  x_L U + c       U, c begin at zero

A mean is the logistic function for Bernoulli units, tanh for Ising, softmax for one-hot, the field times the variance
for Gaussian units; other families keep their own.  The decoder begins with the transposed weights and goes its own way
(Hinton and Salakhutdinov 2006).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from harmonium.deep.stack import Stack
from harmonium.errors import InputError
from harmonium.machine import RBM
from harmonium.units import Bernoulli, Gaussian, Ising, OneHot, UnitFamily


class Mean(nn.Module):
    """The means of a family's units in the fields x: (..., size) -> (..., size).

    Natural parameters beside the field, `others` (k - 1, size), are those of the machine and stay.
    """

    others: Tensor

    def __init__(self, side: UnitFamily, others: Tensor) -> None:
        super().__init__()
        self.side = side
        self.register_buffer("others", others.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """E[units] in the fields x."""
        eta = x.unsqueeze(-2)
        if len(self.others):
            eta = torch.cat([eta, self.others.expand(*x.shape[:-1], -1, -1)], -2)
        return self.side.mean(eta)[..., 0, :]

    def extra_repr(self) -> str:
        """Which family."""
        return self.side.spec


def activation(side: UnitFamily, bias: Tensor) -> nn.Module:
    """The module that turns a field into a mean, a standard one where there is one; bias (k, size)."""
    if isinstance(side, Bernoulli):
        return nn.Sigmoid()
    if isinstance(side, Ising):
        return nn.Tanh()
    if isinstance(side, OneHot) and side.n == 1 and not side.none:
        return nn.Softmax(-1)
    return Mean(side, bias[1:])


def linear_map(weight: Tensor, bias: Tensor) -> nn.Linear:
    """The linear map of copies of weight (out, in) and bias (out,)."""
    height, width = weight.shape
    found = nn.Linear(width, height, device="meta")  # without first weights that nobody asked for
    found.weight = nn.Parameter(weight.detach().clone(memory_format=torch.contiguous_format))
    found.bias = nn.Parameter(bias.detach().clone())
    return found


def layer(weight: Tensor, bias: Tensor, side: UnitFamily) -> list[nn.Module]:
    """A linear map of weight (out, in) and bias (k, out) and its activation; a Gaussian one needs none."""
    field = bias[0]
    if isinstance(side, Gaussian):
        variance = 1 / side.precision(bias)
        weight, field = weight * variance.unsqueeze(1), field * variance
    linear = linear_map(weight, field)
    return [linear] if isinstance(side, Gaussian) else [linear, activation(side, bias)]


def encoder_layers(rbm: RBM) -> list[nn.Module]:
    """From visible states to hidden means."""
    return layer(rbm.W.mT, rbm.b, rbm.hidden)


def decoder_layers(rbm: RBM) -> list[nn.Module]:
    """From hidden states to visible means."""
    return layer(rbm.W, rbm.a, rbm.visible)


def encoder(stack: Stack) -> nn.Sequential:
    """From data to the means of the top layer: (N, V) -> (N, H_L)."""
    return nn.Sequential(*[module for rbm in stack.machines for module in encoder_layers(rbm)])


def decoder(stack: Stack) -> nn.Sequential:
    """From the top layer to means of the data: (N, H_L) -> (N, V)."""
    return nn.Sequential(*[module for rbm in reversed(stack.machines) for module in decoder_layers(rbm)])


def autoencoder(stack: Stack) -> nn.Sequential:
    """The encoder and the decoder, two modules: (N, V) -> (N, V)."""
    return nn.Sequential(encoder(stack), decoder(stack))


def classifier(stack: Stack, classes: int, *, dropout: tuple[float, float] = (0.0, 0.0)) -> nn.Sequential:
    """From data to the logits of so many classes: (N, V) -> (N, C).

    Parameters
    ----------
    stack : Stack
    classes : int
    dropout : tuple of float
        Fractions of the inputs, and of each hidden layer's units, that are left out while training (Srivastava et al.
        2014); with modules for it only where they are above zero.

    Raises
    ------
    InputError
        Fewer than two classes, or a fraction outside [0, 1).
    """
    if classes < 2:
        raise InputError(f"classes={classes} leaves nothing to tell apart; give data with two classes or more.")
    for share in dropout:
        if not 0 <= share < 1:
            raise InputError(f"dropout={share:g} is no fraction of units to leave out; give one from 0 to below 1.")
    modules: list[nn.Module] = [nn.Dropout(dropout[0])] if dropout[0] else []
    for rbm in stack.machines:
        modules += encoder_layers(rbm)
        if dropout[1]:
            modules.append(nn.Dropout(dropout[1]))
    top = stack.top.W
    return nn.Sequential(*modules, linear_map(top.new_zeros(classes, top.shape[1]), top.new_zeros(classes)))


def sizes_of(network: nn.Module) -> tuple[int, ...]:
    """Entries from layer to layer of a chain of linear maps."""
    maps = [module for module in network.modules() if isinstance(module, nn.Linear)]
    for below, above in pairwise(maps):
        assert below.out_features == above.in_features
    return (maps[0].in_features, *(module.out_features for module in maps))
