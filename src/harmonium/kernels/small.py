"""The whole gradient of a small machine in one call, where single operations would cost more than their arithmetic.

    < T(v), E[T(h)|v], v E[h|v] >_data - < the same >_chains        the chains after k sweeps

The plain twin is `Objective.gradient` by tensors: with the same stream the random numbers are the same.  For Bernoulli
and Ising units in float32 on the processor.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from harmonium.kernels.tosses import can_toss
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Ising

#: Weights times rows up to which one call is the quicker way: beyond, what tensors do in blocks wins.
MOST = 400_000
_TWO_VALUED = (Bernoulli, Ising)


def can_call(rbm: RBM, rows: int, noise: Noise) -> bool:
    """Whether the one call serves this machine, with so many rows (or chains), and is worth it."""
    return (
        rbm.W.numel() * rows <= MOST
        and rbm.W.dim() == 2
        and isinstance(rbm.visible, _TWO_VALUED)
        and isinstance(rbm.hidden, _TWO_VALUED)
        and type(noise) is Noise
        and can_toss(rbm.W, noise)
    )


def small_gradient(
    rbm: RBM, v: Tensor, h: Tensor | None, steps: int, noise: Noise, out: RBM | None = None
) -> tuple[RBM, Tensor, Tensor | None]:
    """The gradient at rows v (n, V), written into `out`; < E[h|v] > (H,) of the rows; and the chains' next states.

    The chains go on from h (m, H); without it they begin at the rows, and nothing remains of them.
    """
    from harmonium.kernels.small_pass import gradient_of

    if out is None:
        out = replace(rbm.map(torch.empty_like), W=torch.empty_like(rbm.W.mT.contiguous()).mT)
    mean_h, persist = torch.empty_like(rbm.b[0]), h is not None
    states = v.new_empty(len(v), len(mean_h)) if h is None else h.clone(memory_format=torch.contiguous_format)
    counts = [states.numel(), len(states) * v.shape[1]] * steps
    key, block = noise.reserve(counts[0])
    for count in counts[1:]:
        noise.reserve(count)
    gradient_of(
        rbm.W.mT.contiguous().numpy(), rbm.a[0].numpy(), rbm.b[0].numpy(),
        isinstance(rbm.visible, Ising), isinstance(rbm.hidden, Ising),
        v.contiguous().numpy(), states.numpy(), persist, steps, np.uint64(key), np.uint64(block),
        out.W.mT.numpy(), out.a[0].numpy(), out.b[0].numpy(), mean_h.numpy(),
    )  # fmt: skip
    return out, mean_h, states if persist else None
