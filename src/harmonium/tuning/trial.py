"""One trial: the same options trained with several seeds, judged by the mean validation score.

    score = mean over seeds of the average log-likelihood of the validation rows (nats; ln P(label) where it is learned)

The first training is watched at a quarter, a half and three quarters of its updates, whatever their number, and what is
below the median there, or at the end of a seed, goes no further.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from harmonium.config_from import config_from
from harmonium.data import Dataset
from harmonium.errors import DivergedError, HarmoniumError, InputError
from harmonium.runs.judged import judged
from harmonium.runs.monitor import Monitor
from harmonium.runs.train import Run, run_training
from harmonium.training.loop import TrainState
from harmonium.tuning.settings import Settings
from harmonium.tuning.study import SharedStudy

#: Where a training is compared with the others': percent of its updates.  Training s ends at 100 s.
RUNGS = (25, 50, 75)
Stopping = Callable[[], bool]


class _PrunedError(Exception):
    """What the trial has reached is below the median."""


class _StoppedError(Exception):
    """The worker is to end."""


class _Watch:
    """An observer of the first training: reports the best validation score so far, and ends what is hopeless."""

    def __init__(self, monitor: Monitor, trial: Any | None, stopping: Stopping) -> None:
        self.monitor, self.trial, self.stopping = monitor, trial, stopping
        self._left = list(RUNGS)

    def __call__(self, state: TrainState) -> None:
        if self.stopping():
            raise _StoppedError
        history, selection = self.monitor.history, self.monitor.selection
        if self.trial is None or selection is None or not history or history[-1]["step"] != state.step:
            return
        percent = 100 * state.step / self.monitor.plan.total
        while self._left and percent >= self._left[0]:
            rung = self._left.pop(0)
            if not math.isfinite(selection.best_score):
                continue
            self.trial.report(selection.best_score, rung)
            if self.trial.should_prune():
                raise _PrunedError(f"below the median at {percent:.0f} % of the training")

    def finish(self) -> None:
        """Report at the places that a training which ended early has not come to: the others are compared with all."""
        if self.trial is not None and self.monitor.selection is not None:
            for rung in self._left:
                self.trial.report(self.monitor.selection.best_score, rung)


def run_trial(
    study: SharedStudy, trial: Any, settings: Settings, data: Dataset, held_out: str, stopping: Stopping
) -> str:
    """Draw the options of a trial, train, and store what it came to; returns the state in a word.

    `data` and `held_out` are what `harmonium.tuning.settings.fix_held_out` gives.
    """
    began = time.perf_counter()
    scores: list[float] = []
    finals: list[float] = []
    state, reason = "complete", ""
    try:
        drawn = settings.made.draw(trial)
        trial.set_user_attr("options", drawn)
        config = replace(config_from({**settings.fixed, **drawn}), held_out=held_out)
        for repetition in range(settings.seeds):
            first = repetition == 0
            watches: list[_Watch] = []

            def watch(monitor: Monitor, first: bool = first, made: list[_Watch] = watches) -> _Watch:
                made.append(_Watch(monitor, trial if first and settings.prune else None, stopping))
                return made[0]

            run = run_training(replace(config, seed=settings.seed + repetition), dataset=data, watch=watch)
            watches[0].finish()
            scores.append(_score(run, "validation", judged(config).key))
            if "held_out" in run.summary["scores"]:
                finals.append(_score(run, "held_out", judged(config).key))
            _compare(trial, scores, settings)
    except _PrunedError as pruned:
        state, reason = "pruned", str(pruned)
    except _StoppedError:
        state, reason = "stopped", "the search was interrupted"
    except DivergedError as error:
        state, reason = "diverged", str(error)
    except InputError as error:
        state, reason = "not possible", str(error)
    except (HarmoniumError, MemoryError, ArithmeticError, torch.linalg.LinAlgError) as error:  # type: ignore[attr-defined]
        state, reason = "failed", _in_words(error)
    except RuntimeError as error:
        if "memory" not in str(error):
            raise  # a fault of the program
        state, reason = "failed", _in_words(error)
    value = statistics.fmean(scores) if scores else None
    study.end(
        trial,
        state,
        value=value,
        score=value,
        sd=statistics.stdev(scores) if len(scores) > 1 else None,
        scores=scores,
        held_out=finals if state == "complete" else [],
        seconds=round(time.perf_counter() - began, 3),
        reason=reason,
    )
    return state


def _compare(trial: Any, scores: list[float], settings: Settings) -> None:
    """After a training but the last: raise _PrunedError where the mean so far is below the median of others'."""
    done = len(scores)
    if not settings.prune or done == settings.seeds:
        return
    trial.report(statistics.fmean(scores), 100 * done)
    if trial.should_prune():
        raise _PrunedError(f"below the median after {done} of {settings.seeds} seeds")


def _score(run: Run, part: str, key: str) -> float:
    found = run.summary["scores"][part].get(key)
    value = math.nan if found is None else float(found)
    if not math.isfinite(value):
        raise DivergedError(f"the {part} score is not finite; lower the learning rate.")
    return value


def _in_words(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
