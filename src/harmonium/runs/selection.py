"""Which machine of a run is kept, and when the training ends early: both judged on the validation rows alone.

    kept:      the machine with the best validation score of all that were measured
    stopped:   after `patience` measurements in a row that are worse than the best by more than their error,
               mean(d) < -1.96 e,   d_i = ln p(v_i) - ln p_best(v_i),   e² = var(d)/n + stderr(ln Z)² + stderr_best²

A score that is no better counts for nothing while it may be luck: a plateau is not left before the learning rate has
fallen, which is when a healthy run gains once more.  Where labels are to be predicted (the discriminative and the
hybrid objective), ln P(label | v) stands for ln p(v), and has no ln Z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from harmonium.evaluate.labels import label_log_probabilities
from harmonium.evaluate.likelihood import free_energies
from harmonium.feed import Feed
from harmonium.intervals import Z_95
from harmonium.machine import RBM, unpacked
from harmonium.runs.judged import LABELS, Judged


@dataclass
class Selection:
    """The best machine so far and how long ago it was; `best` holds its parameters (P,)."""

    feed: Feed
    rows: Tensor
    patience: int
    judged: Judged
    seed: int
    best: Tensor | None = None
    best_score: float = -math.inf
    best_stderr: float = 0.0
    best_step: int = 0
    worse: int = 0

    def judge(self, rbm: RBM, step: int, record: dict[str, Any]) -> None:
        """Take note of a measurement, one line of metrics.jsonl."""
        value = record["validation" + self.judged.ending]
        stderr = 0.0 if self.judged is LABELS else record["validation_stderr"]
        if value > self.best_score:
            self.best = torch.cat([t.reshape(-1) for t in (rbm.W.mT, rbm.a, rbm.b)])
            self.best_score, self.best_stderr, self.best_step, self.worse = value, stderr, step, 0
        elif self.best_score - value > Z_95 * math.hypot(stderr, self.best_stderr, self._row_error(rbm)):
            self.worse += 1
        else:
            self.worse = 0

    @property
    def spent(self) -> bool:
        """Whether patience has run out."""
        return 0 < self.patience <= self.worse

    def machine(self, like: RBM) -> RBM:
        """The best machine, on the sides of `like`; that one where none was measured."""
        return (like if self.best is None else unpacked(self.best.to(like.W), like)).detached()

    def _row_error(self, rbm: RBM) -> float:
        """The standard error of the mean difference to the best machine that a choice of other rows would make."""
        difference = self._scores(rbm) - self._scores(self.machine(rbm))
        return float(difference.std()) / math.sqrt(len(difference)) if len(difference) > 1 else math.inf

    def _scores(self, rbm: RBM) -> Tensor:
        """What each row is judged by, up to a constant: (n,) in float64."""
        if self.judged is LABELS:
            assert self.feed.y is not None
            log_p = label_log_probabilities(rbm, self.feed, self.rows)
            return log_p.gather(1, self.feed.y[self.rows].to(log_p.device).unsqueeze(1))[:, 0].double()
        return -free_energies(rbm, self.feed, self.rows, seed=self.seed)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        return {
            "best": self.best,
            "best_score": repr(self.best_score),  # minus infinity has no place in JSON
            "best_stderr": self.best_stderr,
            "best_step": self.best_step,
            "worse": self.worse,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what a checkpoint held."""
        self.best, self.best_score, self.best_stderr = state["best"], float(state["best_score"]), state["best_stderr"]
        self.best_step, self.worse = state["best_step"], state["worse"]
