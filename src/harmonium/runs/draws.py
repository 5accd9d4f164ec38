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
from harmonium.diagnostics import Mixing, diagnose
from harmonium.errors import HarmoniumError, InputError
from harmonium.io import written_aside
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.inputs import Inputs
from harmonium.runs.judged import inputs_not_learned
from harmonium.runs.pictures import limits_of, picture_columns
from harmonium.runs.reopen import Opened, reopen
from harmonium.samplers import SAMPLERS, automatic
from harmonium.sampling import check_sampling, draw, entries_of, region

_NUMBER, _SHOWN = 64, 64
_SWEEPS = 1000
_CAPTIONS = {
    "gibbs": "{sweeps:,} Gibbs sweeps from {start}",
    "tempering": "{sweeps:,} sweeps of parallel tempering",
    "trajectory": "{sweeps:,} sweeps of parallel tempering along the training",
    "exact": "independent samples, exact",
}


@dataclass(frozen=True, eq=False)
class Drawn:
    """Samples of a run: data columns (number, columns), the label last where there is one; and their files.

    `method` drew them; `mixing` says whether its chains agree (None: independent, or too short to tell), `facts` what
    else there is to know, and `warning` what to do where they do not; `note` is what to know of any sample of this run.
    """

    samples: np.ndarray
    path: Path
    picture: Path
    method: str
    mixing: Mixing | None
    facts: dict[str, float]
    warning: str | None
    note: str = ""


def draw_samples(
    path: str | os.PathLike[str],
    *,
    number: int = _NUMBER,
    steps: int | None = None,
    method: str = "auto",
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

    Without `out` the file is named after all that decides what is drawn, as far as it is not the default, and by
    "other" where the chains start from other data: the same file is written again by the same samples only.

    `method` is one of `harmonium.samplers.SAMPLERS`, or auto: exact where hidden states can be listed in seconds and
    neither `steps` (1000 otherwise), a start nor clamped entries ask for Gibbs chains, else gibbs.  `start` is noise or
    data (with method gibbs); `clamp` holds the upper, lower, left or right half of held-out rows fixed.  `data`, with
    `changes` as in `evaluate`, replaces the run's own data.  Raises InputError for options that do not fit.
    """
    if start not in ("noise", "data"):
        raise InputError(f"start must be noise or data, not {start!r}.")
    sweeps = _SWEEPS if steps is None else steps
    check_sampling(number, sweeps, temperature, weight_factor, seed)
    if method not in (known := ("auto", *SAMPLERS)):
        raise InputError(f"method must be one of {', '.join(known)}, not {method!r}.")
    opened = reopen(path)
    if method == "auto":
        method = automatic(opened.rbm, started=start == "data", clamped=bool(clamp), steps=steps)
    snapshots = _snapshots(opened) if method == "trajectory" else None
    words = ["exact"] if method == "exact" else [*([method] if method != "gibbs" else []), clamp or start, f"{sweeps}"]
    other = (data is not None or bool(changes)) and (start == "data" or bool(clamp))
    words += [f"T{temperature:g}"] if temperature != 1 else []
    words += [f"x{weight_factor:g}"] if weight_factor != 1 else []
    words += [f"n{number}"] if number != _NUMBER else []
    words += [f"seed{seed}"] if seed else []
    words += ["other"] if other else []
    target = Path(out) if out is not None else opened.folder.path / "samples" / ("-".join(words) + ".npy")
    check_target(target)
    given = mask = None
    if start == "data" or clamp:
        mask = entries_of(region(opened.shape, clamp), opened.rbm.visible) if clamp else None
        given = _rows(opened.inputs(data, **changes), number, seed)
    shown = given if given is not None else _rows_beside(opened, min(number, _SHOWN), seed, data, changes)
    drawn = draw(
        opened.rbm, number, sweeps, method=method, start=given, clamp=mask, snapshots=snapshots,
        base=_base(opened, method), temperature=temperature, weight_factor=weight_factor, seed=seed,
    )  # fmt: skip
    states = drawn.v
    mixing = None if drawn.series is None else diagnose(drawn.series)
    columns = opened.rbm.visible.decode(states).cpu().numpy().astype(np.float32)
    caption = _CAPTIONS[method].format(
        sweeps=sweeps, start="held-out rows" if given is not None else "independent noise"
    )
    caption += f", {clamp} half held fixed" if clamp else ""
    caption += f", temperature {temperature:g}" if temperature != 1 else ""
    caption += f", weights times {weight_factor:g}" if weight_factor != 1 else ""
    picture = write_samples(target, columns, _picture(opened, states, shown, clamp, caption))
    return Drawn(
        columns, target, picture, method, mixing, dict(drawn.facts), _warning(method, sweeps, mixing),
        inputs_not_learned(opened.config),
    )  # fmt: skip


def check_target(path: Path) -> None:
    """Raise InputError where samples cannot be written to `path`."""
    if path.suffix != ".npy":
        raise InputError(f"out={path} must end in .npy; the picture goes beside it.")


def write_samples(path: Path, columns: np.ndarray, figure: Any) -> Path:
    """Store the samples, and the figure beside them, whose path it returns; folders are made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarmoniumError(
            f"the folder {path.parent} cannot be made: {error.strerror}; choose another out."
        ) from None
    with written_aside(path) as file:
        np.save(file, columns)
    return plots.save(figure, path.with_suffix(".png"))


def _warning(method: str, sweeps: int, mixing: Mixing | None) -> str | None:
    """One sentence with the mend where chains have not mixed."""
    if mixing is None or mixing.mixed:
        return None
    other = " or --method tempering" if method == "gibbs" else ""
    return f"{mixing.verdict.rstrip('.')}; try --steps {10 * sweeps}{other}."


def _base(opened: Opened, method: str) -> Tensor | None:
    """The base rates of the run's own data, where tempering starts; None where they are out of reach."""
    if method != "tempering":
        return None
    try:
        return opened.inputs().base
    except HarmoniumError:
        return None


def _snapshots(opened: Opened) -> list[RBM]:
    from harmonium.runs.trajectory import load_trajectory

    return list(load_trajectory(opened.folder))


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
