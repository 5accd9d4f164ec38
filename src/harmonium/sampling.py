"""Samples of a trained machine: from noise, from data, at another temperature, or with part of each row held fixed.

temperature T     p(v, h) ~ exp(-E(v, h) / T):  every parameter is divided by T, a fixed variance multiplied
weight factor c   W -> c W, the biases stay:  sharper too, but NOT a temperature (it also moves the balance
                  between weights and biases)
clamped entries   h ~ p(h | v),  then the free entries only from p(v | h): samples of p(free | clamped)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from harmonium.checks import check_seed, check_whole, checked_states
from harmonium.errors import InputError
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.samplers import SAMPLERS, Given, Samples
from harmonium.units import UnitFamily, parts_of

REGIONS = ("upper", "lower", "left", "right")


def check_sampling(number: Any, steps: Any, temperature: Any, weight_factor: Any, seed: Any) -> None:
    """Raise InputError for numbers that no sampling can follow."""
    check_whole("number", number, 1)
    check_whole("steps", steps, 0)
    check_seed(seed)
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
def draw(
    rbm: RBM,
    number: int = 64,
    steps: int = 1000,
    *,
    method: str = "gibbs",
    start: Tensor | None = None,
    clamp: Tensor | None = None,
    snapshots: Sequence[RBM] | None = None,
    base: Tensor | None = None,
    temperature: float = 1.0,
    weight_factor: float = 1.0,
    seed: int = 0,
) -> Samples:
    """Visible states by any sampler, with the series that tell whether its chains have mixed.

    Parameters
    ----------
    rbm : RBM
        The machine.
    number : int
        How many samples.
    steps : int
        Sweeps: of each Gibbs chain, which gives one sample at its end (0 returns the start), or of each tempered
        ladder, over which its samples are spread; of no use to ``exact``.
    method : str
        One of ``gibbs``, ``tempering``, ``trajectory``, ``exact`` (`harmonium.samplers`).
    start : Tensor (number, V), optional
        Visible states to start from, Gibbs chains only; None starts from independent units with the machine's biases.
    clamp : Tensor (V,) of bool, optional
        Entries that keep the values of `start`, Gibbs chains only.
    snapshots : sequence of RBM, optional
        Machines that training has passed through, in order; ``trajectory`` needs them.
    base : Tensor (k_v, V), optional
        Natural parameters of independent units with the data's base rates, from which ``tempering`` finds far modes
        much sooner than from the machine's own biases.
    temperature, weight_factor : float
        See the head of this file.
    seed : int
        Same seed, same samples.

    Returns
    -------
    Samples
        ``v`` (number, V), the watched series, and facts of the method.

    Raises
    ------
    InputError
        A number out of range, a start that holds no visible states, or something that the method cannot follow.
    """
    check_sampling(number, steps, temperature, weight_factor, seed)
    if method not in SAMPLERS:
        raise InputError(f"method must be one of {', '.join(SAMPLERS)}, not {method!r}.")
    if clamp is not None and start is None:
        raise InputError("clamp keeps values of the start, so it needs start=…; start from data.")
    if clamp is not None and tuple(clamp.shape) != (rbm.visible.size,):
        raise InputError(f"clamp has shape {tuple(clamp.shape)}, but the visible side is {rbm.visible.size} wide.")
    hot = tempered(rbm, temperature, weight_factor)
    hot.check_normalisable()
    noise = Noise(seed_for(seed, "sample"), dtype=rbm.W.dtype, device=rbm.W.device)
    path = None if snapshots is None else [tempered(machine, temperature, weight_factor) for machine in snapshots]
    from_v = None if start is None else checked_states(rbm, start, "start").to(rbm.W)
    return SAMPLERS[method](hot, number, steps, noise, Given(from_v, clamp, path, base))


def sample(
    rbm: RBM,
    number: int = 64,
    steps: int = 1000,
    *,
    method: str = "gibbs",
    start: Tensor | None = None,
    clamp: Tensor | None = None,
    snapshots: Sequence[RBM] | None = None,
    base: Tensor | None = None,
    temperature: float = 1.0,
    weight_factor: float = 1.0,
    seed: int = 0,
) -> Tensor:
    """The visible states of `draw` alone: (number, V)."""
    return draw(
        rbm, number, steps, method=method, start=start, clamp=clamp, snapshots=snapshots, base=base,
        temperature=temperature, weight_factor=weight_factor, seed=seed,
    ).v  # fmt: skip


def entries_of(columns: Tensor, side: UnitFamily) -> Tensor:
    """A mask over data columns (n,) as one over stored entries (size,); columns beyond the mask (a label) are free."""
    parts = parts_of(side)
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
