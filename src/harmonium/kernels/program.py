"""Compiled loops one after the other in one parallel region, with one call from Python.

Between two loops all threads meet, for a microsecond or so.  Where the loops are short, what Python does from one to
the next would cost more than they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonium.kernels.team import barrier, run_at, words_of
from harmonium.kernels.threads import each


class Stage:
    """A loop, and what it is given, by name and in its order: what `harmonium.kernels.team.run` takes, and kept."""

    def __init__(self, loop: Any, parts: int, **arguments: Tensor | int | float) -> None:
        self.loop = loop
        self.arguments = arguments  # memory must not go while its address is in use
        self._at, words = {}, [0, parts]
        for name, x in arguments.items():
            self._at[name] = len(words)
            words += words_of(x)
        self.words = np.array(words, np.uint64)

    def give(self, **changed: Tensor | int | float) -> None:
        """Other arguments for some names, each of the same kind and shape."""
        for name, x in changed.items():
            at, words = self._at[name], words_of(x)
            self.words[at : at + len(words)] = words
            self.arguments[name] = x

    def address(self, name: str) -> int:
        """Where an argument stands, for loops that change it."""
        return self.words.ctypes.data + 8 * self._at[name]

    @property
    def next_part(self) -> int:
        """Where the number of the next part stands: beyond the last one nothing is done."""
        return self.words.ctypes.data


class Program:
    """Stages in their order; they are begun anew by each call."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = stages
        words = [len(stages), barrier() or 0]
        for stage in stages:
            words += [stage.loop.address, stage.words.ctypes.data]
        self._words = np.array(words, np.uint64)

    def __call__(self, skipped: Sequence[Stage] = ()) -> None:
        """All stages on torch's number of threads, but for those `skipped`."""
        from harmonium.kernels.team_pass import NONE_LEFT, run_stages

        for stage in self.stages:
            stage.words[0] = 0
        for stage in skipped:
            stage.words[0] = NONE_LEFT
        threads = torch.get_num_threads()
        if threads == 1:
            self._words[1] = 0
            run_stages.ctypes(self._words.ctypes.data)
        elif (meet := barrier()) is not None:
            self._words[1] = meet
            run_at(run_stages.address, self._words.ctypes.data, threads)
        else:
            for stage in self.stages:
                each(partial(_alone, stage), threads)


def _alone(stage: Stage, thread: int) -> None:
    """Part after part of a stage in this thread."""
    stage.loop.ctypes(stage.words.ctypes.data)
