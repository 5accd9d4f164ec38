"""Visible states that differ from a row in one block of units, and moments over them.

    F(v) - F(v') = a·(T(v') - T(v)) + A_h(fields(v) + (v' - v) W) - A_h(fields(v))

v' is v with the units of block c at other values: v' - v has entries in that block alone, so its fields cost the
block's width and not a product with W.  States pass in chunks, so memory does not grow with rows or blocks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, cast

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.units import Product, UnitFamily, parts_of

#: Hidden fields that are held at once: 4 MiB of float32.
CHUNK_ENTRIES = 1 << 20
#: Joint values of one block that are summed over.
MOST_VALUES = 1 << 16
#: Blocks of one step, unless the machine has no more; a step then costs about as much as for a machine of this size.
MOST_BLOCKS = 128


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks alike: the visible entries (C, w) that each holds, and the joint values (L, w) that its units may take."""

    side: UnitFamily
    entries: Tensor
    values: Tensor


@dataclass(frozen=True, eq=False)
class Moved:
    """Some rows (R) with some blocks (C) at all their values (L): v' for short.

    own (R, C, w) are the rows' own values, eta_h (R, C, L, k_h, H) the hidden parameters at v', and log_ratio
    (R, C, L) is F(v) - F(v') in nats.
    """

    rows: slice
    blocks: Blocks
    own: Tensor
    eta_h: Tensor
    log_ratio: Tensor


def check_blocks(name: str, side: UnitFamily, order: int) -> None:
    """Raise InputError where units are not discrete, or `order` of them have too many joint values to sum over."""
    if side.levels is None:
        raise InputError(
            f"{name} sums over the values of visible units, and {side.spec} has units without countable values; "
            "use cd or pcd, or discrete units."
        )
    most = math.prod(sorted(side.levels)[-order:])
    if most > MOST_VALUES:
        raise InputError(
            f"{name} would sum over {most} joint values of {min(order, side.n)} units of {side.spec}, more than "
            f"{MOST_VALUES}; use pseudolikelihood, cd or pcd."
        )


def choose_blocks(n: int, order: int, most: int, noise: Noise) -> Tensor:
    """The units of each block, ascending: (C, order) int64; all blocks where they are no more than `most`.

    Otherwise `most` of them, cut from random orders of the units, so that each block is as likely as any other and
    the units have even shares.
    """
    if math.comb(n, order) <= most:
        return torch.tensor(list(combinations(range(n), order)), device=noise.device)
    each = n // order
    cuts = [noise.uniform(n).argsort()[: each * order].view(each, order) for _ in range(math.ceil(most / each))]
    return torch.cat(cuts)[:most].sort(1).values


