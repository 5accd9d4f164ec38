"""Where an annealing begins: a distribution that is sampled exactly, with a known ln Z, and the way from it.

    independent   units with the data's base rates, or the machine's own biases:    W = 0
    mixture       of products fitted to states x:  hidden side (c, h), c one-hot
                  t = 0:  W = (W_mix, 0)      t = 1:  W = (0, W_rbm),  where c is free:  ln Z_1 = ln Z + ln C

    collapsed     independent units of the smaller side, the other side summed out

From independent units a machine's modes come apart on the way, and a chain that has taken one does not come back: modes
that are rarely taken and carry much make an estimate too small, unseen.  A mixture begins in all modes of the states
that it was fitted to, and in those that short annealings have found.  Both are lerps between two machines, with block
Gibbs sweeps on the way.  Where one side has few units, chains of their states alone do come back
(`harmonium.logz.collapsed`), and do better by far.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from harmonium.gibbs import sample_h_from_v, sample_side, sample_v_from_h, sweep
from harmonium.logz.annealing import anneal
from harmonium.logz.collapsed import anneal_collapsed
from harmonium.logz.exact import exact_log_z, sample_v_exactly, smaller_side_hidden
from harmonium.logz.resampling import resample
from harmonium.logz.schedules import even_schedule
from harmonium.machine import RBM
from harmonium.mixture import fit_mixture
from harmonium.noise import Noise
from harmonium.units import OneHot, Product, parts_of

#: Units of a side whose states are annealed alone, at most.
MOST_UNITS = 64
#: Components of a mixture at most.
COMPONENTS = 64
#: Gibbs sweeps that carry rows of data into the machine's own distribution before the mixture is fitted to them.
_SETTLE = 50
#: Steps of the annealings that look for modes without data.
_SHORT = 100


@dataclass(frozen=True, eq=False)
class Base(ABC):
    """A way from states that can be drawn exactly to a machine, and back; it has visible states at either end.

    ln Z of the machine is `log_z` plus ln E[w] of the way forward, or less ln E[w] of the way back.
    """

    log_z: float
    name: str

    @abstractmethod
    def forward(self, schedule: Sequence[float], chains: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """The ends (chains, V) and ln w (chains,) of annealings from the base to the machine."""

    @abstractmethod
    def reverse(self, schedule: Sequence[float], v: Tensor, noise: Noise) -> Tensor:
        """ln w (N,) of annealings from samples v (N, V) of the machine back to the base."""

    @abstractmethod
    def settled(self, rbm: RBM, v: Tensor, sweeps: int, noise: Noise) -> Tensor:
        """v (N, V) after sweeps that leave the machine's distribution as it is."""


