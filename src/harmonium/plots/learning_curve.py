"""The learning curve: average log-likelihood against parameter updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from harmonium.errors import InputError
from harmonium.intervals import Z_95
from harmonium.plots.checks import Floats
from harmonium.plots.style import BLUE, GREEN, MUTED, VERMILION, headings, new_figure, number, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

History = Sequence[Mapping[str, Any]]

CURVES = {"train": BLUE, "validation": GREEN, "held_out": VERMILION}
JUDGES = ("validation", "held_out", "train")  # the best point is that of the first of these that was measured


@dataclass(frozen=True)
class Curve:
    """One quantity over training: arrays (measurements,) of steps, values and standard errors (0: exact)."""

    key: str
    step: Floats
    value: Floats
    stderr: Floats

    @property
    def name(self) -> str:
        """The key as a reader says it."""
        return self.key.replace("_", "-")

    @property
    def low(self) -> Floats:
        """The lower end of the 95 % interval."""
        return self.value - Z_95 * self.stderr

    @property
    def high(self) -> Floats:
        """The upper end of the 95 % interval."""
        return self.value + Z_95 * self.stderr

    @property
    def best(self) -> int:
        """The index of the highest value."""
        return int(np.nanargmax(self.value))


def learning_curve(
    history: History,
    *,
    baseline: float | None = None,
    per: str = "row",
    quantity: str = "average log-likelihood",
    against: str = "independent units",
    method: str | None = None,
    title: str | None = None,
    log_steps: bool = False,
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the log-likelihood of the training, validation and held-out rows against the parameter updates.

    Parameters
    ----------
    history : sequence of mappings
        One a measurement, in order of time, with the keys `step`, `train` (average log-likelihood, nats) and, where
        they were measured, `epoch`, `validation`, `held_out`, and the standard error of each (`train_stderr`, ...;
        0 or missing: exact). A missing value, or None, leaves the measurement out of that curve; NaN breaks its line.
    baseline : float, optional
        The log-likelihood of independent units, drawn as a dashed line.
    per : str
        What one row is: "image", "row", "sample".
    quantity, against : str
        What the history and the baseline are.
    method : str, optional
        How the likelihood was found, for the subtitle: "exact", "AIS, 1,000 temperatures".
    title : str, optional
    log_steps : bool
        A logarithmic scale of updates; update 0 stands at its left end.
    ylim : (float, float), optional
        By default everything is shown, except an opening so low that it would squash the rest; the subtitle says so.
    ax : matplotlib Axes, optional
        Where to draw; by default on a new figure, `ax.figure`.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If the history is empty, lacks `step` or `train`, or goes back in time.
    """
    curves = read_curves(history)
    judge = next(curve for key in JUDGES for curve in curves if curve.key == key)
    low, high, cut = vertical_limits(curves, baseline)
    if ylim is not None:
        (low, high), cut = ylim, None
    with style():
        ax = new_figure().subplots() if ax is None else ax
        for curve in curves:
            colour = CURVES[curve.key]
            ax.plot(curve.step, curve.value, color=colour, label=curve.name, marker="o", markersize=2.5)
            if curve.stderr.any():
                ax.fill_between(curve.step, curve.low, curve.high, color=colour, alpha=0.2, linewidth=0)
        if baseline is not None:
            ax.axhline(baseline, color=MUTED, linestyle="--", linewidth=1.1, label=against)
        ax.plot(
            judge.step[judge.best], judge.value[judge.best], "o", markersize=8, markerfacecolor="none",
            markeredgecolor=CURVES[judge.key], markeredgewidth=1.4, label="best", clip_on=False, zorder=3,
        )  # fmt: skip
        ax.set_ylim(low, high)
        _steps_axis(ax, curves, history, log_steps)
        ax.set_ylabel(f"{quantity} (nats per {per})")
        _label_ends(ax, curves, baseline, against)
        headings(ax, title, _subtitle(curves, judge, method, cut))
    return ax


