"""Figures 1 to 4: the data, the scores of the models, and how the three best ones learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from harmonium.config_from import config_from
from harmonium.experiments.mnist_789.document import SCORES
from harmonium.experiments.mnist_789.machines import TABLE_II, TABLE_III
from harmonium.experiments.mnist_789.scales import EVERY
from harmonium.experiments.mnist_789.table import machine_of
from harmonium.experiments.mnist_789.words import spread
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.training import data_of, scores_of
from harmonium.noise import Noise
from harmonium.plots.learning_bands import ModelCurves, learning_bands
from harmonium.plots.picture import show
from harmonium.plots.score_bars import ModelScores, score_bars
from harmonium.plots.style import AMOUNT, new_figure, style
from harmonium.plots.tiles import tiles
from harmonium.report import blocks
from harmonium.runs.inputs import open_inputs

_HOW = (
    "Blue (training): all images, trained on and scored, as in the document. Orange: held-out images, of machines "
    "that were trained on the training images alone. Bars: ± one standard deviation over seeds."
)


def _none(scale: Scale) -> dict[str, Task]:
    return {}


def data_section(results: Results, notebook: Notebook) -> blocks.Section:
    """Figure 1: a sample of the data as the machines see them."""
    config = config_from({**notebook.scale.data, **EVERY, "validation": 0.0})
    inputs = open_inputs(config, data_of(config))
    rows = torch.linspace(0, len(inputs.data) - 1, 60).round().long()
    images = inputs.feed.states(rows, Noise(0)).numpy()
    shape = inputs.data.shape[0], inputs.data.shape[1]
    with style():
        figure = new_figure(height=2.2)
        show(figure.subplots(), tiles(images, shape, 15), AMOUNT, (0.0, 1.0))
    block = notebook.figure(
        "fig1", figure, f"Every {len(inputs.data) // 60:,}th of the {len(inputs.data):,} images, binarised.",
        "Sixty handwritten sevens, eights and nines in black and white.",
    )  # fmt: skip
    return blocks.Section("fig1", "Their figure 1: the data", [block])


def _scores(names: tuple[str, ...]) -> Any:
    def tasks(scale: Scale) -> dict[str, Task]:
        return {f"{name}-{part}": machine_of(scale, name, part) for name in names for part in ("every", "split")}

    return tasks


def _bars(names: tuple[str, ...], results: Results, notebook: Notebook, title: str) -> Any:
    models = []
    for name in names:
        quoted = SCORES.get(name) if notebook.scale.comparable else None
        models.append(
            ModelScores(
                name,
                scores_of(results[f"{name}-every"]),
                scores_of(results[f"{name}-split"], "held_out"),
                None if quoted is None else quoted.value,
                None if quoted is None else quoted.error,
            )
        )
    return score_bars(models, mark_name="the document", title=title)


def models_section(results: Results, notebook: Notebook) -> blocks.Section:
    """Figure 2: the models of Table II."""
    ax = _bars(TABLE_II, results, notebook, "The models of Table II")
    caption = f"Models 0 to 5 with their own settings, at a learning rate of 0.05. {_HOW}"
    block = notebook.figure("fig2", ax, caption, "Six models, each with its scores over seeds.")
    best = max(TABLE_II, key=lambda name: float(np.mean(scores_of(results[f"{name}-every"]))))
    return blocks.Section(
        "fig2", "Their figure 2: the models of the random search", [block],
        f"Model {best} is the best of the six, with {spread(scores_of(results[f'{best}-every']))} nats per image.",
    )  # fmt: skip


def curves_section(results: Results, notebook: Notebook) -> blocks.Section:
    """Figure 3: learning curves with bands over seeds."""
    models, kept = [], {}
    for name in TABLE_III:
        value = results[f"{name}-split"].value
        good = [h for h, lost in zip(value["history"], value["diverged"], strict=True) if not lost]
        epochs = [record["epoch"] for record in good[0]]
        train, held = (np.array([[r[part] for r in history] for history in good]) for part in ("train", "held_out"))
        models.append(ModelCurves(name, epochs, train, held))
        kept[name] = {"epoch": epochs, "train": train.tolist(), "held_out": held.tolist()}
    notebook.numbers["learning_curves"] = kept
    top = max(float(np.max(np.asarray(m.train))) for m in models)
    floor = min(float(np.mean(np.asarray(m.train), 0).min()) for m in models)
    ax = learning_bands(models, log_x=False, ylim=(max(floor, top - 45) - 1, top + 2), title="Learning curves")
    block = notebook.figure(
        "fig3", ax,
        "The machines of Table III: mean and ± one standard deviation over seeds. Solid: training images; dashed: "
        "held-out ones. What lies below the frame is not shown.",
        "Three rising curves with bands.",
    )  # fmt: skip
    return blocks.Section("fig3", "Their figure 3: learning curves", [block])


def best_section(results: Results, notebook: Notebook) -> blocks.Section:
    """Figure 4: the three best models."""
    ax = _bars(TABLE_III, results, notebook, "The machines of Table III")
    block = notebook.figure("fig4", ax, _HOW, "Three machines with their scores, the document's beside them.")
    return blocks.Section("fig4", "Their figure 4: the three best machines", [block])


FIG1 = Part("fig1", "Their figure 1: the data", _none, data_section)
FIG2 = Part("fig2", "Their figure 2: the models of the random search", _scores(TABLE_II), models_section)
FIG3 = Part("fig3", "Their figure 3: learning curves", _scores(TABLE_III), curves_section)
FIG4 = Part("fig4", "Their figure 4: the three best machines", _scores(TABLE_III), best_section)
