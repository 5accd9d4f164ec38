"""What a search found: its trials, the best options, what mattered, and the files that say so.

study.journal   every trial as it happened (Optuna's journal)
search.toml     what was asked for
trials.csv      a line a trial
search.json     all of the result
best.toml       the best options: harmonium train --config best.toml
figures/        scores over the trials, scores against each option, importance
"""

from __future__ import annotations

import csv
import io
import statistics
import textwrap
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from harmonium.io import write_json, write_text
from harmonium.tuning.entries import Axis
from harmonium.tuning.importance import Importance, importance
from harmonium.tuning.settings import Settings
from harmonium.tuning.study import COUNTED, MOST_DEATHS, SharedStudy, deaths, state_of

_SHOWN = 5  # trials in the table


@dataclass(frozen=True)
class Record:
    """One trial.

    Attributes
    ----------
    number : int
    options : dict
        The searched options; empty where the worker died before they were drawn.
    score : float or None
        Mean validation score over the seeds, nats per row; of a pruned trial, what it had reached.
    sd : float or None
        Standard deviation over the seeds.
    scores : list of float
        Of each seed.
    state : str
        complete, pruned, diverged, not possible, failed; or lost, stopped and running, which are not counted.
    seconds : float or None
    reason : str
        Why it is not complete.
    """

    number: int
    options: dict[str, Any]
    score: float | None
    sd: float | None
    scores: list[float]
    state: str
    seconds: float | None
    reason: str


@dataclass(frozen=True, eq=False)
class Search:
    """A search, finished or so far.

    Attributes
    ----------
    best : dict
        The options of the best complete trial, for ``hm.train(**best)``; with data that were in memory,
        ``hm.train(X, **best)``.  Its seed is the first of the search, so that run is the trial's first.  Empty where
        no trial is complete.
    best_trial : Record or None
    held_out : list of float
        The best trial's score on the held-out rows with each seed, nats per row: no other trial's is looked at.
    trials : list of Record
        In the order of their numbers.
    importance : dict of Importance
        By option, the most important first; empty where there are too few trials to say (`no_importance`).
    axes : list of Axis
        What was searched.
    folder : Path or None
    """

    best: dict[str, Any]
    best_trial: Record | None
    held_out: list[float]
    trials: list[Record]
    importance: dict[str, Importance]
    no_importance: str
    axes: list[Axis]
    folder: Path | None = None
    settings: Settings | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return _table(self)

    def as_dict(self) -> dict[str, Any]:
        """All of it for JSON."""
        return {
            "folder": None if self.folder is None else str(self.folder),
            "counts": counts(self),
            "best": self.best,
            "best_trial": self.best_trial and asdict(self.best_trial),
            "held_out": self.held_out,
            "importance": {name: asdict(one) for name, one in self.importance.items()},
            "no_importance": self.no_importance,
            "settings": self.settings and asdict(self.settings),
            "trials": [asdict(record) for record in self.trials],
        }


def records(study: SharedStudy) -> list[Record]:
    """All trials that have begun, in the order of their numbers."""
    found = []
    for number, attempts in study.attempts().items():
        chosen = next((a for a in attempts if state_of(a) in COUNTED), attempts[-1])
        said, state, reason = chosen.user_attrs, state_of(chosen), chosen.user_attrs.get("reason", "")
        if state == "lost" and deaths(attempts) >= MOST_DEATHS:
            state, reason = "failed", f"its worker was killed {deaths(attempts)} times"
        reached = said.get("score")
        if reached is None and state == "pruned" and chosen.intermediate_values:
            reached = chosen.intermediate_values[max(chosen.intermediate_values)]
        found.append(
            Record(
                number, said.get("options", {}), reached, said.get("sd"), list(said.get("scores", [])), state,
                said.get("seconds"), reason,
            )
        )  # fmt: skip
    return found


def result(study: SharedStudy, settings: Settings, folder: Path | None) -> Search:
    """What is known so far."""
    trials, axes = records(study), settings.made.axes
    complete = [record for record in trials if record.state == "complete" and record.score is not None]
    best = max(complete, key=lambda record: (record.score, -record.number), default=None)
    held_out: list[float] = []
    if best is not None:
        chosen = next(a for a in study.attempts()[best.number] if state_of(a) == "complete")
        held_out = list(chosen.user_attrs.get("held_out", []))
    weighed, why = importance(trials, axes, seed=settings.seed)
    options = {} if best is None else settings.options(best.options)
    return Search(options, best, held_out, trials, weighed, why, axes, folder, settings)


def write_result(search: Search, folder: Path) -> None:
    """Write the files of a result; each appears whole or not at all."""
    write_text(folder / "trials.csv", _csv(search))
    if search.best:
        write_text(folder / "best.toml", tomli_w.dumps(search.best))
    write_json(folder / "search.json", search.as_dict())


def counts(search: Search) -> dict[str, int]:
    """How many trials came to what, the most common first."""
    return dict(Counter(record.state for record in search.trials).most_common())


def _csv(search: Search) -> str:
    names = list(dict.fromkeys(axis.key.partition(".")[0] for axis in search.axes))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["number", "state", "score", "sd", "seconds", *names, "reason"])
    for r in search.trials:
        cells = [r.number, r.state, r.score, r.sd, r.seconds, *(r.options.get(name) for name in names), r.reason]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return text.getvalue()


def in_words(options: dict[str, Any]) -> str:
    """Searched options in one line, numbers to three digits."""
    shown = {k: f"{v:.3g}" if isinstance(v, float) else v for k, v in options.items()}
    return ", ".join(f"{name}={value}" for name, value in shown.items())


def _table(search: Search) -> str:
    said = counts(search)
    lines = [f"{len(search.trials)} trials: " + ", ".join(f"{n} {state}" for state, n in said.items())]
    if search.best_trial is None:
        reasons = Counter(r.reason for r in search.trials if r.reason).most_common(1)
        lines.append("no trial is complete, so there is no best one")
        lines += textwrap.wrap(f"most often: {reasons[0][0]}", 78) if reasons else []
        return "\n".join(lines)
    lines += ["", f"{'trial':>5}  {'validation':>11}  {'sd':>7}  options"]
    complete = [r for r in search.trials if r.state == "complete" and r.score is not None]
    for r in sorted(complete, key=lambda r: (-(r.score or 0.0), r.number))[:_SHOWN]:
        sd = "" if r.sd is None else f"{r.sd:.3f}"
        first, *rest = textwrap.wrap(in_words(r.options), 50) or [""]
        lines.append(f"{r.number:5d}  {r.score:11.3f}  {sd:>7}  {first}")
        lines += [" " * 29 + part for part in rest]
    lines += ["", "nats per row; sd is between seeds; the best of many trials was also lucky, so"]
    lines.append(f"believe the held-out score of trial {search.best_trial.number}: {_held_out(search.held_out)}")
    if search.importance:
        share = ", ".join(f"{name} {100 * one.share:.0f} %" for name, one in search.importance.items() if one.clear)
        lines += textwrap.wrap(f"what mattered beyond chance: {share or 'nothing'}", 78)
    else:
        lines += textwrap.wrap(search.no_importance, 78)
    return "\n".join(lines)


def _held_out(scores: list[float]) -> str:
    if not scores:
        return "no rows were held out"
    spread = f" ± {statistics.stdev(scores):.3f} (sd of {len(scores)} seeds)" if len(scores) > 1 else ""
    return f"{statistics.fmean(scores):.3f}{spread}"
