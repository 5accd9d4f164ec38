"""Following a run: scores at chosen steps, early stopping, and the best machine so far.

Measuring reads the state and draws from streams of its own, so a run that is measured more often ends with the very
same parameters.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonium.errors import DivergedError, InputError
from harmonium.evaluate.labels import label_score
from harmonium.evaluate.likelihood import EXACT_COST_RUNNING, Score, baseline_score, log_z, score
from harmonium.logz import enumeration_cost
from harmonium.noise import seed_for
from harmonium.runs.plan import Plan
from harmonium.training.loop import TrainState

#: Rows that a running score averages over at most; final scores take all.
RUNNING_ROWS = 10_000
#: A machine has diverged when it scores worse than independent units by so many times their score and size.
DIVERGED_FACTOR = 10.0


def measured_steps(total: int, measurements: int) -> frozenset[int]:
    """Steps to measure at: the first, the last, and evenly between; (measurements + 1) where there are enough."""
    return frozenset(int(s) for s in np.rint(np.linspace(0, total, min(measurements, total) + 1)))


@dataclass
class Monitor:
    """Scores a run at its measured steps, as an observer of the training loop.

    With early stopping, `best` holds the parameters (P,) of the best validation score; for the clamped gradient that
    is the mean ln P(label | data), or else the log-likelihood.
    """

    plan: Plan
    history: list[dict[str, Any]] = field(default_factory=list)
    best: Tensor | None = None  # flat parameters
    best_score: float = -math.inf
    best_step: int = 0
    without_gain: int = 0
    seconds_before: float = 0.0
    seconds_measuring: float = 0.0

    def __post_init__(self) -> None:
        plan = self.plan
        exact = enumeration_cost(plan.state.rbm) <= EXACT_COST_RUNNING
        count = plan.config.measure or (40 if exact else 20)
        self.steps = measured_steps(plan.total, count)
        generator = torch.Generator().manual_seed(seed_for(plan.config.seed, "monitor"))
        rows = plan.rows.train
        subset = rows[torch.randperm(len(rows), generator=generator)[:RUNNING_ROWS].sort().values]
        self._parts = {
            "train": subset,
            "validation": plan.rows.validation,
            "held_out": plan.rows.held_out[:RUNNING_ROWS],
        }
        self.baseline = baseline_score(plan.base, plan.feed, subset, seed=plan.config.seed)
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Time since training began, interruptions left out."""
        return self.seconds_before + time.perf_counter() - self._started

    @property
    def follows_validation(self) -> bool:
        """Whether early stopping is on."""
        return bool(self.plan.config.patience)

    def __call__(self, state: TrainState) -> bool:
        """Measure where it is due; True where patience has run out."""
        if state.step not in self.steps or (self.history and self.history[-1]["step"] >= state.step):
            return False
        began = time.perf_counter()
        record = self.measure(state)
        self.seconds_measuring += time.perf_counter() - began
        self.history.append(record)
        self._check(record)
        if not self.follows_validation:
            return False
        judged = record["validation_log_p_label" if self.plan.config.negative == "clamped" else "validation"]
        if judged > self.best_score:
            self.best_score, self.best_step, self.without_gain = judged, state.step, 0
            self.best = torch.cat([t.reshape(-1) for t in state.rbm.tensors])
        else:
            self.without_gain += 1
        return self.patience_spent

    def measure(self, state: TrainState) -> dict[str, Any]:
        """One line of metrics.jsonl; raises DivergedError where the machine has no distribution any more."""
        plan, rbm, seed = self.plan, state.rbm, self.plan.config.seed
        try:
            z = log_z(rbm, base=plan.base, seed=seed_for(seed, state.step), running=True)
        except (InputError, torch.linalg.LinAlgError) as error:  # type: ignore[attr-defined]
            raise DivergedError(f"training diverged by step {state.step}: {error}") from None
        record: dict[str, Any] = {
            "step": state.step,
            "epoch": round(state.step / plan.per_epoch, 4),
            "seconds": round(self.seconds, 3),
            "method": z.method,
            "log_z": z.value,
        }
        for name, rows in self._parts.items():
            if len(rows):
                part: Score = score(rbm, plan.feed, rows, z, seed=seed)
                record[name], record[f"{name}_stderr"] = part.value, part.stderr
                if plan.feed.y is not None:
                    own = label_score(rbm, plan.feed, rows, seed=seed)
                    record[f"{name}_log_p_label"], record[f"{name}_label_error"] = own.log_p, own.error
        record.update({name: value for name, value in state.info.items() if name != "log_z"})
        return record

    def _check(self, record: dict[str, Any]) -> None:
        value, independent = record["train"], self.baseline.value
        if not math.isfinite(value):
            raise DivergedError(
                f"training diverged by step {record['step']}: the log-likelihood is no longer finite; lower the "
                "learning rate."
            )
        if record["step"] == 0 or self.plan.config.negative == "clamped":
            return  # nothing learned yet; or the joint likelihood is not what is learned
        scaling = ", or bring the columns to mean 0 and variance 1" if self.plan.unscaled else ""
        if value < independent - DIVERGED_FACTOR * (abs(independent) + self.plan.feed.side.size):
            raise DivergedError(
                f"training diverged by step {record['step']}: the log-likelihood has fallen to {value:.6g} nats, while "
                f"independent units reach {independent:.6g}; lower the learning rate{scaling}."
            )

    @property
    def patience_spent(self) -> bool:
        """Whether early stopping has ended the training."""
        return self.follows_validation and self.without_gain >= self.plan.config.patience

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        return {
            "best": self.best,
            "best_score": repr(self.best_score),  # minus infinity has no place in JSON
            "best_step": self.best_step,
            "without_gain": self.without_gain,
            "seconds": self.seconds,
            "seconds_measuring": self.seconds_measuring,
            # as bytes, for a description has less room than a tensor
            "history": torch.frombuffer(bytearray(json.dumps(self.history).encode()), dtype=torch.uint8),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what a checkpoint held."""
        self.best, self.best_score = state["best"], float(state["best_score"])
        self.best_step, self.without_gain = state["best_step"], state["without_gain"]
        self.seconds_before, self.seconds_measuring = state["seconds"], state["seconds_measuring"]
        self._started = time.perf_counter()
        self.history = json.loads(state["history"].numpy().tobytes())
