"""A lower bound on the log-likelihood of a deep belief network.

    ln p(v)  >=  E_q [ sum_l<L ( F'_l(h_l) - F_l(h_l-1) )  -  F_L(h_L-1) ]  +  ln base(v)  -  ln Z_L

    q(h_1, ..., h_L-1 | v) = p_1(h_1 | v) p_2(h_2 | h_1) ...     the posteriors of the single machines

F_l(x) is the free energy of machine l with its visible side at x, F'_l(h) that with its hidden side at h, and Z_L the
partition function of the top machine.  It is Jensen's inequality with q for the true posterior (Hinton, Osindero and
Teh 2006; Salakhutdinov and Murray 2008): E_q[ln p(x | h) - ln q(h | x)] = -F(x) + E_q[F'(h)] for each machine, the
base measures of the hidden sides cancel, and what is in brackets is unbiased for every draw of q.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harmonium.checks import check_support, check_whole, checked_rows
from harmonium.deep.stack import Stack
from harmonium.gibbs import sample_h_from_v
from harmonium.noise import Noise


@torch.no_grad()
def log_likelihood_bound(stack: Stack, v: Any, log_z: float, noise: Noise, *, draws: int = 1) -> Tensor:
    """The bound for each row, in nats and float64, its expectation by `draws` samples of q: (N, V) -> (N,).

    Parameters
    ----------
    stack : Stack
    v : Tensor or array (N, V)
        Visible states.
    log_z : float
        ln Z of the top machine, in nats; where it is an estimate, its error is the bound's.
    noise : Noise
        In float64, so that probabilities near 0 and 1 are drawn as they are.
    draws : int
        Samples of q for each row; one is enough for the mean over many rows.

    Raises
    ------
    InputError
        `draws` that is no whole number from 1 on, or rows that are none, not finite, of another width, or no states
        of the visible side.
    """
    check_whole("draws", draws, 1)
    v = checked_rows(stack.visible, v)
    v = v if v.is_floating_point() else v.double()
    check_support(stack.visible, v, "v")  # as they are: states of many values are rounded to their precision
    stack, v = stack.to(dtype=torch.float64), v.double().to(stack.machines[0].W.device)
    total = torch.zeros(len(v), dtype=torch.float64, device=v.device)
    for _ in range(draws):
        x = v
        for rbm in stack.machines[:-1]:
            eta_h = rbm.eta_h_from_v(x)
            total -= rbm.free_energy(x, eta_h=eta_h)
            x = sample_h_from_v(rbm, x, noise)
            total += rbm.mirror().free_energy(x)
        total -= stack.top.free_energy(x)
    return total / draws + stack.visible.log_base - log_z
