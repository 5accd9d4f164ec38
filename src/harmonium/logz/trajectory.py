"""ln Z followed along the training: groups of chains carried from machine to machine, and weighted on the way.

    from p to q:    ln w  <-  ln w + F_p(v) - F_q(v),    then v by one Gibbs sweep of q
    where a group's weights have become uneven:    ln Z_g  <-  ln Z_g + ln mean(w),   v drawn anew by w,   w <- 1
    Z-hat = mean over groups of  exp(ln Z_g) mean(w),    E[Z-hat] = Z

The successive machines of a training are a path of annealed importance sampling that has been paid for already
(Bereux, Decelle, Furtlehner, Rosset and Seoane 2025); drawn anew by weight, it is a sequential Monte Carlo sampler (Del
Moral, Doucet and Jasra 2006).  Where p and q are far apart the way between them is their `lerp`, in as many steps as
the weights ask for: from independent units, whose ln Z is known, this is annealing.

Groups never meet, so that their spread shows how uncertain each is, weights, draws and slow chains together.  It
cannot show a mode that no group has found: chains that do not mix at the pace of the training estimate too low a ln Z,
all of them.  So let a second annealing confirm a long path (`harmonium.runs.follow`).

One group more, the pilot, chooses the steps for all and is left out of the estimate: chosen by the very chains that
they weight, they would bias it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from harmonium.gibbs import sample_side, sample_v_from_h
from harmonium.intervals import Z_95, student_95
from harmonium.logz.base import Estimate
from harmonium.logz.resampling import resampled
from harmonium.machine import RBM
from harmonium.noise import Noise


@dataclass(frozen=True, eq=False)
class Population:
    """Weighted chains of a machine, in groups; group 0 is the pilot.

    Attributes
    ----------
    machine : RBM
        What the chains sample.
    v : Tensor (G + 1, N, V)
        Their visible states.
    log_w : Tensor (G + 1, N)
        ln of the weights that they have gathered since their group was last drawn anew, in float64.
    log_z : Tensor (G + 1,)
        ln Z of each group at that time, in nats and float64.
    """

    machine: RBM
    v: Tensor
    log_w: Tensor
    log_z: Tensor

    def estimate(self, method: str = "trajectory") -> Estimate:
        """ln Z of `machine`: ln of the groups' mean, with the standard error that their spread says.

        The error is widened so that 1.96 of it on either side are Student's 95 % interval for so few groups.
        """
        groups = len(self.log_z) - 1
        log_z = (self.log_z + _log_mean(self.log_w))[1:]
        value = float(_log_mean(log_z))
        stderr = float((log_z - value).exp().std()) / math.sqrt(groups) * student_95(groups - 1) / Z_95
        weight = (self.log_z.unsqueeze(1) + self.log_w)[1:].flatten().softmax(0)
        return Estimate(value, stderr, method, -1, float(1 / weight.square().sum()))


@dataclass(frozen=True)
class Follower:
    """How a `Population` is made and moved.

    Attributes
    ----------
    groups, chains : int
        G independent groups (beside the pilot) of N chains each.
    evenness : float
        The effective share of the pilot's chains that one step must leave, from 0 (all the way at once) to below 1.
    most_steps : int
        Steps of one move at most: a longer way shows as uneven weights instead.
    """

    groups: int = 16
    chains: int = 32
    evenness: float = 0.9
    most_steps: int = 1000

    @torch.no_grad()
    def init(self, rbm: RBM, base: RBM, noise: Noise) -> Population:
        """Chains annealed to `rbm` from exact samples of `base`, independent units on the same sides (W = 0)."""
        rows = self.groups + 1, self.chains
        v = sample_side(base.visible, base.a.expand(*rows, -1, -1), noise)
        log_w = torch.zeros(rows, dtype=torch.float64, device=v.device)
        log_z = base.to(dtype=torch.float64).log_z_decoupled().expand(rows[0]).clone()
        return self.advance(Population(base, v, log_w, log_z), rbm, noise)

    @torch.no_grad()
    def advance(self, at: Population, rbm: RBM, noise: Noise) -> Population:
        """The population brought to `rbm`, of which a copy is kept.

        Raises InputError where `rbm` is not normalisable.
        """
        rbm.check_normalisable()
        machine, end, hidden = at.machine, rbm.detached(), rbm.hidden
        v, log_w, log_z = at.v, at.log_w.clone(), at.log_z.clone()
        done = 0.0
        while done < 1:
            # A difference of machines gives the difference of fields: small numbers, free of what would cancel
            shift = end.map(torch.sub, machine)
            eta, rise = machine.eta_h_from_v(v), shift.eta_h_from_v(v)
            gain = _Gain(
                hidden.log_partition, eta.double(), rise.double(), rbm.visible.dot(shift.a.double(), v.double())
            )
            share = self._share(gain.of_pilot(), log_w[0], 1 / (self.most_steps * (1 - done)))
            log_w += gain(share)
            eta = eta + share * rise
            machine, done = (end, 1.0) if share == 1 else (machine.lerp(end, share), done + (1 - done) * share)
            _draw_anew_(log_w, log_z, eta, noise)
            v = sample_v_from_h(machine, sample_side(hidden, eta, noise), noise)
        return Population(machine, v, log_w, log_z)

    def _share(self, gain: Callable[[float], Tensor], log_w: Tensor, least: float) -> float:
        """The largest part of the way, within a tenth, that leaves the weights even enough; `least` at any rate."""
        before = log_w.log_softmax(0)

        def even(share: float) -> bool:  # the conditional effective sample size (Zhou, Johansen and Aston 2016)
            u = gain(share)
            return float(2 * (before + u).logsumexp(0) - (before + 2 * u).logsumexp(0)) >= math.log(self.evenness)

        if least >= 1 or self.evenness == 0 or even(1.0):
            return 1.0
        low, high = least, 1.0
        while high > 1.1 * low:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if even(middle) else (low, middle)
        return low


@dataclass(frozen=True, eq=False)
class _Gain:
    """F_p(v) - F_q(v) for q a given share of the way from p on: the gain of ln w, (...,) in float64."""

    log_partition: Callable[[Tensor], Tensor]
    eta: Tensor
    rise: Tensor
    along: Tensor

    def __call__(self, share: float) -> Tensor:
        there = self.log_partition(self.eta + share * self.rise)
        return there - self.log_partition(self.eta) + share * self.along

    def of_pilot(self) -> _Gain:
        return _Gain(self.log_partition, self.eta[0], self.rise[0], self.along[0])


def _draw_anew_(log_w: Tensor, log_z: Tensor, eta: Tensor, noise: Noise) -> None:
    """Where fewer than half of a group's chains are effective, draw chains by weight, one even comb through them all.

    log_w (G, N), log_z (G,) and the chains' hidden parameters eta (G, N, k, H) change in place.
    """
    groups, n = log_w.shape
    offset = noise.uniform(groups, 1)  # drawn whether needed or not
    uneven = 1 / log_w.softmax(1).square().sum(1) < n / 2
    if not bool(uneven.any()):
        return
    chosen = resampled(log_w[uneven], offset[uneven])
    eta[uneven] = eta[uneven].take_along_dim(chosen[..., None, None], 1)
    log_z[uneven] += _log_mean(log_w[uneven])
    log_w[uneven] = 0


def _log_mean(x: Tensor) -> Tensor:
    """ln of the mean of exp(x) over the last dimension."""
    return x.logsumexp(-1) - math.log(x.shape[-1])
