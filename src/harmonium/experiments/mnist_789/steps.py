"""Question 4: do more steps of contrastive divergence help?

Twice: with the document's settings for eight units (RMSprop at a constant rate, whose own noise is large), and with a
rate that falls to nothing, where what is left is the bias of CD-k itself.
"""

from __future__ import annotations

from typing import Any

from harmonium.experiments import statistics
from harmonium.experiments.mnist_789.document import CD_STEPS
from harmonium.experiments.mnist_789.machines import EXACT
from harmonium.experiments.mnist_789.scales import PLAIN, SPLIT, settings
from harmonium.experiments.mnist_789.words import LITTLE, n, no_more_than, spread
from harmonium.experiments.statistics import Interval, mean, minus, p_value
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.training import scores_of, training
from harmonium.plots.score_against import Series, score_against
from harmonium.report import blocks

_STEPS, _QUICK_STEPS = (1, 2, 4, 6, 8, 10, 12, 15), (1, 4, 15)
_TUNED_STEPS = (1, 2, 4, 8, 15)


def _steps(scale: Scale, kind: str) -> tuple[int, ...]:
    chosen: tuple[int, ...] = scale.pick(_STEPS if kind == "document" else _TUNED_STEPS, _QUICK_STEPS)
    return chosen


def tasks(scale: Scale) -> dict[str, Task]:
    """Both settings over the numbers of steps, and the exact gradient beside the second."""
    found = {}
    seeds = scale.pick(4, 3)
    same = settings(scale, "L8", **SPLIT, measure=2)
    same["epochs"] = scale.pick(100, 20)
    tuned: dict[str, Any] = {
        **scale.data, **PLAIN, **SPLIT, **EXACT, "hidden": "bernoulli:8", "batch_size": scale.pick(200, 50),
        "epochs": scale.pick(20, 40), "learning_rate": 0.1, "measure": 2,
    }  # fmt: skip
    for k in _steps(scale, "document"):
        found[f"document-{k}"] = training(f"cd-{k}-document", {**same, "steps": k}, seeds, scale.pick(2 + 1.5 * k, 1))
    for k in _steps(scale, "tuned"):
        options = {**tuned, "negative": "cd", "steps": k}
        found[f"tuned-{k}"] = training(f"cd-{k}-tuned", options, seeds, scale.pick(2 + 1.3 * k, 1))
    found["tuned-pcd"] = training("pcd-1-tuned", {**tuned, "negative": "pcd", "steps": 1}, seeds, scale.pick(4, 1))
    found["tuned-exact"] = training("exact-tuned", tuned, scale.pick(3, 2), scale.pick(8, 1))
    return found


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """The scores against k, the slopes and their tests."""
    scale = notebook.scale
    series: list[Series] = []
    rows: list[list[Any]] = []
    tests: dict[str, Any] = {}
    names = {"document": "settings of L8", "tuned": "rate falling to zero"}
    for kind, words in names.items():
        steps = _steps(scale, kind)
        x, y = [], []
        for part in ("train", "held_out"):
            groups = [scores_of(results[f"{kind}-{k}"], part) for k in steps]
            means = [mean(group) for group in groups]
            label = f"{words}: training" if part == "train" else "held-out"
            series.append(
                Series(label, steps, [m.value for m in means], [m.half_width for m in means], part == "held_out")
            )
            if part == "train":
                x = [float(k) for k, group in zip(steps, groups, strict=True) for _ in group]
                y = [score for group in groups for score in group]
                slope, p = statistics.slope(x, y)
                f, p_any = statistics.variance_ratio(groups)
                gain, p_ends = statistics.difference(groups[-1], groups[0])
                tests[kind] = {
                    "steps": list(steps),
                    "scores": groups,
                    "slope": slope.as_dict(),
                    "p_slope": p,
                    "F": f,
                    "p_F": p_any,
                    "last_minus_first": gain.as_dict(),
                    "p_last_minus_first": p_ends,
                }
                rows.append(
                    [words, f"{steps[0]} to {steps[-1]}", minus(f"{slope.value:+.3f} ± {slope.half_width:.3f}"),
                     p_value(p), minus(f"{gain.value:+.2f} ± {gain.half_width:.2f}"), p_value(p_ends),
                     p_value(p_any)]
                )  # fmt: skip
    beside = {name: scores_of(results[f"tuned-{name}"]) for name in ("pcd", "exact")}
    notebook.numbers["steps"] = {**tests, "beside": beside}
    ax = score_against(
        series,
        xlabel="Gibbs sweeps k of CD-k",
        ticks=_steps(scale, "document"),
        marks={"exact gradient, rate falling to zero": mean(beside["exact"]).value},
        title="Steps of contrastive divergence, eight units",
        subtitle="mean over seeds with its 95 % interval",
    )
    figure = notebook.figure(
        "steps",
        ax,
        "Eight Bernoulli units after training with CD-<i>k</i>. Solid: training images; dashed: held-out ones.",
        "Scores against the number of Gibbs sweeps for two settings.",
    )
    table = blocks.Table(
        ("setting", "k", "slope, nats a step", "no slope?", "last − first", "no difference?", "all alike? (F test)"),
        rows,
        f"Tests of significance on the training scores, {notebook.per_image}; ± are 95 % intervals.",
        note=f"Beside them, at the falling rate: PCD-1 {spread(beside['pcd'])}, the exact gradient "
        f"{spread(beside['exact'])} (mean ± standard deviation over seeds).",
    )
    document, tuned = tests["document"], tests["tuned"]
    gain = document["last_minus_first"]
    verdict = notebook.verdict(
        f"the number of CD steps ({CD_STEPS[0]} to {CD_STEPS[-1]}) does not significantly affect the likelihood",
        "section 3",
        no_more_than(Interval(gain["value"], gain["half_width"]), 2 * min(document["p_F"], document["p_slope"])),
        f"With its settings, from {_steps(scale, 'document')[0]} to {_steps(scale, 'document')[-1]} steps the score "
        f"changes by {n(gain['value'])} ± {n(gain['half_width'])} nats ({p_value(document['p_last_minus_first'])}); "
        f"with a rate that falls to zero by {n(tuned['last_minus_first']['value'])} ± "
        f"{n(tuned['last_minus_first']['half_width'])} ({p_value(tuned['p_last_minus_first'])}). Confirmed would be "
        f"an interval within ± {LITTLE:g} nats, contradicted a slope or a difference at p < 0.05, corrected for two "
        "tests.",
    )
    return blocks.Section(
        "steps",
        "Question 4: do CD steps matter?",
        [verdict, figure, table],
        _lead(document, tuned),
    )


def _lead(document: dict[str, Any], tuned: dict[str, Any]) -> str:
    def said(test: dict[str, Any]) -> str:
        gain, p = test["last_minus_first"], p_value(test["p_last_minus_first"])
        return minus(f"{gain['value']:+.2f} ± {gain['half_width']:.2f} nats ({p})")

    first, last = document["steps"][0], document["steps"][-1]
    return (
        f"{last} steps instead of {first} change the training score by {said(document)} with the document's settings, "
        f"and by {said(tuned)} with a learning rate that falls to zero."
    )


PART = Part("steps", "Question 4: do CD steps matter?", tasks, section)
