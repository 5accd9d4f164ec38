"""Figures 5 and 6: what the hidden units have learned, and which of their states the digits call up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harmonium.config_from import config_from
from harmonium.evaluate.hidden_moments import activation_by_class, hidden_correlation, model_hidden_correlation
from harmonium.evaluate.hidden_states import hidden_state_distribution, one_hot_use
from harmonium.experiments.mnist_789.document import STATES_USED
from harmonium.experiments.mnist_789.machines import TABLE_III, mixture
from harmonium.experiments.mnist_789.scales import EVERY
from harmonium.experiments.mnist_789.table import NEAREST, machine_of, onehot_machine
from harmonium.experiments.mnist_789.words import n
from harmonium.experiments.statistics import Interval, mean, minus
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.training import best, data_of, machine, training
from harmonium.noise import Noise
from harmonium.plots.class_activity import class_activity
from harmonium.plots.hidden_correlation import hidden_correlation as draw_correlation
from harmonium.plots.hidden_states import hidden_states as draw_states
from harmonium.plots.parameters import parameters
from harmonium.report import blocks
from harmonium.runs.inputs import open_inputs
from harmonium.units import OneHot


def analysis(name: str, task: Task, scale: Scale) -> Task:
    """The task of looking at the hidden units of all machines of another task, over all images."""
    return Task(
        f"hidden-{name}", f"{__name__}:analyse", {"options": {**scale.data, **EVERY}}, {"machines": task},
        scale.pick(4, 1),
    )  # fmt: skip


def analyse(folder: Path, needs: Mapping[str, Done], *, options: dict[str, Any]) -> dict[str, Any]:
    """Activations, states, entropies and correlations; of every machine the entropies, of the best one all."""
    config = config_from({**options, "validation": 0.0})
    inputs = open_inputs(config, data_of(config))
    v = inputs.feed.states(torch.arange(len(inputs.data)), Noise(0))
    labels = inputs.data.y
    source = needs["machines"]
    found: dict[str, Any] = {"seeds": []}
    chosen = best(source)
    for number, lost in enumerate(source.value["diverged"]):
        if lost:
            continue
        rbm = machine(source, number)
        states = hidden_state_distribution(rbm, v, labels)
        one: dict[str, Any] = {
            "entropy": states.entropy.nats,
            "effective": states.entropy.effective,
            "in_use": states.in_use,
            "class_entropy": [entropy.nats for entropy in states.class_entropy],
            "top": [states.names[int(row.argmax())] for row in states.by_class],
            "top_share": [float(row.max()) for row in states.by_class],
        }
        if isinstance(rbm.hidden, OneHot):
            use = one_hot_use(rbm, v)
            one |= {"winners": use.winners, "used": use.used, "states": rbm.hidden.q}
        found["seeds"].append(one)
        if number == chosen:
            activity = activation_by_class(rbm, v, labels)
            found |= {
                "best": len(found["seeds"]) - 1, "names": states.names, "by_class": states.by_class.tolist(),
                "classes": list(states.classes), "mean": activity.mean.tolist(), "stderr": activity.stderr.tolist(),
                "correlation": _listed(hidden_correlation(rbm, v)),
                "correlation_of_machine": _listed(model_hidden_correlation(rbm)),
            }  # fmt: skip
    return found


def _listed(matrix: torch.Tensor) -> list[list[float | None]]:
    """A matrix for JSON; null where a unit is constant."""
    return [[value if np.isfinite(value) else None for value in row] for row in matrix.tolist()]


def _matrix(rows: list[list[float | None]]) -> np.ndarray:
    return np.array([[np.nan if value is None else value for value in row] for row in rows])


def _parameters(result: Done, shape: tuple[int, int], title: str) -> Any:
    rbm = machine(result, best(result))
    return parameters(rbm.W.mT.numpy(), rbm.a[0].numpy(), rbm.b[0].numpy(), shape, title=title)


def _shape(scale: Scale) -> tuple[int, int]:
    shape: tuple[int, int] = scale.pick((28, 28), (8, 8))
    return shape


# ---- figure 5 -----------------------------------------------------------------------------------------------------


def l55_tasks(scale: Scale) -> dict[str, Task]:
    """L55 and the same with 100 states, by sampling; mixtures of both sizes by EM; and their states."""
    trained = machine_of(scale, "L55")
    options = {**onehot_machine(scale).arguments["options"], "hidden": "onehot:100"}
    found = {
        "L55": trained,
        "L100": training("L100-every", options, 1, scale.pick(110, 2)),
        "EM 55": mixture(scale, 55, scale.pick(3, 2)),
        "EM 100": mixture(scale, 100, 1),
    }
    return found | {f"{name} states": analysis(name.replace(" ", "-"), task, scale) for name, task in found.items()}


def l55_section(results: Results, notebook: Notebook) -> blocks.Section:
    """The weights of L55, and how many of its states are used."""
    figure = _parameters(results["L55"], _shape(notebook.scale), "L55: biases and weights")
    picture = notebook.figure(
        "fig5", figure,
        "The best L55: the visible bias, and the weights of each state, all on one scale; above each its hidden "
        "bias. Red pixels are made likelier by the state, blue ones less likely.",
        "A mosaic of 56 small images in red and blue.",
    )  # fmt: skip
    rows, kept = [], {}
    for name in ("L55", "L100", "EM 55", "EM 100"):
        seeds = results[f"{name} states"].value["seeds"]
        kept[name] = {key: [one[key] for one in seeds] for key in ("states", "winners", "used", "effective")}
        states = seeds[0]["states"]
        quoted = STATES_USED.get(states) if name.startswith("L") and notebook.scale.comparable else None
        rows.append(
            [name, states, "–" if quoted is None else str(quoted), ", ".join(str(one["used"]) for one in seeds),
             ", ".join(str(one["winners"]) for one in seeds), ", ".join(f"{one['effective']:.1f}" for one in seeds)]
        )  # fmt: skip
    notebook.numbers["states_used"] = kept
    table = blocks.Table(
        ("machine", "states", "document", "used", "win an image", "effective"), rows,
        "How many states of a one-hot unit are used, each seed.",
        note="<b>Used</b>: with more than 1 % of an even share of the images. <b>Win an image</b>: the most probable "
        "state of at least one. <b>Effective</b>: exp of the entropy of the states over all images. L55 and L100 by "
        f"CD-1 with {NEAREST}, EM by expectation-maximisation.",
    )  # fmt: skip
    verdicts = []
    for name, states in (("L55", 55), ("L100", 100)):
        used = kept[name]["used"]
        few = max(used) < states
        verdicts.append(
            notebook.verdict(
                f"of {states} states only {STATES_USED[states]} are activated", "section 4",
                "confirmed" if few and abs(np.mean(used) - STATES_USED[states]) <= 0.1 * states
                else "partly" if few else "contradicted",
                f"Used are {', '.join(map(str, used))} (by seed); by expectation-maximisation "
                f"{', '.join(map(str, kept[f'EM {states}']['used']))}.",
            )
        )  # fmt: skip
    return blocks.Section("fig5", "Their figure 5: the states of the one-hot machine", [picture, *verdicts, table])


# ---- figure 6 -----------------------------------------------------------------------------------------------------


def states_tasks(scale: Scale) -> dict[str, Task]:
    """The hidden units of L5, L8 and L55."""
    found = {}
    for name in TABLE_III:
        found[name] = machine_of(scale, name)
        found[f"{name} states"] = analysis(name, found[name], scale)
    return found


def states_section(results: Results, notebook: Notebook) -> blocks.Section:
    """L5 in full, as in the document; the states of the other two; entropies of all."""
    shown: list[blocks.Block] = []
    figure = _parameters(results["L5"], _shape(notebook.scale), "L5: biases and weights")
    shown.append(
        notebook.figure("fig6a", figure, "The best L5: the visible bias and the weights of each unit, on one scale.",
                        "Six small images in red and blue.")
    )  # fmt: skip
    five = results["L5 states"].value
    classes = five["classes"]
    figure = class_activity(five["mean"], classes, five["stderr"], limits=(0, 1), title="L5: how often a unit is on")
    caption = "Mean activation of each hidden unit over the images of each digit, with its 95 % interval."
    shown.append(notebook.figure("fig6b-units", figure, caption, "Bars of five units, a panel for each digit."))
    for name in TABLE_III:
        value = results[f"{name} states"].value
        one = value["seeds"][value["best"]]
        notes = [f"{np.exp(entropy):.1f} effective states" for entropy in one["class_entropy"]]
        figure = draw_states(value["by_class"], value["names"], classes, notes=notes, title=f"{name}: hidden states")
        caption = (
            f"How often each hidden state of {name} stands for the images of each digit: the average of p(<i>h</i>|"
            "<i>v</i>), exact." + (" A state is named by its units, 1 for on, unit 0 first." if name != "L55" else "")
        )
        shown.append(notebook.figure(f"fig6b-states-{name}", figure, caption, f"Histograms of the states of {name}."))
    figure = draw_correlation(
        {name: _matrix(results[f"{name} states"].value["correlation"]) for name in ("L5", "L8")}
        | {"L8, its own distribution": _matrix(results["L8 states"].value["correlation_of_machine"])},
        title="Correlation of the hidden units",
    )
    caption = (
        "Correlations between the hidden units over the images and, on the right, under the machine's own distribution."
    )
    shown.append(
        notebook.figure("fig6-correlation", figure, caption, "Three matrices of correlations in red and blue.")
    )
    rows, kept = [], {}
    for name in TABLE_III:
        seeds = results[f"{name} states"].value["seeds"]
        by_class = np.array([one["class_entropy"] for one in seeds])
        kept[name] = {"class_entropy": by_class.tolist(), "entropy": [one["entropy"] for one in seeds],
                      "top": [one["top"] for one in seeds]}  # fmt: skip
        rows.append(
            [
                name,
                *(str(mean(column.tolist())) for column in by_class.T),
                str(mean([one["entropy"] for one in seeds])),
            ]
        )
    notebook.numbers["hidden_states"] = kept
    table = blocks.Table(
        ("machine", *map(str, classes), "all"), rows,
        "Entropy of the hidden states for the images of each digit, in nats.",
        note="Mean over seeds with its 95 % interval. A machine that always answers a digit with one state has 0 "
        "there.",
    )  # fmt: skip
    verdicts = [_least_diverse(kept["L5"], notebook), _resting_state(results, notebook)]
    return blocks.Section("fig6", "Their figure 6: what the hidden units do", [*verdicts, table, *shown])


def _least_diverse(five: Mapping[str, Any], notebook: Notebook) -> blocks.Verdict:
    """8 the least, then 9, then 7: by the entropies, paired within each seed."""
    seven, eight, nine = np.array(five["class_entropy"]).T
    steps = [mean((nine - eight).tolist()), mean((seven - nine).tolist())]
    order = all(step.low > 0 for step in steps)
    wrong = any(step.high < 0 for step in steps)

    def said(step: Interval) -> str:
        return minus(f"{step.value:+.2f} ± {step.half_width:.2f}")

    return notebook.verdict(
        "in L5 the 8 has the least diverse hidden states, then the 9, and the 7 the most", "section 4",
        "confirmed" if order else "contradicted" if wrong else "undecided",
        f"Entropy of the states, paired within each of {len(seven)} seeds: 9 less 8 {said(steps[0])} nats, 7 less 9 "
        f"{said(steps[1])} nats.",
    )  # fmt: skip


def _resting_state(results: Results, notebook: Notebook) -> blocks.Verdict:
    """The 8 is drawn by the bias alone: all units off."""
    seeds = results["L5 states"].value["seeds"]
    off = "0" * len(seeds[0]["top"][1])
    hits = sum(one["top"][1] == off for one in seeds)
    shares = ", ".join(f"{one['top'][1]} ({n(100 * one['top_share'][1], 0)} %)" for one in seeds)
    return notebook.verdict(
        "L5 mostly draws the 8 with no hidden unit on, since the bias already shows it", "section 5",
        "confirmed" if hits == len(seeds) else "contradicted" if not hits else "partly",
        f"The most frequent state of the 8 is {off} in {hits} of {len(seeds)} seeds: {shares}.",
    )  # fmt: skip


FIG5 = Part("fig5", "Their figure 5: the states of the one-hot machine", l55_tasks, l55_section)
FIG6 = Part("fig6", "Their figure 6: what the hidden units do", states_tasks, states_section)
