"""Ladders of machines from one that can be sampled independently to the one that is wanted.

    levels 0, ..., K-1 on the same two sides;  level 0 has independent units,  level K-1 is the target
    log f_k(v) = -F_k(v),  the free energy of the level's OWN energy:  not t_k times that of the target
    up_k   = ln f_{k+1} / f_k  at the state of level k
    down_k = ln f_k / f_{k+1}  at the state of level k+1

up and down are all that a swap (accepted with probability min(1, exp(up + down))) and Bennett's ratio need.  They come
out of the product that the next Gibbs sweep makes anyway: a ladder only says what the fields of its levels are, at a
level's own state and at its neighbours'.

Shapes: v (R, K, V), R independent replicas of the ladder;  h (R, K, H).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, Self

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.gibbs import sample_side, start_visible
from harmonium.machine import RBM
from harmonium.noise import Noise


class Fields(NamedTuple):
    """Natural parameters of p(h | v) in float64 for states v of all levels.

    here (R, K, k_h, H): at the state's own level; above (R, K-1, k_h, H): those of levels 0..K-2 one level higher;
    below (R, K-1, k_h, H): those of levels 1..K-1 one level lower.
    """

    here: Tensor
    above: Tensor
    below: Tensor

    def after(self, swapped: Tensor) -> Tensor:
        """`here` of the states that pairs (R, K-1) have swapped: they take along the fields of where they came to."""
        here, moved = self.here.clone(), swapped[..., None, None]
        torch.where(moved, self.below, here[:, :-1], out=here[:, :-1])
        torch.where(moved, self.above, here[:, 1:], out=here[:, 1:])
        return here


class Ladder(ABC):
    """Levels along a path of machines; `positions` from 0 (independent units) to 1 (the target) say where."""

    positions: tuple[float, ...]

    @property
    @abstractmethod
    def first(self) -> RBM:
        """The machine of independent units."""

    @property
    @abstractmethod
    def target(self) -> RBM:
        """The machine that is wanted."""

    @abstractmethod
    def at(self, positions: Sequence[float]) -> Self:
        """The same path with other levels on it."""

    @abstractmethod
    def level(self, k: int) -> RBM:
        """The machine of one level."""

    @abstractmethod
    def eta_h_from_v(self, v: Tensor) -> Fields:
        """Natural parameters of p_k(h | v) and of the neighbours of k: (R, K, V)."""

    @abstractmethod
    def eta_v_from_h(self, h: Tensor) -> Tensor:
        """Natural parameters of p_k(v | h): (R, K, H) -> (R, K, k_v, V)."""

    @abstractmethod
    def visible_gains(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """(a_{k+1} - a_k) · T at the states of level k, and of level k+1: (R, K, V) -> (R, K-1) twice, float64."""

    # ---- the same for every ladder ----------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.positions)

    def start(self, replicas: int, noise: Noise) -> Tensor:
        """Independent states of the first level on all levels: (replicas, K, V)."""
        return start_visible(self.first, replicas, noise).unsqueeze(1).repeat(1, len(self), 1)

    def log_ratios(self, v: Tensor, fields: Fields) -> tuple[Tensor, Tensor]:
        """up and down (see above) in nats: (R, K-1) float64 each.  A side's own energy is common to all levels."""
        A = self.target.hidden.log_partition
        at_home = A(fields.here)
        gain_low, gain_high = self.visible_gains(v)
        return gain_low + A(fields.above) - at_home[:, :-1], A(fields.below) - gain_high - at_home[:, 1:]

    def sweep(self, eta_h: Tensor, noise: Noise) -> Tensor:
        """One Gibbs sweep at every level, h ~ p_k(h | v) and v ~ p_k(v | h): eta_h (R, K, k_h, H) -> v (R, K, V)."""
        h = sample_side(self.target.hidden, eta_h.to(self.target.W.dtype), noise)
        return sample_side(self.target.visible, self.eta_v_from_h(h), noise)


