"""Black and white rows for all tools: MNIST's training images where they are at hand, else random ones of that size.

The parent writes them to a file once, a byte a value.  Each tool fills an array of its own type from it a block at a
time, so that no process's peak memory holds a second copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from speed.cases import CLASSES, Case

_BLOCK = 500
#: Pixels of MNIST above this are white.
_THRESHOLD = 127
#: Share of ones in random rows, about MNIST's.
ONES = 0.13


@dataclass(frozen=True)
class Rows:
    """`number` rows of `columns` zeros and ones; in the folder `path`, or random where that is empty."""

    number: int
    columns: int
    path: str = ""

    @classmethod
    def of(cls, case: Case, path: str = "") -> Rows:
        """Those that a case wants."""
        return cls(case.rows, case.visible, "" if case.random else path)

    def filled(self, dtype: Any) -> np.ndarray:
        """All rows (number, columns)."""
        X = np.empty((self.number, self.columns), dtype)
        for start, block in self._blocks():
            X[start : start + len(block)] = block
        return X

    def labels(self) -> np.ndarray:
        """Classes (number,) from 0 to 9."""
        if self.path:
            return np.load(Path(self.path) / "labels.npy")[: self.number].astype(np.int64)
        return np.arange(self.number) % CLASSES

    def _blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        starts = range(0, self.number, _BLOCK)
        if not self.path:
            generator = np.random.default_rng(0)
            for start in starts:
                yield start, generator.random((min(_BLOCK, self.number - start), self.columns), np.float32) < ONES
            return
        with (Path(self.path) / "rows.bin").open("rb") as file:
            for start in starts:
                raw = file.read(self.columns * min(_BLOCK, self.number - start))
                yield start, np.frombuffer(raw, np.uint8).reshape(-1, self.columns)


def write_mnist(folder: Path) -> str:
    """Put MNIST's training images and labels where `Rows` looks for them: the folder, or nothing if not at hand."""
    from harmonium.data.mnist import N_TRAIN, at_hand, load_mnist

    if not at_hand():
        return ""
    data = load_mnist()
    assert data.y is not None
    (data.X[:N_TRAIN] > _THRESHOLD).astype(np.uint8).tofile(folder / "rows.bin")
    np.save(folder / "labels.npy", data.y[:N_TRAIN])
    return str(folder)
