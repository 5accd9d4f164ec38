"""Annealing in the space of the hidden states, with the visible side summed out.

    p_t(h) ~ p_0(h)^(1 - t) p_1(h)^t,    p_0(h) ~ exp(b0·h),    p_1(h) ~ exp(-F(h)),  F the machine's free energy of h
    sweep:   for one unit after another,   h_j ~ p_t(h_j | the other hidden units)
    ln w   = sum_k (t_k - t_{k-1}) (-F(h_{k-1}) - b0·h_{k-1}),    h_k from h_{k-1} by a sweep at t_k

A block Gibbs sweep draws h given v, and where hundreds of visible units remember h it hardly ever changes.  Given the
other hidden units alone h_j is far more free ("collapsed" Gibbs sampling: Liu 1994), and each of its values asks for
one sum over the visible side: worth it where hidden units are few.  Besides, a power of p(h) keeps the modes' order,
while the marginal of a machine whose parameters are scaled down has other modes at times, and chains find the
machine's own too late.

A draw of one unit is reversible, and a sequence of them is reversed by its reversal: rising schedules visit the units
in ascending order and falling ones in descending order, so that the falling annealing is the exact reverse of the
rising one (Crooks 1999).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonium.kernels.split_exponential import in_order
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Ising, UnitFamily, parts_of

#: Visible entries (chains × V) that go through an annealing together, and uniform numbers held for them.
BLOCK_ENTRIES, BLOCK_UNIFORMS = 200_000, 1 << 22
#: The same where a block must fill a graphics card.
DEVICE_BLOCK_ENTRIES, DEVICE_BLOCK_UNIFORMS = 1 << 25, 1 << 28
#: Terms (chains × sweeps × H × V) from which the compiled loops are used: their library takes half a second to import,
#: as long as the plain way takes for so many.
KERNEL_TERMS = 1e8


@torch.no_grad()
def anneal_collapsed(rbm: RBM, b0: Tensor, h: Tensor, schedule: Sequence[float], noise: Noise) -> tuple[Tensor, Tensor]:
    """Carry h (N, H) along the schedule: the last states (N, H), and ln w (N,) in float64.

    b0 (H,) are the fields of p_0; the hidden units must be countable, with the field alone as parameter.  As in
    `harmonium.logz.annealing`, the last sweep is made at the last but one temperature.
    """
    units, sweeps = rbm.hidden.n, max(0, len(schedule) - 2)
    wide, b0 = rbm.to(dtype=torch.float64), b0.double()
    loops = _Compiled.of(wide, b0) if float(len(h)) * sweeps * rbm.W.numel() >= KERNEL_TERMS else None
    on_device = h.device.type != "cpu"
    entries = DEVICE_BLOCK_ENTRIES if on_device else BLOCK_ENTRIES
    uniforms = DEVICE_BLOCK_UNIFORMS if on_device else BLOCK_UNIFORMS
    size = max(1, min(entries // rbm.visible.size, uniforms // max(1, sweeps * units)))

    def jobs() -> Iterator[tuple[Tensor, Tensor]]:  # drawn in one thread: results do not depend on their number
        for block in h.split(size):
            u = noise.uniform(sweeps, len(block), units)  # a buffer, of which the job needs its own copy
            yield block.double(), u.to(torch.float64, copy=True)

    def work(job: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        block, u = job
        return anneal_plain(wide, b0, block, schedule, u) if loops is None else loops(block, schedule, u)

    threads = 1 if loops is None else min(torch.get_num_threads(), -(-len(h) // size))
    blocks = list(in_order(work, jobs(), threads))
    return torch.cat([states for states, _ in blocks]).to(h.dtype), torch.cat([log_w for _, log_w in blocks])


# ---- the plain way, for all families ------------------------------------------------------------------------------


def anneal_plain(rbm: RBM, b0: Tensor, h: Tensor, schedule: Sequence[float], uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """The annealing of h (N, H) with given uniforms (K - 1, N, units), all in float64."""
    order = range(rbm.hidden.n) if schedule[0] <= schedule[-1] else range(rbm.hidden.n)[::-1]
    log_w, turned = h.new_zeros(len(h)), rbm.mirror()
    for k, (before, now) in enumerate(pairwise(schedule)):
        if k > 0:
            h = collapsed_sweep(rbm, b0, h, before, uniforms[k - 1], order)
        log_w += (now - before) * (-turned.free_energy(h) - h @ b0)
    return h, log_w


def collapsed_sweep(rbm: RBM, b0: Tensor, h: Tensor, t: float, u: Tensor, order: Sequence[int]) -> Tensor:
    """Each unit in the given order drawn from p_t(h_j | the others), by the inverse distribution function of u.

    h (N, H), u (N, units) -> (N, H)
    """
    h, eta_v, chains = h.clone(), rbm.eta_v_from_h(h), torch.arange(len(h), device=h.device)
    units = list(_units(rbm.hidden, h))
    for j in order:
        columns, values = units[j]  # values (m, width)
        # Only the field, row 0, depends on h
        eta = eta_v.expand(len(values), *eta_v.shape).clone()  # (m, N, k, V)
        eta[:, :, 0] += (values.unsqueeze(1) - h[:, columns]) @ rbm.W[:, columns].mT
        own = values @ torch.lerp(b0[columns], rbm.b[0, columns], t)
        log_p = t * rbm.visible.log_partition(eta) + own.unsqueeze(1)  # (m, N)
        passed = log_p.softmax(0).cumsum(0)
        chosen = (passed[:-1] <= u[:, j] * passed[-1]).sum(0)  # as one-hot units are drawn
        h[:, columns], eta_v = values[chosen], eta[chosen, chains]
    return h


def _units(side: UnitFamily, like: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Each unit's columns, and its values (m, width) in their order."""
    at = 0
    for part in parts_of(side):
        assert part.levels is not None
        width = part.size // part.n
        # The last unit counts fastest
        values = part.states(torch.arange(part.levels[-1], device=like.device), like=like)[:, -width:]
        for first in range(at, at + part.size, width):
            yield slice(first, first + width), values
        at += part.size


