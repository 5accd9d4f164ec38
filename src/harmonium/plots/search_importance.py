"""How much each searched option had to do with the best scores, with its uncertainty and what chance gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import vector
from harmonium.plots.style import BLUE, INK, VERMILION, WIDTH, headings, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def search_importance(
    names: Sequence[str],
    shares: npt.ArrayLike,
    intervals: npt.ArrayLike,
    chance: npt.ArrayLike,
    *,
    trials: int | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one bar for each option, the first at the top.

    Parameters
    ----------
    names : sequence of str
        The options.
    shares : array (options,)
        Shares of the importance, 0 to 1.
    intervals : array (options, 2)
        Their 90 % intervals.
    chance : array (options,)
        What an option that does nothing stays below 19 times in 20, in the same unit.
    trials : int, optional
        How many trials were weighed, for the subtitle.
    title : str, optional
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If there is no option, or the lengths differ.
    """
    share, level = vector("shares", shares), vector("chance", chance)
    ends = np.asarray(intervals, dtype=np.float64)
    if not len(names) == len(share) == len(level) or ends.shape != (len(share), 2):
        raise InputError("names, shares, intervals and chance have different lengths; give one for every option.")
    y = np.arange(len(names))
    with style():
        ax = new_figure(WIDTH, 1.3 + 0.32 * len(names)).subplots() if ax is None else ax
        ax.barh(y, share, height=0.6, color=BLUE, alpha=0.85)
        # a share can lie outside the interval of its resamples, which repeat trials: bars do not turn round
        error = np.maximum(np.stack([share - ends[:, 0], ends[:, 1] - share]), 0)
        ax.errorbar(share, y, xerr=error, fmt="none", ecolor=INK, elinewidth=0.9, capsize=2.5)
        ax.plot(np.minimum(level, 1.0), y, "|", color=VERMILION, markersize=13, markeredgewidth=2)
        ax.set_yticks(y, names)
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
        # what chance gives can exceed the whole where trials are few; the mark then stands at the end of the frame
        widest = min(max(1e-9, float(max(share.max(), ends.max(), level.max()))), 1.0)
        ax.set_xlim(0, widest * 1.05)
        ax.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %")
        ax.set_xlabel("share of the importance")
        of = "" if trials is None else f" of {trials} trials"
        headings(
            ax,
            title,
            f"PED-ANOVA, for the best quarter{of}; black: 90 % interval over resampled trials\n"
            "red: what chance stays below 19 times in 20; an option whose bar ends before it may do nothing",
        )
    return ax