@dataclass(frozen=True, eq=False)
class BlockBase(Base):
    """The way from `start`, where states are drawn by ``draw(number, noise)``, to `end`, which has p(v) of the machine.

    `log_z` is ln Z of the start less what the end has beyond the machine.
    """

    start: RBM
    end: RBM
    draw: Callable[[int, Noise], Tensor]

    def forward(self, schedule: Sequence[float], chains: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """By block Gibbs sweeps."""
        return anneal(self.start, self.end, self.draw(chains, noise), schedule, noise)

    def reverse(self, schedule: Sequence[float], v: Tensor, noise: Noise) -> Tensor:
        """By block Gibbs sweeps."""
        return anneal(self.start, self.end, v, schedule[::-1], noise)[1]

    def settled(self, rbm: RBM, v: Tensor, sweeps: int, noise: Noise) -> Tensor:
        """By block Gibbs sweeps."""
        return sweep(rbm, v, noise, sweeps)


@dataclass(frozen=True, eq=False)
class CollapsedBase(Base):
    """The way from independent units of one side, in the fields b0, in that side's states alone.

    `turned` is the machine with that side hidden: the machine itself, or its mirror.  Between v and h lie exact draws:
    where v has p(v), h ~ p(h | v) has p(h), and the other way round.
    """

    turned: RBM
    b0: Tensor
    mirrored: bool

    def forward(self, schedule: Sequence[float], chains: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """By draws of one unit after another."""
        h = sample_side(self.turned.hidden, self.b0.expand(chains, 1, -1), noise)
        h, log_w = anneal_collapsed(self.turned, self.b0, h, schedule, noise)
        return self._visible(h, noise), log_w

    def reverse(self, schedule: Sequence[float], v: Tensor, noise: Noise) -> Tensor:
        """By draws of one unit after another."""
        return anneal_collapsed(self.turned, self.b0, self._states(v, noise), schedule[::-1], noise)[1]

    def settled(self, rbm: RBM, v: Tensor, sweeps: int, noise: Noise) -> Tensor:
        """By draws of one unit after another."""
        at_the_machine = (1.0,) * (sweeps + 2)
        h, _ = anneal_collapsed(self.turned, self.b0, self._states(v, noise), at_the_machine, noise)
        return self._visible(h, noise)

    def _states(self, v: Tensor, noise: Noise) -> Tensor:
        return v if self.mirrored else sample_h_from_v(self.turned, v, noise)

    def _visible(self, h: Tensor, noise: Noise) -> Tensor:
        return h if self.mirrored else sample_v_from_h(self.turned, h, noise).clone()


def independent_base(rbm: RBM, base: RBM | None = None) -> BlockBase:
    """From independent units: `base`, a machine with W = 0 such as ``rbm.decoupled(a)``, or the machine's biases."""
    start = rbm.decoupled() if base is None else base.to(dtype=rbm.W.dtype, device=rbm.W.device)
    log_z = float(start.to(dtype=torch.float64).log_z_decoupled())

    def draw(number: int, noise: Noise) -> Tensor:
        return sample_side(rbm.visible, start.a.expand(number, -1, -1), noise).clone()

    return BlockBase(log_z, "base rates" if base is not None else "own biases", start, rbm, draw)


def collapsed_base(rbm: RBM, base: RBM | None = None) -> CollapsedBase | None:
    """From independent units of the smaller side; None where it cannot be counted, has more than `MOST_UNITS`
    or more parameters than fields.

    Their fields are those of `base`, which for hidden units are 0: base rates of their own have made no estimate
    better, because a power of p(h) comes from the whole of the states into its modes by itself.
    """
    turned = smaller_side_hidden(rbm)
    if turned is None or turned.hidden.n > MOST_UNITS or turned.hidden.k > 1:
        return None
    mirrored = turned is not rbm
    start = rbm.decoupled() if base is None else base.to(dtype=rbm.W.dtype, device=rbm.W.device)
    b0 = (start.mirror() if mirrored else start).b
    return CollapsedBase(float(turned.hidden.log_partition(b0.double())), "collapsed", turned, b0[0], mirrored)


def mixture_base(rbm: RBM, states: Tensor, noise: Noise, base: RBM | None = None) -> Base:
    """From a mixture fitted to half `states` (N, V) after some sweeps, half ends of annealings from independent units.

    A quarter comes from `base`, a quarter from neutral units: where the states are in one mode of several, so is what
    begins at their base rates.  The visible side must have a field alone (k = 1).
    """
    starts = base, rbm.decoupled(rbm.visible.neutral(rbm.W))
    number = -(-len(states) // len(starts))
    ends = [_ends(rbm, independent_base(rbm, start), number, noise) for start in starts]
    pool = torch.cat([sweep(rbm, states, noise, _SETTLE), *ends])
    mixture = fit_mixture(rbm.visible, pool, min(COMPONENTS, len(pool)), noise)
    count = mixture.hidden.size
    hidden = Product(OneHot(1, count), *parts_of(rbm.hidden))
    free = rbm.decoupled().b
    pad = torch.zeros_like(free[:, :1]).expand(-1, count)
    at_start, at_end = torch.cat([pad, free], 1), torch.cat([pad, rbm.b], 1)
    at_start[0, :count] = mixture.b[0]
    start = RBM(rbm.visible, hidden, torch.cat([mixture.W, torch.zeros_like(rbm.W)], 1), mixture.a, at_start)
    end = RBM(rbm.visible, hidden, torch.cat([torch.zeros_like(mixture.W), rbm.W], 1), rbm.a, at_end)
    log_z = exact_log_z(mixture.to(dtype=torch.float64)) + float(rbm.hidden.log_partition(free.double()))
    return BlockBase(log_z - math.log(count), "mixture", start, end, partial(sample_v_exactly, mixture))


def _ends(rbm: RBM, base: Base, number: int, noise: Noise) -> Tensor:
    """States of the machine as short annealings find it: their ends, resampled by weight, (number, V)."""
    v, log_w = base.forward(even_schedule(_SHORT), number, noise)
    return v[resample(log_w, noise)]
