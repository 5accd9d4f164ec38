"""Rows of bytes as zeros and ones in one pass: found by their numbers, compared, and written as float32.

    1 where  raw > t,        or drawn where  u scale < raw  with uniform numbers u

The plain twins are the operations of `harmonium.feed.Feed.columns`: the same to the last bit, by four passes over
memory.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harmonium.kernels.team import PART, run
from harmonium.noise import Noise

#: Numbers from which the pass is quicker, with a compiler loaded for it.
_FEWEST = 1 << 15


def can_binarise(X: Tensor, rows: Tensor, dtype: torch.dtype, device: torch.device, noise: Noise | None) -> bool:
    """Whether the pass serves these rows (n,) of X (N, K), to become numbers of this kind; of `noise`, if drawn."""
    return (
        X.dtype == torch.uint8
        and rows.dtype == torch.int64
        and dtype == torch.float32
        and device.type == X.device.type == rows.device.type == "cpu"
        and X.is_contiguous()
        and len(rows) * X.shape[1] >= _FEWEST
        and (noise is None or type(noise) is Noise)
    )


def above(X: Tensor, rows: Tensor, threshold: float) -> Tensor:
    """1 where X (N, K) is above the threshold, in rows (n,): (n, K); IndexError where there is no such row."""
    return _binarised(X, rows, 0, 0, False, threshold)


def drawn(X: Tensor, rows: Tensor, scale: float, noise: Noise) -> Tensor:
    """1 with probability X / scale, drawn in the order of the rows (n,): (n, K).

    Raises IndexError where there is no such row.
    """
    return _binarised(X, rows, *noise.reserve(len(rows) * X.shape[1]), True, scale)


def _binarised(X: Tensor, rows: Tensor, key: int, block: int, draw: bool, limit: float) -> Tensor:
    from harmonium.kernels.binarise_pass import binarise_rows

    (N, K), n = X.shape, len(rows)
    out, missing = torch.empty(n, K), torch.zeros(1, dtype=torch.int32)
    of_part = max(1, PART // (2 * K))
    run(binarise_rows, [X, rows.contiguous(), key, block, draw, limit, of_part, out, missing], -(-n // of_part))
    if int(missing):
        raise IndexError(f"there are rows 0 to {N - 1}, and not all of those that were asked for.")
    return out
