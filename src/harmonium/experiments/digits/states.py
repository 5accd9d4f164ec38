"""The film of the document: a digit and what is regenerated of it, with random, pre-trained and fine-tuned weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harmonium import plots
from harmonium.experiments.digits.document import (
    CODE,
    CODE_FACTOR,
    CODE_SOURCE,
    CONFUSED,
    FINE_TUNED,
    PRE_TRAINED,
    RANDOM,
    WHERE,
)
from harmonium.experiments.digits.logistic import logistic
from harmonium.experiments.digits.regenerate import OTHERS, STATES, Floats, newly_misread, pairs_of
from harmonium.experiments.digits.scales import digits, images
from harmonium.experiments.digits.stacks import stack_tasks
from harmonium.experiments.digits.words import layers_in_words
from harmonium.experiments.statistics import Interval
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.words import interval, n
from harmonium.intervals import Z_95
from harmonium.report import blocks

#: Hidden units of the two networks: one machine, and the deep autoencoder of Hinton and Salakhutdinov (2006).
NETWORKS: dict[str, dict[str, tuple[str, ...]]] = {
    "one machine": {"full": ("bernoulli:500",), "quick": ("bernoulli:48",)},
    "deep": {
        "full": ("bernoulli:1000", "bernoulli:500", "bernoulli:250", f"gaussian:{CODE},variance=1"),
        "quick": ("bernoulli:60", "bernoulli:40", f"gaussian:{CODE // 3},variance=1"),
    },
}
SEED = 0
EPOCHS: dict[str, dict[str, int]] = {"full": {"one machine": 20, "deep": 50}, "quick": {"one machine": 20, "deep": 30}}
RATE, BATCH = 0.001, {"full": 100, "quick": 20}
#: Seconds on one core of an epoch of fine-tuning.
_SECONDS = {"one machine": 5.0, "deep": 16.0}
#: A regeneration is good if it leaves at most this share of the mean image's error, and if the judge reads at most this
#: share of the digits otherwise that it reads rightly before.
GOOD_ERROR, GOOD_MISREAD = 0.2, 0.05
#: Newly misread digits below which nothing can be said of which they are.
_FEWEST = 20


def tasks(scale: Scale) -> dict[str, Task]:
    """Both networks, and the judge."""
    judge = logistic(scale, {}, seed=SEED)
    found = {"judge": judge}
    for name, hidden in NETWORKS.items():
        machines = stack_tasks(scale, hidden[scale.name], SEED)
        epochs = EPOCHS[scale.name][name]
        arguments = {
            "data": scale.data["data"], "seed": SEED, "epochs": epochs, "rate": RATE, "batch_size": BATCH[scale.name],
        }  # fmt: skip
        found[name] = Task(
            f"regenerate-{name.replace(' ', '-')}", "harmonium.experiments.digits.regenerate:regenerate", arguments,
            {**machines, "judge": judge}, scale.pick(_SECONDS[name], 0.1) * epochs + 5,
        )  # fmt: skip
    return found


def ratio(above: Floats, below: Floats) -> Interval:
    """mean(above) / mean(below) of paired rows (N,), with the delta method's 95 % interval."""
    value = float(above.mean() / below.mean())
    error = float((above - value * below).std(ddof=1) / math.sqrt(len(above)) / below.mean())
    return Interval(value, Z_95 * error, n=len(above))


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Pictures, errors, what the judge reads, and what becomes of the document's words."""
    scale = notebook.scale
    data = str(scale.data["data"])
    shape, given = images(data).shape, digits(data)
    y = given.y[given.test].numpy()
    labels = [str(label) for label in given.feed.classes]
    shown: list[blocks.Block] = []
    rows: list[list[str]] = []
    numbers: dict[str, Any] = {}
    misread: dict[str, Any] = {}
    for name, hidden in NETWORKS.items():
        result, words = results[name], layers_in_words(hidden[scale.name], math.prod(shape))
        read = _arrays(result, "read")
        misread[name] = {state: newly_misread(y, read["data"], read[state], given.classes) for state in STATES}
        right = int((read["data"] == y).sum())
        shown.append(_picture(notebook, name, words, result, shape))
        for state in (*STATES, *OTHERS):
            error = result.value["error"][state]
            some = newly_misread(y, read["data"], read[state], given.classes)
            rows.append([
                f"{name}, {words}" if state == "random" else "", _title(state, result), n(error),
                n(error / result.value["error"]["mean image"], 3), f"{100 * some.sum() / right:.1f} %",
                _top(some, labels),
            ])  # fmt: skip
        numbers[name] = {
            "layers": words, "error": result.value["error"], "read_right_before": right,
            "newly_misread": {state: own.tolist() for state, own in misread[name].items()},
            "share": {state: int(own.sum()) / right for state, own in misread[name].items()},
            **{key: result.value[key] for key in ("epochs", "rate", "seconds", "seconds_of_machines", "threads")},
        }  # fmt: skip
    errors = _arrays(results["deep"], "errors")
    factor = ratio(errors["PCA"], errors["fine-tuned"])
    before = ratio(errors["PCA"], errors["pre-trained"])
    judge = results["judge"].value
    notebook.numbers["states"] = {
        **numbers, "factor": factor.as_dict(), "factor_pre_trained": before.as_dict(), "judge": judge,
    }  # fmt: skip
    table = blocks.Table(
        ("network", "regenerated by", "squared error", "of the mean image's", "newly misread", "most often"), rows,
        f"Test images regenerated by means: squared error an image, summed over {math.prod(shape)} pixels from 0 to 1.",
        note="<b>Newly misread</b>: the share of test images that a logistic regression on real training images reads "
        f"rightly and, once regenerated, wrongly ({100 * judge['wrong'] / judge['of']:.1f} % of the images themselves "
        "it reads wrongly). <b>Most often</b>: the pairs of digits taken for each other, with their number.",
    )  # fmt: skip
    verdicts = _verdicts(notebook, numbers, misread, labels, factor)
    deep = results["deep"].value
    lead = (
        f"From {deep['components']} numbers instead of {math.prod(shape)} pixels the fine-tuned network regenerates "
        f"test images with an error of {n(deep['error']['fine-tuned'])}, as many principal components with "
        f"{n(deep['error']['PCA'])}, {interval(factor, 2)} times as much; before fine-tuning it is "
        f"{n(deep['error']['pre-trained'])}, with random weights {n(deep['error']['random'])}."
    )
    return blocks.Section("states", TITLE, [*verdicts, *shown, table, blocks.Text(_times(numbers))], lead)