@dataclass(frozen=True, eq=False)
class Tempered(Ladder):
    """From `base`, independent units, to `target`: at t the energy is (1 - t) E_base + t E_target.

    The fields of an interpolated machine are the interpolated fields, so that all levels of all replicas are rows of
    one product with one W.
    """

    base: RBM
    machine: RBM
    positions: tuple[float, ...]

    def __post_init__(self) -> None:
        check_positions(self.positions)
        check_independent(self.base)

    @property
    def first(self) -> RBM:
        """The base."""
        return self.base

    @property
    def target(self) -> RBM:
        """The machine."""
        return self.machine

    def at(self, positions: Sequence[float]) -> Tempered:
        """Other temperatures."""
        return replace(self, positions=tuple(positions))

    def level(self, k: int) -> RBM:
        """The interpolated machine."""
        return self.base.lerp(self.machine, self.positions[k])

    @cached_property
    def _t(self) -> Tensor:
        """(K, 1, 1) float64."""
        return torch.tensor(self.positions, dtype=torch.float64, device=self.machine.W.device).view(-1, 1, 1)

    def eta_h_from_v(self, v: Tensor) -> Fields:
        """One product for all levels and their neighbours."""
        eta = self.machine.eta_h_from_v(v).double()
        b, t = self.base.b.double(), self._t
        return Fields(torch.lerp(b, eta, t), torch.lerp(b, eta[:, :-1], t[1:]), torch.lerp(b, eta[:, 1:], t[:-1]))

    def eta_v_from_h(self, h: Tensor) -> Tensor:
        """One product for all levels."""
        eta = self.machine.eta_v_from_h(h)
        return torch.lerp(self.base.a.expand_as(eta), eta, self._t.to(eta.dtype), out=eta)

    def visible_gains(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Steps of t times what a whole unit of t gains."""
        shift = (self.machine.a - self.base.a).double()
        whole = self.machine.visible.dot(shift, v.double())
        steps = self._t.flatten().diff()
        return steps * whole[:, :-1], steps * whole[:, 1:]


@dataclass(frozen=True, eq=False)
class Trajectory(Ladder):
    """Along `machines`, such as snapshots of training; the first of them has independent units, the last is the target.

    Training passes its transitions where they are gentle, which a path of temperatures may cross where they are
    steep (Béreux, Decelle, Furtlehner and Seoane, ICLR 2025).  Between two machines the path is straight, the position
    of machine i among n is i / (n - 1), and every level keeps its own W: (K, V, H) in all.
    """

    machines: tuple[RBM, ...]
    positions: tuple[float, ...]

    def __post_init__(self) -> None:
        check_positions(self.positions)
        if len(self.machines) < 2:
            raise InputError(f"a trajectory needs at least two machines, not {len(self.machines)}; give snapshots.")
        check_independent(self.machines[0])
        for machine in self.machines:
            if (machine.visible, machine.hidden) != (self.target.visible, self.target.hidden):
                raise InputError(
                    f"the trajectory holds {machine.visible.spec} with {machine.hidden.spec} beside "
                    f"{self.target.visible.spec} with {self.target.hidden.spec}; give machines on the same sides."
                )

    @property
    def first(self) -> RBM:
        """The first machine."""
        return self.machines[0]

    @property
    def target(self) -> RBM:
        """The last machine."""
        return self.machines[-1]

    def at(self, positions: Sequence[float]) -> Trajectory:
        """Other places on the same path."""
        return replace(self, positions=tuple(positions))

    def level(self, k: int) -> RBM:
        """The machine there, between two of those given."""
        place = self.positions[k] * (len(self.machines) - 1)
        before = min(int(place), len(self.machines) - 2)
        return self.machines[before].lerp(self.machines[before + 1], place - before)

    @cached_property
    def _stacked(self) -> tuple[Tensor, Tensor, Tensor]:
        """W (K, V, H), a (K, k_v, V), b (K, k_h, H)."""
        levels = [self.level(k) for k in range(len(self))]
        W, a, b = (torch.stack(tensors) for tensors in zip(*(m.tensors for m in levels), strict=True))
        return W, a, b

    def eta_h_from_v(self, v: Tensor) -> Fields:
        """Three batched products: with each state's own W and with its neighbours'."""
        W, _, b = self._stacked
        return Fields(
            _fields(b, v, W).double(),
            _fields(b[1:], v[:, :-1], W[1:]).double(),
            _fields(b[:-1], v[:, 1:], W[:-1]).double(),
        )

    def eta_v_from_h(self, h: Tensor) -> Tensor:
        """One batched product."""
        W, a, _ = self._stacked
        return _fields(a, h, W.mT)

    def visible_gains(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """The step of a between neighbours along T(v)."""
        shift = self._stacked[1].double().diff(dim=0)
        dot, v = self.target.visible.dot, v.double()
        return dot(shift, v[:, :-1]), dot(shift, v[:, 1:])


def trajectory(snapshots: Sequence[RBM], positions: Sequence[float]) -> Trajectory:
    """The path through snapshots of training, begun with the independent units of the first of them."""
    if not snapshots:
        raise InputError("a trajectory needs at least one machine, not 0; give snapshots of training.")
    return Trajectory((snapshots[0].decoupled(), *snapshots), tuple(positions))


def acceptance(p: RBM, q: RBM, v: Tensor) -> float:
    """How often replicas of p and of q exchange their states, from chains v (N, V) of p."""
    x = (q.free_energy(v) - p.free_energy(v)).double()
    each = (x - x.unsqueeze(1)).clamp_(max=0).exp()  # (of v_p, of v_q)
    return float((each * (-x).softmax(0)).sum() / len(x))


def even_positions(levels: int) -> tuple[float, ...]:
    """`levels` places from 0 to 1 at equal distances."""
    return tuple(i / (levels - 1) for i in range(levels))


def check_positions(positions: Sequence[float]) -> None:
    """Raise InputError unless positions rise from 0 to 1."""
    rising = all(x < y for x, y in pairwise(positions))
    if len(positions) < 2 or (positions[0], positions[-1]) != (0.0, 1.0) or not rising:
        shown = ", ".join(f"{x:g}" for x in positions[:6]) + (", …" if len(positions) > 6 else "")
        raise InputError(f"positions must rise from 0 to 1, not ({shown}); such as even_positions(10).")


def check_independent(first: RBM) -> None:
    """Raise InputError unless the machine has independent units."""
    if bool((first.W != 0).any()):
        raise InputError("a ladder starts from independent units, but its first machine has W != 0; use decoupled().")


def _fields(bias: Tensor, x: Tensor, W: Tensor) -> Tensor:
    """Row 0 of the bias plus x W, level by level: (K, k, m), (R, K, l), (K, l, m) -> (R, K, k, m)."""
    field = torch.baddbmm(bias[:, :1], x.transpose(0, 1), W).transpose(0, 1).unsqueeze(-2)
    if bias.shape[1] == 1:
        return field
    return torch.cat([field, bias[:, 1:].expand(len(x), -1, -1, -1)], -2)
