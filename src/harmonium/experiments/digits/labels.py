"""Few labels and many images: what pre-training on images without labels is worth, and up to how many labels.

Two networks of the same layers get the same labels: one begins with machines pre-trained on all training images, the
other with random weights.  Rate and epoch of both are chosen by the same validation rows, which are among the labels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonium.experiments.digits.scales import train_rows
from harmonium.experiments.digits.stacks import FEATURES, stack_tasks
from harmonium.experiments.digits.tune import BATCH, tuned
from harmonium.experiments.digits.words import dropped_in_words, layers_in_words, per_cent, said, training_took
from harmonium.experiments.statistics import Interval, p_value, paired
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.words import above_zero, interval, n
from harmonium.plots.bands import Band, bands
from harmonium.plots.style import number
from harmonium.report import blocks

#: The first machines of the deep belief network's, so that the stacks of its seeds serve here, too.
LAYERS: dict[str, tuple[str, ...]] = {
    "full": ("bernoulli:500", "bernoulli:500"),
    "quick": ("bernoulli:16", "bernoulli:16"),
}
#: Number of labels -> seeds; 0 stands for all.
SEEDS: dict[str, dict[int, int]] = {"full": {100: 5, 1000: 5, 10000: 3, 0: 2}, "quick": {100: 3, 400: 2, 0: 1}}
#: Epochs; 0: fifty, or as many as make 3,000 updates.
EPOCHS: dict[str, dict[int, int]] = {"full": {0: 30}, "quick": {100: 60, 400: 40, 0: 20}}
#: The rate; None: searched.  Fractions of pixels and of hidden units that dropout leaves out.
RATE: float | None = None
DROPOUT = {"full": (0.2, 0.5), "quick": (0.0, 0.1)}
#: The share of the labels that choose rate and epoch, and the most of them.
_SHARE, _MOST = 0.2, 5000
#: The numbers of labels that are judged, the first two of the list.
_JUDGED = 2
STARTS = ("pre-trained", "random")


def validation(labels: int, scale: Scale) -> int:
    """How many of so many labels are kept for validation."""
    return min(round(_SHARE * (labels or train_rows(scale))), _MOST)


def tasks(scale: Scale) -> dict[str, Task]:
    """Both starts, with every number of labels and each of its seeds."""
    found: dict[str, Task] = {}
    layers = LAYERS[scale.name]
    for labels, seeds in SEEDS[scale.name].items():
        for seed in range(seeds):
            machines = stack_tasks(scale, layers, seed, FEATURES)
            found |= {f"layer-{number}-{seed}": task for number, task in machines.items()}
            for start in STARTS:
                found[f"{start}-{labels}-{seed}"] = tuned(
                    scale, f"{start}-{labels or 'all'}-labels", layers, machines if start == "pre-trained" else {},
                    seed=seed, epochs=EPOCHS[scale.name].get(labels, 0), rate=RATE, dropout=DROPOUT[scale.name],
                    labels=labels, validation=validation(labels, scale),
                )  # fmt: skip
    return found


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Errors against labels, and the difference in pairs of one seed."""
    scale = notebook.scale
    wanted = SEEDS[scale.name]
    whole = train_rows(scale)
    numbers: dict[str, Any] = {}
    errors: dict[str, dict[int, Interval]] = {start: {} for start in STARTS}
    gaps: dict[int, Interval] = {}
    p_values: dict[int, float] = {}
    rows: list[list[str]] = []
    judged = list(wanted)[:_JUDGED]
    for labels, seeds in wanted.items():
        own = {start: [results[f"{start}-{labels}-{seed}"].value for seed in range(seeds)] for start in STARTS}
        of = own["random"][0]["of"]
        for start in STARTS:
            errors[start][labels] = per_cent([one["wrong"] for one in own[start]], of)
        each = {start: [100 * one["wrong"] / of for one in own[start]] for start in STARTS}
        together = len(judged) if labels in judged else 1
        gaps[labels], p_values[labels] = paired(each["random"], each["pre-trained"], together)
        rates = {start: sorted({one["rate"] for one in own[start]}) for start in STARTS}
        rows.append([
            number(labels or whole), *(said(errors[start][labels]) for start in STARTS),
            n(gaps[labels].value) if seeds < 2 else interval(gaps[labels], 2, sign=True), p_value(p_values[labels]),
            str(seeds), *(", ".join(f"{rate:g}" for rate in rates[start]) for start in STARTS),
            training_took([one["seconds"] for one in own["random"]], own["random"][0]["threads"]),
        ])  # fmt: skip
        numbers[str(labels or whole)] = {
            **{start: {
                "wrong": [one["wrong"] for one in own[start]], "error": errors[start][labels].as_dict(),
                "rates": [one["rate"] for one in own[start]], "best_epochs": [one["best_epoch"] for one in own[start]],
                "epochs": [one["epochs"] for one in own[start]], "seconds": [one["seconds"] for one in own[start]],
            } for start in STARTS},
            "of": of, "validation": own["random"][0]["validation_of"],
            "random_minus_pre_trained": gaps[labels].as_dict(), "p": p_values[labels],
        }  # fmt: skip
    pre = [sum(results[f"layer-{i}-{seed}"].value["seconds"] for i in range(1, len(LAYERS[scale.name]) + 1))
           for seed in range(max(wanted.values()))]  # fmt: skip
    threads = results["layer-1-0"].value["threads"]
    numbers |= {"seconds_of_machines": pre, "threads": threads, "layers": LAYERS[scale.name]}
    notebook.numbers["labels"] = numbers
    words = layers_in_words(LAYERS[scale.name])
    table = blocks.Table(
        ("labels", *(f"{start}, %" for start in STARTS), "random − pre-trained", "p", "seeds",
         *(f"rate, {start}" for start in STARTS), "fine-tuning"), rows,
        "Wrong classes among the test images in per cent: mean over seeds with its 95 % interval, and the paired "
        "difference in points.",
        note=f"Layers {words}. Labels are those of the same images for both, the classes in equal shares, those of a "
        f"smaller number among those of a larger one. A fifth of the labels, {number(_MOST)} at most, trains nothing "
        "and chooses the first rate, out of four, and the epoch that is kept: this is all that chooses"
        + ", but for the settings of the machines, which labels of all training images chose before" * scale.comparable
        + ". The images "
        f"of all others are seen by pre-training alone, which took {training_took(pre, threads)}, "
        f"each machine: {FEATURES.words(scale)}. In fine-tuning minibatches of at most {BATCH[scale.name]}, dropout "
        f"{dropped_in_words(DROPOUT[scale.name])}. The intervals and p of "
        f"{' and '.join(map(number, judged))} labels hold together (Bonferroni).",
    )  # fmt: skip
    figure = notebook.figure(
        "labels", _drawn(errors, whole), "Test error against the number of labels: mean over seeds, and a band of "
        "one standard deviation over seeds. Both axes are logarithmic.", "Two falling curves with bands.",
    )  # fmt: skip
    listed = "; ".join(
        f"{number(labels)} labels: {interval(gaps[labels], 2, sign=True)} points, {p_value(p_values[labels])}"
        for labels in judged
    )
    verdict = notebook.verdict(
        f"with {' and '.join(map(number, judged))} labels, pre-training on images without labels lowers the error",
        "a question of this study", above_zero([gaps[labels] for labels in judged]),
        f"Random start minus pre-trained, paired by seeds: {listed}. Confirmed: both intervals, which hold together "
        "with 95 %, lie above zero.",
    )  # fmt: skip
    lead = "; ".join(
        f"{number(labels or whole)} labels {said(errors['pre-trained'][labels])} % against "
        f"{said(errors['random'][labels])} %"
        for labels in wanted
    )
    return blocks.Section(
        "labels", TITLE, [verdict, figure, table], f"Pre-trained against random start, test errors: {lead}."
    )


def _drawn(errors: dict[str, dict[int, Interval]], whole: int) -> Any:
    lines = []
    for start, own in errors.items():
        x = np.array([labels or whole for labels in own], float)
        y = np.array([found.value for found in own.values()])
        spread = np.array([found.sd if np.isfinite(found.sd) else 0.0 for found in own.values()])
        lines.append(Band(start, x, y, np.minimum(spread, 0.9 * y)))  # a logarithmic axis has no zero
    figure = bands({"": lines}, xlabel="labels", ylabel="test error, %")
    ax = figure.axes[0]
    for line in ax.lines:
        line.set_marker("o")
        line.set_markersize(4)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(lines[0].x, [number(float(value)) for value in np.asarray(lines[0].x)])
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "235" else "")
    ax.minorticks_on()
    ax.xaxis.set_minor_locator(_nothing())
    return figure


def _nothing() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


TITLE = "What is pre-training worth, with how many labels?"
PART = Part("labels", TITLE, tasks, section)
