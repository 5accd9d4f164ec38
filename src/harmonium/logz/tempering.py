"""ln Z by parallel tempering: Bennett's acceptance ratio between all neighbouring levels of a ladder.

    ln Z = ln Z_0 + sum_k C_k,      C_k = ln Z_{k+1} / Z_k  solves  sum_r g_rk(C_k) = 0
    g_rk(C) = sum over states of replica r  s(up_k - C) - s(down_k + C),     s(y) = 1 / (1 + exp(-y))

States of one replica are correlated, in time and between levels; replicas are independent.  The standard error is
therefore that of a sum over replicas (the infinitesimal jackknife, Jaeckel 1972): to first order replica r moves C_k by
g_rk / D_k, D_k = sum_r -g'_rk, hence ln Z by I_r = sum_k g_rk / D_k, and the variance is R / (R-1) sum_r I_r².

Bennett (1976); between the levels of a ladder Shirts and Chodera (2008) is its generalisation.  Unlike annealed
importance sampling, whose chains pass each level once, chains of a ladder find their way through the levels as often
as time allows; what no chain has found is missing here as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from harmonium.diagnostics import Watched, diagnose
from harmonium.ladders import Ladder, Tempered, even_positions
from harmonium.logz.base import Estimate
from harmonium.logz.bennett import bennett
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.tempering import FIRST_LEVELS, temper, tuned


def log_z_from_ratios(up: Tensor, down: Tensor) -> tuple[float, float]:
    """sum_k ln Z_{k+1} / Z_k in nats, and its standard error: up, down (S, R, K-1) as in `harmonium.tempering`."""
    C = torch.tensor([bennett(u, d)[0] for u, d in zip(up.unbind(-1), down.unbind(-1), strict=True)]).to(up)
    accept_up, accept_down = (up - C).sigmoid_(), (down + C).sigmoid_()
    g = accept_up.sum(0) - accept_down.sum(0)  # (R, K-1)
    slope = (accept_up * (1 - accept_up) + accept_down * (1 - accept_down)).sum((0, 1))
    influence = (g / slope).sum(-1)
    replicas = len(influence)
    if replicas < 2:
        return float(C.sum()), math.inf
    return float(C.sum()), math.sqrt(replicas / (replicas - 1) * float(influence.square().sum()))


@dataclass(frozen=True)
class ParallelTempering:
    """ln Z from `replicas` ladders, `sweeps` sweeps after the levels have been tuned, from `base` (independent units).

    base is a machine with W = 0 on the same sides, such as ``rbm.decoupled(a)`` with the data's base rates; None
    takes the machine's own visible biases, from which far modes are found much later.  `ladder` replaces the
    temperatures by another ladder to the same machine.  Tuning takes `rounds` rounds (`harmonium.tempering.tuned`).
    The effective sample size is that of the slowest quantity watched at the target (`harmonium.diagnostics`): where
    it is below a hundred, modes are still being found, and ln Z is likely to be too low by more than the error says.
    """

    replicas: int = 32
    sweeps: int = 1000
    rounds: int = 6
    base: RBM | None = None
    ladder: Ladder | None = None

    def __call__(self, rbm: RBM, noise: Noise) -> Estimate:
        """Estimate ln Z; raises InputError where the machine is not normalisable."""
        rbm.check_normalisable()
        ladder = self.ladder
        if ladder is None:
            base = rbm.decoupled() if self.base is None else self.base.to(dtype=rbm.W.dtype, device=rbm.W.device)
            ladder = Tempered(base, rbm, even_positions(FIRST_LEVELS))
        ladder, v = tuned(ladder, ladder.start(self.replicas, noise), noise, rounds=self.rounds)
        run = temper(ladder, v, self.sweeps, noise, observe=Watched(rbm))
        rise, stderr = log_z_from_ratios(run.up, run.down)
        seen = diagnose(run.observed)
        return Estimate(
            float(ladder.first.log_z_decoupled()) + rise, stderr, "parallel tempering, BAR", 0, seen.ess,
            freedom=self.replicas - 1,
            doubts=() if seen.mixed else (f"{seen.verdict.rstrip('.')}; compare the method both",),
        )  # fmt: skip
