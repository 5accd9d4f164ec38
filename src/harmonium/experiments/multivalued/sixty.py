"""All of MNIST: 60,000 training images, 500 hidden units and more, the 10,000 test images as they are.

Two marks (Larochelle and Bengio 2008): trained to predict, at most 1.8 % wrong; trained to predict and, a little, to
generate, at most 1.3 %.  And what s does where there are images enough.
"""

from __future__ import annotations

import math
from typing import Any

from harmonium.experiments.multivalued.classifiers import name
from harmonium.experiments.multivalued.words import listed
from harmonium.experiments.statistics import Interval, mean, paired
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.training import training
from harmonium.experiments.words import interval, n
from harmonium.plots.error_dots import Dot, error_dots
from harmonium.presets import preset
from harmonium.report import blocks

#: The settings of the two marks.
DISCRIMINATIVE: dict[str, Any] = {**preset("mnist-discriminative"), "measure": 4}
HYBRID: dict[str, Any] = {**preset("mnist-hybrid"), "measure": 4}
#: The binary machine and the continuous one.
_ENDS = (1.0, math.inf)
#: What is to be reached on the test images, in per cent.
MARKS = {"discriminative": 1.8, "hybrid": 1.3}
_SETTINGS = {"discriminative": DISCRIMINATIVE, "hybrid": HYBRID}
_SECONDS = {"discriminative": 120, "hybrid": 400}


def _options(scale: Scale, settings: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The settings at this scale: the short form has few units, images and epochs."""
    own = {**settings, "data": scale.pick("mnist", "digits"), **changes}
    if scale.quick:
        kind, _, units = own["hidden"].partition(":")
        units = units.replace("1000", "80").replace("500", "40")
        own |= {"hidden": f"{kind}:{units}", "epochs": 10, "held_out": "0.2"}
    return own


def _side(s: float) -> str:
    return "ising:500" if s == 1 else "interval:500" if math.isinf(s) else f"multivalued:500,s={s:g}"


def seeds(scale: Scale, mark: bool = False) -> int:
    """Seeds of each s, or of each mark."""
    return int(scale.pick(5 if mark else 3, 3))


def _machines(scale: Scale) -> dict[str, tuple[dict[str, Any], int, float]]:
    """Name -> options, seeds, seconds of one training."""
    found = {
        name(s): (_options(scale, DISCRIMINATIVE, hidden=_side(s)), seeds(scale), _SECONDS["discriminative"])
        for s in _ENDS
    }
    marks = {
        kind: (_options(scale, settings), seeds(scale, mark=True), _SECONDS[kind])
        for kind, settings in _SETTINGS.items()
    }
    return {**found, **marks}


def tasks(scale: Scale) -> dict[str, Task]:
    """A task a seed."""
    return {
        f"{label}-{seed}": training(
            f"sixty-{label.replace(' = ', '-').replace('∞', 'inf')}-{seed}", options, [seed], scale.pick(seconds, 1),
            keep=False,
        )
        for label, (options, count, seconds) in _machines(scale).items()
        for seed in range(count)
    }  # fmt: skip


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Errors by s, and both marks."""
    machines = _machines(notebook.scale)
    errors: dict[str, dict[str, list[float]]] = {
        label: {
            part: [100 * results[f"{label}-{seed}"].value["label_error"][part][0] for seed in range(count)]
            for part in ("train", "held_out")
        }
        for label, (_, count, _) in machines.items()
    }
    one = errors[name(1.0)]["held_out"]
    larger = [name(s) for s in _ENDS if s != 1]
    gaps = [(label, paired(errors[label]["held_out"], one, len(larger))[0]) for label in larger]
    notebook.numbers["sixty"] = {
        **errors, "minus_s_1": {label: x.as_dict() for label, x in gaps}, "marks": MARKS,
        "settings": {label: options for label, (options, _, _) in machines.items()},
        "seconds": {
            label: [results[f"{label}-{seed}"].value["seconds"][0] for seed in range(count)]
            for label, (_, count, _) in machines.items()
        },
    }  # fmt: skip
    rows = []
    for label in machines:
        own, mark = errors[label], MARKS.get(label)
        gap = dict(gaps).get(label)
        rows.append(
            [label, interval(mean(own["train"]), 2), interval(mean(own["held_out"]), 2),
             "–" if gap is None else interval(gap, 2, sign=True), "–" if mark is None else f"{mark:g}",
             ", ".join(n(value) for value in own["held_out"])]
        )  # fmt: skip
    table = blocks.Table(
        ("machine", "training", "test", "test − s = 1", "mark", "every seed, test"), rows,
        f"Errors in per cent on {_words(notebook.scale)}, mean with its 95 % interval over seeds.",
        note="The intervals of the differences (paired by seeds, which share first weights and minibatches) hold "
        f"together with 95 %. The machines of each s: {_told(DISCRIMINATIVE)}. Discriminative: the same with "
        f"{DISCRIMINATIVE['hidden']}. Hybrid: {HYBRID['hidden']}, {_told(HYBRID)}, weight of the generative part "
        f"{HYBRID['generative_weight']:g}, {HYBRID['negative'].upper()}-1. Test images are classified by their grey "
        "values. Marks: Larochelle and Bengio (2008), with 500 units discriminatively and 1,500 hybrid.",
    )  # fmt: skip
    figure = notebook.figure(
        "sixty",
        error_dots([Dot(label, mean(own["train"]), mean(own["held_out"])) for label, own in errors.items()],
                   labels=("training images", "test images")),
        "Training and test errors over seeds, mean with its 95 % interval.",
        "Two panels of dots, one line for each machine.",
    )  # fmt: skip
    ends = {label: n(mean(own["held_out"]).value) for label, own in errors.items()}
    said = [f"{label} {ends[label]} %{_reached(errors, label, notebook)}" for label in MARKS]
    ordered = "; ".join(f"{name(s)} {ends[name(s)]} %" for s in _ENDS)
    return blocks.Section(
        "sixty", TITLE, [table, figure],
        f"Test errors with all training images: {ordered}. Against s = 1, in points: {listed(gaps, 2)}. "
        f"{'; '.join(said)[0].upper()}{'; '.join(said)[1:]}.",
    )  # fmt: skip


def _reached(errors: Any, label: str, notebook: Notebook) -> str:
    if not notebook.scale.comparable:
        return ""
    found: Interval = mean(errors[label]["held_out"])
    verb = "reaches" if found.value <= MARKS[label] else "misses"
    return f", which {verb} the mark of {MARKS[label]:g} %"


def _told(settings: dict[str, Any]) -> str:
    return (
        f"{settings['optimizer']}, rate {settings['learning_rate']:g} ({settings['learning_rate_schedule']}), "
        f"minibatches of {settings['batch_size']}, {settings['epochs']} epochs, grey values as probabilities"
    )


def _words(scale: Scale) -> str:
    return str(scale.pick("MNIST, 60,000 training and 10,000 clean test images", "the small digits"))


TITLE = "With all images: 500 units and 60,000 images"
PART = Part("sixty", TITLE, tasks, section)
