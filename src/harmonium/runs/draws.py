"""Samples of a finished run: an array, and a picture of it beside the data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonium import plots
from harmonium.errors import HarmoniumError, InputError
from harmonium.io import written_aside
from harmonium.noise import Noise, seed_for
from harmonium.runs.inputs import Inputs
from harmonium.runs.pictures import limits_of, picture_columns
from harmonium.runs.reopen import Opened, reopen
from harmonium.sampling import check_sampling, entries_of, region, sample

_SHOWN = 64


@dataclass(frozen=True, eq=False)
class Drawn:
    """Samples of a run: data columns (number, columns), the label last where there is one; and their files."""

    samples: np.ndarray
    path: Path
    picture: Path


def draw_samples(
    path: str | os.PathLike[str],
    *,
    number: int = 64,
    steps: int = 1000,
    start: str = "noise",
    clamp: str = "",
    temperature: float = 1.0,
    weight_factor: float = 1.0,
    seed: int = 0,
    data: Any = None,
    out: str | os.PathLike[str] | None = None,
    **changes: Any,
) -> Drawn:
    """Sample from a run, and store an array (.npy) with a picture of it beside.

    `start` is noise or data; `clamp` holds the upper, lower, left or right half of held-out rows fixed.  `data`, with
    `changes` as in `evaluate`, replaces the run's own data.  Raises InputError for options that do not fit.
    """
    if start not in ("noise", "data"):
        raise InputError(f"start must be noise or data, not {start!r}.")
    check_sampling(number, steps, temperature, weight_factor, seed)
    opened = reopen(path)
    words = [clamp or start, f"{steps}"]
    words += [f"T{temperature:g}"] if temperature != 1 else []
    words += [f"x{weight_factor:g}"] if weight_factor != 1 else []
    target = Path(out) if out is not None else opened.folder.path / "samples" / ("-".join(words) + ".npy")
    if target.suffix != ".npy":
        raise InputError(f"out={target} must end in .npy; the picture goes beside it.")
    given = mask = None
    if start == "data" or clamp:
        mask = entries_of(region(opened.shape, clamp), opened.rbm.visible) if clamp else None
        given = _rows(opened.inputs(data, **changes), number, seed)
    shown = given if given is not None else _rows_beside(opened, min(number, _SHOWN), seed, data, changes)
    states = sample(
        opened.rbm, number, steps, start=given, clamp=mask, temperature=temperature, weight_factor=weight_factor,
        seed=seed,
    )  # fmt: skip
    columns = opened.rbm.visible.decode(states).cpu().numpy().astype(np.float32)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarmoniumError(
            f"the folder {target.parent} cannot be made: {error.strerror}; choose another out."
        ) from None
    with written_aside(target) as file:
        np.save(file, columns)
    caption = f"{steps:,} Gibbs sweeps from {'held-out rows' if given is not None else 'independent noise'}"
    caption += f", {clamp} half held fixed" if clamp else ""
    caption += f", temperature {temperature:g}" if temperature != 1 else ""
    caption += f", weights times {weight_factor:g}" if weight_factor != 1 else ""
    picture = plots.save(_picture(opened, states, shown, clamp, caption), target.with_suffix(".png"))
    return Drawn(columns, target, picture)


def _rows(inputs: Inputs, number: int, seed: int) -> Tensor:
    """Held-out rows where there are any, chosen with the seed: (number, V)."""
    rows = inputs.rows.held_out if len(inputs.rows.held_out) else inputs.rows.train
    if number > len(rows):
        raise InputError(
            f"number={number} is more than the {len(rows)} rows that are there to start from; ask for fewer."
        )
    chosen = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:number]]
    feed = inputs.feed
    return feed.states(chosen, Noise(seed_for(seed, "rows"), dtype=feed.dtype, device=feed.device))


def _rows_beside(opened: Opened, number: int, seed: int, data: Any, changes: dict[str, Any]) -> Tensor | None:
    """Rows to show beside samples from noise; None where the data are out of reach, unless they were asked for."""
    try:
        inputs = opened.inputs(data, **changes)
        return _rows(inputs, min(number, len(inputs.rows.held_out) or len(inputs.rows.train)), seed)
    except HarmoniumError:
        if data is not None:
            raise
        return None


def _picture(opened: Opened, states: Tensor, shown: Tensor | None, clamp: str, caption: str) -> Any:
    labelled = opened.labelled
    columns = picture_columns(opened.rbm.visible, states, labelled)
    rows = None if shown is None else picture_columns(opened.rbm.visible, shown, labelled)
    limits = limits_of(opened.pixels, columns if rows is None else np.concatenate([rows, columns]))
    if not clamp or rows is None:
        return plots.samples(rows, columns, opened.shape, caption=caption, limits=limits)
    held = np.where(region(opened.shape, clamp).numpy(), rows, np.nan)
    return plots.completions(rows, held, columns, opened.shape, caption=caption, limits=limits)
