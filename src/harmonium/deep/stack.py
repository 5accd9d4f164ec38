"""Deep belief networks: machines one on another, the hidden side of each the visible side of the next.

    p(v, h1, ..., hL)  =  p(v | h1) p(h1 | h2) ... p(hL-2 | hL-1)  p(hL-1, hL)

Only the top machine is a machine; of those below, the conditionals downwards are all that the model keeps (Hinton,
Osindero and Teh 2006).  Upwards the posteriors p(h_l | h_l-1) of the single machines stand for the true ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.gibbs import sample_h_from_v, sample_v_from_h, start_visible, sweep
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.units import UnitFamily


@dataclass(frozen=True, eq=False)
class Stack:
    """Machines from the data upwards; raises InputError where the sides of two neighbours are not the same."""

    machines: tuple[RBM, ...]

    def __post_init__(self) -> None:
        if not self.machines:
            raise InputError("machines is empty; a stack needs one machine at least.")
        for i, rbm in enumerate(self.machines):
            if rbm.W.dim() != 2:
                raise InputError(f"machine {i + 1} is several machines as one; give one of them (hm.unstacked).")
        for i, (lower, upper) in enumerate(zip(self.machines, self.machines[1:], strict=False)):
            if lower.hidden != upper.visible:
                raise InputError(
                    f"machine {i + 2} has the visible side {upper.visible.spec}, but machine {i + 1} below it the "
                    f"hidden side {lower.hidden.spec}; they must be the same."
                )

    @property
    def visible(self) -> UnitFamily:
        """The side of the data."""
        return self.machines[0].visible

    @property
    def top(self) -> RBM:
        """The only machine that keeps its joint distribution."""
        return self.machines[-1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Entries of the data and of each hidden layer."""
        return (self.visible.size, *(rbm.hidden.size for rbm in self.machines))

    def __repr__(self) -> str:
        return f"Stack({' - '.join([self.visible.spec, *(rbm.hidden.spec for rbm in self.machines)])})"

    def __len__(self) -> int:
        return len(self.machines)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Stack:
        """The same stack in another precision or on another device."""
        return Stack(tuple(rbm.to(dtype=dtype, device=device) for rbm in self.machines))


def mean_h_from_v(rbm: RBM, v: Tensor) -> Tensor:
    """E[h | v]: (..., V) -> (..., H)."""
    return rbm.hidden.mean(rbm.eta_h_from_v(v))[..., 0, :]


def mean_v_from_h(rbm: RBM, h: Tensor) -> Tensor:
    """E[v | h]: (..., H) -> (..., V)."""
    return rbm.visible.mean(rbm.eta_v_from_h(h))[..., 0, :]


def features(stack: Stack, v: Tensor, layers: int | None = None) -> Tensor:
    """Hidden means of layer number `layers` (the top by default), each layer fed the means of the last: (N, H_l)."""
    for rbm in stack.machines[:layers]:
        v = mean_h_from_v(rbm, v)
    return v


def reconstruction(stack: Stack, v: Tensor) -> Tensor:
    """Means all the way up and down again: (N, V) -> (N, V)."""
    h = features(stack, v)
    for rbm in reversed(stack.machines):
        h = mean_v_from_h(rbm, h)
    return h


def sample_up(stack: Stack, v: Tensor, noise: Noise, layers: int | None = None) -> list[Tensor]:
    """v and a state of each of the first `layers` hidden layers (all by default), each drawn from the one below."""
    states = [v]
    for rbm in stack.machines[:layers]:
        states.append(sample_h_from_v(rbm, states[-1], noise))
    return states


def sample(
    stack: Stack, number: int, noise: Noise, *, steps: int = 1000, start: Tensor | None = None, means: bool = False
) -> Tensor:
    """Samples of the network: a Gibbs chain each in the top machine, then once down: (number, V).

    Parameters
    ----------
    stack : Stack
    number : int
        How many, a chain each.
    noise : Noise
    steps : int
        Sweeps of the top machine.
    start : Tensor (number, V), optional
        Data to begin from; by default the top machine begins at independent units.
    means : bool
        E[v | h1] instead of a draw from it, as pictures of samples are usually shown.
    """
    if start is not None and len(start) != number:
        raise InputError(f"start has {len(start)} rows for number={number} chains; give one each.")
    top = stack.top
    if start is None:
        below = start_visible(top, number, noise)
    else:
        below = sample_up(stack, start, noise, len(stack) - 1)[-1]
    x = sweep(top, below, noise, steps)
    if len(stack) == 1:
        return mean_v_from_h(top, sample_h_from_v(top, x, noise)) if means else x
    for rbm in reversed(stack.machines[1:-1]):
        x = sample_v_from_h(rbm, x, noise)
    bottom = stack.machines[0]
    return mean_v_from_h(bottom, x) if means else sample_v_from_h(bottom, x, noise)


def turned_over(rbm: RBM, like: RBM) -> RBM | None:
    """A first machine for the layer above `rbm`, with the sides of `like`: `rbm` upside down; None if it does not fit.

    With it the network's distribution is that of `rbm` itself, and the bound on its likelihood is tight: whatever
    raises the upper machine's likelihood raises the bound (Hinton, Osindero and Teh 2006, section 4).
    """
    mirrored = rbm.mirror()
    if mirrored.visible != like.visible or mirrored.hidden != like.hidden:
        return None
    return mirrored.detached()