def read_curves(history: History) -> list[Curve]:
    """The curves that `history` holds, in the order of `CURVES`; `InputError` where it is not one."""
    if not history:
        raise InputError("history is empty; give at least one measurement.")
    if any("step" not in row or row.get("train") is None for row in history):
        raise InputError("history has a measurement without `step` or `train`; give both in every one.")
    if any(later["step"] < earlier["step"] for earlier, later in pairwise(history)):
        raise InputError("history goes back in time; give the measurements in the order of their `step`.")
    curves = []
    for key in CURVES:
        rows = [row for row in history if row.get(key) is not None]
        columns = ([r["step"] for r in rows], [r[key] for r in rows], [r.get(f"{key}_stderr") or 0.0 for r in rows])
        step, value, stderr = (np.array(column, dtype=np.float64) for column in columns)
        value[~np.isfinite(value)] = np.nan
        if np.isfinite(value).any():
            curves.append(Curve(key, step, value, np.nan_to_num(stderr)))
    if not curves:
        raise InputError("history holds no finite log-likelihood; there is nothing to draw.")
    return curves


def vertical_limits(curves: Sequence[Curve], baseline: float | None) -> tuple[float, float, float | None]:
    """The lower and upper limit of the axis and, where the opening lies below it, the lowest value that does.

    The opening is the first tenth of the measurements. It is cut off when it would take more than half of the axis.
    """
    extra = [] if baseline is None else [baseline]
    body = [curve.low[max(1, len(curve.low) // 10) :] for curve in curves]
    everything = np.concatenate([*(curve.low for curve in curves), extra])
    later = np.concatenate([*body, extra])
    high = float(np.nanmax(np.concatenate([*(curve.high for curve in curves), extra])))
    lowest = float(np.nanmin(everything))
    low, cut = lowest, None
    if np.isfinite(later).any():
        settled = float(np.nanmin(later))
        if high > settled and high - lowest > 2 * (high - settled):
            low, cut = settled, lowest
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin, cut


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Move `heights` as little as needed, keeping their order, so that neighbours are at least `gap` apart."""
    order = np.argsort(heights, kind="stable")
    ladder = gap * np.arange(len(heights))
    # After the ladder is taken away, "at least a gap apart" means "not decreasing": pool neighbours that violate it.
    pools: list[list[float]] = []
    for target in np.asarray(heights, dtype=np.float64)[order] - ladder:
        pools.append([float(target)])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    settled = np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools]) + ladder
    result = np.empty(len(heights))
    result[order] = settled
    return [float(height) for height in result]


def _steps_axis(ax: Axes, curves: Sequence[Curve], history: History, log_steps: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    steps = np.unique(np.concatenate([curve.step for curve in curves]))
    if log_steps and (steps > 0).any():
        ax.set_xscale("symlog", linthresh=float(steps[steps > 0][0]), linscale=0.3)
        ax.set_xlim(steps[0], steps[-1] * 1.1)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
    if steps.size == 1:
        ax.set_xticks(steps)
    ax.xaxis.set_major_formatter(lambda step, _: number(step))
    epoch, step = history[-1].get("epoch"), history[-1]["step"]
    each = f" ({number(step / epoch)} an epoch)" if epoch and step >= epoch else ""
    ax.set_xlabel(f"parameter updates{each}")


def _label_ends(ax: Axes, curves: Sequence[Curve], baseline: float | None, against: str) -> None:
    """Name every line at its right end, in its colour: nearer to the eye than a legend."""
    low, high = ax.get_ylim()
    ends = [(c.name, float(c.value[np.isfinite(c.value)][-1]), CURVES[c.key]) for c in curves]
    if baseline is not None:
        ends.append((against, baseline, MUTED))
    heights = spread([min(max((value - low) / (high - low), 0.0), 1.0) for _, value, _ in ends], 0.065)
    for (name, value, colour), height in zip(ends, heights, strict=True):
        ax.annotate(
            f"{name} {number(value, 2)}", (1, height), (6, 0), xycoords="axes fraction", textcoords="offset points",
            ha="left", va="center", fontsize=8, color=colour, annotation_clip=False,
        )  # fmt: skip


def _subtitle(curves: Sequence[Curve], judge: Curve, method: str | None, cut: float | None) -> str:
    error = judge.stderr[judge.best]
    about = f" ± {number(Z_95 * float(error), 2)}" if error else ""
    value, step = number(judge.value[judge.best], 2), number(judge.step[judge.best])
    best = f"best {judge.name} (○) {value}{about} at update {step}"
    bands = "bands ±1.96 standard errors" if any(curve.stderr.any() for curve in curves) else None
    below = f"\nThe opening, down to {number(cut, 2)}, lies below the axis." if cut is not None else ""
    return "; ".join(part for part in (method, bands, best) if part) + below
