"""A machine's hidden states as top, middle and low digits, for the split enumeration.

    ln weight(h) = b·h + sum_i ln(1 + e^(field_i)) + sum_u ln sum_c e^(field_uc),      field = a + W h

Fields and b·h are sums over the hidden units, so whole units go to each group of digits.  The log-partition of a
{0, 1} unit is softplus(x), that of a {-1, +1} unit  softplus(2 x) - x;  its mean is  2 sigmoid(2 x) - 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harmonium.kernels.split_exponential import STRIPE, Digits, Split, prepare
from harmonium.machine import RBM, unpacked
from harmonium.units import Bernoulli, Ising, OneHot, UnitFamily, parts_of

#: Middle states, and low states, at most: enough to make exponentials rare, few enough for the caches.
GROUP_STATES = 256
#: The low states that the kernel works on together, and at least prepared.
LEAST_LOW_STATES = STRIPE
#: More states in one group (a one-hot unit of thousands) would not fit the caches, and the plain way is taken.
MOST_GROUP_STATES = 4096
#: Terms (states × units) of one job: a twentieth of a second, after which progress is told and an interrupt heard.
JOB_TERMS = 4e8
#: Smaller jobs would take longer to hand out than to do.
LEAST_JOB_TERMS = 1e7


@dataclass(frozen=True)
class _Visible:
    """Where the fields of a visible side go: columns of units of two states and of one-hot entries (-1: field 0)."""

    fields: Tensor  # (V,)
    slope: Tensor  # (V,) 1 or 2
    entries: Tensor  # (C,)
    units: list[int]  # the first entry of each one-hot unit, and their number

    @classmethod
    def of(cls, side: UnitFamily) -> _Visible | None:
        fields: list[int] = []
        slope: list[float] = []
        entries: list[int] = []
        units, at = [0], 0
        for part in parts_of(side):
            if isinstance(part, Bernoulli | Ising):
                fields += range(at, at + part.n)
                slope += [1.0 if isinstance(part, Bernoulli) else 2.0] * part.n
            elif isinstance(part, OneHot):
                for first in range(at, at + part.size, part.q):
                    entries += [*([-1] if part.none else []), *range(first, first + part.q)]
                    units.append(len(entries))
            else:
                return None
            at += part.size
        columns, of_entries = (torch.tensor(x, dtype=torch.int64) for x in (fields, entries))
        return cls(columns, torch.tensor(slope, dtype=torch.float64), of_entries, units)

    def digits(self, own: Tensor, field: Tensor) -> Digits:
        """own (n,) and fields (n, size) as the kernel takes them."""
        x = field.index_select(1, self.fields)
        own = own - x @ (self.slope - 1)
        entries = torch.where(self.entries < 0, 0.0, field[:, self.entries])
        return Digits(own.numpy(), (x * self.slope).numpy(), entries.numpy())

    def means(self, weight: Tensor, fields: Tensor, entries: Tensor, size: int) -> Tensor:
        """Weights (...), weighted chances (..., V), (..., C) -> weighted means of the stored entries (..., size)."""
        result = fields.new_zeros(*weight.shape, size + 1)
        result[..., self.fields] = self.slope * fields - weight.unsqueeze(-1) * (self.slope - 1)
        result[..., self.entries] = entries
        return result[..., :size]


@contextmanager
def _one_thread() -> Iterator[int]:
    """torch on one thread for a while, and how many it had: threads of its own would wait for each other, spinning.

    On a busy machine its many small operations then take ten times longer, and the jobs twice.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class SplitMachine:
    """A machine on the processor, in float64, whose hidden states are digits.

    Hidden columns before the first cut belong to the top digits, those from the second cut on to the low digits.
    """

    rbm: RBM
    visible: _Visible
    cuts: tuple[int, int]
    counts: tuple[int, int, int]  # top, middle and low states
    mid: Tensor  # (P, columns)
    low: Tensor  # (Q, columns)
    split: Split

    @classmethod
    @_one_thread()
    def of(cls, rbm: RBM) -> SplitMachine | None:
        """None where the machine has other units, or fields too far apart for the fast sums."""
        visible, levels = _Visible.of(rbm.visible), rbm.hidden.levels
        if visible is None or levels is None or rbm.hidden.k > 1 or rbm.W.device.type != "cpu":
            return None
        if not all(bool(x.isfinite().all()) for x in rbm.tensors):  # what is no number must come out as none
            return None
        rbm = rbm.to(dtype=torch.float64).detached()
        (top_units, mid_units), (T, P, Q) = _groups(levels)
        if max(P, Q) > MOST_GROUP_STATES or T * P * Q > 1 << 62:
            return None
        ends = [0]
        for part in parts_of(rbm.hidden):
            ends += [ends[-1] + part.size // part.n * (k + 1) for k in range(part.n)]
        i, j = ends[top_units], ends[mid_units]
        mid = _states(rbm, torch.arange(P) * Q)[:, i:j]
        low = _states(rbm, torch.arange(Q))[:, j:]
        # the least and largest fields of the top digits, unit by unit
        span = torch.zeros(2, rbm.visible.size, dtype=torch.float64)
        for unit in range(top_units):
            x = _states(rbm, torch.arange(levels[unit]) * math.prod(levels[unit + 1 :]))[:, ends[unit] : ends[unit + 1]]
            field = x @ rbm.W[:, ends[unit] : ends[unit + 1]].mT
            span += torch.stack([field.amin(0), field.amax(0)])
        b = rbm.b[0]
        split = prepare(
            visible.digits(torch.zeros(2, dtype=torch.float64), span),
            visible.digits(mid @ b[i:j], mid @ rbm.W[:, i:j].mT),
            visible.digits(low @ b[j:], low @ rbm.W[:, j:].mT + rbm.a[0]),
            visible.units,
        )
        return None if split is None else cls(rbm, visible, (i, j), (T, P, Q), mid, low, split)

    def log_z(self, progress: Callable[[float], None]) -> float:
        """logsumexp over the hidden states, without their base measure, in nats."""
        total, blocks = -math.inf, self._blocks()
        tops = (self._top(self._top_states(first, blocks.step)) for first in blocks)
        with _one_thread() as threads:
            for first, x in zip(blocks, self.split.log_sums(tops, min(threads, len(blocks))), strict=True):
                total = float(np.logaddexp(total, x))
                progress(min(1.0, (first + blocks.step) / self.counts[0]))
        return total

    def moments(self, progress: Callable[[float], None]) -> tuple[float, RBM]:
        """The same, and the machine's moments in float64."""
        with _one_thread() as threads:
            return self._moments(progress, threads)

    def _moments(self, progress: Callable[[float], None], threads: int) -> tuple[float, RBM]:
        scale, weight, flat, blocks = -math.inf, 0.0, torch.zeros((), dtype=torch.float64), self._blocks()
        tops = (self._top(self._top_states(first, blocks.step)) for first in blocks)
        for first, m in zip(blocks, self.split.moments(tops, min(threads, len(blocks))), strict=True):
            W, h = [], []
            for x, sums in ((self._top_states(first, blocks.step), m.top), (self.mid, m.mid), (self.low, m.low)):
                w, means = torch.from_numpy(sums.own), self._means(sums)
                W.append(x.mT @ means)  # (columns, V)
                h.append(w @ x)
            here = torch.cat([torch.cat(W).flatten(), means.sum(0), *h])  # laid out as `packed` does
            new = max(scale, m.scale)
            old_share, share = math.exp(scale - new), math.exp(m.scale - new)
            weight, flat, scale = old_share * weight + share * float(w.sum()), old_share * flat + share * here, new
            progress(min(1.0, (first + blocks.step) / self.counts[0]))
        return scale + math.log(weight), unpacked(flat / weight, self.rbm)

    def _blocks(self) -> range:
        """The first top state of each job, with its number of states as the step.

        The jobs do not depend on the threads, and so the sums do not either.
        """
        T, P, Q = self.counts
        terms = float(P * Q * self.rbm.visible.size)
        return range(0, T, max(1, min(int(JOB_TERMS / terms), max(math.ceil(T / 8), int(LEAST_JOB_TERMS / terms)))))

    def _top_states(self, first: int, number: int) -> Tensor:
        T, P, Q = self.counts
        return _states(self.rbm, torch.arange(first, min(first + number, T)) * (P * Q))[:, : self.cuts[0]]

    def _top(self, x: Tensor) -> Digits:
        i = self.cuts[0]
        return self.visible.digits(x @ self.rbm.b[0, :i], x @ self.rbm.W[:, :i].mT)

    def _means(self, sums: Digits) -> Tensor:
        """Weighted means of the visible entries: (n, size)."""
        weight, fields, entries = map(torch.from_numpy, sums)
        return self.visible.means(weight, fields, entries, self.rbm.visible.size)


def _states(rbm: RBM, index: Tensor) -> Tensor:
    return rbm.hidden.states(index, like=rbm.W)


def _groups(levels: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int, int]]:
    """How many units come before the middle and before the low digits, and the groups' numbers of states."""
    total = math.prod(levels)

    def take(end: int, most: int) -> tuple[int, int]:
        """Units from the end on while they have at most that many states; one in any case."""
        begin, count = end, 1
        while begin and (begin == end or count * levels[begin - 1] <= most):
            begin -= 1
            count *= levels[begin]
        return begin, count

    # with few states, smaller tables; and some top states are left for the threads
    j, Q = take(len(levels), max(LEAST_LOW_STATES, min(GROUP_STATES, math.isqrt(total))))
    i, P = take(j, max(16, min(GROUP_STATES, total // (8 * Q))))
    return (i, j), (total // (P * Q), P, Q)