def blocks_of(side: UnitFamily, units: Tensor, like: Tensor) -> Iterator[Blocks]:
    """Blocks of these units (C, order) of a discrete side, gathered by the families that meet in them."""
    parts = parts_of(side)
    widths = torch.tensor([part.size // part.n for part in parts], device=units.device)
    counts = torch.tensor([part.n for part in parts], device=units.device)
    part_of_unit = torch.arange(len(parts), device=units.device).repeat_interleave(counts)
    own_widths = widths[part_of_unit]
    starts = own_widths.cumsum(0) - own_widths
    patterns, pattern_of = part_of_unit[units].unique(dim=0, return_inverse=True)
    for number, pattern in enumerate(patterns.tolist()):
        mine = starts[units[pattern_of == number]]  # (C, order)
        columns = [
            mine[:, [j]] + torch.arange(parts[part].size // parts[part].n, device=units.device)
            for j, part in enumerate(pattern)
        ]
        joint = Product(*(replace(cast(Any, parts[part]), n=1) for part in pattern))
        values = joint.states(torch.arange(joint.n_states or 0, device=like.device), like=like)
        yield Blocks(joint, torch.cat(columns, 1), values)


def with_fields(rbm: RBM, fields: Tensor) -> Tensor:
    """Hidden natural parameters with these fields in row 0: (..., H) -> (..., k_h, H)."""
    fields = fields.unsqueeze(-2)
    return fields if rbm.hidden.k == 1 else torch.cat([fields, rbm.b[1:].expand(*fields.shape[:-2], -1, -1)], -2)


def moved(rbm: RBM, v: Tensor, eta_h: Tensor, blocks: Blocks) -> Iterator[Moved]:
    """Every row v (N, V), whose hidden parameters are eta_h (N, k_h, H), with every block at every value."""
    levels = len(blocks.values)
    side, statistics = blocks.side, blocks.side.statistics(blocks.values)  # (L, k, w)
    fields, whole = eta_h[:, 0], rbm.hidden.log_partition(eta_h)
    most = max(1, CHUNK_ENTRIES // (levels * rbm.hidden.k * rbm.hidden.size))  # rows × blocks
    columns = min(len(blocks.entries), most)
    rows = max(1, most // columns)
    for c in range(0, len(blocks.entries), columns):
        entries = blocks.entries[c : c + columns]
        W, a = rbm.W[entries], rbm.a[: side.k, entries]  # (C, w, H), (k, C, w)
        to_fields = torch.einsum("lw,cwh->clh", blocks.values, W)
        to_own = torch.einsum("lkw,kcw->cl", statistics, a)
        for r in range(0, len(v), rows):
            here = slice(r, min(r + rows, len(v)))
            own = v[here][:, entries]  # (R, C, w)
            rest = fields[here].unsqueeze(1) - torch.einsum("rcw,cwh->rch", own, W)
            moved_eta = with_fields(rbm, rest.unsqueeze(2) + to_fields)
            ratio = rbm.hidden.log_partition(moved_eta) - whole[here, None, None]
            ratio += to_own - torch.einsum("rckw,kcw->rc", side.statistics(own), a).unsqueeze(2)
            yield Moved(here, Blocks(side, entries, blocks.values), own, moved_eta, ratio)


class MovedMoments:
    """< T(v') >, < E[T(h)|v'] > and < v' E[h|v'] > as weighted sums; `row_weight` (N,) are the rows' weights so far."""

    def __init__(self, rbm: RBM, v: Tensor) -> None:
        self.rbm, self.v = rbm, v
        self.row_weight = v.new_zeros(len(v))
        self._W, self._a = torch.zeros_like(rbm.W), torch.zeros_like(rbm.a)
        self._mean_h = v.new_zeros(len(v), *rbm.b.shape)

    def scale_(self, factor: Tensor | float) -> None:
        """Multiply all weights so far."""
        for x in (self.row_weight, self._W, self._a, self._mean_h):
            x *= factor

    def add_(self, m: Moved, weight: Tensor) -> None:
        """Add states with weights (R, C, L)."""
        values, at = m.blocks.values, m.blocks.entries.flatten()
        weighted = weight[..., None, None] * self.rbm.hidden.mean(m.eta_h)  # (R, C, L, k_h, H)
        by_block = weighted.sum(2)
        self._mean_h[m.rows] += by_block.sum(1)
        change = torch.einsum("lw,clh->cwh", values, weighted[..., 0, :].sum(0))
        change -= torch.einsum("rcw,rch->cwh", m.own, by_block[..., 0, :])
        self._W.index_add_(0, at, change.flatten(0, 1))
        of_block = weight.sum(2)
        self.row_weight[m.rows] += of_block.sum(1)
        side = m.blocks.side
        change = torch.einsum("cl,lkw->kcw", weight.sum(0), side.statistics(values))
        change -= torch.einsum("rc,rckw->kcw", of_block, side.statistics(m.own))
        self._a[: side.k].index_add_(1, at, change.flatten(1))

    def result(self) -> RBM:
        """The moments, in the places of W, a and b: what the rows have by themselves, and the changes."""
        W = self._W + (self._mean_h[:, 0].mT @ self.v).mT
        own = torch.tensordot(self.row_weight, self.rbm.visible.statistics(self.v), 1)
        return replace(self.rbm, W=W, a=self._a + own, b=self._mean_h.sum(0))
