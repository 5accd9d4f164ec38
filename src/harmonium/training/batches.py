"""Minibatches as a function of the step alone, so that a resumed run draws the very same ones.

The data are read in passes; pass p is a permutation drawn from (seed, p).  Minibatch t holds the rows from
n_0 + ... + n_(t-1) on in this endless stream, whatever the sizes n are.

Stacked machines each read the stream of their own seed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from harmonium.feed import Feed
from harmonium.noise import Noise, Streams, seed_for


class Batches:
    """Minibatches of the given `rows` of a feed; `sizes` (T,) says how large each is."""

    def __init__(self, feed: Feed, rows: Tensor, sizes: np.ndarray, seed: int) -> None:
        self.feed = feed
        self.rows = rows
        self.seed = seed
        self._ends = np.cumsum(sizes)
        # Everything at every step, and nothing random in it: expanded once
        self.whole = bool((sizes >= len(rows)).all())
        self._expanded: Tensor | None = None
        self._passes: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def __call__(self, step: int, noise: Noise) -> Tensor:
        """The visible states of minibatch number `step`: (n, size)."""
        if self.whole:
            if self.feed.rule == "stochastic" or self._expanded is None:
                self._expanded = self.feed.states(self.rows, noise)
            return self._expanded
        return self.feed.states(self.numbers(step), noise)

    def numbers(self, step: int) -> Tensor:
        """The row numbers in minibatch number `step`, in the order in which they are read: (n,)."""
        stop = int(self._ends[step])
        start = int(self._ends[step - 1]) if step else 0
        n = len(self.rows)
        pieces = []
        while start < stop:
            number, offset = divmod(start, n)
            take = min(stop - start, n - offset)
            pieces.append(self._pass(number)[offset : offset + take])
            start += take
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def _pass(self, number: int) -> Tensor:
        if number not in self._passes:
            generator = torch.Generator().manual_seed(seed_for(self.seed, "pass", number))
            order = self.rows[torch.randperm(len(self.rows), generator=generator)]
            self._passes = {k: v for k, v in self._passes.items() if k == number - 1} | {number: order}
        return self._passes[number]


class StackedBatches:
    """Minibatches for stacked machines: those of each one's own `Batches`, all of one feed and the same sizes."""

    def __init__(self, parts: Sequence[Batches]) -> None:
        self.parts = parts
        self._expanded: Tensor | None = None

    def __call__(self, step: int, noise: Noise) -> Tensor:
        """The visible states of minibatch number `step`: (R, n, size)."""
        first = self.parts[0]
        if first.feed.rule == "stochastic":
            streams = noise.streams if isinstance(noise, Streams) else [noise] * len(self.parts)
            return torch.stack([part(step, own) for part, own in zip(self.parts, streams, strict=True)])
        if first.whole:
            if self._expanded is None:
                self._expanded = torch.stack([part(step, noise) for part in self.parts])
            return self._expanded
        rows = torch.cat([part.numbers(step) for part in self.parts])
        return first.feed.states(rows).unflatten(0, (len(self.parts), -1))
