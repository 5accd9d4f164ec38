"""The learning curves of several models, each over several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, table, vector
from harmonium.plots.learning_curve import spread
from harmonium.plots.style import CYCLE, INK, MUTED, headings, new_figure, number, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class ModelCurves:
    """One model.

    Attributes
    ----------
    name : str
    x : array (T,)
        When the scores were measured, rising: epochs or updates.
    train : array (seeds, T)
        Average log-likelihoods of the training rows, nats; NaN where a seed was not measured.
    held_out : array (seeds, T), optional
        The same of held-out rows.
    """

    name: str
    x: npt.ArrayLike
    train: npt.ArrayLike
    held_out: npt.ArrayLike | None = None


def learning_bands(
    models: Sequence[ModelCurves],
    *,
    xlabel: str = "epoch",
    per: str = "image",
    log_x: bool = False,
    baseline: float | None = None,
    ylim: tuple[float, float] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean of each model over its seeds as a line with a band of ± one standard deviation.

    Training is solid, held-out dashed, in the colour of the model.

    Parameters
    ----------
    models : sequence of ModelCurves
    xlabel : str
        What x is.
    per : str
        What one row is.
    log_x : bool
        A logarithmic scale of x; 0 stands at its left end.
    baseline : float, optional
        The log-likelihood of independent units, drawn as a dotted line.
    ylim : (float, float), optional
        The part of the scores that is shown.
    title : str, optional
    ax : matplotlib Axes, optional
        Where to draw; by default on a new figure, `ax.figure`.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If there are no models, x does not rise, or scores do not have its length.
    """
    if not models:
        raise InputError("models is empty; give at least one.")
    read = [(model.name, *_read(model)) for model in models]
    several = any(len(rows) > 1 for _, _, kinds in read for rows in kinds.values())
    held_out = any("held_out" in kinds for _, _, kinds in read)
    with style():
        ax = new_figure().subplots() if ax is None else ax
        ends = []
        for i, (name, x, kinds) in enumerate(read):
            colour = CYCLE[i % len(CYCLE)]
            for key, rows in kinds.items():
                mean, sd = _mean_and_sd(rows)
                dashed = "--" if key == "held_out" else "-"
                ax.plot(x, mean, dashed, color=colour, label=f"{name}, {key.replace('_', '-')}", linewidth=1.4)
                if len(rows) > 1:
                    ax.fill_between(x, mean - sd, mean + sd, color=colour, alpha=0.15, linewidth=0)
                finite = mean[np.isfinite(mean)]
                if key == "train" and finite.size:
                    ends.append((f"{name} {number(float(finite[-1]), 1)}", float(finite[-1]), colour))
        if baseline is not None:
            ax.axhline(baseline, color=MUTED, linestyle=":", linewidth=1.1, label="independent units")
            ends.append(("independent units", baseline, MUTED))
        every = np.unique(np.concatenate([x for _, x, _ in read]))
        if log_x and (every > 0).any():
            ax.set_xscale("symlog", linthresh=float(every[every > 0][0]), linscale=0.3)
            ax.set_xlim(every[0], every[-1])
        else:
            ax.set_xlim(every[0], every[-1] + (every.size == 1))
        ax.xaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
        ax.yaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
        if ylim is not None:
            ax.set_ylim(ylim)
        ax.set(xlabel=xlabel, ylabel=f"average log-likelihood (nats per {per})")
        _name_ends(ax, ends)
        parts = ("lines: mean over seeds, bands: ± one standard deviation" if several else "",
                 "solid: training, dashed: held-out" if held_out else "")  # fmt: skip
        headings(ax, title, "; ".join(filter(None, parts)) or None)
    return ax


def _read(model: ModelCurves) -> tuple[Floats, dict[str, Floats]]:
    x = vector(f"x of {model.name!r}", model.x)
    if (np.diff(x) <= 0).any():
        raise InputError(f"x of {model.name!r} does not rise; give the measurements in the order of time.")
    kinds = {"train": table(f"train of {model.name!r}", model.train, allow_nan=True)}
    if model.held_out is not None:
        kinds["held_out"] = table(f"held_out of {model.name!r}", model.held_out, allow_nan=True)
    for key, rows in kinds.items():
        if rows.shape[1] != len(x):
            raise InputError(
                f"{key} of {model.name!r} has {rows.shape[1]} measurements for {len(x)} of x; give as many."
            )
    return x, kinds


def _mean_and_sd(rows: Floats) -> tuple[Floats, Floats]:
    """Over the seeds that were measured, (T,) each: NaN where none was, a standard deviation of 0 where one was."""
    there = np.isfinite(rows)
    count = there.sum(0)
    mean = np.where(count > 0, np.where(there, rows, 0.0).sum(0) / np.maximum(count, 1), np.nan)
    square = np.where(there, rows - mean, 0.0) ** 2
    return mean, np.sqrt(square.sum(0) / np.maximum(count - 1, 1))


def _name_ends(ax: Axes, ends: Sequence[tuple[str, float, str]]) -> None:
    """Name the lines at their right ends, in their colours."""
    low, high = ax.get_ylim()
    heights = spread([min(max((value - low) / (high - low), 0.0), 1.0) for _, value, _ in ends], 0.06)
    for (name, _, colour), height in zip(ends, heights, strict=True):
        ax.annotate(
            name, (1, height), (6, 0), xycoords="axes fraction", textcoords="offset points",
            ha="left", va="center", fontsize=8, color=colour or INK, annotation_clip=False,
        )  # fmt: skip
