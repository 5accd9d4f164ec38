"""The scores of a search against each searched option, a panel each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harmonium.errors import InputError
from harmonium.plots.search_scores import COMPLETE, score_limits
from harmonium.plots.style import BLUE, MUTED, VERMILION, WIDTH, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS, _PANEL = 3, 1.9  # panels beside one another; inches of each row of them
_MOST_WORDS = 12  # letters of a word below an axis


@dataclass(frozen=True)
class Setting:
    """One searched option: its values (trials,), numbers or words; `log` for a logarithmic axis."""

    name: str
    values: Sequence[float | str | None]
    log: bool = False


def search_settings(
    settings: Sequence[Setting],
    scores: Sequence[float | None],
    states: Sequence[str],
    *,
    per: str = "row",
    title: str | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw the score of each trial over each option; the best trial is ringed in all panels.

    Parameters
    ----------
    settings : sequence of Setting
        The options; a value of None leaves the trial out of that panel.
    scores : sequence of float or None
        Mean validation scores, nats.
    states : sequence of str
        "complete" ones are drawn in colour, pruned ones as grey crosses at what they had reached; what lies below the
        axis is marked at its lower end.
    per : str
        What one row is.
    title : str, optional
    figure : matplotlib Figure, optional

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no option, the lengths differ, or no trial is complete.
    """
    if not settings:
        raise InputError("settings is empty; give at least one option.")
    if any(len(s.values) != len(scores) for s in settings) or len(states) != len(scores):
        raise InputError("settings, scores and states have different lengths; give one value for every trial.")
    value = np.array([np.nan if s is None else s for s in scores], dtype=np.float64)
    complete = np.array([state == COMPLETE for state in states], dtype=bool) & np.isfinite(value)
    if not complete.any():
        raise InputError("no trial is complete; there is nothing to draw.")
    low, high, bottom = score_limits(value, complete, np.zeros_like(value))
    below = ~np.isfinite(value) | (value < low)
    height = np.where(below, bottom, value)
    best = int(np.flatnonzero(complete)[np.argmax(value[complete])])
    columns = min(_COLUMNS, len(settings))
    rows = math.ceil(len(settings) / columns)
    with style():
        figure = new_figure(WIDTH, 0.5 + _PANEL * rows) if figure is None else figure
        axes = np.atleast_1d(figure.subplots(rows, columns, sharey=True, squeeze=False)).ravel()
        for ax, setting in zip(axes, settings, strict=False):
            there = np.array([v is not None for v in setting.values])
            x = _place(ax, setting)
            kinds = ((below, "|", MUTED, 5), (~complete & ~below, "x", MUTED, 3.5), (complete & ~below, "o", BLUE, 3.5))
            for chosen, marker, colour, size in kinds:
                shown = chosen & there
                ax.plot(x[shown], height[shown], marker, color=colour, markersize=size, alpha=0.8)
            if there[best]:
                ax.plot(x[best], value[best], "o", markersize=9, markerfacecolor="none", markeredgecolor=VERMILION)
            ax.set_xlabel(setting.name)
            ax.set_ylim(bottom - 0.05 * (high - bottom), high)
        for ax in axes[len(settings) :]:
            ax.remove()
        figure.supylabel(f"validation score (nats per {per})", fontsize=9)
        words = "○ the best trial; × pruned, at what it had reached; | below, or without a score"
        figure.suptitle(title or "", x=0.01, ha="left", fontsize=10, fontweight="bold")
        figure.text(0.99, 0.0, words, ha="right", va="top", fontsize=8, color=MUTED)
    return figure


def _place(ax: Axes, setting: Setting) -> np.ndarray:
    """Where each value stands on the horizontal axis (trials,), which gets its scale and its ticks."""
    if any(isinstance(v, str) for v in setting.values):
        return _place_words(ax, setting)
    x = np.array([np.nan if v is None else float(v) for v in setting.values], dtype=np.float64)
    if setting.log and (x > 0).any():
        lowest, highest = float(np.nanmin(x[x > 0])), float(np.nanmax(x))
        ax.set_xscale("log")
        if (x == 0).any():  # exact zeros stand apart, left of all others
            _zero_tick(ax, lowest, highest)
            gap = max(math.log10(highest / lowest), 1.0) * 0.15
            x = np.where(x == 0, lowest * 10**-gap, x)
        elif highest < 30 * lowest:
            _few_ticks(ax, lowest, highest)
    else:
        from matplotlib.ticker import MaxNLocator

        whole = bool(np.all(x[np.isfinite(x)] == np.rint(x[np.isfinite(x)])))
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=whole))
    return x


def _place_words(ax: Axes, setting: Setting) -> np.ndarray:
    present = [str(v) for v in setting.values if v is not None]
    words = sorted(set(present)) if not setting.log else list(dict.fromkeys(present))
    shown = [word if len(word) <= _MOST_WORDS else f"{word[: _MOST_WORDS - 1]}…" for word in words]
    ax.set_xticks(range(len(words)), shown, rotation=0 if sum(map(len, shown)) < 24 else 30)
    ax.set_xlim(-0.5, len(words) - 0.5)
    x = np.array([np.nan if v is None else words.index(str(v)) for v in setting.values], dtype=np.float64)
    # spread points of one word sideways, always alike: the golden ratio's multiples fill an interval evenly
    return x + 0.5 * (np.arange(len(x)) * 0.6180339887 % 1 - 0.5)


def _zero_tick(ax: Axes, lowest: float, highest: float) -> None:
    first, last = math.ceil(math.log10(lowest) - 1e-9), math.floor(math.log10(highest) + 1e-9)
    step = max(1, (last - first + 2) // 3)
    powers = list(range(first, last + 1, step))
    gap = max(math.log10(highest / lowest), 1.0) * 0.15
    ax.set_xticks([lowest * 10**-gap, *(10.0**p for p in powers)], ["0", *(f"$10^{{{p}}}$" for p in powers)])
    ax.minorticks_off()


def _few_ticks(ax: Axes, lowest: float, highest: float) -> None:
    """Round numbers where less than a power and a half of ten is shown, for which powers are too few."""
    from matplotlib.ticker import NullFormatter

    round_numbers = [m * 10.0**p for p in range(-12, 12) for m in (1, 2, 5)]
    ticks = [t for t in round_numbers if 0.8 * lowest <= t <= 1.25 * highest]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.xaxis.set_minor_formatter(NullFormatter())
