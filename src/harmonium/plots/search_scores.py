"""The scores of a search in the order of its trials, with the best so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harmonium.errors import InputError
from harmonium.plots.checks import Floats
from harmonium.plots.style import BLUE, MUTED, VERMILION, headings, new_figure, number, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COMPLETE = "complete"
#: Part of the axis, at its lower end, for trials without a score or with one too low to be drawn in scale.
FLOOR = 0.07


def search_scores(
    numbers: Sequence[int],
    scores: Sequence[float | None],
    states: Sequence[str],
    *,
    sd: Sequence[float | None] | None = None,
    per: str = "row",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the score of each trial (trials,) over its number; complete trials in colour, others as grey crosses.

    Parameters
    ----------
    numbers : sequence of int
        The trials' numbers.
    scores : sequence of float or None
        Mean validation scores, nats; None where there is none (diverged, not possible).
    states : sequence of str
        "complete", "pruned", ...
    sd : sequence of float or None, optional
        Standard deviations over seeds, drawn as bars of ±1.
    per : str
        What one row is: "row", "image".
    title : str, optional
    ax : matplotlib Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If the lengths differ or no trial is complete.
    """
    if not len(numbers) == len(scores) == len(states) or (sd is not None and len(sd) != len(scores)):
        raise InputError("numbers, scores, states and sd have different lengths; give one of each for every trial.")
    value = np.array([np.nan if s is None else s for s in scores], dtype=np.float64)
    complete = np.array([state == COMPLETE for state in states], dtype=bool) & np.isfinite(value)
    if not complete.any():
        raise InputError("no trial is complete; there is nothing to draw.")
    x = np.asarray(numbers)
    error = np.array([0.0 if sd is None or sd[i] is None else sd[i] for i in range(len(scores))], dtype=np.float64)
    low, high, bottom = score_limits(value, complete, error)
    below = ~np.isfinite(value) | (value < low)
    with style():
        ax = new_figure(height=3.4).subplots() if ax is None else ax
        shown = complete & ~below
        ax.errorbar(
            x[shown], value[shown], error[shown], fmt="o", color=BLUE, markersize=4, elinewidth=0.8, label="complete"
        )
        given_up = ~complete & ~below
        ax.plot(x[given_up], value[given_up], "x", color=MUTED, markersize=4.5, label="pruned, at what it had reached")
        ax.plot(
            x[below], np.full(below.sum(), bottom), "|", color=MUTED, markersize=7, label="below, or without a score"
        )
        order = np.argsort(x[complete], kind="stable")
        best = np.maximum.accumulate(value[complete][order])
        ends = [*x[complete][order], x.max()]
        ax.step(ends, [*best, best[-1]], where="post", color=VERMILION, linewidth=1.2, label="best so far")
        ax.set_ylim(bottom - 0.03 * (high - bottom), high)
        _labels(ax, per)
        winner = int(np.flatnonzero(complete)[np.argmax(value[complete])])
        about = f" ± {number(error[winner], 2)} (sd of seeds)" if error[winner] else ""
        headings(ax, title, f"best: trial {x[winner]}, {number(value[winner], 2)}{about}, of {len(x)} trials")
    return ax


def _labels(ax: Axes, per: str) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel("trial")
    ax.set_ylabel(f"validation score (nats per {per})")
    ax.figure.legend(loc="outside lower center", ncols=4, fontsize=8)  # beside no point, whatever the scores


def score_limits(value: Floats, complete: np.ndarray, error: Floats) -> tuple[float, float, float]:
    """The lowest score in scale, the upper end of the axis, and where those below it are marked.

    The lowest twentieth of the complete trials leaves the scale where that would take more than half of it.
    """
    done = value[complete]
    top, lowest, usual = float((done + error[complete]).max()), float(done.min()), float(np.quantile(done, 0.05))
    middle = float(np.quantile(done, 0.25))
    low = lowest
    if top - lowest > 2 * (top - usual):
        low = usual
    if top - low > 4 * (top - middle) > 0:
        low = middle
    room = (top - low) or 1.0
    low -= 0.05 * room
    return low, top + 0.06 * room, low - FLOOR * room
