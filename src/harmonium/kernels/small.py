"""The whole gradient of a small machine in one call, where single operations would cost more than their arithmetic.

    < T(v), E[T(h)|v], v E[h|v] >_data - < the same >_chains        the chains after k sweeps

The plain twin is `Objective.gradient` by tensors: with the same stream the random numbers are the same.  For Bernoulli
and Ising units in float32 on the processor.
"""

from __future__ import annotations

from collections.abc import Callable
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
    """Whether the one call serves this machine (or stack), with so many rows (or chains) each, and is worth it."""
    return (
        rbm.W.shape[-2] * rbm.W.shape[-1] * rows <= MOST
        and isinstance(rbm.visible, _TWO_VALUED)
        and isinstance(rbm.hidden, _TWO_VALUED)
        and len(noise.parts) == rbm.machines
        and can_toss(rbm.W, noise)
    )


def small_gradient(
    rbm: RBM, v: Tensor, h: Tensor | None, steps: int, noise: Noise, out: RBM | None = None
) -> tuple[RBM, Tensor, Tensor | None]:
    """The gradient at rows v (n, V), written into `out`; < E[h|v] > (H,) of the rows; and the chains' next states.

    The chains go on from h (m, H); without it they begin at the rows, and nothing remains of them.  Of stacked machines
    all have an axis (R, ...) in front.
    """
    from harmonium.kernels.small_pass import gradient_of, gradients_of

    W, persist = rbm.W.mT, h is not None
    if out is None:
        out = replace(rbm.map(torch.empty_like), W=torch.empty_like(W.contiguous()).mT)
    v = v.expand(*W.shape[:-2], *v.shape[-2:]).contiguous()
    mean_h = v.new_empty(*W.shape[:-2], W.shape[-2])
    states = v.new_empty(*v.shape[:-1], W.shape[-2]) if h is None else h.clone(memory_format=torch.contiguous_format)
    rows = states.shape[-2]
    counts = [rows * W.shape[-2], rows * W.shape[-1]] * steps
    places = np.array([_reserved(stream, counts) for stream in noise.parts], np.uint64)  # (R, 2)
    call: Callable[..., None] = gradients_of
    where = np.ascontiguousarray(places.T)
    if W.dim() == 2:
        call, where, W = gradient_of, places[0], W.contiguous()
    call(
        W.numpy(), rbm.a[..., 0, :].numpy(), rbm.b[..., 0, :].numpy(),
        isinstance(rbm.visible, Ising), isinstance(rbm.hidden, Ising),
        v.numpy(), states.numpy(), persist, steps, *where,
        out.W.mT.numpy(), out.a[..., 0, :].numpy(), out.b[..., 0, :].numpy(), mean_h.numpy(),
    )  # fmt: skip
    return out, mean_h, states if persist else None


def _reserved(stream: Noise, counts: list[int]) -> tuple[int, int]:
    """Key and first block of the stream's numbers, drawn in portions of so many each."""
    first = stream.reserve(counts[0])
    for count in counts[1:]:
        stream.reserve(count)
    return first
