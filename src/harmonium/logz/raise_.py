"""RAISE: a lower bound on the log-likelihood of rows under what annealing samples (Burda, Grosse, Salakhutdinov 2015).

    p_ann(v)   the distribution of the last state of an annealing from the base along t_0, ..., t_K, K-th sweep made
    ln p_ann(v)  >=  E ln (1/M) sum_m exp( -F_base(x_0) - ln Z_base + sum_k F_k(x_{k-1}) - F_k(x_k) ),
                     x_K = v, and x_{k-1} from x_k by a sweep at t_k

The chains begin at the rows themselves, so no sample of the machine is needed, and the bound cannot flatter: as steps
and chains grow p_ann becomes the machine's p and the bound ln p(v).  Do not confuse with reverse annealing, which
estimates ln Z and must begin with samples of the machine.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from harmonium.checks import checked_states
from harmonium.errors import InputError
from harmonium.gibbs import sweep
from harmonium.logz.ais import checked_base, reverse
from harmonium.logz.bases import Base
from harmonium.machine import RBM
from harmonium.noise import Noise


@torch.no_grad()
def raise_log_likelihood(
    rbm: RBM, v: Tensor, schedule: tuple[float, ...], noise: Noise, *, chains: int = 10, base: RBM | Base | None = None
) -> Tensor:
    """Conservative ln p(v) of each row, in nats: (N, V) -> (N,), from `chains` chains a row.

    base is that of `harmonium.logz.AIS`.  Raises InputError for a machine without a distribution, rows that are no
    visible states, and a schedule that does not lead from 0 to 1.
    """
    v = checked_states(rbm, v)
    if len(schedule) < 2 or (schedule[0], schedule[-1]) != (0, 1) or chains < 1:
        raise InputError(f"schedule must lead from 0 to 1, with one chain or more, not chains={chains} on {schedule}.")
    way = checked_base(rbm, base)
    start = v.to(rbm.W.dtype).repeat(chains, 1)
    # The sweep at t_K = 1; those at t_{K-1}, ..., t_1 are within the annealing
    log_w = reverse(way, schedule, sweep(rbm, start, noise), noise).view(chains, -1)
    log_mean = log_w.logsumexp(0) - math.log(chains)
    return log_mean - way.log_z - rbm.to(dtype=torch.float64).free_energy(v) + rbm.visible.log_base