# ---- the compiled way, for units of two values on both sides ------------------------------------------------------


@dataclass(frozen=True)
class _Compiled:
    """The compiled loops, on {0, 1} units that stand for those of the machine.

    With h = low + scale x the fields are those of x, shifted and scaled; and a visible unit of the values low and 1 has
    the log-partition  low f + softplus(scale f).
    """

    low: Tensor  # (H,)
    tables: Any

    @classmethod
    def of(cls, rbm: RBM, b0: Tensor) -> _Compiled | None:
        """None where a side has other units, or the fields are too large for the loops."""
        low_v, low_h = _low(rbm.visible), _low(rbm.hidden)
        if low_v is None or low_h is None or rbm.W.device.type != "cpu":
            return None
        from harmonium.kernels.collapsed import prepare  # Numba takes half a second to import: only when needed

        own, scale_v, scale_h = rbm.a[0] + rbm.W @ low_h, 1 - low_v, 1 - low_h
        W, a = scale_h.unsqueeze(1) * rbm.W.mT * scale_v, scale_v * own
        b, constant = scale_h * (rbm.b[0] + low_v @ rbm.W), (rbm.b[0] - b0) @ low_h + low_v @ own
        tables = prepare(W.contiguous().numpy(), a.numpy(), b.numpy(), (scale_h * b0).numpy(), float(constant))
        return None if tables is None else cls(low_h, tables)

    def __call__(self, h: Tensor, schedule: Sequence[float], uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """As `anneal_plain`."""
        from harmonium.kernels.collapsed import anneal

        bits = (h > self.low).to(torch.int64)
        rising = schedule[0] <= schedule[-1]
        log_w = anneal(bits.numpy(), np.array(schedule), uniforms.numpy(), rising, self.tables)
        return torch.where(bits == 1, 1.0, self.low), torch.from_numpy(log_w)


def _low(side: UnitFamily) -> Tensor | None:
    """The lower value of each unit, the higher being 1: (size,); None where there are other units."""
    parts = parts_of(side)
    if not all(isinstance(part, Bernoulli | Ising) for part in parts):
        return None
    low = [torch.full((part.n,), 0.0 if isinstance(part, Bernoulli) else -1.0) for part in parts]
    return torch.cat(low).double()
