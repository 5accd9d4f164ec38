"""Measuring a run: scores at chosen steps, their record, and what shows that it has diverged.

ln Z is exact where enumeration is cheap, and followed along the training where it is not; machines that leap from
update to update are annealed each time, and of those that learn to predict labels it is not taken.  Measuring reads
the state and draws from streams of its own, so a run that is measured more often ends with the very same parameters.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch

from harmonium.config import FULL_BATCH
from harmonium.errors import DivergedError, InputError
from harmonium.evaluate.labels import label_score
from harmonium.evaluate.likelihood import EXACT_COST_RUNNING, Score, baseline_score, log_z, score
from harmonium.logz import Estimate, enumeration_cost
from harmonium.noise import seed_for
from harmonium.runs.follow import Following, affordable_measurements
from harmonium.runs.judged import judged
from harmonium.runs.plan import Plan
from harmonium.runs.selection import Selection
from harmonium.training.loop import TrainState

T = TypeVar("T")
#: Rows of one part that a running score averages over, at least and at most, and products of their units with the
#: hidden ones in between; the final scores take all rows, and so does the validation.
RUNNING_ROWS, RUNNING_WORK = (2000, 10_000), 2e9
#: Measurements in a row that must be worse before the training is stopped, where nothing is said.
FEWEST_WORSE = 5
#: A machine has diverged when it scores worse than independent units by so many times their score and size.
DIVERGED_FACTOR = 10.0


def measured_steps(total: int, measurements: int) -> frozenset[int]:
    """Steps to measure at: the first, the last, and evenly between; (measurements + 1) where there are enough."""
    return frozenset(int(s) for s in np.rint(np.linspace(0, total, min(measurements, total) + 1)))


@dataclass
class Monitor:
    """Scores a run at its measured steps, as an observer of the training loop.

    Attributes
    ----------
    history : list of dict
        The measurements so far.
    selection : Selection or None
        The best machine so far; None where there are no validation rows.
    following : Following or None
        Where ln Z comes from between exact values and annealings; None where it is not needed.
    """

    plan: Plan
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds_before: float = 0.0
    seconds_measuring: float = 0.0

    def __post_init__(self) -> None:
        plan, config = self.plan, self.plan.config
        self.judged = judged(config)
        exact = config.by_labels or enumeration_cost(plan.state.rbm) <= EXACT_COST_RUNNING
        self.steps = measured_steps(plan.total, config.measure or (40 if exact else affordable_measurements(plan)))
        generator = torch.Generator().manual_seed(seed_for(config.seed, "monitor"))
        rows, watched = plan.rows.train, plan.rows.validation
        if config.by_labels:  # rows without a label can judge nothing
            rows, watched = plan.feed.with_label(rows), plan.feed.with_label(watched)
        most = max(RUNNING_ROWS[0], min(RUNNING_ROWS[1], int(RUNNING_WORK / plan.state.rbm.W.numel())))
        subset = rows[torch.randperm(len(rows), generator=generator)[:most].sort().values]
        self._parts = {"train": subset, "validation": watched, "held_out": plan.rows.held_out[:most]}
        if not config.by_labels:
            self.baseline = baseline_score(plan.base, plan.feed, subset, seed=config.seed)
        patience = config.patience if config.patience >= 0 else max(FEWEST_WORSE, (len(self.steps) - 1) // 4)
        self.selection = Selection(plan.feed, watched, patience, self.judged, config.seed) if len(watched) else None
        leaps = config.optimizer in FULL_BATCH
        self.following = None if exact or leaps else Following(plan)
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Time since training began, interruptions left out."""
        return self.seconds_before + time.perf_counter() - self._started

    def __call__(self, state: TrainState) -> bool:
        """Follow, and measure where it is due; True where patience has run out."""
        began = time.perf_counter()
        due = state.step in self.steps and not (self.history and self.history[-1]["step"] >= state.step)
        if due:
            record = self.measure(state)
        elif self.following is not None:
            self._sound(self.following, state)
        self.seconds_measuring += time.perf_counter() - began
        if not due:
            return False
        self.history.append(record)
        self._check(record)
        if self.selection is not None:
            self.selection.judge(state.scored, state.step, record)
        return self.patience_spent

    def measure(self, state: TrainState) -> dict[str, Any]:
        """One line of metrics.jsonl; raises DivergedError where the machine has no distribution any more."""
        plan, rbm, seed = self.plan, state.scored, self.plan.config.seed
        record: dict[str, Any] = {
            "step": state.step,
            "epoch": round(state.step / plan.per_epoch, 4),
            "seconds": round(self.seconds, 3),
        }
        z = None if plan.config.by_labels else self._sound(self._log_z, state)
        if z is not None:
            record |= {"method": z.method, "log_z": z.value}
        for name, rows in self._parts.items():
            if not len(rows):
                continue
            if z is not None:
                part: Score = score(rbm, plan.feed, rows, z, seed=seed)
                record[name], record[f"{name}_stderr"] = part.value, part.stderr
            if plan.feed.y is not None and (own := label_score(rbm, plan.feed, rows)) is not None:
                record[f"{name}_log_p_label"], record[f"{name}_label_error"] = own.log_p, own.error
        record.update({name: value for name, value in state.info.items() if name not in ("log_z", "objective")})
        return record

    def _log_z(self, state: TrainState) -> Estimate:
        if self.following is not None:
            return self.following.measure(state.scored)
        return log_z(state.scored, base=self.plan.base, seed=seed_for(self.plan.config.seed, state.step), running=True)

    @staticmethod
    def _sound(look: Callable[[TrainState], T], state: TrainState) -> T:
        """What a look at the machine finds; raises DivergedError where it has no distribution any more."""
        try:
            return look(state)
        except (InputError, torch.linalg.LinAlgError) as error:  # type: ignore[attr-defined]
            raise DivergedError(f"training diverged by step {state.step}: {error}") from None

    def _check(self, record: dict[str, Any]) -> None:
        value = record["train" + self.judged.ending]
        if not math.isfinite(value):
            raise DivergedError(
                f"training diverged by step {record['step']}: the score is no longer finite; lower the learning rate."
            )
        if record["step"] == 0 or self.plan.config.by_labels:
            return  # nothing learned yet; or the likelihood is not what is learned
        independent = self.baseline.value
        scaling = ", or bring the columns to mean 0 and variance 1" if self.plan.unscaled else ""
        if value < independent - DIVERGED_FACTOR * (abs(independent) + self.plan.feed.side.size):
            raise DivergedError(
                f"training diverged by step {record['step']}: the log-likelihood has fallen to {value:.6g} nats, while "
                f"independent units reach {independent:.6g}; lower the learning rate{scaling}."
            )

    @property
    def patience_spent(self) -> bool:
        """Whether early stopping has ended the training."""
        return self.selection is not None and self.selection.spent

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        return {
            "selection": self.selection and self.selection.state_dict(),
            "following": self.following and self.following.state_dict(),
            "seconds": self.seconds,
            "seconds_measuring": self.seconds_measuring,
            # as bytes, for a description has less room than a tensor
            "history": torch.frombuffer(bytearray(json.dumps(self.history).encode()), dtype=torch.uint8),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what a checkpoint held."""
        if self.selection is not None:
            self.selection.load_state_dict(state["selection"])
        if self.following is not None:
            self.following.load_state_dict(state["following"], self.plan.state.rbm)
        self.seconds_before, self.seconds_measuring = state["seconds"], state["seconds_measuring"]
        self._started = time.perf_counter()
        self.history = json.loads(state["history"].numpy().tobytes())
