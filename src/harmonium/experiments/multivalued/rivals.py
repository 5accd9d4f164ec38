"""Is a large s more than a smaller step, and what do other remedies and other classifiers reach on the same images?

With c_s = psi_s'(0) = (s+2)/(3s) the log-partition of a hidden unit in a small field x is

    A_s(x) = A_s(0) + c_s x²/2 + O(x⁴),      x = b + W'x_in + V'y        (c_1 = 1, c_∞ = 1/3)

so that to this order the class probabilities of the machine (W, V, b, a; s) are those of the binary machine
(√c_s W, √c_s V, √c_s b, a; 1).  AdaMax moves a parameter by its rate whatever the scale of its gradient, so steps of
the first are steps √c_s times as long of the second: first weights AND rates of W, V, b are to be multiplied by √c_s,
the rate of a is not.  (Of plain gradient ascent the rate would be multiplied by c_s: the gradient shrinks as well.)
What is left between the two machines is not a matter of step or scale, but of the shape of A_s in larger fields.

The clock can also be taken out of the comparison: test errors at equal training error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from harmonium.experiments.multivalued.classical import CLASSICAL, classical
from harmonium.experiments.multivalued.classifiers import Errors, Floats, errors_of, learning, repeats
from harmonium.experiments.multivalued.step_size import hidden_scale
from harmonium.experiments.statistics import Interval, mean, p_value, paired
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.words import interval
from harmonium.plots.error_dots import Dot, error_dots
from harmonium.report import blocks

_ROOT = hidden_scale(math.inf)  # √c_∞
#: Strengths to choose from, by images that are neither trained nor tested on.
L2 = (1e-3, 1e-2)
KEEP = (0.8,)
#: Trained variants of a machine: s, and what is changed.
VARIANTS: dict[str, tuple[float, dict[str, float]]] = {
    "s = 1": (1.0, {}),
    "s = ∞": (math.inf, {}),
    "s = 1, weights and steps / √3": (1.0, {"weight_factor": _ROOT, "rate_factor": _ROOT}),
    "s = 1, weights and steps / 3": (1.0, {"weight_factor": 1 / 3, "rate_factor": 1 / 3}),
    "s = ∞, weights and steps · √3": (math.inf, {"weight_factor": 1 / _ROOT, "rate_factor": 1 / _ROOT}),
    **{f"s = 1, L2 {strength:g}": (1.0, {"l2": strength}) for strength in L2},
    **{f"s = 1, inputs kept {keep:g}": (1.0, {"keep": keep}) for keep in KEEP},
}
#: Those that differ in scale alone, and are to be told apart; the others need fewer repeats.
_SCALED = list(VARIANTS)[:5]
#: Training errors, in per cent, at which test errors are compared.
LEVELS = (20.0, 10.0, 5.0, 2.0, 1.0)


def number(scale: Scale, variant: str) -> int:
    """Repeats of a variant; the plain ones are those of Figure 6."""
    few = 10 if variant == _SCALED[2] else 5
    return repeats(scale) if variant in _SCALED[:2] else int(scale.pick(few, repeats(scale)))


def variant_tasks(scale: Scale, variant: str) -> dict[str, Task]:
    """The trainings of a variant; the plain ones are those of Figure 6."""
    s, changes = VARIANTS[variant]
    return learning(scale, s, number(scale, variant), **changes)


def tasks(scale: Scale) -> dict[str, Task]:
    """All variants and the classifiers of other kinds."""
    found = {label: task for variant in VARIANTS for label, task in variant_tasks(scale, variant).items()}
    return found | {kind: classical(scale, kind) for kind in CLASSICAL}


def stopped(errors: Errors, by: str, part: str) -> Floats:
    """The error of each repeat where that of the images to choose `by` is lowest, the first time: (R,)."""
    at = errors[by].argmin(1)
    return errors[part][np.arange(len(at)), at]


def at_training_error(errors: Errors, level: float, part: str) -> Floats:
    """The error where the training error first falls to `level`, between measurements by a line: (R,), NaN if never."""
    found = np.full(len(errors["train"]), np.nan)
    for i, (train, other) in enumerate(zip(errors["train"], errors[part], strict=True)):
        below = np.flatnonzero(train <= level)
        if len(below) and below[0]:
            t = int(below[0])
            share = (train[t - 1] - level) / (train[t - 1] - train[t])
            found[i] = other[t - 1] + share * (other[t] - other[t - 1])
    return found


def outcomes(every: Mapping[str, Errors]) -> dict[str, dict[str, Any]]:
    """Of each rival clean and noisy test errors (R,), chosen by clean images; and noisy ones chosen by noisy images."""
    found: dict[str, dict[str, Any]] = {}

    def add(rival: str, clean: Floats, noisy: Floats, informed: Floats | None = None, chosen: str = "") -> None:
        found[rival] = {"clean": clean, "noisy": noisy, "informed": informed, "chosen": chosen}

    for variant in _SCALED:
        add(variant, every[variant]["clean"][:, -1], every[variant]["noisy"][:, -1])
    for s in ("s = 1", "s = ∞"):
        e = every[s]
        at, informed = (e.updates[e[by].argmin(1)] for by in ("choice", "choice_noisy"))
        add(f"{s}, stopped early", stopped(e, "choice", "clean"), stopped(e, "choice", "noisy"),
            stopped(e, "choice_noisy", "noisy"),
            f"after {np.median(at):,.0f} updates (median; by noisy images {np.median(informed):,.0f})")  # fmt: skip
    for words, prefix in (("L2", "s = 1, L2 "), ("inputs dropped", "s = 1, inputs kept ")):
        kinds = [variant for variant in every if variant.startswith(prefix)]
        best, informed_best = (
            min(kinds, key=lambda kind: float(every[kind][by][:, -1].mean())) for by in ("choice", "choice_noisy")
        )
        clean, noisy = every[best]["clean"][:, -1], every[best]["noisy"][:, -1]
        chosen = f"{best[len('s = 1, ') :]} (by noisy images {informed_best[len(prefix) :]})"
        add(f"s = 1, {words}", clean, noisy, every[informed_best]["noisy"][:, -1], chosen)
    return found


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """All rivals in one table, the question of the step, and test errors at equal training errors."""
    scale = notebook.scale
    every = {variant: errors_of(results, list(variant_tasks(scale, variant))) for variant in VARIANTS}
    found = outcomes(every)
    for kind in CLASSICAL:
        value = results[kind].value
        clean, noisy = (100 * np.array(value[part]) for part in ("clean", "noisy"))
        found[kind] = {"clean": clean, "noisy": noisy, "informed": None, "chosen": value["chosen"]}
    infinite = found["s = ∞"]
    rows, dots = [], []
    for rival, own in found.items():
        cells: list[str | float] = [rival]
        for part in ("clean", "noisy", "informed"):
            cells.append("–" if own[part] is None else _said(own[part]))
        for part in ("clean", "noisy"):
            cells.append("–" if rival == "s = ∞" else _from(own[part], infinite[part]))
        rows.append([*cells, str(len(own["noisy"])), own["chosen"]])
        dots.append(Dot(rival, *(_as_interval(own[part]) for part in ("clean", "noisy"))))
    table = blocks.Table(
        ("classifier", "clean", "with noise", "with noise, chosen by noisy images", "clean − s = ∞", "noisy − s = ∞",
         "repeats", "chosen"), rows,
        "Test error in per cent, mean with 95 % interval over repeats, and its paired difference to s = ∞ in points.",
        note="Machines after the last update, unless stopped. <b>Chosen</b>: strengths and the update to stop at have "
        "the lowest error on as many other training images, clean ones for the first two columns and corrupted as the "
        "test images for the third, which is for those who know what noise is to come. Parameters of the classifiers "
        "of other kinds by five-fold cross-validation on the images trained on. <b>Inputs dropped</b>: each input of a "
        "minibatch is there with the probability given, and divided by it (as in dropout). Where nothing about the "
        "training is random the repeats are those of the test images' noise.",
    )  # fmt: skip
    figure = notebook.figure(
        "rivals", error_dots(dots, labels=("clean test images", "with noise")),
        "Test errors of all classifiers on the same images; mean and 95 % interval.",
        "Two columns of dots, one line for each classifier.",
    )  # fmt: skip
    levels, level_rows = _at_equal_training(every)
    notebook.numbers["rivals"] = {
        "outcomes": {
            rival: {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in own.items()}
            for rival, own in found.items()
        },
        "at_training_error": levels,
        "curves": {
            variant: {"updates": e.updates.tolist(), **{part: e[part].tolist() for part in e.parts}}
            for variant, e in every.items()
        },
    }
    equal = blocks.Table(
        ("training error", "s = 1, noisy", "s = ∞ − 1, noisy", "s = 1, clean", "s = ∞ − 1, clean", "repeats"),
        level_rows,
        "Test errors in per cent where the training error first falls to a level; differences paired, in points.",
        note="Between measurements by a straight line. At equal training error it does not matter who is quicker.",
    )  # fmt: skip
    text, lead = _is_it_the_step(found, every)
    return blocks.Section("rivals", TITLE, [blocks.Text(text), table, figure, equal], lead)


def _as_interval(values: Floats) -> Interval:
    return mean(values.tolist())


def _by_repeats(a: Floats, b: Floats) -> tuple[Interval, float]:
    """The difference of a (R,) and b (R',), by the repeats that both have."""
    n = min(len(a), len(b))
    return paired(a[:n], b[:n])


def _from(values: Floats, infinite: Floats) -> str:
    """The difference to s = ∞; one value stands for all repeats."""
    values = np.broadcast_to(values, len(infinite)) if len(values) == 1 else values
    return interval(_by_repeats(values, infinite)[0], 2, sign=True)


def _said(values: Floats) -> str:
    return interval(mean(values.tolist()), 2) if len(values) > 1 else f"{values[0]:.2f}"


def _at_equal_training(every: Mapping[str, Errors]) -> tuple[dict[str, Any], list[list[str]]]:
    kept: dict[str, Any] = {}
    rows = []
    for level in LEVELS:
        row, count = [f"{level:g} %"], 0
        for part in ("noisy", "clean"):
            one, infinite = (at_training_error(every[s], level, part) for s in ("s = 1", "s = ∞"))
            there = np.isfinite(one) & np.isfinite(infinite)
            count = int(there.sum())
            if count < 2:
                row += ["–", "–"]
                continue
            gap, p = paired(infinite[there].tolist(), one[there].tolist())
            kept[f"{level:g}, {part}"] = {"s = 1": one[there].tolist(), "s = ∞": infinite[there].tolist(),
                                          "difference": gap.as_dict()}  # fmt: skip
            row += [interval(_as_interval(one[there]), 2), f"{interval(gap, 2, sign=True)} ({p_value(p)})"]
        rows.append([*row, str(count)])
    return kept, rows


def _is_it_the_step(found: Mapping[str, Any], every: Mapping[str, Errors]) -> tuple[str, str]:
    """What the machines that differ in scale alone say, as text and as the section's lead."""

    def gap(a: str, b: str, part: str) -> tuple[Interval, float]:
        return _by_repeats(every[a][part][:, -1], every[b][part][:, -1])

    matched, longer = _SCALED[2], _SCALED[4]
    lines = []
    for part, words in (("noisy", "under noise"), ("clean", "on clean images")):
        plain, of_matched, of_longer = (
            gap(a, b, part) for a, b in (("s = ∞", "s = 1"), (matched, "s = 1"), (longer, "s = ∞"))
        )
        left, back = gap("s = ∞", matched, part), gap(longer, "s = 1", part)
        lines.append(
            f"<b>{words[0].upper()}{words[1:]}</b>, at the end, in percentage points: s = ∞ minus s = 1 is "
            f"{_test(plain)}; the binary machine with first weights and steps of s = ∞ (÷ √3) minus the plain one "
            f"{_test(of_matched)}; and what is left between s = ∞ and it {_test(left)}. The other way round, s = ∞ "
            f"with first weights and steps of the binary machine (· √3) minus plain s = ∞ is {_test(of_longer)}, and "
            f"it is {_test(back)} from s = 1."
        )
    for by, words in (("choice", "clean"), ("choice_noisy", "corrupted")):
        plain, left = (
            _by_repeats(stopped(every["s = ∞"], by, "noisy"), stopped(every[other], by, "noisy"))
            for other in ("s = 1", matched)
        )
        lines.append(
            f"<b>Stopped early</b> by {words} images that are not tested on: under noise, s = ∞ minus s = 1 is "
            f"{_test(plain)}, and s = ∞ minus the binary machine with its first weights and steps {_test(left)}."
        )
    plain, left = gap("s = ∞", "s = 1", "noisy"), gap("s = ∞", matched, "noisy")
    lead = (
        f"{explained(plain[0], left[0])}: s = ∞ is {interval(plain[0], 2, sign=True)} points from s = 1, and "
        f"{interval(left[0], 2, sign=True)} from the binary machine with the same first function and steps."
    )
    intro = (
        "To second order in the fields a machine with s is the binary machine with weights and hidden biases times "
        "√((s+2)/(3s)), 1/√3 for s = ∞; and as Adamax's steps do not depend on the scale of the gradient, the steps "
        "are to be multiplied by the same number. So the binary machine with smaller first weights and steps begins "
        "like s = ∞, and what differs in the end is due to the shape of the units' answer to large fields."
    )
    return "\n\n".join([intro, *lines]), lead


def explained(plain: Interval, left: Interval) -> str:
    """Whether the step explains the error: s = ∞ minus s = 1, and minus the binary machine with its steps."""
    if plain.low <= 0 <= plain.high:
        return "There is no difference to explain at the end of the training under noise"
    if plain.low > 0:
        return "Under noise there is no gain to explain at the end of the training"
    if left.high < 0:
        return "A smaller step does not explain all that s = ∞ does for the error under noise"
    if left.low > 0:
        return "A smaller step does more for the error under noise than s = ∞ does"
    return "A smaller step is enough to explain what s = ∞ does for the error under noise"


def _test(found: tuple[Interval, float]) -> str:
    return f"{interval(found[0], 2, sign=True)} ({p_value(found[1])})"


TITLE = "Is a large s more than a smaller step, and what do others reach?"
PART = Part("rivals", TITLE, tasks, section)
