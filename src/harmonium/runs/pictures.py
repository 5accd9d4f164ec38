"""The pictures of a run, drawn from its machine, history and data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonium import plots
from harmonium.data.labels import UNLABELLED
from harmonium.evaluate.labels import class_counts, frequencies_score
from harmonium.evaluate.likelihood import baseline_score
from harmonium.feed import pixel_side
from harmonium.gibbs import start_visible, sweep
from harmonium.logz.exact import MOST_STATES, sample_v_exactly
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.class_pictures import draw_classifier
from harmonium.runs.classifier import classified, fitted_temperature, machine_says
from harmonium.runs.judged import LABELS, judged
from harmonium.runs.plan import Plan
from harmonium.units import OneHot, UnitFamily

_SHOWN, _SWEEPS, _ACTIVATION_ROWS = 64, 1000, 2000


def picture_columns(side: UnitFamily, x: Tensor, labelled: bool) -> np.ndarray:
    """States (n, size) as the columns that a person looks at (n, columns); a label behind them is left out."""
    pixels = pixel_side(side, labelled)
    return np.asarray(pixels.decode(x[:, : pixels.size]).cpu().double().numpy())


def limits_of(side: UnitFamily, values: np.ndarray) -> tuple[float, float]:
    """White and black of a picture of these values: the ends of what the units take, where it has ends."""
    if isinstance(side, OneHot):
        return (-1.0 if side.none else 0.0), max(side.q - 1.0, 1.0)
    if side.name in ("ising", "multivalued", "interval", "sparse"):
        return -1.0, 1.0
    if side.name == "bernoulli":
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return low, max(high, low + 1e-6)


@torch.no_grad()
def draw(plan: Plan, rbm: RBM, history: list[dict[str, Any]], folder: Path) -> Iterator[Path]:
    """Write learning_curve, weights, biases, hidden_activations and samples as PNG; yields their paths.

    With a target confusion, mistakes and reliability too; no samples where the inputs' distribution is not learned.
    """
    feed, config = plan.feed, plan.config
    pixels = feed.pixels
    shape = plan.data.shape
    rows = plan.rows.train
    noise = Noise(seed_for(config.seed, "pictures"), dtype=feed.dtype, device=feed.device)
    labels = _labels(plan)

    def save(figure: Any, name: str) -> Path:
        return plots.save(figure, folder / f"{name}.png")

    if len(history) > 1:
        yield save(_learning_curve(plan, history), "learning_curve")

    entries = shape if pixels.size == int(np.prod(shape)) else (pixels.size,)
    W = rbm.W[: pixels.size].mT.cpu().double().numpy()
    yield save(plots.weights(W, entries), "weights")
    a, b = rbm.a[0].cpu().double().numpy(), rbm.b[0].cpu().double().numpy()
    if config.aim == "discriminative":  # which has nothing to learn of the inputs' biases
        yield save(plots.biases(a[pixels.size :], b, name="label"), "biases")
    else:
        yield save(plots.biases(a[: pixels.size], b, entries), "biases")

    chosen = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(config.seed))]
    seen = chosen[:_ACTIVATION_ROWS].sort().values
    mean_h = rbm.hidden.mean(rbm.eta_h_from_v(feed.states(seen, noise).to(rbm.W)))[:, 0].cpu().double().numpy()
    own = None if labels is None else labels[seen.numpy()]
    limits = activation_limits(rbm.hidden, mean_h)
    states = rbm.hidden.q if isinstance(rbm.hidden, OneHot) else 0
    yield save(plots.hidden_activations(mean_h, own, limits=limits, states=states), "hidden_activations")

    labelled = feed.y is not None
    if labelled:
        says = machine_says(rbm)
        temperature = fitted_temperature(plan, says)
        found = classified(plan, says, None if temperature is None else temperature.value)
        if found is not None:
            yield from draw_classifier(plan, found, folder, shape=shape)
    if config.aim == "discriminative":
        return
    data = picture_columns(feed.side, feed.states(chosen[:_SHOWN], noise), labelled)
    if (rbm.hidden.n_states or math.inf) <= MOST_STATES:
        states_v, caption = sample_v_exactly(rbm, _SHOWN, noise), "independent samples, exact"
    else:
        states_v = sweep(rbm, start_visible(rbm, _SHOWN, noise), noise, _SWEEPS)
        caption = f"{_SWEEPS:,} Gibbs sweeps from independent noise"
    made = picture_columns(feed.side, states_v, labelled)
    limits = limits_of(pixels, data)
    yield save(plots.samples(data, made, shape, caption=caption, limits=limits), "samples")


def _learning_curve(plan: Plan, history: list[dict[str, Any]]) -> Any:
    """What the run is judged by, beside what it must beat."""
    feed, rows, judge = plan.feed, plan.rows.train, judged(plan.config)
    if judge is LABELS:
        baseline = frequencies_score(feed, class_counts(feed, rows), rows).log_p
    else:
        baseline = baseline_score(plan.base, feed, rows, seed=plan.config.seed).value
    return plots.learning_curve(
        judge.curve(history), baseline=baseline, quantity=judge.words, against=judge.baseline_words,
        method=history[-1].get("method"),
    )  # fmt: skip


def _labels(plan: Plan) -> np.ndarray | None:
    """The label of each row as a reader knows it, where every row has one."""
    y, names = plan.data.y, plan.data.names
    if y is None or bool((np.asarray(y) == UNLABELLED).any()):
        return None
    return np.asarray(y) if names is None else np.asarray(names)[y]


def activation_limits(side: UnitFamily, mean_h: np.ndarray) -> tuple[float, float]:
    """The range of a hidden unit's mean."""
    if side.name in ("bernoulli", "onehot"):
        return 0.0, 1.0
    if side.name in ("ising", "multivalued", "interval", "sparse"):
        return -1.0, 1.0
    reach = float(np.abs(mean_h).max()) or 1.0
    return -reach, reach
