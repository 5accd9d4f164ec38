"""Minimum probability flow: the least flow from the data to states one unit away (Sohl-Dickstein et al. 2011).

    K         = < (1/n) sum_i mean over the other values of unit i of  exp((F(v) - F(v')) / 2) >_data
    objective = -n K,    above K = 1  -n (1 + ln K)
    gradient  = min(K, 1) (n/2) sum over rows and neighbours of  w (T(v) - T(v')),    w ~ exp((F(v) - F(v')) / 2)

with sum w = 1 and T(v) = (v E[h|v], T(v), E[h|v]), the moments of one state.  Where the machine has the data's
distribution, v and v' may be exchanged and the gradient vanishes.  It is not a difference of two averages of like
weights: "the model's moments" are the data's minus the gradient, so that what follows need not know.

Why the logarithm above 1: a row in a state that the machine hardly believes in makes exp((F(v) - F(v')) / 2) overflow,
and K with it.  ln K is found by a running logsumexp, and a rising function of K has its optimum where K has.  Below 1
it must be K itself: where no two rows are neighbours ln K falls without end as the weights grow, and its slope stays.
On independent units at zero field the objective has the slope of the likelihood, so learning rates carry over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from harmonium.checks import check_whole
from harmonium.machine import RBM
from harmonium.moments import Sample, moments
from harmonium.negative.base import Info, State
from harmonium.negative.blocks import MOST_BLOCKS, MovedMoments, blocks_of, check_blocks, choose_blocks, moved
from harmonium.noise import Noise

_SAME = 1e-5  # two values of a unit nearer than this are one, rounded


@dataclass(frozen=True)
class Flow:
    """Neighbours in at most `units` visible units a step, the same for all rows.

    Use it for discrete data without far-off modes, as the pseudo-likelihood; a single row in an unlikely state carries
    more weight here.  Every neighbour counts, also one that is a row of the data: leaving those out, as the authors do
    where data are few among very many states, changes nothing in the optimum for much data, depends on the minibatch,
    and leaves nothing where the data fill the space.  With a random part of the units K is unbiased, ln K is not.
    Raises InputError for units that are not discrete.
    """

    units: int = MOST_BLOCKS

    def __post_init__(self) -> None:
        check_whole("units", self.units, 1)

    def check(self, rbm: RBM) -> None:
        """Raise InputError where this machine's states have no neighbours."""
        check_blocks("minimum probability flow", rbm.visible, 1)

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Nothing persists; the machine is checked."""
        self.check(rbm)
        return {}

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """The data's moments minus the gradient; info["objective"] as on top of this file."""
        self.check(rbm)
        v, n = data.v, rbm.visible.n
        eta_h = rbm.eta_h_from_v(v) if data.eta_h is None else data.eta_h
        units = choose_blocks(n, 1, self.units, noise)
        log_share = v.new_full((len(v),), -math.log(len(v))) if data.weight is None else data.weight.log()
        log_share = log_share - math.log(len(units))
        there, log_k = MovedMoments(rbm, v), v.new_full((), -math.inf)
        for blocks in blocks_of(rbm.visible, units, v):
            others = max(1, len(blocks.values) - 1)
            for m in moved(rbm, v, eta_h, blocks):
                is_own = ((blocks.values - m.own.unsqueeze(2)).abs() < _SAME).all(-1)  # (R, C, L)
                log_flow = m.log_ratio / 2 + log_share[m.rows, None, None] - math.log(others)
                log_flow = log_flow.masked_fill(is_own, -math.inf)
                total = torch.logaddexp(log_k, log_flow.flatten().logsumexp(0))
                if bool(total == -math.inf):
                    continue  # units of one value have no neighbours
                there.scale_((log_k - total).exp())
                there.add_(m, (log_flow - total).exp())
                log_k = total
        here = moments(rbm, Sample(v, there.row_weight, eta_h))
        positive = moments(rbm, Sample(v, data.weight, eta_h, data.mean_statistics))
        K = float(log_k.clamp_max(0).exp())
        gradient = here.map(lambda x, y: K * (n / 2) * (x - y), there.result())
        return positive.map(torch.sub, gradient), state, {"objective": -n * (K + max(0.0, float(log_k)))}
