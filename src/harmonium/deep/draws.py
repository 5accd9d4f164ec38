"""Samples of a finished deep run: an array, and a picture of it beside the data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harmonium import plots
from harmonium.deep.folder import DeepFolder
from harmonium.deep.reopen import load_deep
from harmonium.deep.stack import sample
from harmonium.deep.train import open_deep
from harmonium.errors import InputError
from harmonium.noise import Noise, seed_for
from harmonium.runs.draws import Drawn, check_target, write_samples
from harmonium.runs.pictures import limits_of
from harmonium.runs.source import load_config_data
from harmonium.sampling import check_sampling

_SHOWN = 64


@torch.no_grad()
def draw_deep_samples(
    path: str | os.PathLike[str],
    *,
    number: int = 64,
    steps: int | None = None,
    start: str = "noise",
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    **others: Any,
) -> Drawn:
    """Samples of the network: Gibbs chains of its top machine, once down; stored as `harmonium.runs.draws` does.

    Raises InputError for options of single machines, and where the data to start from or to show are not there.
    """
    given = {"method": ("auto", "gibbs"), "temperature": (1.0,), "weight_factor": (1.0,)}
    for name, value in others.items():
        if value not in given.get(name, (None, "")):
            raise InputError(
                f"{name}={value!r} is for one machine, and {path} holds a network; leave it out, or sample one of its "
                f"machines, such as {Path(path) / 'layer-1'}."
            )
    if out is not None:
        check_target(Path(out))
    sweeps = 1000 if steps is None else steps
    check_sampling(number, sweeps, 1.0, 1.0, seed)
    run = load_deep(path)
    config, deep = DeepFolder(path).read_config()
    inputs = open_deep(config, deep, load_config_data(config))
    feed, noise = inputs.feed, Noise(seed_for(seed, "samples"))
    drawn = Noise(seed_for(seed, "shown rows"), dtype=feed.dtype, device=feed.device)
    rows = inputs.rows.held_out if len(inputs.rows.held_out) else inputs.rows.train
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed_for(seed, "rows")))
    v = None
    if start == "data":
        v = feed.pixel_states(rows[order[torch.arange(number) % len(rows)]], drawn).cpu()
    states = sample(run.stack, number, noise, steps=sweeps, start=v)
    columns = feed.pixels.decode(states).numpy().astype(np.float32)
    words = [start, str(sweeps), *([f"n{number}"] if number != _SHOWN else []), *([f"seed{seed}"] if seed else [])]
    target = Path(out) if out is not None else Path(path) / "samples" / ("-".join(words) + ".npy")
    beside = feed.pixels.decode(feed.pixel_states(rows[order[:_SHOWN]], drawn)).cpu().double().numpy()
    begun = "held-out rows" if v is not None else "independent noise"
    figure = plots.samples(
        beside, columns, inputs.data.shape, limits=limits_of(feed.pixels, beside), maximum=_SHOWN,
        caption=f"{sweeps:,} Gibbs sweeps of the top machine from {begun}, then once down",
    )  # fmt: skip
    picture = write_samples(target, columns, figure)
    return Drawn(columns, target, picture, "gibbs", None, {}, None)
