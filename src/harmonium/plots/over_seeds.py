"""A validation over seeds: learning curves with their mean and spread, and final scores with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harmonium.errors import InputError
from harmonium.plots.checks import Floats
from harmonium.plots.learning_curve import CURVES, History
from harmonium.plots.style import INK, MUTED, headings, new_figure, number, save, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from harmonium.runs.validation import Scores, Validation


def curves_over_seeds(
    histories: Sequence[History],
    *,
    baseline: float | None = None,
    quantity: str = "average log-likelihood",
    against: str = "independent units",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean learning curve of several seeds, with a band of one standard deviation and each seed as a hairline.

    Parameters
    ----------
    histories : sequence of histories
        One a seed, as `harmonium.plots.learning_curve` takes them; diverged seeds left out.
    baseline : float, optional
        The log-likelihood of independent units.
    quantity, against : str
        What the histories and the baseline are.
    title : str, optional
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        No histories, or empty ones.
    """
    if not histories or not all(histories):
        raise InputError("histories is empty or has an empty one; give at least one measurement for each seed.")
    with style():
        ax = new_figure().subplots() if ax is None else ax
        drawn = []
        for part, colour in CURVES.items():
            if not all(part in history[0] for history in histories):
                continue
            steps, values = on_common_steps(histories, part)
            mean = values.mean(0)
            for line in values:
                ax.plot(steps, line, color=colour, linewidth=0.5, alpha=0.35)
            if len(values) > 1:
                sd = values.std(0, ddof=1)
                ax.fill_between(steps, mean - sd, mean + sd, color=colour, alpha=0.2, linewidth=0)
            ax.plot(steps, mean, color=colour, label=f"{part.replace('_', '-')} {number(float(mean[-1]), 2)}")
            drawn.append((float(values[:, max(1, len(steps) // 10) :].min()) if len(steps) > 1 else None, values.max()))
        if baseline is not None:
            ax.axhline(baseline, color=MUTED, linestyle="--", linewidth=1.1, label=against)
        lows = [low for low, _ in drawn if low is not None] + ([baseline] if baseline is not None else [])
        if lows and max(high for _, high in drawn) > min(lows):
            high, low = float(max(high for _, high in drawn)), float(min(lows))
            ax.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
        ax.set_xlabel("parameter updates")
        ax.set_ylabel(f"{quantity} (nats per row)")
        ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        stopped = len({history[-1]["step"] for history in histories}) > 1
        words = f"mean of {len(histories)} seeds, band ± one standard deviation over seeds"
        headings(ax, title, words + ("; a seed that has stopped early keeps its last value" if stopped else ""))
    return ax


def on_common_steps(histories: Sequence[History], part: str) -> tuple[Floats, Floats]:
    """All measured steps (T,), and the values of every seed at each, or at its last measurement before: (seeds, T)."""
    steps = np.array(sorted({row["step"] for history in histories for row in history}), dtype=np.float64)
    values = np.empty((len(histories), len(steps)))
    for line, history in zip(values, histories, strict=True):
        at = np.array([row["step"] for row in history], dtype=np.float64)
        if any(later < earlier for earlier, later in pairwise(at)):
            raise InputError("a history goes back in time; give the measurements in the order of their `step`.")
        own = np.array([np.nan if row.get(part) is None else row[part] for row in history], dtype=np.float64)
        line[:] = own[np.clip(np.searchsorted(at, steps, side="right") - 1, 0, None)]
    return steps, values


def scores_over_seeds(
    scores: dict[str, Scores],
    *,
    quantity: str = "average log-likelihood",
    against: str = "independent units",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the final score of each seed with the interval of its ln Z, and the mean with that of the mean.

    `scores` are those of a `Validation`; raises InputError where there are none.
    """
    if not scores:
        raise InputError("scores is empty: every seed diverged, and there is nothing to draw.")
    with style():
        ax = new_figure(height=3.2).subplots() if ax is None else ax
        for place, (part, s) in enumerate(scores.items()):
            good = np.isfinite(s.values)
            x = place + np.linspace(-0.22, 0.1, len(s.values))[good] if good.sum() > 1 else np.array([float(place)])
            colour = CURVES[part]
            ax.errorbar(
                x, s.values[good], np.nan_to_num(s.half_widths[good]), fmt="o", markersize=3.5, color=colour,
                elinewidth=0.8, alpha=0.7, label="a seed" if place == 0 else None,
            )  # fmt: skip
            if good.sum() > 1:
                ax.errorbar(
                    [place + 0.24], [s.mean], [s.half_width], fmt="s", markersize=5, color=INK, capsize=4,
                    label="mean, 95 % interval" if place == 0 else None,
                )  # fmt: skip
            ax.plot(
                [place - 0.3, place + 0.3], [s.baseline] * 2, color=MUTED, linestyle="--", linewidth=1.1,
                label=against if place == 0 else None,
            )  # fmt: skip
        ax.set_xticks(range(len(scores)), [part.replace("_", "-") for part in scores])
        ax.set_ylabel(f"{quantity} (nats per row)")
        ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        exact = all(s.exact for s in scores.values())
        headings(ax, title, "exact scores" if exact else "bars of a seed: the 95 % interval that its ln Z brings")
    return ax


def draw_validation(found: Validation, folder: Path) -> list[Path]:
    """Write learning_curve.png and scores.png; nothing where every seed diverged."""
    from harmonium.runs.judged import judged

    scores: dict[str, Any] = found.scores
    if not scores:
        return []
    by = judged(found.config)
    good = [by.curve(run.history) for run in found.runs if not run.summary["diverged"]]
    return [
        save(
            curves_over_seeds(good, baseline=scores["train"].baseline, quantity=by.words, against=by.baseline_words),
            folder / "learning_curve.png",
        ),
        save(scores_over_seeds(scores, quantity=by.words, against=by.baseline_words), folder / "scores.png"),
    ]
