"""The random search over Table I, from which the document chose its models; by `harmonium search`, given Optuna.

Judged by validation images, which the document does not have: it chose by the score on the images trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harmonium.experiments.mnist_789.words import n
from harmonium.experiments.statistics import difference, p_value
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.plots.search_importance import search_importance
from harmonium.plots.search_scores import search_scores
from harmonium.plots.search_settings import Setting, search_settings
from harmonium.report import blocks

_SHOWN = 6


def tasks(scale: Scale) -> dict[str, Task]:
    """One search; nothing where Optuna is not installed."""
    if find_spec("optuna") is None:
        return {}
    fixed: dict[str, Any] = {**scale.data, "held_out": "auto", "validation": 0.1, "learning_rate": 0.05, "measure": 10}
    space = (
        {}
        if scale.comparable
        else {"epochs": {"low": 2, "high": 6}, "steps": {"low": 1, "high": 8}, "batch_size_final": 100}
    )
    arguments = {"fixed": fixed, "changes": space, "trials": scale.pick(30, 10)}
    return {"search": Task("random-search", f"{__name__}:run", arguments, seconds=scale.pick(375, 10))}


def run(
    folder: Path, needs: Mapping[str, Done], *, fixed: dict[str, Any], changes: dict[str, Any], trials: int
) -> dict[str, Any]:
    """The search, in this process; its folder is kept beside."""
    from harmonium.tuning.search import search
    from harmonium.tuning.spaces import SPACES

    options = {k: v for k, v in fixed.items() if k not in ("data", "classes")}
    space = {**SPACES["mnist-789"], **changes}
    found = search(fixed["data"], space, trials=trials, workers=1, out=folder / "search", **options)
    axes = [
        {
            "name": axis.key,
            "log": axis.log,
            "values": [axis.value(r.options) if r.options else None for r in found.trials],
        }
        for axis in found.axes
    ]
    return {
        "trials": [asdict(record) for record in found.trials],
        "best": found.best,
        "held_out": found.held_out,
        "axes": axes,
        "importance": {name: {**asdict(one), "clear": one.clear} for name, one in found.importance.items()},
        "no_importance": found.no_importance,
    }


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """The best settings, what mattered, and what became of the document's observations."""
    if "search" not in results:
        note = "Left out: the search needs Optuna. Install it with <code>pip install 'harmonium[search]'</code>."
        return blocks.Section("search", "The random search of Table I", [blocks.Note(note)])
    value = results["search"].value
    trials = value["trials"]
    complete = sorted((t for t in trials if t["state"] == "complete"), key=lambda t: -t["score"])
    counts = {state: sum(t["state"] == state for t in trials) for state in {t["state"] for t in trials}}
    notebook.numbers["search"] = {**{k: value[k] for k in ("best", "held_out", "importance")}, "counts": counts,
                                  "trials": trials}  # fmt: skip
    rows: list[list[Any]] = [[t["number"], n(t["score"]), _words(t["options"])] for t in complete[:_SHOWN]]
    table = blocks.Table(
        ("trial", "validation", "settings"), rows,
        f"The best trials: average log-likelihood of validation images, {notebook.per_image}.",
        note=f"{len(trials)} trials: " + ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        + f". The best of many owes something to luck; on held-out images it has {n(value['held_out'][0])}. "
        "Learning rate 0.05, which Table I does not search.",
    )  # fmt: skip
    shown: list[blocks.Block] = [table]
    scores, states = [t["score"] for t in trials], [t["state"] for t in trials]
    numbers = [t["number"] for t in trials]
    found = search_scores(numbers, scores, states, per="image", title="The random search")
    caption = "Validation score of each trial, and the best so far." + " Crosses were given up early." * (
        "pruned" in states
    )
    shown.append(notebook.figure("search-scores", found, caption, "Scores of the trials with a running best."))
    settings = [Setting(axis["name"], axis["values"], axis["log"]) for axis in value["axes"]]
    panels = search_settings(settings, scores, states, per="image", title="Score against each setting")
    caption = "The same trials against each of the settings; the best is ringed."
    shown.append(notebook.figure("search-settings", panels, caption, "A panel of points for each setting."))
    weighed = value["importance"]
    if weighed:
        bars = search_importance(
            list(weighed), [w["share"] for w in weighed.values()], [(w["low"], w["high"]) for w in weighed.values()],
            [w["chance"] for w in weighed.values()], trials=len(trials), title="Which settings mattered",
        )  # fmt: skip
        caption = (
            "Share of each setting in being among the best quarter (PED-ANOVA). A setting that does nothing stays "
            "below the mark 19 times in 20; marks beyond the whole stand at the end."
        )
        shown.append(notebook.figure("search-importance", bars, caption, "A bar for each setting."))
    else:
        shown.append(blocks.Text(f"Importance is not shown: {blocks.escape(value['no_importance'])}."))
    shown += _verdicts(trials, notebook)
    best = complete[0] if complete else None
    lead = "No trial is complete." if best is None else (
        f"The best of {len(trials)} trials reaches {n(best['score'])} on validation images with "
        f"{_words(best['options'])}."
    )  # fmt: skip
    clear = [name for name, one in weighed.items() if one["clear"]]
    if clear:
        lead += f" Above what chance gives 19 times in 20: {', '.join(clear)}."
    elif weighed:
        lead += " No setting can be told from chance by so few trials."
    return blocks.Section("search", "The random search of Table I", shown, lead)


def _verdicts(trials: list[dict[str, Any]], notebook: Notebook) -> list[blocks.Block]:
    """The document's two observations, as differences between the trials that have them and those that do not."""
    ended = [t for t in trials if t["state"] in ("complete", "pruned") and t["score"] is not None]
    found: list[blocks.Block] = []

    def compare(claim: str, chosen: Any, words: str) -> None:
        a = [t["score"] for t in ended if chosen(t["options"])]
        b = [t["score"] for t in ended if not chosen(t["options"])]
        if len(a) < 3 or len(b) < 3:
            return
        gap, p = difference(a, b)
        verdict = "confirmed" if gap.low > 0 else "contradicted" if gap.high < 0 else "undecided"
        found.append(
            notebook.verdict(
                claim, "section 3", verdict,
                f"Mean score of {len(a)} trials {words} less that of the {len(b)} others: {n(gap.value)} ± "
                f"{n(gap.half_width)} nats ({p_value(p)}; at one common learning rate, trials that were given up with "
                "what they had reached).",
            )
        )  # fmt: skip

    compare("RMSprop is to be preferred", lambda o: o["optimizer"] == "rmsprop", "with RMSprop")
    compare(
        "many hidden units are to be preferred", lambda o: int(o["hidden"].partition(":")[2]) >= 7,
        "with 7 units or more",
    )  # fmt: skip
    compare(
        "one-hot encoding does worse than the standard machine at equal settings",
        lambda o: not o["hidden"].startswith("onehot"), "without one-hot units",
    )  # fmt: skip
    return found


def _words(options: Mapping[str, Any]) -> str:
    def number(value: Any) -> str:
        return f"{value:.3g}" if isinstance(value, float) else str(value)

    return ", ".join(f"{name} {number(value)}" for name, value in options.items())


PART = Part("search", "The random search of Table I", tasks, section)