def _arrays(result: Done, name: str) -> dict[str, Any]:
    with np.load(result.folder / f"{name}.npz") as kept:
        return {key: kept[key].astype(np.float64 if name == "errors" else kept[key].dtype) for key in kept.files}


def _picture(notebook: Notebook, name: str, words: str, result: Done, shape: tuple[int, ...]) -> blocks.Figure:
    made = _arrays(result, "shown")
    lines = {
        "test images": made["data"],
        **{state: made[state] for state in STATES},
        _title("PCA", result): made["PCA"],
    }
    figure = plots.image_lines(lines, shape, title=f"{words}: what is regenerated of test images", limits=(0.0, 1.0))
    return notebook.figure(
        f"states-{name.replace(' ', '-')}", figure,
        f"Test images, and what {words} makes of them by means with random, pre-trained and fine-tuned weights, beside "
        f"{_title('PCA', result)}. The first image of each digit, and a second 2 and 7.",
        "Five lines of images: digits, grey noise, and three lines of regenerated digits.",
    )  # fmt: skip


def _title(state: str, result: Done) -> str:
    return f"PCA, {result.value['components']}" if state == "PCA" else state


def _top(counts: Any, labels: list[str]) -> str:
    return ", ".join(f"{labels[i]}/{labels[j]} ({count})" for i, j, count in pairs_of(counts)[:3] if count) or "–"


