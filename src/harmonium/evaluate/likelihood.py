"""The average log-likelihood of data, in nats per row, and the independent-unit baseline beside it.

    L = < ln p(v) > = - < F(v) > + ln base(v) - ln Z

Free energies and ln Z are taken in float64, whatever the machine was trained in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from harmonium.feed import Feed
from harmonium.logz import AIS, Estimate, enumeration_cost, exact_estimate
from harmonium.logz.ais import even_schedule
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.units import Bernoulli

#: Log-partition terms that are enumerated rather than estimated: seconds, and a fraction of one while training.
EXACT_COST, EXACT_COST_RUNNING = 2e9, 6e7


@dataclass(frozen=True)
class Score:
    """An average log-likelihood with what is needed to believe it.

    Attributes
    ----------
    value : float
        Nats per row.
    stderr : float
        Standard error that ln Z brings; 0 where it is exact.  The spread over rows is not in it.
    method : str
        How ln Z was found.
    rows : int
        How many rows were averaged.
    """

    value: float
    stderr: float
    method: str
    rows: int


def log_z(rbm: RBM, *, base: Tensor | None, seed: int, running: bool = False) -> Estimate:
    """ln Z, exact where that takes seconds (a fraction of one if `running`), else by annealed importance sampling.

    `base` (k_v, V) are natural parameters of independent units with the data's base rates, where AIS starts.
    """
    rbm = rbm.to(dtype=torch.float64)
    if enumeration_cost(rbm) <= (EXACT_COST_RUNNING if running else EXACT_COST):
        return exact_estimate(rbm)
    chains = 100 if running else 256
    # As many temperatures as a few seconds allow (about one for a running score), within reason
    work = (5e9 if running else 3e11) / (8.0 * chains * rbm.W.numel())
    steps = int(min(max(work, 100 if running else 1000), 500 if running else 5000))
    noise = Noise(seed_for(seed, "ais"), dtype=torch.float64, device=rbm.W.device)
    start = None if base is None else rbm.decoupled(base.to(rbm.a))
    return AIS(tuple(even_schedule(steps)), chains, start)(rbm, noise)


def mean_free_energy(rbm: RBM, feed: Feed, rows: Tensor, *, seed: int = 0) -> float:
    """< F(v) > over the given rows, in nats; stochastic rows are drawn with the given seed."""
    rbm = rbm.to(dtype=torch.float64)
    noise = Noise(seed_for(seed, "rows"), dtype=feed.dtype, device=feed.device)
    total = math.fsum(float(rbm.free_energy(feed.states(block, noise).double()).sum()) for block in feed.blocks(rows))
    return total / len(rows)


def score(rbm: RBM, feed: Feed, rows: Tensor, z: Estimate, *, seed: int = 0) -> Score:
    """The average log-likelihood of the given rows, with ln Z from `log_z`."""
    value = rbm.visible.log_base - mean_free_energy(rbm, feed, rows, seed=seed) - z.value
    return Score(value, z.stderr, z.method, len(rows))


def baseline_score(base: Tensor, feed: Feed, rows: Tensor, *, seed: int = 0) -> Score:
    """The same for independent units with natural parameters `base` (k_v, V): what a machine must beat."""
    base = base.double()
    side, one = feed.side, Bernoulli(1)  # a machine with one hidden unit that is coupled to nothing
    independent = RBM(side, one, base.new_zeros(side.size, 1), base, one.neutral(base))
    z = Estimate(float(independent.log_z_decoupled()), 0.0, "exact")
    return score(independent, feed, rows, z, seed=seed)
