"""The whole gradient of a large machine in one call, nearly all of it in caches, and by rows added, not multiplied.

    < T(v), E[T(h)|v], v E[h|v] >_data - < the same >_chains        the chains after k sweeps

The plain twin is `Objective.gradient` by tensors: with the same stream the random numbers are the same, and what is
left is rounding.  For Bernoulli units in float32 on the processor, and rows of zeros and ones
(`harmonium.kernels.states`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from harmonium.kernels.program import Program, Stage
from harmonium.kernels.states import (
    BY_ROWS,
    FOLD,
    FOUR,
    HALF,
    LISTED,
    PATTERN,
    PATTERN_UP,
    ROWS,
    SLACK,
    TABLE,
    TILE,
    WORD,
    worth,
)  # fmt: skip
from harmonium.kernels.tosses import can_toss
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.units import Bernoulli

#: Units that are tossed and packed together, in whole rows.
_TOSSED = 1 << 13
#: The last shape of rows and chains of each machine that is being trained, and what serves it.
_KNOWN: WeakKeyDictionary[RBM, tuple[tuple[int, ...], _Contrast]] = WeakKeyDictionary()


class _Rows:
    """Room for n rows of K states as bits and lists, and the stages that fill it."""

    def __init__(self, n: int, K: int, strange: Tensor) -> None:
        self.n, self.K, self.strange = n, K, strange
        self.bits = torch.empty(-(-K // WORD), n, dtype=torch.int32)
        self.ones, self.patterns, self.ends = (torch.empty(n, dtype=torch.int32) for _ in range(3))
        self.blocks = -(-n // LISTED)
        self.places = torch.empty(n * K + SLACK * self.blocks, dtype=torch.int32)

    def pack(self, states: Tensor, first: int = 0) -> Stage:
        """From the states (·, K) of the rows from the first on."""
        from harmonium.kernels.state_pass import pack_bits

        given = states, self.bits, self.ones, self.patterns, False, first
        return Stage(pack_bits, *given, parts=-(-len(states) // ROWS))

    def toss(self, x: Tensor, out: Tensor, first: int = 0) -> Stage:
        """States out (m, K) of units in fields x (m, K), packed, the first as row `first`; key and block are given."""
        from harmonium.kernels.contrast_pass import toss_rows

        rows = max(1, _TOSSED // self.K)
        given = 0, 0, x, out, self.bits, self.ones, self.patterns, first, rows
        return Stage(toss_rows, *given, parts=-(-len(x) // rows))

    def _choose(self, costs: Sequence[float], flags: Sequence[int], parts: Sequence[int]) -> Stage:
        from harmonium.kernels.state_pass import choose_lists

        given = self.ones, self.patterns, self.ends, self.strange, torch.tensor(costs, dtype=torch.float64)
        return Stage(choose_lists, *given, *(torch.tensor(x, dtype=torch.int64) for x in (flags, parts)), parts=1)

    def _list(self) -> Stage:
        from harmonium.kernels.state_pass import list_places

        return Stage(list_places, self.bits, self.ends, self.places, False, parts=self.blocks)

    def fields(self, matrix: Tensor, turned: bool, bias: Tensor, out: Tensor) -> list[Stage]:
        """Fields out (n, M) = bias + s B of packed states, by the cheapest way."""
        from harmonium.kernels.tile_pass import looked_up_sums, picked_sums

        M, first = len(bias), (matrix, turned, bias)
        look_up = Stage(looked_up_sums, *first, self.bits, out, False, parts=-(-M // HALF))
        listed = self._list()
        pick = Stage(picked_sums, *first, self.ends, self.places, False, out, parts=-(-M // TILE))
        costs = PATTERN, TABLE * self.K, 1.0, FOUR * self.n * self.K / 4
        flags, parts = [listed.address(3), pick.address(5)], [x.next_part for x in (look_up, listed, pick)]
        return [self._choose(costs, flags, parts), look_up, listed, pick]

    def contrast(self, matrix: Tensor, bias: Tensor, *given: Any) -> list[Stage]:
        """Shares of the gradient of packed states; `given` is what `contrast_tiles` takes from n on."""
        from harmonium.kernels.contrast_pass import contrast_tiles
        from harmonium.kernels.state_pass import count_places, find_begins, turn_lists

        listed, lists = self._list(), (self.ends, self.places)
        counts = torch.empty(self.blocks, len(self.bits) * WORD * 4, dtype=torch.int32)
        ends, rows = torch.empty(counts.shape[1], dtype=torch.int32), torch.empty(self.n * self.K, dtype=torch.int32)
        stage = Stage(contrast_tiles, matrix, bias, *lists, ends, rows, False, *given, parts=-(-len(bias) // TILE) + 1)
        costs = PATTERN + PATTERN_UP, (TABLE + FOLD) * self.K, 2.0, math.inf
        return [
            self._choose(costs, [listed.address(3), stage.address(6)], []),
            listed,
            Stage(count_places, *lists, counts, parts=self.blocks),
            Stage(find_begins, counts, ends, parts=1),
            Stage(turn_lists, *lists, counts, rows, parts=self.blocks),
            stage,
        ]


def can_contrast(rbm: RBM, v: Tensor, waiting: Tensor | None, noise: Noise) -> bool:
    """Whether the one call serves this machine and rows, and is the quicker way if these are zeros and ones."""
    rows = (len(v), rbm.visible.size), *([] if waiting is None else [waiting.shape])
    return (
        isinstance(rbm.visible, Bernoulli)
        and isinstance(rbm.hidden, Bernoulli)
        and rbm.W.dim() == 2 == v.dim()
        and rbm.W.mT.is_contiguous()
        and all(worth(size, other, BY_ROWS) for size, other in zip(rows, rbm.W.shape[::-1], strict=False))
        and type(noise) is Noise
        and can_toss(rbm.W, noise)
    )


def contrast_in_one_call(
    rbm: RBM, v: Tensor, waiting: Tensor | None, steps: int, noise: Noise, out: RBM | None = None
) -> tuple[RBM, Tensor, Tensor | None] | None:
    """The gradient at rows v (n, V), written into `out`; < E[h|v] > (H,) of the rows; and the chains' next states.

    The chains go on from `waiting` (m, H); without it they begin at the rows, and nothing remains of them.  None where
    the rows are not of zeros and ones; then no random number has been drawn.
    """
    shape = (len(v), 0 if waiting is None else len(waiting), steps)
    known, serves = _KNOWN.get(rbm, (None, None))
    if known != shape or serves is None:
        serves = _Contrast(rbm, *shape)
        _KNOWN[rbm] = shape, serves
    return serves(rbm, v.contiguous(), waiting, noise, out)


class _Contrast:
    """The gradient of one machine at n rows with m chains of `steps` sweeps; m = 0 is for chains from the rows."""

    def __init__(self, rbm: RBM, n: int, m: int, steps: int) -> None:
        from harmonium.kernels.contrast_pass import toss_rows

        W, self.strange, self.refused = rbm.W.mT, torch.zeros(1, dtype=torch.int32), False
        self.left: tuple[int, int] | None = None
        (H, V), (a, b), self.lives_on = W.shape, (rbm.a[0], rbm.b[0]), m > 0
        m = m or n
        self.h, self.x, ends = W.new_empty(m, H), W.new_empty(m, H), W.new_empty(m, V)
        hidden, visible = _Rows(m, H, self.strange), _Rows(m, V, self.strange)
        self.rows, rows = W.new_empty(n, V), _Rows(n + m if self.lives_on else n, V, self.strange)
        self.begin, self.data = hidden.pack(self.h), rows.pack(self.rows)
        sums = W, W.new_empty(1, V)[0], W.new_empty(1, H)[0], W.new_empty(H)
        stages: list[Stage] = []
        if self.lives_on:
            stages += [self.begin]
        else:
            first = rows.contrast(W, b, n, 1 / n, 0.0, self.x, sums[0], False, *sums[1:])
            stages += [self.data, *first, hidden.toss(self.x, self.h)]
        for step in range(steps):
            if step > 0:
                stages += [*visible.fields(W, True, b, self.x), hidden.toss(self.x, self.h)]
            last_one = self.lives_on and step == steps - 1
            stages += hidden.fields(W, False, a, ends)
            stages += [rows.toss(ends, ends, n) if last_one else visible.toss(ends, ends)]
        if self.lives_on:
            last = rows.contrast(W, b, n, 1 / n, -1 / m, self.x, sums[0], False, *sums[1:])
            stages += [self.data, *last, hidden.toss(self.x, self.h)]
            self.contrasts = [last[-1]]
        else:
            self.others = W.new_empty(V), W.new_empty(H)
            last = visible.contrast(W, b, 0, 0.0, -1 / m, W.new_empty(0, H), sums[0], True, *self.others, sums[3])
            stages += last
            self.contrasts = [first[-1], last[-1]]
        self.tosses = [stage for stage in stages if stage.loop is toss_rows]
        self.run = Program(stages)

    def __call__(
        self, rbm: RBM, v: Tensor, waiting: Tensor | None, noise: Noise, out: RBM | None
    ) -> tuple[RBM, Tensor, Tensor | None] | None:
        if self.refused:
            return None
        if out is None:
            out = replace(rbm.map(torch.empty_like), W=torch.empty_like(rbm.W.mT).mT)
        mean_h, of_W, chains = torch.empty_like(rbm.b[0]), out.W.mT, None
        first = self.contrasts[0]
        for contrast in self.contrasts:
            contrast.give(11, of_W)
        first.give(13, out.a[0])
        first.give(14, out.b[0])
        first.give(15, mean_h)
        self.data.give(0, v)
        skipped = []
        if waiting is not None:
            chains = torch.empty_like(waiting)
            self.tosses[-1].give(3, chains)
            if self.left == (id(waiting), waiting._version):
                skipped = [self.begin]  # they lie packed where the last call has left them
            self.begin.give(0, waiting.contiguous())
        block = noise.next_block
        for toss in self.tosses:
            key, at = noise.reserve(cast(Tensor, toss.arguments[2]).numel())
            toss.give(0, key)
            toss.give(1, at)
        self.run(skipped)
        if int(self.strange):
            noise.next_block, self.refused = block, True
            return None
        if waiting is None:
            out.a[0] += self.others[0]
            out.b[0] += self.others[1]
        if chains is not None:
            self.left, self.kept = (id(chains), chains._version), chains
        return out, mean_h, chains
