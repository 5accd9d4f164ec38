"""Who said what: test recordings of the data set's own split, all speakers known."""

from __future__ import annotations

import numpy as np

from harmonium import plots
from harmonium.deep.config import DeepConfig
from harmonium.evaluate.proportion import Proportion
from harmonium.experiments.statistics import mean
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.voice.machines import DISCRIMINATIVE, KINDS, LAYERS, NETWORK, task
from harmonium.experiments.words import interval, n
from harmonium.report import blocks

SEEDS = 3
#: At most so many per cent of the test recordings are to be taken for another word.
MARK = 3.0
WORDS = {
    "network": "deep network, pre-trained and fine-tuned", "discriminative": "one machine, discriminative",
    "logistic": "logistic regression",
}  # fmt: skip


def seeds(kind: str) -> int:
    """Trainings of a kind; logistic regression has one outcome."""
    return 1 if kind == "logistic" else SEEDS


def tasks(scale: Scale) -> dict[str, Task]:
    """A task a kind and seed."""
    return {f"{kind}-{seed}": task(scale, kind, "own", seed) for kind in KINDS for seed in range(seeds(kind))}


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Errors of the three kinds, and what the network takes for what."""
    scale = notebook.scale
    every = {kind: [results[f"{kind}-{seed}"].value for seed in range(seeds(kind))] for kind in KINDS}
    errors = {kind: [100 * one["error"] for one in values] for kind, values in every.items()}
    rows = []
    for kind, values in every.items():
        first = Proportion(values[0]["wrong"], values[0]["of"])
        rows.append([
            WORDS[kind], interval(mean(errors[kind]), 2) if len(values) > 1 else n(errors[kind][0]),
            ", ".join(n(error) for error in errors[kind]), f"{100 * first.low:.1f} to {100 * first.high:.1f}",
            n(np.mean([one["seconds"] for one in values]) / 60, 1),
        ])  # fmt: skip
    of = every["network"][0]["of"]
    table = blocks.Table(
        ("classifier", "error, %", "every seed", "first seed, by the recordings", "minutes"), rows,
        f"Test recordings taken for another word: mean over seeds with its 95 % interval, every seed, and the 95 % "
        f"interval of the first seed's share of {of} recordings (Clopper and Pearson); minutes of one training.",
        note=_how(scale, every["network"][0]["train_recordings"]),
    )  # fmt: skip
    notebook.numbers["split"] = {
        "errors": errors, "mark": MARK, "of": of,
        "seconds": {kind: [one["seconds"] for one in values] for kind, values in every.items()},
        "threads": every["network"][0]["threads"],
    }  # fmt: skip
    labels = sorted({*every["network"][0]["own"]})
    counts = np.zeros((len(labels), len(labels)))
    for one in every["network"]:
        np.add.at(counts, (np.array(one["own"]), np.array(one["said"])), 1)
    figure = notebook.figure(
        "confusion", plots.confusion(counts, labels, title="What the network takes for what"),
        f"Test recordings of {len(every['network'])} seeds together: the word said (down) and the word heard (across).",
        "A table of counts with nearly all of them on its diagonal.",
    )  # fmt: skip
    return blocks.Section("split", TITLE, [table, figure], _lead(errors, scale))


def _lead(errors: dict[str, list[float]], scale: Scale) -> str:
    own = mean(errors["network"]).value
    verb = "reaches" if own <= MARK else "misses"
    mark = f", which {verb} the mark of {MARK:g} %" if scale.comparable else ""
    others = "; ".join(f"{WORDS[kind]} {n(mean(errors[kind]).value)} %" for kind in KINDS if kind != "network")
    return f"The deep network takes {n(own)} % of the test recordings for another word{mark}; {others}."


def _how(scale: Scale, train: int) -> str:
    deep = DeepConfig(layers=NETWORK["layers"], layer_options=NETWORK["layer_options"])
    own = [{"epochs": NETWORK["epochs"], **deep.changes[number]} for number in (1, 2)]
    rates = [f"{one['learning_rate']} ({one['epochs']} epochs)" for one in own]
    return (
        f"{train:,} recordings to train on. The network: {NETWORK['layers'].replace(',', ' and ')} Bernoulli units on "
        f"Gaussian ones of variance 1, CD-1 with Adam in minibatches of {LAYERS['batch_size']} at rates "
        f"{' and '.join(rates)}; then {NETWORK['fine_tune_epochs']} epochs of backpropagation at rate "
        f"{NETWORK['fine_tune_rate']:g} with dropout {NETWORK['dropout'].replace(',', ' of the inputs and ')} of the "
        "hidden units. The single machine: "
        f"{DISCRIMINATIVE['hidden']}, {DISCRIMINATIVE['epochs']} epochs of Adam at rate "
        f"{DISCRIMINATIVE['learning_rate']:g}, L2 {DISCRIMINATIVE['l2']:g}. Logistic regression: C by five-fold "
        "cross-validation. What the features are made of (trimming, frames, bands) was chosen by cross-validation on "
        "training recordings with logistic regression, after about a dozen settings had been looked at on the test "
        "recordings, too, so that all three errors may be a little low; nothing else was chosen by them."
        + (" The short form has fewer units and epochs." if scale.quick else "")
    )


TITLE = "How well are known voices understood?"
PART = Part("split", TITLE, tasks, section)
