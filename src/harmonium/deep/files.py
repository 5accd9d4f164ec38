"""A network as a file: weights as safetensors, its chain of modules as JSON; nothing is ever unpickled.

The description lists the modules in order, ``{"linear": [in, out]}``, ``"sigmoid"``, ``"tanh"``, ``"softmax"``,
``{"dropout": p}``, ``{"mean": "multivalued:20,s=4"}`` and lists of these for chains within chains; the tensors have
the names of `torch.nn.Module.state_dict`.
"""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import nn

from harmonium.deep.unroll import Mean
from harmonium.errors import InputError
from harmonium.io import load_tensors, save_tensors
from harmonium.units import parse_side

_PLAIN = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "identity": nn.Identity}


def save_network(path: str | os.PathLike[str], network: nn.Sequential, **description: Any) -> None:
    """Write a chain of the modules above; further keywords go into the description."""
    save_tensors(path, "network", network.state_dict(), {**description, "modules": described(network)})


def load_network(path: str | os.PathLike[str]) -> tuple[nn.Sequential, dict[str, Any]]:
    """A network, ready to evaluate, and its description.

    Raises InputError naming the file where it is missing, cut off, foreign, damaged, or its parts do not fit.
    """
    tensors, description = load_tensors(path, "network")
    try:
        network = built(description["modules"])
        if not isinstance(network, nn.Sequential):
            raise ValueError("its modules are no chain")
        network.load_state_dict(tensors, assign=True)  # in the precision of the file
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise InputError(f"{path} is not a complete network ({first}); take another copy.") from None
    return network.eval(), description


def described(module: nn.Module) -> Any:
    """A module as JSON; raises InputError for one that files do not know."""
    if isinstance(module, nn.Sequential):
        return [described(part) for part in module]
    if isinstance(module, nn.Linear):
        return {"linear": [module.in_features, module.out_features]}
    if isinstance(module, nn.Dropout):
        return {"dropout": module.p}
    if isinstance(module, nn.Softmax):
        return "softmax"
    if isinstance(module, Mean):
        return {"mean": module.side.spec}
    for name, kind in _PLAIN.items():
        if isinstance(module, kind):
            return name
    raise InputError(f"a network file takes no {type(module).__name__}; build the network of linear maps and means.")


def built(value: Any) -> nn.Module:
    """The module that `described` has described; raises ValueError for anything else."""
    if isinstance(value, list):
        return nn.Sequential(*[built(part) for part in value])
    if value == "softmax":
        return nn.Softmax(-1)
    if isinstance(value, str) and value in _PLAIN:
        return _PLAIN[value]()
    if isinstance(value, dict) and len(value) == 1:
        ((kind, setting),) = value.items()
        if kind == "linear":
            width, height = (int(x) for x in setting)
            if not (0 < width <= 2**24 and 0 < height <= 2**24):
                raise ValueError(f"a linear map of {width} by {height}")
            return nn.Linear(width, height, device="meta")  # the file's own tensors take the place
        if kind == "dropout":
            return nn.Dropout(float(setting))
        if kind == "mean":
            side = parse_side(str(setting))
            return Mean(side, torch.empty(side.k - 1, side.size))
    raise ValueError(f"no module is called {str(value)[:60]!r}")
