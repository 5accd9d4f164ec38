"""The whole gradient of a machine in one call, nearly all of it in caches, and by rows added, not multiplied.

    < T(v), E[T(h)|v], v E[h|v] >_data - < the same >_chains        the chains after k sweeps

The plain twin is `Objective.gradient` by tensors: with the same stream the random numbers are the same, and what is
left is rounding.  For Bernoulli units in float32 on the processor, and rows of zeros and ones
(`harmonium.kernels.states`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from harmonium.kernels.program import Program, Stage
from harmonium.kernels.states import (
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

#: Rows (or chains), multiplications of a product of matrices, and units of each side from which the call is quicker:
#: tiles are 64 units wide, however few there are.
_LEAST, _FEWEST = (8, 3 << 20), 32
#: Units that are tossed and packed together, in whole rows.
_TOSSED = 1 << 13
#: The last shape of rows and chains of each machine that is being trained, and what serves it.
_KNOWN: WeakKeyDictionary[RBM, tuple[tuple[int, ...], _Contrast]] = WeakKeyDictionary()


class _Rows:
    """Room for n rows of K states as bits and lists, and the stages that fill it and use it."""

    def __init__(self, n: int, K: int, strange: Tensor) -> None:
        self.n, self.K, self.strange = n, K, strange
        self.bits = torch.empty(-(-K // WORD), n, dtype=torch.int32)
        self.ones, self.patterns, self.ends = (torch.empty(n, dtype=torch.int32) for _ in range(3))
        self.blocks = -(-n // LISTED)
        self.places = torch.empty(n * K + SLACK * self.blocks, dtype=torch.int32)

    @property
    def _packed(self) -> dict[str, Tensor]:
        return {"bits": self.bits, "ones": self.ones, "patterns": self.patterns}

    def pack(self, states: Tensor) -> Stage:
        """From the states (·, K) of the first rows."""
        from harmonium.kernels.state_pass import pack_bits

        return Stage(pack_bits, -(-len(states) // ROWS), states=states, **self._packed, signs=False, first=0)

    def toss(self, x: Tensor, out: Tensor, first: int = 0) -> Stage:
        """States out (m, K) of units in fields x (m, K), packed, the first as row `first`; key and block are given."""
        from harmonium.kernels.contrast_pass import toss_rows

        rows = max(1, _TOSSED // self.K)
        return Stage(
            toss_rows, -(-len(x) // rows), key=0, block=0, x=x, out=out, **self._packed, first=first, rows=rows
        )

    def _choose(self, costs: Sequence[float], flags: Sequence[int], parts: Sequence[int] = ()) -> Stage:
        from harmonium.kernels.state_pass import choose_lists

        return Stage(
            choose_lists, 1, ones=self.ones, patterns=self.patterns, ends=self.ends, strange=self.strange,
            costs=torch.tensor(costs, dtype=torch.float64), flags=torch.tensor(flags, dtype=torch.int64),
            parts_=torch.tensor(parts, dtype=torch.int64),
        )  # fmt: skip

    def _list(self) -> Stage:
        from harmonium.kernels.state_pass import list_places

        return Stage(list_places, self.blocks, bits=self.bits, ends=self.ends, places=self.places, fours=False)

    def fields(self, matrix: Tensor, turned: bool, bias: Tensor, out: Tensor) -> list[Stage]:
        """Fields out (n, M) = bias + s B of packed states, by the cheapest way."""
        from harmonium.kernels.tile_pass import looked_up_sums, picked_sums

        M = len(bias)
        first: dict[str, Tensor | int] = {"matrix": matrix, "turned": turned, "bias": bias}
        look_up = Stage(looked_up_sums, -(-M // HALF), **first, bits=self.bits, out=out, signed=False)
        listed = self._list()
        pick = Stage(picked_sums, -(-M // TILE), **first, ends=self.ends, places=self.places, fours=False, out=out)
        costs = PATTERN, TABLE * self.K, 1.0, FOUR * self.n * self.K / 4
        flags, parts = [x.address("fours") for x in (listed, pick)], [x.next_part for x in (look_up, listed, pick)]
        return [self._choose(costs, flags, parts), look_up, listed, pick]

    def contrast(
        self, W: Tensor, b: Tensor, n: int, factors: tuple[float, float], x: Tensor, add: bool = False
    ) -> list[Stage]:
        """Sums over packed states, the first n with one factor and the others with another, and fields x of the last.

        Where they are written to is given; they are added to those of W if `add`.
        """
        from harmonium.kernels.contrast_pass import contrast_tiles
        from harmonium.kernels.state_pass import count_places, find_begins, turn_lists

        H, V = W.shape
        listed, lists = self._list(), {"ends": self.ends, "places": self.places}
        counts = torch.empty(self.blocks, len(self.bits) * WORD * 4, dtype=torch.int32)
        turned = {"turned_ends": torch.empty(counts.shape[1], dtype=torch.int32),
                  "rows": torch.empty(self.n * self.K, dtype=torch.int32)}  # fmt: skip
        sums = {"of_a": W.new_empty(V), "of_b": W.new_empty(H), "mean_h": W.new_empty(H)}
        last = Stage(
            contrast_tiles, -(-H // TILE) + 1, W=W, b=b, **lists, **turned, fours=False, n=n, first=factors[0],
            others=factors[1], x=x, of_W=W, add=add, **sums,
        )  # fmt: skip
        costs = PATTERN + PATTERN_UP, (TABLE + FOLD) * self.K, 2.0, math.inf
        return [
            self._choose(costs, [x.address("fours") for x in (listed, last)]),
            listed,
            Stage(count_places, self.blocks, **lists, counts=counts),
            Stage(find_begins, 1, counts=counts, ends=turned["turned_ends"]),
            Stage(turn_lists, self.blocks, **lists, begins=counts, rows=turned["rows"]),
            last,
        ]


def can_contrast(rbm: RBM, v: Tensor, waiting: Tensor | None, noise: Noise) -> bool:
    """Whether the one call serves this machine and rows, and is the quicker way if these are zeros and ones."""
    rows = (len(v), rbm.visible.size), *([] if waiting is None else [waiting.shape])
    return (
        isinstance(rbm.visible, Bernoulli)
        and isinstance(rbm.hidden, Bernoulli)
        and rbm.W.dim() == 2 == v.dim()
        and min(rbm.W.shape) >= _FEWEST
        and rbm.W.mT.is_contiguous()
        and sum(n for n, _ in rows) * max(rbm.W.shape) < 1 << 31
        and all(worth(size, other, _LEAST) for size, other in zip(rows, rbm.W.shape[::-1], strict=False))
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

        W, a, b, self.lives_on = rbm.W.mT, rbm.a[0], rbm.b[0], m > 0
        (H, V), m = W.shape, m or n
        self.strange, self.refused = torch.zeros(1, dtype=torch.int32), False
        self.left: tuple[Tensor, int] | None = None  # the chains as the last call has left them
        h, x, ends = W.new_empty(m, H), W.new_empty(m, H), W.new_empty(m, V)
        hidden, visible = _Rows(m, H, self.strange), _Rows(m, V, self.strange)
        rows = _Rows(n + m if self.lives_on else n, V, self.strange)
        self.begin, self.data = hidden.pack(h), rows.pack(W.new_empty(n, V))
        stages = [self.begin]
        if not self.lives_on:
            stages = [self.data, *rows.contrast(W, b, n, (1 / n, 0.0), x), hidden.toss(x, h)]
        for step in range(steps):
            if step > 0:
                stages += [*visible.fields(W, True, b, x), hidden.toss(x, h)]
            stages += hidden.fields(W, False, a, ends)
            stages += [rows.toss(ends, ends, n) if self.lives_on and step == steps - 1 else visible.toss(ends, ends)]
        if self.lives_on:
            stages += [self.data, *rows.contrast(W, b, n, (1 / n, -1 / m), x), hidden.toss(x, h)]
        else:
            stages += visible.contrast(W, b, 0, (0.0, -1 / m), x[:0], add=True)
        self.tosses = [stage for stage in stages if stage.loop is toss_rows]
        self.contrasts = [stage for stage in stages if "of_W" in stage.arguments]
        self.run = Program(stages)

    def __call__(
        self, rbm: RBM, v: Tensor, waiting: Tensor | None, noise: Noise, out: RBM | None
    ) -> tuple[RBM, Tensor, Tensor | None] | None:
        if self.refused:
            return None
        if out is None:
            out = replace(rbm.map(torch.empty_like), W=torch.empty_like(rbm.W.mT).mT)
        mean_h = torch.empty_like(rbm.b[0])
        for contrast in self.contrasts:
            contrast.give(of_W=out.W.mT)
        self.contrasts[0].give(of_a=out.a[0], of_b=out.b[0], mean_h=mean_h)
        self.data.give(states=v)
        chains, skipped = None, []
        if waiting is not None:
            chains = torch.empty_like(waiting, memory_format=torch.contiguous_format)
            self.tosses[-1].give(out=chains)
            if self.left is not None and self.left[0] is waiting and self.left[1] == waiting._version:
                skipped = [self.begin]  # they lie packed already
            self.begin.give(states=waiting.contiguous())
        block = noise.next_block
        for toss in self.tosses:
            key, first = noise.reserve(cast(Tensor, toss.arguments["x"]).numel())
            toss.give(key=key, block=first)
        self.run(skipped)
        if int(self.strange):
            noise.next_block, self.refused = block, True
            return None
        if waiting is None:
            of_chains = self.contrasts[1].arguments
            out.a[0] += of_chains["of_a"]
            out.b[0] += of_chains["of_b"]
        self.left = None if chains is None or chains.is_inference() else (chains, chains._version)
        return out, mean_h, chains
