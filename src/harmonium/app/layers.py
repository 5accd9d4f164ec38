"""Networks as chains of layers that the page can evaluate: y = W x + b, then a function of each number.

An RBM's way up and down is such a chain too: fields b + v W and then the units' means.  Numbers are rounded to half
precision when they come in, so that what Python says of a network is what the page will say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harmonium.deep.unroll import Mean
from harmonium.errors import InputError
from harmonium.machine import RBM
from harmonium.units import UnitFamily, parts_of

Floats = NDArray[np.float64]
FUNCTIONS: dict[type[nn.Module], str] = {
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
    nn.ReLU: "relu",
    nn.Softmax: "softmax",
}
#: Families of units that the page computes with.
KNOWN = ("bernoulli", "ising", "multivalued", "interval", "gaussian", "onehot")
_LARGEST = float(torch.finfo(torch.float16).max)


@dataclass(frozen=True, eq=False)
class Linear:
    """W (outputs, inputs) and b (outputs,), float64 numbers that half precision can hold."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True)
class Function:
    """A function by name: sigmoid, tanh, relu, or softmax over all outputs."""

    name: str


@dataclass(frozen=True, eq=False)
class Units:
    """The means of a family's units; `others` (k - 1, size) are natural parameters beside the fields that come in."""

    side: UnitFamily
    others: Floats


Layer = Linear | Function | Units


@dataclass(frozen=True, eq=False)
class Network:
    """An encoder, its decoder, and perhaps a classifier that takes the code (`on_code`) or the picture."""

    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    classifier: tuple[Layer, ...] | None
    on_code: bool


def rounded(x: Tensor, name: str) -> Tensor:
    """The nearest numbers in half precision, as float64; raises InputError where one is too large or not finite."""
    x = x.detach().cpu()
    if not bool(x.isfinite().all()) or bool((x.abs() > _LARGEST).any()):
        raise InputError(f"{name} holds a value that is not finite or beyond {_LARGEST:g}; a page cannot carry it.")
    return x.to(torch.float16).to(torch.float64)


def rounded_machine(rbm: RBM) -> RBM:
    """The machine whose parameters are those that travel in a page, in float64."""
    names = iter(("W", "a", "b"))
    return rbm.map(lambda x: rounded(x, next(names)))


def network(
    encoder: nn.Sequential,
    decoder: nn.Sequential,
    classifier: nn.Sequential | None = None,
    *,
    on_code: bool | None = None,
) -> Network:
    """Read three Sequentials of Linear, Sigmoid, Tanh, ReLU, Softmax, Mean and Dropout (which does nothing here).

    A classifier whose inputs are as many as the encoder's outputs takes the code, else it takes the picture, unless
    `on_code` says which; where it does not end in a Softmax, one is added.

    Raises InputError for other layers, and where one part's outputs are not the next one's inputs.
    """
    up, down = _layers(encoder, "encoder"), _layers(decoder, "decoder")
    inputs, code = _width(up, "encoder")
    _expect("decoder", _width(down, "decoder"), (code, inputs))
    if classifier is None:
        return Network(up, down, None, False)
    out = _layers(classifier, "classifier")
    if out[-1] != Function("softmax"):
        out = (*out, Function("softmax"))
    width, classes = _width(out, "classifier")
    on_code = width == code if on_code is None else on_code
    _expect("classifier", (width, classes), (code if on_code else inputs, classes))
    return Network(up, down, out, on_code)


def evaluated(layers: Sequence[Layer], x: Floats) -> Floats:
    """The outputs (N, outputs) for inputs (N, inputs), in float64."""
    y = torch.from_numpy(x)
    for layer in layers:
        if isinstance(layer, Linear):
            y = y @ torch.from_numpy(layer.weight).mT + torch.from_numpy(layer.bias)
        elif isinstance(layer, Units):
            others = torch.from_numpy(layer.others).expand(*y.shape[:-1], -1, -1)
            y = layer.side.mean(torch.cat([y.unsqueeze(-2), others], -2))[..., 0, :]
        else:
            y = y.softmax(-1) if layer.name == "softmax" else getattr(torch, layer.name)(y)
    return np.asarray(y.numpy())


def _layers(modules: nn.Sequential, name: str) -> tuple[Layer, ...]:
    found: list[Layer] = []
    for module in modules:
        if isinstance(module, nn.Linear):
            weight = rounded(module.weight, f"a weight of the {name}").numpy()
            bias = (
                np.zeros(len(weight)) if module.bias is None else rounded(module.bias, f"a bias of the {name}").numpy()
            )
            found.append(Linear(weight, bias))
        elif type(module) in FUNCTIONS:
            if isinstance(module, nn.Softmax) and module.dim not in (None, -1, 1):
                raise InputError(f"the {name} has a Softmax over dimension {module.dim}; it must be over the last one.")
            found.append(Function(FUNCTIONS[type(module)]))
        elif isinstance(module, Mean):
            if any(part.name not in KNOWN for part in parts_of(module.side)):
                raise InputError(
                    f"the {name} has units {module.side.spec}, which a page cannot show; it takes {', '.join(KNOWN)}."
                )
            found.append(Units(module.side, rounded(module.others, f"a parameter of the {name}").numpy()))
        elif not isinstance(module, (nn.Dropout, nn.Identity)):
            known = ", ".join(["Linear", *(kind.__name__ for kind in FUNCTIONS), "Dropout"])
            raise InputError(f"the {name} has a layer {type(module).__name__}, which a page cannot show; use {known}.")
    if not any(isinstance(layer, Linear) for layer in found):
        raise InputError(f"the {name} has no Linear layer, so there is nothing to show; give a whole network.")
    return tuple(found)


def _width(layers: Sequence[Layer], name: str) -> tuple[int, int]:
    """How many numbers go in, and come out; raises InputError where the layers do not fit."""
    linear = [layer for layer in layers if isinstance(layer, Linear)]
    for before, after in pairwise(linear):
        if before.weight.shape[0] != after.weight.shape[1]:
            raise InputError(
                f"the {name} has a layer of {before.weight.shape[0]} outputs before one of {after.weight.shape[1]} "
                "inputs; make them fit."
            )
    return int(linear[0].weight.shape[1]), int(linear[-1].weight.shape[0])


def _expect(name: str, found: tuple[int, int], wanted: tuple[int, int]) -> None:
    if found != wanted:
        raise InputError(
            f"the {name} goes from {found[0]} to {found[1]} numbers, but the encoder needs one from {wanted[0]} to "
            f"{wanted[1]}; make them fit."
        )
