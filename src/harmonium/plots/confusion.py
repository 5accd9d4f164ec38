"""Which classes are taken for which: counts in cells, shaded by their share of the row's own class.

The diagonal holds nearly all rows of a good classifier, so it has a tint of its own and no part in the scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import table
from harmonium.plots.style import INK, MUTED, VERMILION, headings, new_figure, number, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Classes up to which a cell has room for its percentage under the count.
ROOMY = 12
MOST = 40
RIGHT = "#E3EEF6"  # the tint of the diagonal
_LONGEST = 18


def confusion(
    counts: npt.ArrayLike, classes: Sequence[object], *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw a confusion matrix.

    Parameters
    ----------
    counts : array (C, C)
        Rows by their own class (downwards) and the class said (across).
    classes : sequence of C
        Their names.
    title : str, optional
    ax : matplotlib Axes, optional
        Where to draw; by default on a new figure, `ax.figure`.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If counts are no square table of as many classes, negative, or of more than `MOST` classes.
    """
    from matplotlib.colors import LinearSegmentedColormap

    cells = table("counts", counts)
    size = len(cells)
    if cells.shape != (size, size) or len(classes) != size or size > MOST or cells.min() < 0:
        raise InputError(
            f"counts has shape {cells.shape} and there are {len(classes)} classes; give one row and one column a "
            f"class, at most {MOST}, of counts."
        )
    totals = cells.sum(1, keepdims=True)
    shares = 100 * cells / np.maximum(totals, 1)
    off = np.where(np.eye(size, dtype=bool), np.nan, shares)
    most = float(np.nanmax(off)) if size > 1 else 0.0
    names = [_short(str(name)) for name in classes]
    with style():
        side = max(2.0, 0.42 * size) if size <= ROOMY else min(5.6, 2.4 + 0.21 * size)  # of the cells, in inches
        ax = new_figure(side + 1.6, side + 1.3).subplots() if ax is None else ax
        shades = LinearSegmentedColormap.from_list("mistakes", ["white", VERMILION]).with_extremes(bad=RIGHT)
        ax.grid(False)
        ax.imshow(off, cmap=shades, vmin=0, vmax=most or 1)
        letters = 7.5 if size <= ROOMY else max(4.5, 7.5 - 0.12 * (size - ROOMY))
        for i, j in zip(*np.nonzero(cells), strict=True):
            shade = 0.0 if i == j or not most else off[i, j] / most
            words = number(cells[i, j]) + (f"\n{_percent(shares[i, j])}" if size <= ROOMY else "")
            ax.text(
                j, i, words, ha="center", va="center", fontsize=letters, linespacing=1.05,
                color="white" if shade > 0.75 else INK,
            )  # fmt: skip
        turned = max(map(len, names)) > (4 if size <= ROOMY else 2)
        ax.set_xticks(range(size), names, rotation=90 if turned else 0)
        ax.set_yticks(range(size), names)
        recall = ax.secondary_yaxis("right")
        found = [
            "–" if not total else _percent(share) for total, share in zip(totals[:, 0], np.diag(shares), strict=True)
        ]
        recall.set_yticks(range(size), found)
        recall.set_ylabel("said right, of the class", color=MUTED)
        for axis in (ax, recall):
            axis.tick_params(length=0, labelsize=8.0 if size <= ROOMY else max(5.5, letters))
            axis.spines[:].set_visible(False)
        ax.set_xticks(np.arange(size - 1) + 0.5, minor=True)
        ax.set_yticks(np.arange(size - 1) + 0.5, minor=True)
        ax.grid(True, which="minor", color="#EDEDED", linewidth=0.5)
        ax.tick_params(which="minor", length=0)
        ax.set(xlabel="class said", ylabel="own class")
        what = "rows, and per cent of the own class" if size <= ROOMY else "rows"
        between = "\n" if size <= 8 else "; "
        headings(ax, title, f"{what}{between}mistakes shaded up to {_percent(most)} of a class")
    return ax


def _percent(share: float) -> str:
    return number(share, 0 if share in (0, 100) else 1) + " %"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
