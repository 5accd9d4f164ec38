"""Samples of a trained machine: from noise, from data, at another temperature, or with part of each row held fixed.

temperature T     p(v, h) ~ exp(-E(v, h) / T):  every parameter is divided by T, a fixed variance multiplied
weight factor c   W -> c W, the biases stay:  sharper too, but NOT a temperature (it also moves the balance
                  between weights and biases)
clamped entries   h ~ p(h | v),  then the free entries only from p(v | h): samples of p(free | clamped)
"""

from __future__ import annotations

import math
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.gibbs import start_visible, sweep
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.units import Product, UnitFamily

REGIONS = ("upper", "lower", "left", "right")


def check_sampling(number: Any, steps: Any, temperature: Any, weight_factor: Any, seed: Any) -> None:
    """Raise InputError for numbers that no sampling can follow."""
    for name, value, low in (("number", number, 1), ("steps", steps, 0), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < low:
            raise InputError(f"{name} must be a whole number from {low} on, not {value!r}.")
    if seed >= 2**63:
        raise InputError(f"seed must be below 2^63, not {seed}.")
    for name, factor in (("temperature", temperature), ("weight_factor", weight_factor)):
        if not isinstance(factor, Real) or not 0 < float(factor) < math.inf:
            raise InputError(f"{name} must be a finite number above 0, not {factor!r}; 1 changes nothing.")


def tempered(rbm: RBM, temperature: float = 1.0, weight_factor: float = 1.0) -> RBM:
    """The machine at another temperature, or with its weights multiplied."""
    hot = rbm
    if temperature != 1:
        visible, hidden = rbm.visible.at_temperature(temperature), rbm.hidden.at_temperature(temperature)
        hot = RBM(visible, hidden, *(x / temperature for x in rbm.tensors))
    return hot if weight_factor == 1 else replace(hot, W=hot.W * weight_factor)


@torch.no_grad()
def sample(
    rbm: RBM,
    number: int = 64,
    steps: int = 1000,
    *,
    start: Tensor | None = None,
    clamp: Tensor | None = None,
    temperature: float = 1.0,
    weight_factor: float = 1.0,
    seed: int = 0,
) -> Tensor:
    """Visible states after `steps` Gibbs sweeps.

    Parameters
    ----------
    rbm : RBM
        The machine.
    number : int
        How many chains, when they start from noise.
    steps : int
        Sweeps of each chain; chains that start far off need many (0 returns the start).
    start : Tensor (number, V), optional
        Visible states to start from; None starts from independent units with the machine's biases.
    clamp : Tensor (V,) of bool, optional
        Entries that keep the values of `start`.
    temperature, weight_factor : float
        See the head of this file.
    seed : int
        Same seed, same samples.

    Returns
    -------
    Tensor (number, V)

    Raises
    ------
    InputError
        A number out of range, a start of the wrong width, or clamped entries without a start.
    """
    check_sampling(number, steps, temperature, weight_factor, seed)
    if clamp is not None and start is None:
        raise InputError("clamp keeps values of the start, so it needs start=…; start from data.")
    for name, tensor, axes in (("start", start, 2), ("clamp", clamp, 1)):
        if tensor is not None and (tensor.ndim != axes or tensor.shape[-1] != rbm.visible.size):
            raise InputError(
                f"{name} has shape {tuple(tensor.shape)}, but the visible side is {rbm.visible.size} wide."
            )
    hot = tempered(rbm, temperature, weight_factor)
    hot.check_normalisable()
    noise = Noise(seed_for(seed, "sample"), dtype=rbm.W.dtype, device=rbm.W.device)
    v = start_visible(hot, number, noise) if start is None else start.to(rbm.W)
    if clamp is None:
        return sweep(hot, v, noise, steps)
    given = v
    for _ in range(steps):
        v = torch.where(clamp, given, sweep(hot, v, noise))
    return v


def entries_of(columns: Tensor, side: UnitFamily) -> Tensor:
    """A mask over data columns (n,) as one over stored entries (size,); columns beyond the mask (a label) are free."""
    parts = side.parts if isinstance(side, Product) else (side,)
    columns = torch.cat([columns, columns.new_zeros(side.n - len(columns))])
    pieces = torch.split(columns, [part.n for part in parts])
    return torch.cat([piece.repeat_interleave(part.size // part.n) for piece, part in zip(pieces, parts, strict=True)])


def region(shape: tuple[int, ...], name: str) -> Tensor:
    """The upper, lower, left or right half of an image as a mask over its pixels, (rows * columns,) bool."""
    if name not in REGIONS:
        raise InputError(f"clamp must be one of {', '.join(REGIONS)}, not {name!r}.")
    if len(shape) != 2:
        raise InputError(f"clamp={name} is for images, but the rows of these data have shape {shape}; leave it out.")
    rows, columns = shape
    mask = torch.zeros(shape, dtype=torch.bool)
    {
        "upper": mask[: rows // 2],
        "lower": mask[rows // 2 :],
        "left": mask[:, : columns // 2],
        "right": mask[:, columns // 2 :],
    }[name].fill_(True)
    return mask.flatten()
