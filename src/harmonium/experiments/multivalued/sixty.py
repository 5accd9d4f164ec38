"""All of MNIST: 60,000 training images, 500 hidden units and more, the 10,000 test images as they are.

Two marks (Larochelle and Bengio 2008): trained to predict, at most 1.8 % wrong; trained to predict and, a little, to
generate, at most 1.3 %.  And what s does where there are images enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harmonium.experiments.multivalued.classifiers import name
from harmonium.experiments.multivalued.words import listed
from harmonium.experiments.statistics import mean, paired
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
#: Name -> options, seeds, seconds of one training.
Machines = Mapping[str, tuple[dict[str, Any], int, float]]
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


def _of_s(scale: Scale) -> Machines:
    return {
        name(s): (_options(scale, DISCRIMINATIVE, hidden=_side(s)), seeds(scale), _SECONDS["discriminative"])
        for s in _ENDS
    }


def _of_marks(scale: Scale) -> Machines:
    return {
        kind: (_options(scale, settings), seeds(scale, mark=True), _SECONDS[kind])
        for kind, settings in _SETTINGS.items()
    }


def _tasks(machines: Machines, scale: Scale) -> dict[str, Task]:
    """A task a seed."""
    return {
        f"{label}-{seed}": training(
            f"sixty-{label.replace(' = ', '-').replace('∞', 'inf')}-{seed}", options, [seed], scale.pick(seconds, 1),
            keep=False,
        )
        for label, (options, count, seconds) in machines.items()
        for seed in range(count)
    }  # fmt: skip


def _read(results: Results, machines: Machines, what: str) -> dict[str, dict[str, list[float]]]:
    """Errors in per cent by machine and part, or seconds of one training, a value a seed."""
    if what == "seconds":
        return {
            label: {"training": [results[f"{label}-{seed}"].value["seconds"][0] for seed in range(count)]}
            for label, (_, count, _) in machines.items()
        }
    return {
        label: {
            part: [100 * results[f"{label}-{seed}"].value["label_error"][part][0] for seed in range(count)]
            for part in ("train", "held_out")
        }
        for label, (_, count, _) in machines.items()
    }


def _figure(notebook: Notebook, errors: dict[str, dict[str, list[float]]]) -> blocks.Figure:
    dots = [Dot(label, mean(own["train"]), mean(own["held_out"])) for label, own in errors.items()]
    return notebook.figure(
        "sixty",
        error_dots(dots, labels=("training images", "test images"), decimals=2),
        "Training and test errors over seeds, mean with its 95 % interval.",
        "Two panels of dots, one line for each machine.",
    )


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Errors by s."""
    machines = _of_s(notebook.scale)
    errors = _read(results, machines, "errors")
    larger = [name(s) for s in _ENDS if s != 1]
    gaps = [(s, paired(errors[s]["held_out"], errors[name(1.0)]["held_out"], len(larger))[0]) for s in larger]
    notebook.numbers["sixty"] = {
        **errors, "minus_s_1": {label: x.as_dict() for label, x in gaps},
        "options": {label: options for label, (options, _, _) in machines.items()},
        "seconds": _read(results, machines, "seconds"),
    }  # fmt: skip
    rows = [
        [label, interval(mean(own["train"]), 2), interval(mean(own["held_out"]), 2),
         interval(dict(gaps)[label], 2, sign=True) if label in dict(gaps) else "–",
         ", ".join(n(value) for value in own["held_out"])]
        for label, own in errors.items()
    ]  # fmt: skip
    table = blocks.Table(
        ("machine", "training", "test", "test − s = 1", "every seed, test"), rows,
        f"Errors in per cent on {_words(notebook.scale)}, mean with its 95 % interval over seeds.",
        note=f"500 hidden units. Differences are paired by seeds, which share minibatches. {_told(DISCRIMINATIVE)}.",
    )  # fmt: skip
    ordered = "; ".join(f"{name(s)} {n(mean(errors[name(s)]['held_out']).value)} %" for s in _ENDS)
    return blocks.Section(
        "sixty", TITLE, [table, _figure(notebook, errors)],
        f"Test errors with all training images: {ordered}. Against s = 1, in points: {listed(gaps, 2)}.",
    )  # fmt: skip


def section_of_marks(results: Results, notebook: Notebook) -> blocks.Section:
    """Both marks."""
    scale = notebook.scale
    machines = _of_marks(scale)
    errors, seconds = _read(results, machines, "errors"), _read(results, machines, "seconds")
    notebook.numbers["marks"] = {
        **errors, "marks": MARKS, "options": {k: v[0] for k, v in machines.items()}, "seconds": seconds,
    }  # fmt: skip
    rows = [
        [label, machines[label][0]["hidden"], interval(mean(own["train"]), 2), interval(mean(own["held_out"]), 2),
         f"{MARKS[label]:g}", ", ".join(n(value) for value in own["held_out"]),
         n(mean(seconds[label]["training"]).value / 60, 1)]
        for label, own in errors.items()
    ]  # fmt: skip
    table = blocks.Table(
        ("objective", "hidden", "training", "test", "mark", "every seed, test", "minutes"), rows,
        f"Errors in per cent on {_words(scale)}, mean with its 95 % interval over seeds; minutes of one training.",
        note=f"{_told(DISCRIMINATIVE)}; the hybrid with weight {HYBRID['generative_weight']:g} of ln p(data, label), "
        f"by {HYBRID['negative'].upper()}-1. Test images are classified by their grey values. Marks: Larochelle and "
        "Bengio (2008), with 500 units discriminatively and 1,500 hybrid. The settings were chosen on the last 10,000 "
        "training images; the test images chose nothing.",
    )  # fmt: skip
    said = [f"{label} {n(mean(own['held_out']).value)} %{_reached(own, label, scale)}" for label, own in errors.items()]
    lead = "; ".join(said)
    return blocks.Section("marks", TITLE_OF_MARKS, [table], f"{lead[0].upper()}{lead[1:]}.")


def _reached(own: dict[str, list[float]], label: str, scale: Scale) -> str:
    if not scale.comparable:
        return ""
    verb = "reaches" if mean(own["held_out"]).value <= MARKS[label] else "misses"
    return f", which {verb} the mark of {MARKS[label]:g} %"


def _told(settings: dict[str, Any]) -> str:
    return (
        f"{settings['optimizer']}, rate {settings['learning_rate']:g} ({settings['learning_rate_schedule']}), "
        f"minibatches of {settings['batch_size']}, {settings['epochs']} epochs, grey values as probabilities"
    )


def _words(scale: Scale) -> str:
    return str(scale.pick("MNIST, 60,000 training and 10,000 clean test images", "the small digits"))


TITLE = "With all images, does s matter?"
TITLE_OF_MARKS = "How few errors, with all images?"
PART = Part("sixty", TITLE, lambda scale: _tasks(_of_s(scale), scale), section)
PART_OF_MARKS = Part("marks", TITLE_OF_MARKS, lambda scale: _tasks(_of_marks(scale), scale), section_of_marks)