def _verdicts(
    notebook: Notebook, numbers: Any, misread: Any, labels: list[str], factor: Interval
) -> list[blocks.Verdict]:
    found = []
    errors = {name: numbers[name]["error"] for name in NETWORKS}
    worse = [errors[name]["random"] >= errors[name]["mean image"] for name in NETWORKS]
    lost = [numbers[name]["share"]["random"] > 0.5 for name in NETWORKS]
    both = [a and b for a, b in zip(worse, lost, strict=True)]
    found.append(notebook.verdict(
        RANDOM, WHERE, "confirmed" if all(both) else "partly" if any(both) else "contradicted",
        _each(numbers, "random") + " The means are one grey speckle, nearly the same for every digit; drawn pixel by "
        "pixel it would be new noise each time. Confirmed: it is farther from the image than the mean image is, and "
        "most digits can no longer be read.",
    ))  # fmt: skip
    for state, claim in (("pre-trained", PRE_TRAINED), ("fine-tuned", FINE_TUNED)):
        near = [errors[name][state] <= GOOD_ERROR * errors[name]["mean image"] for name in NETWORKS]
        kept = [numbers[name]["share"][state] <= GOOD_MISREAD for name in NETWORKS]
        some = [numbers[name]["share"][state] > 0 for name in NETWORKS]
        fine = [a and b for a, b in zip(near, kept, strict=True)]
        if state == "fine-tuned":  # "sometimes ambiguities" must be there, too
            fine = [a and b for a, b in zip(fine, some, strict=True)]
        rule = (
            f" Good: at most {100 * GOOD_ERROR:g} % of the mean image's error, and at most {100 * GOOD_MISREAD:g} % "
            "newly misread" + (", and some are." if state == "fine-tuned" else ".")
        )
        found.append(notebook.verdict(
            claim, WHERE, "confirmed" if all(fine) else "partly" if any(near) else "contradicted",
            _each(numbers, state) + rule,
        ))  # fmt: skip
    found.append(_confusions(notebook, misread, labels))
    low, high = factor.low >= CODE_FACTOR, factor.high < CODE_FACTOR
    found.append(notebook.verdict(
        f"a fine-tuned code of {CODE} numbers is {CODE_FACTOR:g} times nearer than {CODE} principal components",
        CODE_SOURCE, "confirmed" if low else "contradicted" if high else "undecided",
        f"The error of the components is {interval(factor, 2)} times that of the code, on test images.",
    ))  # fmt: skip
    return found


def _confusions(notebook: Notebook, misread: Any, labels: list[str]) -> blocks.Verdict:
    """Whether 2 and 7 are taken for each other more often than other pairs, by both pre-trained networks together."""
    counts = sum(own["pre-trained"] for own in misread.values())
    pairs = pairs_of(counts)
    total = sum(count for _, _, count in pairs)
    rank, twos = next(
        (place, count) for place, (i, j, count) in enumerate(pairs, 1) if {labels[i], labels[j]} == {"2", "7"}
    )
    usual = total / len(pairs)
    verdict = "undecided" if total < _FEWEST else "confirmed" if rank <= 3 else "partly"
    return notebook.verdict(
        CONFUSED, WHERE, verdict,
        f"{total} of the regenerated test images are newly misread: {_top(counts, labels)}; 2/7 is pair {rank} of "
        f"{len(pairs)}, with {twos} where a pair has {usual:.1f} on average. Confirmed: it is among the first three; "
        f"partly: other pairs are; undecided below {_FEWEST} images.",
    )  # fmt: skip


def _each(numbers: Any, state: str) -> str:
    return "; ".join(
        f"{numbers[name]['layers']}: squared error {n(numbers[name]['error'][state])} (mean image "
        f"{n(numbers[name]['error']['mean image'])}), {100 * numbers[name]['share'][state]:.1f} % newly misread"
        for name in NETWORKS
    ) + "."  # fmt: skip


def _times(numbers: Any) -> str:
    return "Training: " + "; ".join(
        f"{own['layers']} took {own['seconds_of_machines']:.0f} s to pre-train and {own['seconds']:.0f} s for "
        f"{own['epochs']} epochs of fine-tuning (Adam, rate {own['rate']:g} falling to 0), on {own['threads']} "
        f"thread{'s' * (own['threads'] > 1)}"
        for own in numbers.values()
    ) + "."  # fmt: skip


TITLE = "What is left of a digit, with random, pre-trained and fine-tuned weights?"
PART = Part("states", TITLE, tasks, section)
