"""Classifying by the learned distribution: the document says that machines do it, and not how.  The ways there are.

a machine a class       the class under which the image is most probable: needs ln Z of every machine
label units             the label that is most probable beside the image in one machine: no ln Z
features                a logistic regression on what one machine says of the image
fine-tuning             the same machine unrolled, and trained by backpropagation
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from harmonium.experiments.digits.document import CLASSIFIES
from harmonium.experiments.digits.features import HIDDEN, SEEDS, feature_tasks
from harmonium.experiments.digits.joint import EPOCHS as JOINT_EPOCHS
from harmonium.experiments.digits.joint import HIDDEN as JOINT_HIDDEN
from harmonium.experiments.digits.joint import joint_task
from harmonium.experiments.digits.per_class import CHOICES, DRAWS, LOG_Z_DRAWS, class_task
from harmonium.experiments.digits.per_class import EPOCHS as CLASS_EPOCHS
from harmonium.experiments.digits.per_class import HIDDEN as CLASS_HIDDEN
from harmonium.experiments.digits.scales import VALIDATION, train_rows
from harmonium.experiments.digits.tune import tuned
from harmonium.experiments.digits.words import binomial, dropped_in_words, per_cent, said, training_took, wrong_of
from harmonium.experiments.statistics import paired
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.words import above_zero, interval, n
from harmonium.plots.error_dots import Dot, error_dots
from harmonium.report import blocks

#: Fine-tuning of the machine whose features are classified.
EPOCHS = {"full": 40, "quick": 20}
RATE, DROPOUT = 0.001, {"full": (0.2, 0.5), "quick": (0.0, 0.1)}
_SAID = {"ln Z": "with ln Z", "none": "without ln Z", "fitted": "offsets fitted"}


def tasks(scale: Scale) -> dict[str, Task]:
    """All ways, a task a seed each; the machines of the last two are those of the features."""
    found = feature_tasks(scale)
    hidden = (HIDDEN[scale.name],)
    for seed in range(SEEDS[scale.name]):
        for units in CLASS_HIDDEN[scale.name]:
            found[f"class-{units}-{seed}"] = class_task(scale, units, seed)
        found[f"joint-{seed}"] = joint_task(scale, seed)
        found[f"tuned-{seed}"] = tuned(
            scale, "one-machine-tuned", hidden, {"1": found[f"machine-{seed}"]}, seed=seed, epochs=EPOCHS[scale.name],
            rate=RATE, dropout=DROPOUT[scale.name], validation=train_rows(scale) // VALIDATION,
        )  # fmt: skip
    return found


def _way(units: int, choice: str) -> str:
    """What a way of a machine a class is called."""
    return f"a machine a class, {units} units, {_SAID[choice]}"


def outcomes(results: Results, scale: Scale) -> dict[str, dict[str, Any]]:
    """Of each way the wrong images of every seed, of how many, and the seconds of a training."""
    seeds = range(SEEDS[scale.name])
    found: dict[str, dict[str, Any]] = {}

    def add(way: str, wrong: Any, of: Mapping[str, int], seconds: Any, threads: int) -> None:
        found[way] = {
            "wrong": {part: [one[part] for one in wrong] for part in ("validation", "test")}, "of": dict(of),
            "seconds": list(seconds), "threads": threads,
        }  # fmt: skip

    for units in CLASS_HIDDEN[scale.name]:
        own = [results[f"class-{units}-{seed}"].value for seed in seeds]
        for choice in CHOICES:
            add(_way(units, choice), [one["wrong"][choice] for one in own],
                own[0]["of"], [one["seconds"] for one in own], own[0]["threads"])  # fmt: skip
    own = [results[f"joint-{seed}"].value for seed in seeds]
    for chosen in own[0]["wrong"]:
        add(f"label units, kept by {chosen}", [one["wrong"][chosen] for one in own], own[0]["of"],
            [one["seconds"] for one in own], own[0]["threads"])  # fmt: skip
    first = [results[f"machine-{seed}"].value["seconds"] for seed in seeds]
    for way, label in (("features, logistic regression", "features"), ("the same machine, fine-tuned", "tuned")):
        own = [results[f"{label}-{seed}"].value for seed in seeds]
        add(way, [{"validation": one["validation_wrong"], "test": one["wrong"]} for one in own],
            {"validation": own[0]["validation_of"], "test": own[0]["of"]},
            [a + one["seconds"] for a, one in zip(first, own, strict=True)], own[0]["threads"])  # fmt: skip
    return found


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """All ways in one table, and what the choice of ln Z changes."""
    scale = notebook.scale
    found = outcomes(results, scale)
    errors = {
        way: {part: per_cent(own["wrong"][part], own["of"][part]) for part in ("validation", "test")}
        for way, own in found.items()
    }
    rows = [
        [way, said(errors[way]["test"]), binomial(own["wrong"]["test"], own["of"]["test"]),
         ", ".join(n(100 * count / own["of"]["test"]) for count in own["wrong"]["test"]),
         said(errors[way]["validation"]), training_took(own["seconds"], own["threads"])]
        for way, own in found.items()
    ]  # fmt: skip
    of = next(iter(found.values()))["of"]["test"]
    dropped = dropped_in_words(DROPOUT[scale.name])
    table = blocks.Table(
        ("way", "test error, %", "binomial", "every seed", "validation error, %", "a training took"), rows,
        wrong_of(of),
        note=f"<b>A machine a class</b>: PCD-1, {CLASS_EPOCHS[scale.name]} epochs of its class's images, ln p averaged "
        f"over {DRAWS} draws of an image's pixels; its time is that of all classes. <b>Label units</b>: "
        f"{JOINT_HIDDEN[scale.name]} hidden units, PCD-1, {JOINT_EPOCHS[scale.name]} epochs, ln p(image, "
        "label) raised; two machines of one training. <b>Features</b> and <b>fine-tuned</b>: the same machine, "
        f"{HIDDEN[scale.name].partition(':')[2]} hidden units, CD-1; fine-tuned for "
        f"{EPOCHS[scale.name]} epochs at rate {RATE:g} with dropout {dropped}. "
        "Validation images, a twelfth of the training images, choose offsets, C and epochs.",
    )  # fmt: skip
    dots = [Dot(way, own["validation"], own["test"]) for way, own in errors.items()]
    figure = notebook.figure(
        "ways", error_dots(dots, labels=("validation images", "test images"), decimals=2),
        "Errors of every way, mean over seeds with its 95 % interval.", "Two panels of dots, one line for each way.",
    )  # fmt: skip
    words, numbers, gaps = _about_log_z(results, found, scale)
    notebook.numbers["ways"] = {
        **{way: {**own, "error": errors[way]["test"].as_dict()} for way, own in found.items()}, "log_z": numbers,
    }  # fmt: skip
    best = min(errors, key=lambda way: errors[way]["test"].value)
    by_ln_p = {
        way: own["test"]
        for way, own in errors.items()
        if way.startswith(("a machine", "label")) and not way.endswith(_SAID["none"])  # which is no probability
    }
    own_best = min(by_ln_p, key=lambda way: by_ln_p[way].value)
    guess = 100 * (1 - 1 / len(results[f"class-{CLASS_HIDDEN[scale.name][0]}-0"].value["log_z"]))
    verdict = notebook.verdict(
        CLASSIFIES, "section 1",
        "confirmed" if all(x.high < guess / 2 for x in by_ln_p.values() if math.isfinite(x.half_width)) else "partly",
        f"Fewest errors by ln p alone: {own_best}, {said(by_ln_p[own_best])} %; a guess would make {guess:.0f} %. "
        "Confirmed: the intervals of all ways by ln p, with label units or with ln Z, lie below half of that.",
    )  # fmt: skip

    def each(units: int, choice: str) -> list[float]:
        return [100 * count / of for count in found[_way(units, choice)]["wrong"]["test"]]

    sizes = CLASS_HIDDEN[scale.name]
    needed = {units: paired(each(units, "none"), each(units, "ln Z"), len(sizes))[0] for units in sizes}
    needed_said = "; ".join(f"{units} units {interval(x, 2, sign=True)} points" for units, x in needed.items())
    need = notebook.verdict(
        "comparing machines of several classes needs their ln Z", "a question of this study",
        above_zero(list(needed.values())),
        f"Errors without ln Z minus errors with it, paired by seeds: {needed_said}. Confirmed: all intervals, which "
        "hold together with 95 %, lie above zero.",
    )  # fmt: skip
    lead = (
        f"Fewest errors by the learned distribution alone: {own_best}, {said(by_ln_p[own_best])} %; of all ways: "
        f"{best}, {said(errors[best]['test'])} %. {gaps}"
    )
    return blocks.Section("ways", TITLE, [verdict, need, table, figure, blocks.Text(words)], lead)


def _about_log_z(results: Results, found: Any, scale: Scale) -> tuple[str, dict[str, Any], str]:
    """What the choice of ln Z changes, in words and numbers, and shortly."""
    words, numbers, short = [], {}, ""
    seeds = range(SEEDS[scale.name])
    for units in CLASS_HIDDEN[scale.name]:
        own = [results[f"class-{units}-{seed}"].value for seed in seeds]
        of = own[0]["of"]["test"]
        wrong = {c: found[_way(units, c)]["wrong"]["test"] for c in CHOICES}
        gap = {
            choice: paired([100 * x / of for x in wrong[choice]], [100 * x / of for x in wrong["ln Z"]])[0]
            for choice in ("none", "fitted")
        }
        methods = sorted({z["method"] for one in own for z in one["log_z"]})
        exact = methods == ["exact"]
        widest = max(z["half_width"] or 0.0 for one in own for z in one["log_z"])
        within = [np.array(one["wrong_within_error"]) * 100 / of for one in own]
        apart = [np.array(one["offsets"]["fitted"]) - np.array(one["offsets"]["ln Z"]) for one in own]
        spread = float(np.mean([x.std(ddof=1) for x in apart]))
        doubts = sum(len(z["doubts"]) for one in own for z in one["log_z"])
        numbers[str(units)] = {
            "methods": methods, "widest": widest, "doubts": doubts, "log_z": [one["log_z"] for one in own],
            "error_within": [[float(x.min()), float(x.mean()), float(x.max())] for x in within],
            "fitted_minus_log_z_sd": spread, "log_p_own_class": [one["log_p_own_class"] for one in own],
            "minus_with_log_z": {choice: x.as_dict() for choice, x in gap.items()},
        }  # fmt: skip
        error = (
            "ln Z is exact"
            if exact
            else f"ln Z is estimated, to ± {widest:.2g} nats or better, with {doubts} doubts of the estimator; "
            f"{LOG_Z_DRAWS} draws within these errors move the test error of a seed between "
            f"{n(min(x.min() for x in within))} and {n(max(x.max() for x in within))} %"
        )
        words.append(
            f"<b>{units} hidden units a class.</b> {error}. Without ln Z the error changes by "
            f"{interval(gap['none'], 2, sign=True)} points, with fitted offsets by "
            f"{interval(gap['fitted'], 2, sign=True)} (paired by seeds); these differ from − ln Z + ln P(class) by "
            f"{spread:.1f} nats (standard deviation over classes). The own machine's ln p of a test image is "
            f"{n(float(np.mean([one['log_p_own_class'] for one in own])), 1)} nats."
        )
        short = (
            f"With {units} hidden units a class, leaving ln Z out changes the error by "
            f"{interval(gap['none'], 2, sign=True)} points."
        )
    return "\n\n".join(words), numbers, short


TITLE = "How can a learned distribution classify?"
PART = Part("ways", TITLE, tasks, section)
