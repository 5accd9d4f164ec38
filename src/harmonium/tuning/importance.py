"""Which options mattered: PED-ANOVA, with what chance alone would give beside it.

    importance of an option = Σ_x p(x) (q(x)/p(x) - 1)²     (Watanabe, Bansal and Hutter 2023)

with p(x) the density of the option's values among all trials and q(x) among the best quarter: how much an option has to
do with being among the best.  Only ranks enter, so trials that were pruned or diverged count, as not among the best.
Shares sum to 1.  `low` and `high` are the 5 % and 95 % quantiles over resampled trials, `chance` is the 95 % quantile
of the same importance with the scores shuffled: below it, an option cannot be told from one that does nothing (and of
twenty that do nothing one lies above).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from harmonium.noise import Noise, seed_for
from harmonium.tuning.entries import ZERO_AT, Axis
from harmonium.tuning.study import import_optuna

if TYPE_CHECKING:
    from harmonium.tuning.result import Record

#: The best part, the complete trials below which nothing is said, and how often trials are resampled and shuffled.
BEST_PART, FEWEST, RESAMPLED = 0.25, 10, 60
_OUT = ("pruned", "diverged")


@dataclass(frozen=True)
class Importance:
    """A share of all importance, its 90 % interval, and what chance gives."""

    share: float
    low: float
    high: float
    chance: float

    @property
    def clear(self) -> bool:
        """Whether it is more than chance would give."""
        return self.share > self.chance


def importance(trials: Sequence[Record], axes: Sequence[Axis], *, seed: int = 0) -> tuple[dict[str, Importance], str]:
    """By axis, the most important first; or nothing, and why.

    At least `FEWEST` complete trials and two axes are wanted.
    """
    usable = [r for r in trials if (r.state == "complete" and r.score is not None) or (r.state in _OUT and r.options)]
    complete = sum(r.state == "complete" for r in usable)
    if complete < FEWEST:
        return {}, f"importance takes {FEWEST} complete trials, and there are {complete}"
    if len(axes) < 2:
        return {}, "importance compares options, and only one was searched"
    # a trial that was given up is below all complete ones
    lowest = min(r.score for r in usable if r.state == "complete" and r.score is not None)
    scores = np.array([r.score if r.state == "complete" else lowest - 1.0 for r in usable], dtype=np.float64)
    if np.ptp(scores) == 0:
        return {}, "all trials have the same score, so no option mattered"
    weigh = _Weighing(axes, [r.options for r in usable])
    raw = weigh(np.arange(len(usable)), scores)
    if not raw.sum() > 0:
        return {}, "the best trials have the same options as all, so no option mattered"
    shares = raw / raw.sum()
    noise = Noise(seed_for(seed, "importance"), dtype=torch.float64)
    drawn, shuffled = [], []
    for _ in range(RESAMPLED):
        rows = (noise.uniform(len(usable)).numpy() * len(usable)).astype(np.int64)
        again = weigh(rows, scores[rows])
        drawn.append(again / (again.sum() or 1.0))
        order = np.argsort(noise.uniform(len(usable)).numpy())
        shuffled.append(weigh(np.arange(len(usable)), scores[order]))
    low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    chance = np.quantile(shuffled, 0.95, axis=0) / raw.sum()
    found = {
        axis.key: Importance(float(shares[i]), float(low[i]), float(high[i]), float(chance[i]))
        for i, axis in enumerate(axes)
    }
    return dict(sorted(found.items(), key=lambda item: -item[1].share)), ""


class _Weighing:
    """The importance (axes,) of each axis for chosen trials, by Optuna's evaluator."""

    def __init__(self, axes: Sequence[Axis], options: Sequence[dict[str, Any]]) -> None:
        self.optuna = import_optuna()
        distributions = self.optuna.distributions
        self.names = [axis.key for axis in axes]
        self.distributions: dict[str, Any] = {}
        self.params: list[dict[str, Any]] = [{} for _ in options]
        for axis in axes:
            values = [axis.value(one) for one in options]
            if axis.words:
                self.distributions[axis.key] = distributions.CategoricalDistribution(tuple(sorted(map(str, values))))
            else:
                self.distributions[axis.key] = distributions.FloatDistribution(ZERO_AT if axis.zero else 0.0, 1.0)
                # rounding may leave the ends by a hair
                places = [axis.position(float(value)) for value in values]
                values = [x if x == ZERO_AT else min(max(x, 0.0), 1.0) for x in places]
            for one, value in zip(self.params, values, strict=True):
                one[axis.key] = value
        self.distributions = {
            name: distributions.CategoricalDistribution(tuple(dict.fromkeys(d.choices))) if hasattr(d, "choices") else d
            for name, d in self.distributions.items()
        }
        self.evaluator = self.optuna.importance.PedAnovaImportanceEvaluator(target_quantile=BEST_PART)

    def __call__(self, rows: np.ndarray, scores: np.ndarray) -> np.ndarray:
        study = self.optuna.create_study(direction="maximize")
        create = self.optuna.trial.create_trial
        study.add_trials(
            [
                create(value=float(score), params=self.params[row], distributions=self.distributions)
                for row, score in zip(rows, scores, strict=True)
            ]
        )
        found = self.evaluator.evaluate(study)
        return np.array([found.get(name, 0.0) for name in self.names])
