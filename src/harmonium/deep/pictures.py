"""The pictures of a deep run: what it makes of data before and after training, samples, fine-tuning, mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from harmonium import plots
from harmonium.deep.says import network_says
from harmonium.deep.stack import Stack, reconstruction, sample
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.class_pictures import draw_classifier
from harmonium.runs.classifier import classified
from harmonium.runs.inputs import Inputs
from harmonium.runs.pictures import limits_of
from harmonium.start import first_machine

if TYPE_CHECKING:
    from harmonium.deep.finished import DeepRun

_SHOWN, _SAMPLES, _SWEEPS = 12, 64, 1000


def random_stack(stack: Stack, seed: int) -> Stack:
    """A network of the same units with random first weights: what training began from, and what noise looks like."""
    noise = Noise(seed_for(seed, "random stack"))
    machines: list[RBM] = [
        first_machine(rbm.visible, rbm.hidden, noise, weight_start="xavier") for rbm in stack.machines
    ]
    return Stack(tuple(machines))


def regenerations(run: DeepRun, x: Tensor, seed: int) -> dict[str, Tensor]:
    """Rows x (N, V) and what the network makes of them with random, pre-trained and fine-tuned weights."""
    found = {
        "data": x,
        "random": reconstruction(random_stack(run.stack, seed), x),
        "pre-trained": reconstruction(run.stack, x),
    }
    if run.network is not None and run.summary["fine_tuned"]["kind"] == "autoencoder":
        found["fine-tuned"] = run.network(x)
    return found


@torch.no_grad()
def draw_deep(run: DeepRun, inputs: Inputs, folder: Path) -> None:
    """Write regenerations, samples and fine_tuning as PNG; of a classifier confusion, mistakes and reliability too."""
    for _ in _drawn(run, inputs, folder):
        pass


def _drawn(run: DeepRun, inputs: Inputs, folder: Path) -> Iterator[Path]:
    feed, seed, shape = inputs.feed, inputs.config.seed, inputs.data.shape
    noise = Noise(seed_for(seed, "pictures"), dtype=feed.dtype, device=feed.device)
    rows = inputs.rows.held_out if len(inputs.rows.held_out) else inputs.rows.train
    chosen = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))]
    lines = {
        name: feed.pixels.decode(values).double().numpy()
        for name, values in regenerations(run, feed.inputs(chosen[:_SHOWN]).cpu(), seed).items()
    }
    limits = limits_of(feed.pixels, lines["data"])
    entries = shape if lines["data"].shape[1] == int(np.prod(shape)) else None
    sizes = "-".join(map(str, run.stack.sizes))
    yield plots.save(
        plots.image_lines(lines, entries, title=f"Rows, and what {sizes} makes of them", limits=limits),
        folder / "regenerations.png",
    )
    data = feed.pixels.decode(feed.pixel_states(chosen[:_SAMPLES], noise)).cpu().double().numpy()
    chains = Noise(seed_for(seed, "chains"))
    made = feed.pixels.decode(sample(run.stack, len(data), chains, steps=_SWEEPS, means=True)).double().numpy()
    caption = f"{_SWEEPS:,} Gibbs sweeps of the top machine from noise, then once down; means of the last step"
    yield plots.save(
        plots.samples(data, made, shape, caption=caption, limits=limits_of(feed.pixels, data)), folder / "samples.png"
    )
    if run.network is None:
        return
    kind = run.summary["fine_tuned"]["kind"]
    error = ("wrong, %", 100.0) if kind == "classifier" else ("squared error a row", 1.0)
    curves = plots.epochs(
        run.history, {"loss": ("loss, nats a row", 1.0), "error": error}, kept=run.summary["fine_tuned"]["best_epoch"]
    )
    yield plots.save(curves, folder / "fine_tuning.png")
    if kind == "classifier":
        found = classified(inputs, network_says(run.network), run.summary["fine_tuned"]["temperature"])
        if found is not None:
            yield from draw_classifier(inputs, found, folder, shape=shape)
