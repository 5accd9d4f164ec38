"""The positive phase: moments with the visible units at the data.

    < . >_data  =  mean over rows of  < . >_v                        rows that are whole
                   mean over rows of  sum_y P(y | x) < . >_(x, y)    rows without a label

The second is the expectation that the gradient of ln p(x) asks for, exact and without sampling (the E-step of
Dempster, Laird and Rubin 1977).  Chains that begin at such rows need a whole state: their label is drawn from P(y | x).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from harmonium.labels import clamped_moments, label_states
from harmonium.machine import RBM
from harmonium.moments import Sample, moments, with_hidden_fields
from harmonium.noise import Noise


def positive_phase(
    rbm: RBM, v: Tensor, known_statistics: Tensor | None = None, out: Tensor | None = None
) -> tuple[Sample, RBM]:
    """The rows v (N, V) with their hidden fields, and their moments; < T(v) >, where it is known, is not taken anew.

    The moments of v and h are written into `out`, where it is given.
    """
    data = with_hidden_fields(rbm, v, known_statistics)
    return data, moments(rbm, data, out)


def partly_labelled(rbm: RBM, v: Tensor, noise: Noise) -> tuple[Sample, RBM]:
    """The same for rows of which some have no label (zeros in the place of it)."""
    states = label_states(rbm)
    known = v[:, -states.shape[1] :].any(1)  # (N,)
    if bool(known.all()):
        return positive_phase(rbm, v)
    free, log_p = clamped_moments(rbm, v[~known])
    if bool(known.any()):
        _, own = positive_phase(rbm, v[known])
        share = len(log_p) / len(v)
        free = own.map(lambda x, y: torch.lerp(x, y, share), free)
    v = v.clone()
    passed = log_p.exp().cumsum(1)[:, :-1] <= noise.uniform(len(log_p), 1)
    v[~known, -states.shape[1] :] = states[passed.sum(1)]
    return replace(Sample(v, eta_h=rbm.eta_h_from_v(v)), known=known), free
