"""Question 1: are −147 and −146 a cap, or a matter of tuning?

The best likelihood that a machine of a given size can have does not depend on how it is trained; so the exact gradient
(and, for a one-hot unit, expectation-maximisation) from several starts bounds from below what sampling should reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from harmonium.config_from import config_from
from harmonium.experiments.mnist_789.document import SCORES
from harmonium.experiments.mnist_789.machines import exact_machine, mixture
from harmonium.experiments.mnist_789.words import against, n, settings_in_words
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.training import best, machine, scores_of, train_from
from harmonium.plots.score_against import Series, score_against
from harmonium.report import blocks

_UNITS = (3, 4, 5, 6, 7, 8, 10, 12, 14, 16)
_STATES = (10, 20, 55, 100, 200, 500)


def _sizes(scale: Scale) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return scale.pick(_UNITS, (3, 5, 8)), scale.pick(_STATES, (10, 55))


def tasks(scale: Scale) -> dict[str, Task]:
    """The optima on every image (5, 8, 55, 100), and how they grow, with held-out scores."""
    units, states = _sizes(scale)
    found = {
        "L5": exact_machine(scale, 5, scale.pick(10, 3)),
        "L8": exact_machine(scale, 8, scale.pick(5, 3)),
        "L55": mixture(scale, 55, scale.pick(3, 2)),
        "L100": mixture(scale, 100, 1),
    }
    for name in ("L5", "L8"):
        arguments = {"options": dict(found[name].arguments["options"]), "iterations": scale.pick(20, 10)}
        found[f"{name}-polished"] = Task(
            f"exact-{name}-polished", f"{__name__}:polish", arguments, {"best": found[name]}, scale.pick(20, 1)
        )
    for number in units:
        starts = scale.pick(4 if number <= 6 else 2 if number <= 10 else 1, 2)
        found[f"units-{number}"] = exact_machine(scale, number, starts, "split")
    for number in states:
        found[f"states-{number}"] = mixture(scale, number, 1, "split")
    return found


def polish(folder: Path, needs: Mapping[str, Done], *, options: Mapping[str, Any], iterations: int) -> dict[str, Any]:
    """What L-BFGS on the exact likelihood of all rows still gains, from the best of the machines before."""
    start = machine(needs["best"], best(needs["best"]))
    rest = ("batch_size", "epochs", "momentum", "centre", "learning_rate", "learning_rate_schedule", "weight_scale")
    config = config_from(
        {**{k: v for k, v in options.items() if k not in rest}, "optimizer": "lbfgs", "epochs": iterations}
    )

    def begin(rbm: Any) -> None:
        for tensor, value in zip(rbm.tensors, start.tensors, strict=True):
            tensor.copy_(value.to(torch.float64))

    run = train_from(config, begin)
    before = max(scores_of(needs["best"]))
    after = run.summary["scores"]["train"]["value"]
    return {"before": before, "after": after, "gain": after - before, "iterations": run.summary["steps"] * 20}


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """The optima beside the document's scores, and their growth."""
    scale = notebook.scale
    rows: list[list[Any]] = []
    found: dict[str, float] = {}
    labels = {"L5": "5 Bernoulli units", "L8": "8 Bernoulli units", "L55": "55 one-hot states",
              "L100": "100 one-hot states"}  # fmt: skip
    for name, words in labels.items():
        result = results[name]
        scores = scores_of(result)
        optimum = max(scores)
        if f"{name}-polished" in results:
            optimum = max(optimum, results[f"{name}-polished"].value["after"])
        found[name] = optimum
        quoted = str(SCORES[name]) if name in SCORES and scale.comparable else "–"
        rows.append([words, quoted, n(optimum), ", ".join(map(n, scores)), settings_in_words(result)])
    gains = {name: results[f"{name}-polished"].value for name in ("L5", "L8")}
    notebook.numbers["cap"] = {
        "optimum": found,
        "starts": {name: scores_of(results[name]) for name in labels},
        "polished": gains,
    }
    table = blocks.Table(
        ("machine", "document", "optimum found", "every start", "how"),
        rows,
        f"The best training likelihoods found, over all the images, exact, and the document's: {notebook.per_image}.",
        note="Each is a lower bound of the true optimum: no training can show that there is none better. "
        + " ".join(
            f"Up to {value['iterations']:,} iterations of L-BFGS from the best machine with {name[1:]} units gained "
            f"{value['gain']:.3f} nats more, which the optimum includes."
            for name, value in gains.items()
        ),
    )
    verdicts = [
        notebook.verdict(
            f"−{abs(SCORES[name].value):.0f} may be a cap on what {words} can reach",
            "section 5",
            against(found[name], SCORES[name]),
            f"A machine of that size reaches {n(found[name])}, {found[name] - SCORES[name].value:.1f} nats better, by "
            "enumeration (no error): tuning, not a cap.",
        )
        for name, words in labels.items()
        if name in SCORES and name != "L5"
    ]
    units, states = _sizes(scale)
    curves = []
    grown: dict[str, Any] = {}
    for name, numbers in (("units", units), ("states", states)):
        train = [max(scores_of(results[f"{name}-{number}"])) for number in numbers]
        held = [results[f"{name}-{number}"].value["held_out"][best(results[f"{name}-{number}"])] for number in numbers]
        grown[name] = {"number": list(numbers), "train": train, "held_out": held}
        words = {"units": "Bernoulli units, exact gradient", "states": "one-hot states, EM"}[name]
        curves.append(Series(f"{words}: training", numbers, train))
        curves.append(Series("held-out", numbers, held, held_out=True))
    notebook.numbers["cap"]["growth"] = grown
    ax = score_against(
        curves,
        xlabel="hidden units, or states of one unit (as many weights)",
        log_x=True,
        ticks=scale.pick((3, 5, 8, 16, 55, 100, 200, 500), (*units, *states)),
        title="The best machine found of each size",
        subtitle="best of the starts; ln Z exact",
    )
    figure = notebook.figure(
        "cap",
        ax,
        "The likelihood of the best machine found for each size, trained on the training images alone. A machine of "
        "<i>L</i> Bernoulli units has 2<sup><i>L</i></sup> hidden states but as many weights as a one-hot unit of "
        "<i>L</i> states.",
        "Likelihood against size for Bernoulli units and for one-hot states, training and held-out.",
    )
    peak = max(range(len(states)), key=lambda i: grown["states"]["held_out"][i])
    growth = blocks.Table(
        ("hidden side", "training", "held out", "training − held out"),
        [
            [f"{number} {'Bernoulli units' if name == 'units' else 'one-hot states'}", n(t), n(h), n(t - h)]
            for name, numbers in (("units", units), ("states", states))
            for number, t, h in zip(numbers, grown[name]["train"], grown[name]["held_out"], strict=True)
        ],
        f"The same in numbers: {notebook.per_image}.",
        note=f"Held-out images like {states[peak]} states best: the mixture of {states[-1]} fits its training images "
        f"{grown['states']['train'][-1] - grown['states']['held_out'][-1]:.1f} nats better than new ones.",
    )
    return blocks.Section(
        "cap",
        "Question 1: a cap, or tuning?",
        [table, *verdicts, figure, growth],
        ("Tuning. " if all(found[k] > SCORES[k].value for k in ("L8", "L55")) and scale.comparable else "")
        + f"Eight units reach {n(found['L8'])}, five {n(found['L5'])} (exact gradient) and 55 one-hot states "
        f"{n(found['L55'])} (EM) on the images that they are trained on. Held out, from {units[0]} to {units[-1]} "
        f"units the score goes from {n(grown['units']['held_out'][0])} to {n(grown['units']['held_out'][-1])}.",
    )


PART = Part("cap", "Question 1: a cap, or tuning?", tasks, section)
