"""Products with states of two values, zeros and ones or signs, which need no multiplication: rows are added.

    fields      x = b + s B            (n, M)  of states s (n, K) and a matrix B (K, M)
    products    h' s                   (H, K)  of any h (n, H)

The plain twins are the matrix products, which differ by rounding alone.  A processor multiplies and adds in one
instruction, and a product of matrices makes K of these for every sum; here a sum takes one addition for each 1, or one
for each pattern, that is four entries which are not all 0, or one for any four entries: whichever is the least work.
Fields of signs (-1 and 1) always take the last way.  For float32 on the processor; what the states are is looked at
each time, which costs a hundredth of a product of matrices.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import linear

from harmonium.kernels.team import run

#: Columns of a tile, and of a narrow one; entries of a state that a word holds.
TILE, HALF, WORD = 64, 32, 32
#: Rows whose bits are packed together.
ROWS = 64
#: Rows whose lists lie one behind the other, and the room after them.
LISTED, SLACK = 512, 8
#: Rows n, and multiplications n · K · M, from which each way is quicker than a product of matrices: fields by ones, by
#: fours of entries, and products.
BY_ONES, BY_FOURS, BY_ROWS = (16, 6 << 20), (40, 10 << 20), (28, 15 << 20)
#: Costs, in rows that are added for a 1, all measured.  Of fields: a row for a pattern, and for any four entries; the
#: sums that patterns pick from, an entry.  Of products: a row for a pattern, the sums of an entry's patterns, and the
#: multiplication of an entry.
PATTERN, FOUR, TABLE = 1.28, 0.87, 13.0
PATTERN_UP, FOLD, MULTIPLIED = 1.15, 8.0, 0.39
#: Work below this many additions is not worth other threads.
FEW = 1 << 20


class States:
    """Rows (n, K) that several products are made with: looked at once, and packed once if they have two values."""

    def __init__(self, rows: Tensor) -> None:
        self.rows = rows
        self.signs = False
        self._counts: tuple[int, int] | None = None
        self._lists: dict[bool, tuple[Tensor, Tensor]] = {}

    @property
    def size(self) -> Sequence[int]:
        """How many rows, and entries of a row."""
        return self.rows.shape

    def _look(self) -> tuple[int, int]:
        """How many ones there are, and how many patterns; -1 for the ones where there are other values."""
        if self._counts is None:
            from harmonium.kernels.state_pass import pack_bits, up_to_each

            n, K = self.size
            self.bits = torch.empty(-(-K // WORD), n, dtype=torch.int32)  # (ceil(K / 32), n)
            self._ends = torch.empty(2, n, dtype=torch.int32)
            self.signs = bool(self.rows[0].min() < 0)  # of a row of ones alone zeros are expected, no signs seen
            given = self.rows.contiguous(), self.bits, *self._ends, self.signs, 0
            run(pack_bits, given, -(-n // ROWS), alone=n * K < FEW // 8)
            ones, patterns = (up_to_each(ends.numpy()) for ends in self._ends)
            self._counts = ones, patterns
        return self._counts

    @property
    def ones(self) -> int:
        """How many are 1; -1 where they have other values than 1 and 0, or 1 and -1."""
        return self._look()[0]

    @property
    def patterns(self) -> int:
        """How many fours of entries are not all 0."""
        return self._look()[1]

    def lists(self, fours: bool) -> tuple[Tensor, Tensor]:
        """Where each row's list ends, (n,), and which entries are 1, row by row, both int32; or of `fours` patterns.

        What lies between the lists of two rows is `harmonium.kernels.state_pass`'s to know.
        """
        if fours not in self._lists:
            from harmonium.kernels.state_pass import list_places

            ends, parts = self._ends[int(fours)], -(-self._ends.shape[1] // LISTED)
            places = torch.empty(self._look()[fours] + SLACK * parts, dtype=torch.int32)
            run(list_places, (self.bits, ends, places, fours), parts)
            self._lists[fours] = ends, places
        return self._lists[fours]

    def turned_lists(self, fours: bool) -> tuple[Tensor, Tensor]:
        """Where each entry's list ends, (K,), and which rows have it, entry by entry, both int32.

        Of `fours` the same for each of the sixteen patterns of four entries; of those that are all 0 nothing is listed.
        """
        from harmonium.kernels.state_pass import begins_of_places, count_places, turn_lists

        lists, parts = self.lists(fours), -(-self._ends.shape[1] // LISTED)
        counts = torch.empty(parts, len(self.bits) * (WORD * 4 if fours else WORD), dtype=torch.int32)
        ends, rows = (
            torch.empty(counts.shape[1], dtype=torch.int32),
            torch.empty(self._look()[fours], dtype=torch.int32),
        )
        run(count_places, (*lists, counts), parts)
        begins_of_places(counts.numpy(), ends.numpy())
        run(turn_lists, (*lists, counts, rows), parts)
        return ends, rows


def served(s: Tensor | States, across: int, least: tuple[int, int], *others: Tensor) -> States | None:
    """The rows as states, if the loops are for these tensors, of so many numbers across, and they hold states."""
    size = rows_of(s).shape
    good = (
        len(size) == 2
        and worth(size, across, least)
        and size[0] * size[1] < 1 << 31
        and all(
            x.dtype == torch.float32 and x.device.type == "cpu" and not x.requires_grad for x in (rows_of(s), *others)
        )
        and not torch.compiler.is_compiling()
    )
    if not good:
        return None
    states = s if isinstance(s, States) else States(s)
    return states if states.ones >= 0 else None


def worth(size: Sequence[int], across: int, least: tuple[int, int]) -> bool:
    """Whether there is enough to do."""
    return size[0] >= least[0] and size[0] * size[1] * across >= least[1]


def fields(bias: Tensor, s: Tensor | States, weight: Tensor) -> Tensor:
    """bias (M,) + s weight', of rows s (..., K) and weight (M, K): (..., M)."""
    if isinstance(s, Tensor) and s.dim() > 2:
        return fields(bias, s.flatten(0, -2), weight).unflatten(0, s.shape[:-1])
    M = len(weight)
    states = served(s, M, BY_ONES, weight, bias)
    way = None if states is None else way_of_fields(states)
    if states is None or (way == "fours" and not worth(states.size, M, BY_FOURS)):
        return linear(rows_of(s), weight, bias)
    from harmonium.kernels.tile_pass import looked_up_sums, picked_sums

    turned = weight.stride(1) == 1
    n, K = states.size
    out = weight.new_empty(n, M)
    first = (weight if turned else weight.mT).contiguous(), turned, bias.contiguous()
    if way == "fours":
        run(looked_up_sums, [*first, states.bits, out, states.signs], -(-M // HALF), alone=n * K * M < 4 * FEW)
    else:
        patterns = way == "patterns"
        arguments = *first, *states.lists(patterns), patterns, out
        run(picked_sums, arguments, -(-M // TILE), alone=states.ones * M < FEW)
    return out


def way_of_fields(states: States) -> str:
    """The cheapest: a row added for each 1, for each pattern, or for all fours of entries."""
    n, K = states.size
    if states.signs:
        return "fours"
    costs = {"ones": states.ones, "patterns": PATTERN * states.patterns + TABLE * K, "fours": FOUR * n * K / 4}
    return min(costs, key=lambda way: costs[way])


def way_of_products(states: States) -> str:
    """The cheapest: a row added for each 1, or for each pattern, or a product of matrices."""
    n, K = states.size
    costs = {"ones": states.ones, "patterns": PATTERN_UP * states.patterns + FOLD * K, "matrices": MULTIPLIED * n * K}
    return min(costs, key=lambda way: costs[way])


def products(h: Tensor, s: Tensor | States, factor: float, out: Tensor, *, add: bool = False) -> Tensor:
    """factor · h' s of rows h (n, H) and s (n, K), into out (H, K), or added to it."""
    H = h.shape[1]
    states = served(s, H, BY_ROWS, h, out) if out.is_contiguous() else None
    way = "matrices" if states is None else way_of_products(states)
    if states is None or way == "matrices":
        return torch.addmm(out, h.mT, rows_of(s), beta=float(add), alpha=factor, out=out)
    from harmonium.kernels.tile_pass import picked_products

    patterns = way == "patterns"
    arguments = h.contiguous(), *states.turned_lists(patterns), patterns, out, float(factor), add, states.signs
    run(picked_products, arguments, -(-H // TILE), alone=states.ones * H < FEW)
    return out


def rows_of(s: Tensor | States) -> Tensor:
    """The rows themselves."""
    return s.rows if isinstance(s, States) else s
