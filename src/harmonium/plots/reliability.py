"""How often a classifier is right, by how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, vector
from harmonium.plots.style import BLUE, INK, MUTED, VERMILION, headings, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = (BLUE, VERMILION)
_BARS = 20
_MANY = 100  # rows in one bar from which on the counts are drawn as logarithms


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """One set of class probabilities.

    Attributes
    ----------
    name : str
    confidence : array (B,)
        The mean confidence of each bin of rows.
    right : array (B,)
        The share of its rows that are right.
    low, high : arrays (B,)
        The ends of the interval of that share.
    each : array (N,)
        The confidence of every row, for the histogram.
    """

    name: str
    confidence: npt.ArrayLike
    right: npt.ArrayLike
    low: npt.ArrayLike
    high: npt.ArrayLike
    each: npt.ArrayLike


def reliability(curves: Sequence[ReliabilityCurve], *, title: str | None = None, chance: float = 0.0) -> Figure:
    """Draw the share of right rows over the confidence with intervals, and below it how many rows are how sure.

    Parameters
    ----------
    curves : sequence of one or two ReliabilityCurve
        Such as before and after a temperature.
    title : str, optional
    chance : float
        The least confidence that there can be, 1 / C, where the axes may begin.

    Returns
    -------
    Figure
        With the axes of the curves and of the histogram.

    Raises
    ------
    InputError
        If there are no curves or more than two, or their arrays do not fit together or are no shares.
    """
    if not 1 <= len(curves) <= len(_COLOURS):
        raise InputError(f"curves has {len(curves)} entries; give one, or two to compare.")
    from matplotlib.ticker import MaxNLocator

    read = [_read(curve) for curve in curves]
    least = min(float(each.min()) for _, _, _, _, each in read)
    start = max(0.0, np.floor(10 * max(min(least, 0.9), min(chance, 0.9)) + 1e-9) / 10)
    with style():
        figure = new_figure(4.6, 5.6)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        upper.plot([start, 1], [start, 1], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        at = start + 0.03 * (1 - start)
        upper.text(
            at, at, "calibrated", fontsize=8, color=MUTED, va="bottom", rotation=45, rotation_mode="anchor",
            transform_rotates_text=True,
        )  # fmt: skip
        edges = np.linspace(start, 1, _BARS + 1)
        most = 0
        for i, (curve, colour, (x, right, low, high, each)) in enumerate(zip(curves, _COLOURS, read, strict=False)):
            upper.errorbar(
                x, right, [right - low, high - right], fmt="o-" if i == 0 else "s-", color=colour, markersize=4,
                linewidth=1.2, elinewidth=0.9, capsize=2, label=curve.name,
                markerfacecolor=colour if i == 0 else "white",
            )  # fmt: skip
            counts = np.histogram(np.clip(each, start, 1), edges)[0]
            most = max(most, int(counts.max()))
            lower.stairs(counts, edges, fill=i == 0, alpha=0.35 if i == 0 else 1.0, color=colour, linewidth=1.2)
        bottom = min(float(low.min()) for _, _, low, _, _ in read)
        upper.set(xlim=(start - 0.01, 1.01), ylim=(min(start, np.floor(20 * bottom) / 20) - 0.01, 1.02))
        upper.set_ylabel("share of rows that are right")
        figure.legend(*upper.get_legend_handles_labels(), loc="outside lower left", fontsize=8)
        if most >= _MANY:
            lower.set_yscale("symlog", linthresh=1)
        else:
            lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        lower.set_ylim(0, None)
        lower.set(xlabel="confidence: the probability of the class said", ylabel="rows")
        lower.tick_params(which="minor", length=0, colors=INK)
        headings(upper, title, "95 % intervals of the shares; below the line it is too sure")
    return figure


def _read(curve: ReliabilityCurve) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    x, right, low, high = (vector(name, getattr(curve, name)) for name in ("confidence", "right", "low", "high"))
    each = vector("each", curve.each)
    if not len(x) == len(right) == len(low) == len(high):
        raise InputError(
            f"confidence, right, low and high have {len(x)}, {len(right)}, {len(low)} and {len(high)} bins; give as "
            "many of each."
        )
    for name, values in (("confidence", x), ("right", right), ("low", low), ("high", high), ("each", each)):
        if values.min() < 0 or values.max() > 1:
            raise InputError(f"{name} holds values outside 0 to 1; give shares and probabilities.")
    return x, right, np.minimum(low, right), np.maximum(high, right), each
