"""The scores of one configuration over several seeds: their mean, spread, and what that says about the next seed.

    mean ± t_(n-1) s / sqrt(n)        95 % interval of the mean (Student 1908);  s: standard deviation over seeds

A seed decides the first weights, minibatches and samples, and which rows are held out where the data have no test part
of their own, so all of that is in s.  Where ln Z is estimated, its error is in s too, but a common bias is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harmonium.config import Config
from harmonium.machine import RBM
from harmonium.runs.finished import Run
from harmonium.runs.judged import PARTS, judged
from harmonium.runs.summary import finite


@dataclass(frozen=True, eq=False)
class Scores:
    """What one part of the data is judged by, in nats per row: ln p(data), or ln P(label | data).

    Attributes
    ----------
    values : array (seeds,)
        One for each seed; NaN where it diverged.
    half_widths : array (seeds,)
        Half of the 95 % interval that ln Z brings; 0 where it is exact.
    methods : tuple of (str or None)
        How ln Z was found.
    baseline : float
        The mean score of independent units, or of the classes' frequencies.
    errors : array (seeds,) or None
        The share of rows whose most probable label is not their own, where there are labels.
    """

    values: np.ndarray
    half_widths: np.ndarray
    methods: tuple[str | None, ...]
    baseline: float
    errors: np.ndarray | None = None

    @property
    def good(self) -> np.ndarray:
        """The values of the seeds that did not diverge."""
        return self.values[np.isfinite(self.values)]

    @property
    def mean(self) -> float:
        """Over the seeds that did not diverge; NaN where all did."""
        return float(self.good.mean()) if len(self.good) else math.nan

    @property
    def sd(self) -> float:
        """The standard deviation over seeds; NaN for fewer than two."""
        return float(self.good.std(ddof=1)) if len(self.good) > 1 else math.nan

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval of the mean; infinite for fewer than two seeds."""
        return _half_width(self.good)

    @property
    def error(self) -> tuple[float, float, float] | None:
        """Mean, half of its 95 % interval and standard deviation of the share of wrong labels."""
        if self.errors is None:
            return None
        good = self.errors[np.isfinite(self.errors)]
        sd = float(good.std(ddof=1)) if len(good) > 1 else math.nan
        return float(good.mean()) if len(good) else math.nan, _half_width(good), sd

    @property
    def exact(self) -> bool:
        """Whether every score is."""
        return all(method in (None, "exact") for method in self.methods)


@dataclass(frozen=True, eq=False)
class Validation:
    """A configuration trained from several seeds.

    Attributes
    ----------
    config : Config
        The options of all.
    seeds : tuple of int
        One for each run.
    runs : tuple of Run
        In the order of the seeds: the machine, ``history`` (the learning curve) and ``summary`` of each;
        ``summary["diverged"]`` says whether it diverged.
    folder : Path or None
        Where the files are.
    """

    config: Config
    seeds: tuple[int, ...]
    runs: tuple[Run, ...]
    folder: Path | None

    @property
    def diverged(self) -> int:
        """How many runs did."""
        return sum(bool(run.summary["diverged"]) for run in self.runs)

    @property
    def machines(self) -> list[RBM | None]:
        """The trained machines; None where a run diverged."""
        return [None if run.summary["diverged"] else run.rbm for run in self.runs]

    @property
    def scores(self) -> dict[str, Scores]:
        """By part: train, validation, held_out, those that have rows."""
        found, by = {}, judged(self.config)
        for part in PARTS:
            rows = [run.summary["scores"].get(part) for run in self.runs]
            if any(row and by.key in row for row in rows):
                errors = [row and row.get("label_error") for row in rows]
                found[part] = Scores(
                    _numbers([row and row[by.key] for row in rows]),
                    _numbers([row and row.get("half_width", 0.0) for row in rows]),
                    tuple(row.get("method") if row else None for row in rows),
                    float(np.mean([row[by.baseline_key] for row in rows if row])),
                    None if all(error is None for error in errors) else _numbers(errors),
                )
        return found

    def as_dict(self) -> dict[str, Any]:
        """For JSON: all but the machines and the learning curves."""
        return {
            "seeds": list(self.seeds),
            "diverged": self.diverged,
            "scores": {
                part: {
                    **finite({"mean": s.mean, "sd": s.sd, "half_width": s.half_width, "baseline": s.baseline}),
                    "values": _plain(s.values),
                    "half_widths": _plain(s.half_widths),
                    "methods": list(s.methods),
                    **({} if s.errors is None else {"label_errors": _plain(s.errors)}),
                }
                for part, s in self.scores.items()
            },
            "reasons": {
                str(seed): run.summary["reason"]
                for seed, run in zip(self.seeds, self.runs, strict=True)
                if run.summary["diverged"]
            },
            "options": self.config.as_dict(),
        }

    def __str__(self) -> str:
        by = judged(self.config)
        baseline = by.baseline_words.split()[-1 if self.config.by_labels else 0]
        head = f"{'':10}  {'mean':>10}  {'± 95 %':>7}  {'sd':>7}  {'lowest':>10}  {'highest':>10}  {baseline:>11}"
        lines = [head] if self.scores else []
        for part, s in self.scores.items():
            spread = f"{s.half_width:7.3f}  {s.sd:7.3f}" if len(s.good) > 1 else f"{'-':>7}  {'-':>7}"
            lines.append(
                f"{part.replace('_', '-'):10}  {s.mean:10.3f}  {spread}  {s.good.min():10.3f}  {s.good.max():10.3f}  "
                f"{s.baseline:11.3f}"
            )
        for part, s in self.scores.items():
            if s.error is not None:
                mean, half, sd = (100 * x for x in s.error)
                spread = f" ± {half:.2f}, sd {sd:.2f}" if math.isfinite(half) else ""
                lines.append(f"{part.replace('_', '-')}: {mean:.2f}{spread} % wrong labels")
        return "\n".join([*lines, "", *self._notes()] if lines else self._notes())

    def _notes(self) -> list[str]:
        first, last = self.seeds[0], self.seeds[-1]
        seeds = f"{len(self.seeds)} seeds, {first} to {last}" if len(self.seeds) > 1 else f"one seed, {first}"
        notes = [f"{judged(self.config).words}, nats per row, over {seeds}; ± is Student's interval of the mean"]
        if self.diverged:
            reasons = [run.summary["reason"] for run in self.runs if run.summary["diverged"]]
            notes.append(f"{self.diverged} of {len(self.seeds)} diverged and are left out; {reasons[0]}")
        widest = max((float(np.nanmax(s.half_widths)) for s in self.scores.values() if not s.exact), default=0.0)
        if widest:
            notes.append(f"ln Z estimated, each to ± {widest:.2g} nats or better (95 %)")
        elif self.scores and not self.config.by_labels:
            notes.append("ln Z exact")
        return notes


def _half_width(good: np.ndarray) -> float:
    """Half of Student's 95 % interval of the mean; infinite for fewer than two values."""
    from scipy.stats import t  # as scikit-learn needs it; slow to import

    n = len(good)
    return float(t.ppf(0.975, n - 1)) * float(good.std(ddof=1)) / math.sqrt(n) if n > 1 else math.inf


def _numbers(values: Sequence[Any]) -> np.ndarray:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _plain(values: np.ndarray) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in values]
