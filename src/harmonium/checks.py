"""What is asked of arguments before anything begins: whole numbers, seeds, and visible states that a machine takes."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.machine import RBM
from harmonium.units import UnitFamily, parts_of


def check_whole(name: str, value: Any, low: int) -> None:
    """Raise InputError unless the value is a whole number from `low` on."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < low:
        raise InputError(f"{name} must be a whole number from {low} on, not {value!r}.")


def check_seed(seed: Any) -> None:
    """Raise InputError unless the value can be a seed."""
    check_whole("seed", seed, 0)
    if seed >= 2**63:
        raise InputError(f"seed must be below 2^63, not {seed}.")


def checked_states(rbm: RBM, v: Any, name: str = "v") -> Tensor:
    """Visible states (N, size), a tensor or an array, on the machine's device, in float64.

    Raises InputError where there are no rows, where they are not finite, of the wrong width or no states of the visible
    side (means of Bernoulli units are taken), and for a machine without a distribution.
    """
    rbm.check_normalisable()
    v = checked_rows(rbm.visible, v, name).to(device=rbm.W.device, dtype=torch.float64)
    check_support(rbm.visible, v, name)
    return v


def checked_rows(side: UnitFamily, v: Any, name: str = "v") -> Tensor:
    """Rows (N, size) of finite numbers, a tensor as it is or an array, whether or not they are states of the side.

    Raises InputError where there are no rows, or they are not finite or of the wrong width.
    """
    v = as_tensor(v, name)
    if v.ndim != 2 or v.shape[1] != side.size:
        raise InputError(f"{name} has shape {tuple(v.shape)}, but {side.spec} needs (rows, {side.size}); reshape it.")
    if not len(v):
        raise InputError(f"{name} has no rows to be scored; give at least one.")
    if not bool(v.isfinite().all()):
        raise InputError(f"{name} holds a value that is not finite; take such rows out.")
    return v


def as_tensor(x: Any, name: str) -> Tensor:
    """A tensor as it is, anything else that NumPy reads as numbers in float64; raises InputError for what it does not.

    The numbers are copied, so that arrays of any strides, byte order or kind will do.
    """
    if isinstance(x, Tensor):
        return x
    try:
        return torch.from_numpy(np.array(x, dtype=np.float64))
    except (TypeError, ValueError):
        raise InputError(f"{name} is {type(x).__name__}, which cannot be read as an array of numbers.") from None


def check_support(side: UnitFamily, x: Tensor, name: str) -> None:
    """Raise InputError, naming the first, where x (N, size) holds what is no state of its unit."""
    at = 0
    for part in parts_of(side):
        own, width = x[:, at : at + part.size], part.size // part.n
        columns = part.decode(own)
        good = part.accepts(columns) & (part.encode(columns) == own).unflatten(1, (part.n, width)).all(-1)
        if not bool(good.all()):
            row, unit = divmod(int((~good).flatten().to(torch.uint8).argmax()), part.n)
            first = at + unit * width
            values = ", ".join(f"{value:g}" for value in x[row, first : first + min(width, 6)].tolist())
            more, kind = ", …" if width > 6 else "", part.support if width == 1 else "one 1 among zeros"
            raise InputError(
                f"{name} has {values}{more} in row {row} from entry {first} on, which is no state of {part.name} units "
                f"({kind}); change {name} or the visible side."
            )
        at += part.size
