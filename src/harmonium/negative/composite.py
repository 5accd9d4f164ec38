"""Pseudo-likelihood and composite likelihood: blocks of visible units, each given all the others.

    objective = (n / order) < ln p(v_c | v_-c) >        over the rows and the blocks c of `order` among n units
    gradient  = (n / order) (< . >_(v) - < . >_(v with v_c ~ p(v_c | v_-c)))

Blocks of one unit make the pseudo-log-likelihood, sum_i ln p(v_i | v_-i) (Besag 1975; Hyvärinen 2006; for machines with
hidden units Marlin et al. 2010), pairs the composite likelihood of second order (Asuncion et al. 2010; Yasuda et al.
2012), and one block of all units the likelihood.  The factor n / order counts each unit once: on independent units
every order is the likelihood, so learning rates carry over.  "The model's moments" are the data's minus this gradient.

No sampling of the whole machine, no ln Z: every sum is over the values of a block.
"""

from __future__ import annotations

from dataclasses import dataclass

from harmonium.checks import check_whole
from harmonium.machine import RBM
from harmonium.moments import Sample, moments
from harmonium.negative.base import Info, State
from harmonium.negative.blocks import MOST_BLOCKS, MovedMoments, blocks_of, check_blocks, choose_blocks, moved
from harmonium.noise import Noise


@dataclass(frozen=True)
class Composite:
    """Blocks of `order` visible units, at most `blocks` of them a step.

    Use it for discrete data without far-off modes: deterministic (where all blocks are taken), consistent, and each
    step costs about as much as a Gibbs sweep for every block.  Not where modes lie many units apart: their relative
    weights hardly enter.  Not to be confused with the score `harmonium.evaluate.pseudolikelihood`, whose gradient
    this is.

    Machines with more blocks use a random part of them in each step, the same for all rows; the gradient is then
    unbiased, as is info["objective"].  Raises InputError for units that are not discrete, and where a block has more
    than 65,536 joint values.
    """

    order: int = 1
    blocks: int = MOST_BLOCKS

    def __post_init__(self) -> None:
        check_whole("order", self.order, 1)
        check_whole("blocks", self.blocks, 1)

    def check(self, rbm: RBM) -> None:
        """Raise InputError where this machine's blocks cannot be summed over."""
        check_blocks(
            "the pseudo-likelihood" if self.order == 1 else "the composite likelihood", rbm.visible, self.order
        )

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Nothing persists; the machine is checked."""
        self.check(rbm)
        return {}

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """The data's moments minus the gradient; info["objective"] in nats a row (order 1: ln PL)."""
        self.check(rbm)
        v = data.v
        eta_h = rbm.eta_h_from_v(v) if data.eta_h is None else data.eta_h
        order = min(self.order, rbm.visible.n)
        units = choose_blocks(rbm.visible.n, order, self.blocks, noise)
        share = (v.new_full((len(v),), 1 / len(v)) if data.weight is None else data.weight) / len(units)
        replaced, objective = MovedMoments(rbm, v), v.new_zeros(())
        for blocks in blocks_of(rbm.visible, units, v):
            for m in moved(rbm, v, eta_h, blocks):
                log_sum = m.log_ratio.logsumexp(2)  # -ln p(v_c | v_-c), also of grey values
                mine = share[m.rows, None]
                replaced.add_(m, (m.log_ratio - log_sum.unsqueeze(2)).exp() * mine.unsqueeze(2))
                objective -= (mine * log_sum).sum()
        scale = rbm.visible.n / order
        positive = moments(rbm, Sample(v, data.weight, eta_h, data.mean_statistics))
        model = positive.map(lambda x, y: x + scale * (y - x), replaced.result())
        return model, state, {"objective": scale * float(objective)}
