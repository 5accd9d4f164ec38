"""Parallel tempering: chains at all levels of a ladder, whose states change places with their neighbours'.

    sweep    at every level, a Gibbs sweep that leaves the level's own p_k invariant
    swap     k and k+1, accepted with probability min(1, exp(up_k + down_k)): the pairs with even k, then those with odd

Even and odd pairs in turn (Okabe et al. 2001) make the way of a state up and down the ladder direct instead of
diffusive (Syed, Bouchard-Côté, Deligiannidis and Doucet 2022, "non-reversible parallel tempering").  From the same
paper: the rejection rates add up to a communication barrier Λ that hardly depends on the levels; levels that reject
equally often are best, about 2 Λ of them, half of all swaps being rejected.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from harmonium.ladders import Ladder
from harmonium.noise import Noise

Kind = TypeVar("Kind", bound=Ladder)
#: Levels of a ladder that is not tuned yet, and the most that tuning makes.
FIRST_LEVELS = 12
MOST_LEVELS = 64
#: The mean rejection that a tuned ladder aims at.
REJECTION = 0.5
_BOTTOM, _TOP = 1, 2


@dataclass(frozen=True, eq=False)
class Tempering:
    """What a run of parallel tempering leaves.

    Attributes
    ----------
    v : Tensor (R, K, V)
        The last states of all levels.
    up, down : Tensor (S, R, K-1)
        ln f_{k+1} / f_k at states of level k, ln f_k / f_{k+1} at states of level k+1, in nats, float64, after each
        of S sweeps.
    observed : Tensor (S, R, ...)
        What `observe` made of the target level's states.
    rejection : Tensor (K-1,)
        How often each pair refuses to swap.
    round_trips : int
        How often a state has come from the first level to the target and back, over all replicas.
    """

    v: Tensor
    up: Tensor
    down: Tensor
    observed: Tensor
    rejection: Tensor
    round_trips: int

    @property
    def barrier(self) -> float:
        """The communication barrier: the sum of the rejection rates."""
        return float(self.rejection.sum())


def origins(swapped: Tensor) -> Tensor:
    """The level that each state comes from after swaps of pairs, no two of them neighbours: (R, K-1) -> (R, K)."""
    step = torch.nn.functional.pad(swapped.long(), (1, 1))
    return torch.arange(swapped.shape[1] + 1, device=swapped.device) + step[:, 1:] - step[:, :-1]


@torch.no_grad()
def temper(
    ladder: Ladder,
    v: Tensor,
    sweeps: int,
    noise: Noise,
    *,
    observe: Callable[[Tensor], Tensor] = lambda v: v.new_empty(len(v), 0),
) -> Tempering:
    """`sweeps` times a Gibbs sweep at all levels from v (R, K, V), and swaps of half of the neighbours.

    `observe` (R, V) -> (R, ...) sees the target's states after each sweep and returns what is kept of them.
    """
    replicas, levels = len(v), len(ladder)
    up = torch.empty(sweeps, replicas, levels - 1, dtype=torch.float64, device=v.device)
    down = torch.empty_like(up)
    observed, trips = [], torch.zeros((), dtype=torch.int64, device=v.device)
    came = torch.zeros(replicas, levels, dtype=torch.int8, device=v.device)  # the end that a state has seen last
    eta_h = ladder.eta_h_from_v(v).here
    for s in range(sweeps):
        v = ladder.sweep(eta_h, noise)
        eta = ladder.eta_h_from_v(v)
        up[s], down[s] = ladder.log_ratios(v, eta)
        observed.append(observe(v[:, -1]))
        swapped = noise.uniform(replicas, levels - 1).double() < (up[s] + down[s]).exp()
        swapped[:, (s + 1) % 2 :: 2] = False
        origin = origins(swapped)
        eta_h = eta.after(swapped)  # all that the next sweep needs: the states themselves stay where they are
        came = came.gather(1, origin)
        trips += (came[:, 0] == _TOP).sum()
        came[:, 0] = _BOTTOM
        came[:, -1].masked_fill_(came[:, -1] == _BOTTOM, _TOP)
    v = v.gather(1, origin.unsqueeze(-1).expand_as(v))
    rejection = 1 - (up + down).clamp_max(0).exp().mean((0, 1))
    return Tempering(v, up, down, torch.stack(observed), rejection, int(trips))


@torch.no_grad()
def tuned(ladder: Kind, v: Tensor, noise: Noise, *, rounds: int = 6, sweeps: int = 16) -> tuple[Kind, Tensor]:
    """A ladder whose pairs reject equally often, as many levels as the barrier asks for, and states on it.

    Each round runs twice as long as the last and moves the levels to where the rejections of that round add up in
    equal steps; the first lasts `sweeps` sweeps.  The states v (R, K, V) go along: the rounds are a burn-in too.
    """
    for r in range(rounds):
        run = temper(ladder, v, sweeps << r, noise)
        positions = spread(ladder.positions, run.rejection.cpu().numpy())
        nearest = np.abs(np.subtract.outer(positions, ladder.positions)).argmin(1)
        v, ladder = run.v[:, torch.from_numpy(nearest).to(v.device)], ladder.at(positions)
    return ladder, v


def spread(positions: tuple[float, ...], rejection: np.ndarray) -> tuple[float, ...]:
    """New positions between which the measured rejections (K-1,) add up in equal steps of about `REJECTION`.

    Their number may double at most: where neighbours hardly ever swap, the barrier between them is not yet measured.
    """
    refused = np.maximum(rejection, 1e-3)  # so that positions rise where nothing is rejected
    barrier = np.concatenate([[0.0], refused.cumsum()])
    steps = max(2, math.ceil(barrier[-1] / REJECTION))
    steps = min(steps, 2 * len(refused), MOST_LEVELS - 1)
    inner = np.interp(np.linspace(0, barrier[-1], steps + 1)[1:-1], barrier, positions)
    return (0.0, *map(float, inner), 1.0)
