"""Products with states of zeros and ones, which need no multiplication: rows are added.

    fields      x = b + s B            (n, M)  of states s (n, K) and a matrix B (K, M)
    products    h' s                   (H, K)  of any h (n, H)

The plain twins are the matrix products, which differ by rounding alone.  A processor multiplies and adds in one
instruction, and a product of matrices makes K of these for every sum; here a sum takes one addition for each 1, or one
for every four entries, whichever is less.  For float32 on the processor; whether states are zeros and ones is looked at
each time, which costs a hundredth of the product.
"""

from __future__ import annotations

from dataclasses import dataclass

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
#: Below so many rows, or numbers in the matrix, a product of matrices is quicker.
FEWEST_ROWS, FEWEST_ENTRIES = 32, 1 << 15
#: Shares of ones from which the next way is quicker: fours of entries instead of ones, and matrices instead of ones.
MOST_PICKED, MOST_MULTIPLIED = 0.25, 0.4
#: Work below this many additions is not worth other threads.
FEW = 1 << 20


def _served(s: Tensor, *others: Tensor) -> bool:
    """Whether the loops are for these tensors, of which s (n, K) may hold states."""
    return (
        s.dim() == 2
        and len(s) >= FEWEST_ROWS
        and s.numel() < 1 << 31
        and all(x.dtype == torch.float32 and x.device.type == "cpu" and not x.requires_grad for x in (s, *others))
        and not torch.compiler.is_compiling()
    )


@dataclass
class Bits:
    """Rows s (n, K) of zeros and ones as bits (ceil(K / 32), n); `ends` (n,) say how many ones there are up to each."""

    bits: Tensor
    ends: Tensor
    entries: int
    ones: int

    @property
    def density(self) -> float:
        """The share of ones."""
        return self.ones / (self.entries * len(self.ends))

    def places(self) -> Tensor:
        """Which entries are 1, row by row: (ones + SLACK,) int32."""
        from harmonium.kernels.state_pass import list_ones

        places = torch.empty(self.ones + SLACK, dtype=torch.int32)
        list_ones(self.bits.numpy().view("uint32"), places.numpy())
        return places

    def rows(self) -> tuple[Tensor, Tensor]:
        """Which rows have each entry, entry by entry (ones,), and where each entry's end (K,)."""
        from harmonium.kernels.state_pass import turn_lists

        ends, rows = torch.empty(self.entries, dtype=torch.int32), torch.empty(self.ones, dtype=torch.int32)
        turn_lists(self.ends.numpy(), self.places().numpy(), ends.numpy(), rows.numpy())
        return rows, ends


def packed(s: Tensor) -> Bits | None:
    """The states s (n, K); None where one is neither 0 nor 1."""
    from harmonium.kernels.state_pass import pack_bits

    n, K = s.shape
    bits, ones = torch.empty(-(-K // WORD), n, dtype=torch.int32), torch.empty(n, dtype=torch.int32)
    run(pack_bits, [s.contiguous(), bits, ones], -(-n // ROWS), alone=s.numel() < FEW)
    if int(ones.min()) < 0:
        return None
    ends = ones.cumsum(0, dtype=torch.int32)
    return Bits(bits, ends, K, int(ends[-1]))


def fields(bias: Tensor, s: Tensor, weight: Tensor) -> Tensor:
    """bias (M,) + s weight', of rows s (n, K) and weight (M, K): (n, M)."""
    M, K = weight.shape
    served = M * K >= FEWEST_ENTRIES and _served(s, weight, bias)
    states = packed(s) if served else None
    if states is None:
        return linear(s, weight, bias)
    from harmonium.kernels.state_pass import looked_up_sums, picked_sums

    turned = weight.stride(1) == 1
    B = (weight if turned else weight.mT).contiguous()
    out = s.new_empty(len(s), M)
    first: list[Tensor | int] = [B, turned, bias.contiguous()]
    if states.density < MOST_PICKED:
        listed: list[Tensor | int] = [states.ends, states.places(), out]
        run(picked_sums, [*first, *listed], -(-M // TILE), alone=states.ones * M < FEW)
    else:
        run(looked_up_sums, [*first, states.bits, out], -(-M // HALF), alone=s.numel() * M < 4 * FEW)
    return out


def products(h: Tensor, s: Tensor, factor: float, out: Tensor, *, add: bool = False) -> Tensor:
    """factor · h' s of rows h (n, H) and s (n, K), into out (H, K), or added to it."""
    served = out.numel() >= FEWEST_ENTRIES and _served(s, h, out) and out.is_contiguous()
    states = packed(s) if served else None
    if states is None or states.density >= MOST_MULTIPLIED:
        return torch.addmm(out, h.mT, s, beta=float(add), alpha=factor, out=out)
    from harmonium.kernels.state_pass import picked_products

    H = h.shape[1]
    rows, ends = states.rows()
    arguments: list[Tensor | int] = [h.contiguous(), ends, rows, out, torch.tensor([factor]), add]
    run(picked_products, arguments, -(-H // TILE), alone=states.ones * H < FEW)
    return out
