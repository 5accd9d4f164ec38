"""The pictures of a search: scores over the trials, scores against each option, importance."""

from __future__ import annotations

from pathlib import Path

from harmonium.plots.search_importance import search_importance
from harmonium.plots.search_scores import search_scores
from harmonium.plots.search_settings import Setting, search_settings
from harmonium.plots.style import save
from harmonium.tuning.result import Search


def draw(search: Search, folder: Path) -> list[Path]:
    """Write the figures that the search allows; none where no trial is complete."""
    if search.best_trial is None:
        return []
    trials = search.trials
    scores, states = [r.score for r in trials], [r.state for r in trials]
    whole = search_scores([r.number for r in trials], scores, states, sd=[r.sd for r in trials], title="Scores")
    written = [save(whole, folder / "scores.png")]
    settings = [
        Setting(_named(axis.key, search), [axis.value(r.options) if r.options else None for r in trials], axis.log)
        for axis in search.axes
    ]
    each = search_settings(settings, scores, states, title="Scores against each option")
    written.append(save(each, folder / "settings.png"))
    if search.importance:
        found = list(search.importance.values())
        bars = search_importance(
            [_named(key, search) for key in search.importance],
            [one.share for one in found],
            [(one.low, one.high) for one in found],
            [one.chance for one in found],
            trials=sum(r.state in ("complete", "pruned", "diverged") for r in trials),
            title="Which options mattered",
        )
        written.append(save(bars, folder / "importance.png"))
    return written


def _named(key: str, search: Search) -> str:
    """An axis as a reader says it."""
    name, _, part = key.partition(".")
    if part:
        return f"{name} (kind)"
    return f"{name} (number)" if f"{name}.units" in [axis.key for axis in search.axes] else name
