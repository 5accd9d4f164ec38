"""What a machine makes: the last states of long chains from noise, beside test images."""

from __future__ import annotations

import numpy as np

from harmonium import plots
from harmonium.experiments.records.scales import hidden_units, open_inputs, options
from harmonium.experiments.study import Notebook, Scale
from harmonium.experiments.tasks import Done
from harmonium.report import blocks


def samples(done: Done, size: str, scale: Scale, notebook: Notebook) -> list[blocks.Block]:
    """The figure, and whether the chains have mixed."""
    made, value = np.load(done.folder / "samples.npy"), done.value
    inputs = open_inputs(options(scale, size, 0))
    real = inputs.feed.inputs(inputs.rows.held_out[: len(made)]).numpy()
    shape = inputs.data.shape[0], inputs.data.shape[1]
    figure = notebook.figure(
        f"samples-{size}",
        plots.samples(
            real, made, shape, limits=(0.0, 1.0), maximum=len(made),
            caption=f"{value['sweeps']:,} Gibbs sweeps from noise, and the means of the last one",
        ),
        f"Test images, and {value['samples']} samples of the machine with {hidden_units(scale, size):,} hidden units, "
        "seed 0, none left out.",
        "Two mosaics of digits: real ones and generated ones.",
    )  # fmt: skip
    said = value["verdict"]
    text = f"Of the second half of these chains, {len(made)} side by side: {said[0].lower()}{said[1:]}" if said else ""
    notebook.numbers[f"samples-{size}"] = value
    return [figure, *([blocks.Text(text)] if text else [])]
