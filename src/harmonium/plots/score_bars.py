"""The scores of several models over seeds, training beside held-out, and what others have reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import vector
from harmonium.plots.style import BLUE, INK, MUTED, VERMILION, headings, new_figure, number, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ASIDE = 0.17  # of the distance between models: training to the left, held-out to the right, the mark between them
SWARM = 0.05  # how far seeds are spread sideways so that equal ones show


@dataclass(frozen=True)
class ModelScores:
    """One model.

    Attributes
    ----------
    name : str
    train : array (seeds,)
        Average log-likelihoods of the training rows, nats.
    held_out : array (seeds,), optional
        The same of held-out rows.
    mark : float, optional
        What somebody else has reported.
    mark_error : float, optional
        And its error.
    """

    name: str
    train: npt.ArrayLike
    held_out: npt.ArrayLike | None = None
    mark: float | None = None
    mark_error: float | None = None


def score_bars(
    models: Sequence[ModelScores],
    *,
    mark_name: str = "reported",
    per: str = "image",
    baseline: float | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean and the standard deviation over seeds of each model, each seed as a dot, marks as open diamonds.

    Parameters
    ----------
    models : sequence of ModelScores
        From left to right.
    mark_name : str
        Whose values the marks are.
    per : str
        What one row is.
    baseline : float, optional
        The log-likelihood of independent units, drawn as a dashed line.
    title : str, optional
    ax : matplotlib Axes, optional
        Where to draw; by default on a new figure, `ax.figure`.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If there are no models, or scores that are not finite vectors.
    """
    if not models:
        raise InputError("models is empty; give at least one.")
    kinds = [
        (key, name, colour, side * ASIDE)
        for key, name, colour, side in (("train", "training", BLUE, -1), ("held_out", "held-out", VERMILION, 1))
        if any(getattr(model, key) is not None for model in models)
    ]
    if len(kinds) == 1:
        kinds = [(*kinds[0][:3], 0.0)]
    with style():
        ax = new_figure(min(7.0, 2.2 + 0.9 * len(models)), 3.6).subplots() if ax is None else ax
        for key, name, colour, aside in kinds:
            label: str | None = name
            for i, model in enumerate(models):
                if getattr(model, key) is None:
                    continue
                scores = vector(f"{key} of {model.name!r}", getattr(model, key))
                x = i + aside
                spread = SWARM * np.linspace(-1, 1, len(scores)) if len(scores) > 1 else np.zeros(1)
                ax.plot(x + spread, scores, "o", color=colour, alpha=0.4, markersize=3.5, markeredgewidth=0)
                sd = float(scores.std(ddof=1)) if len(scores) > 1 else None
                ax.errorbar(
                    x, float(scores.mean()), sd, fmt="_", color=colour, markersize=13, markeredgewidth=1.8,
                    capsize=3.5, elinewidth=1.2, label=label,
                )  # fmt: skip
                label = None
        _marks(ax, models, mark_name, 0.0 if len(kinds) > 1 else 2 * ASIDE)
        if baseline is not None:
            ax.axhline(baseline, color=MUTED, linestyle="--", linewidth=1.1, label="independent units")
        ax.set_xticks(range(len(models)), [model.name for model in models])
        ax.set_xlim(-0.6, len(models) - 0.4)
        ax.grid(False, axis="x")
        ax.tick_params(axis="x", length=0)
        ax.yaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
        ax.set_ylabel(f"average log-likelihood (nats per {per})")
        ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
        headings(ax, title, "line and bar: mean ± standard deviation over seeds (dots)")
    return ax


def _marks(ax: Axes, models: Sequence[ModelScores], name: str, aside: float) -> None:
    label: str | None = name
    for i, model in enumerate(models):
        if model.mark is not None:
            ax.errorbar(
                i + aside, float(model.mark), model.mark_error, fmt="D", color=INK, markersize=5.5,
                markerfacecolor="white", elinewidth=0.9, capsize=2.5, label=label,
            )  # fmt: skip
            label = None
