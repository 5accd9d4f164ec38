"""Products with states of two values, zeros and ones or signs, which need no multiplication: rows are added.

    fields      x = b + s B            (n, M)  of states s (n, K) and a matrix B (K, M)
    products    h' s                   (H, K)  of any h (n, H)

The plain twins are the matrix products, which differ by rounding alone.  A processor multiplies and adds in one
instruction, and a product of matrices makes K of these for every sum; here a sum takes one addition for each 1, or one
for every four entries, whichever is less; fields of signs (-1 and 1) always go by fours.  For float32 on the processor;
what the states are is looked at each time, which costs a hundredth of a product of matrices.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from harmonium.kernels.team import run

#: Columns of a tile, and of a narrow one; entries of a state that a word holds.
TILE, HALF, WORD = 64, 32, 32
#: Rows whose bits are packed together.
ROWS = 64
#: Numbers that a list may have behind its last one.
SLACK = 8
#: Rows n, and multiplications n · K · M, from which each way is quicker than a product of matrices: fields by ones, by
#: fours of entries, and products.
BY_ONES, BY_FOURS, BY_ROWS = (16, 6 << 20), (40, 10 << 20), (28, 15 << 20)
#: Shares of ones from which the next way is quicker: fours of entries instead of ones, and matrices instead of ones.
MOST_PICKED, MOST_MULTIPLIED = 0.25, 0.4
#: Work below this many additions is not worth other threads.
FEW = 1 << 20


class States:
    """Rows (n, K) that several products are made with: looked at once, and packed once if they have two values."""

    def __init__(self, rows: Tensor) -> None:
        self.rows = rows
        self.signs = False
        self._ones: int | None = None
        self._places: Tensor | None = None

    @property
    def ones(self) -> int:
        """How many are 1; -1 where they have other values than 1 and 0, or 1 and -1."""
        if self._ones is None:
            from harmonium.kernels.state_pass import pack_bits, up_to_each

            n, K = self.rows.shape
            self._bits = torch.empty(-(-K // WORD), n, dtype=torch.int32)
            self._ends = torch.empty(n, dtype=torch.int32)
            self.signs = bool(self.rows[0].min() < 0)  # of a row of ones alone zeros are expected, and signs not seen
            given = self.rows.contiguous(), self._bits, self._ends, self.signs
            run(pack_bits, given, -(-n // ROWS), alone=self.rows.numel() < FEW // 8)
            self._ones = up_to_each(self._ends.numpy())
        return self._ones

    @property
    def density(self) -> float:
        """The share of ones."""
        return self.ones / self.rows.numel()

    @property
    def bits(self) -> Tensor:
        """The rows as bits, (ceil(K / 32), n) int32."""
        assert self.ones >= 0
        return self._bits

    @property
    def lists(self) -> tuple[Tensor, Tensor]:
        """Where each row's list ends, (n,), and which entries are 1, row by row: (ones + SLACK,), both int32."""
        if self._places is None:
            from harmonium.kernels.state_pass import list_ones

            self._places = torch.empty(self.ones + SLACK, dtype=torch.int32)
            list_ones(self._bits.numpy().view("uint32"), self._places.numpy())
        return self._ends, self._places

    @property
    def turned_lists(self) -> tuple[Tensor, Tensor]:
        """Where each entry's list ends, (K,), and which rows have it, entry by entry: (ones,), both int32."""
        from harmonium.kernels.state_pass import turn_lists

        ends = torch.empty(self.rows.shape[1], dtype=torch.int32)
        rows = torch.empty(self.ones, dtype=torch.int32)
        turn_lists(*(x.numpy() for x in (*self.lists, ends, rows)))
        return ends, rows


def _looked_at(
    s: Tensor | States, across: int, least: tuple[int, int], *others: Tensor
) -> tuple[Tensor, States | None]:
    """The rows, and as states if the loops are for these tensors, of so many numbers across, and they hold states."""
    rows = rows_of(s)
    served = (
        rows.dim() == 2
        and _worth(rows, across, least)
        and rows.numel() < 1 << 31
        and all(x.dtype == torch.float32 and x.device.type == "cpu" and not x.requires_grad for x in (rows, *others))
        and not torch.compiler.is_compiling()
    )
    if not served:
        return rows, None
    states = s if isinstance(s, States) else States(s)
    return rows, states if states.ones >= 0 else None


def _worth(rows: Tensor, across: int, least: tuple[int, int]) -> bool:
    """Whether there is enough to do."""
    return len(rows) >= least[0] and rows.numel() * across >= least[1]


def fields(bias: Tensor, s: Tensor | States, weight: Tensor) -> Tensor:
    """bias (M,) + s weight', of rows s (..., K) and weight (M, K): (..., M)."""
    if isinstance(s, Tensor) and s.dim() > 2:
        return fields(bias, s.flatten(0, -2), weight).unflatten(0, s.shape[:-1])
    M = len(weight)
    rows, states = _looked_at(s, M, BY_ONES, weight, bias)
    many = states is not None and (states.signs or states.density >= MOST_PICKED)
    if states is None or (many and not _worth(rows, M, BY_FOURS)):
        return linear(rows, weight, bias)
    from harmonium.kernels.state_pass import looked_up_sums, picked_sums

    turned = weight.stride(1) == 1
    out = rows.new_empty(len(rows), M)
    first = (weight if turned else weight.mT).contiguous(), turned, bias.contiguous()
    if many:
        run(looked_up_sums, [*first, states.bits, out, states.signs], -(-M // HALF), alone=rows.numel() * M < 4 * FEW)
    else:
        run(picked_sums, [*first, *states.lists, out], -(-M // TILE), alone=states.ones * M < FEW)
    return out


def products(h: Tensor, s: Tensor | States, factor: float, out: Tensor, *, add: bool = False) -> Tensor:
    """factor · h' s of rows h (n, H) and s (n, K), into out (H, K), or added to it."""
    H = h.shape[1]
    rows, states = _looked_at(s, H, BY_ROWS, h, out) if out.is_contiguous() else (rows_of(s), None)
    if states is None or states.density >= MOST_MULTIPLIED:
        return torch.addmm(out, h.mT, rows, beta=float(add), alpha=factor, out=out)
    from harmonium.kernels.state_pass import picked_products

    arguments = h.contiguous(), *states.turned_lists, out, float(factor), add, states.signs
    run(picked_products, arguments, -(-H // TILE), alone=states.ones * H < FEW)
    return out


def rows_of(s: Tensor | States) -> Tensor:
    """The rows themselves."""
    return s.rows if isinstance(s, States) else s
