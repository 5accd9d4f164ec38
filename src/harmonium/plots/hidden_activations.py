"""What the hidden units do on the data: who answers to what, and who never or always answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, table
from harmonium.plots.picture import colour_bar, heat_map
from harmonium.plots.style import BLUE, SIGNED, WIDTH, headings, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXTREME = 0.01  # of the range, from either end of it
BINS = 25


@dataclass(frozen=True)
class Use:
    """How much each unit is used: its mean over the data, array (H,), and the indices of the extreme units."""

    mean: Floats
    dead: npt.NDArray[np.intp]
    saturated: npt.NDArray[np.intp]


def hidden_activations(
    mean_h: npt.ArrayLike,
    labels: npt.ArrayLike | None = None,
    *,
    limits: tuple[float, float] = (0.0, 1.0),
    states: int = 0,
    maximum: int = 200,
    title: str | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw a heat map of the hidden units on the data, beside the histogram of their means over it.

    Parameters
    ----------
    mean_h : array (N, H)
        The conditional means of the hidden units, given one data row each.
    labels : array (N,), optional
        Classes: the heat map then shows the mean of each class, the units in the order of the class that they prefer;
        otherwise up to `maximum` rows, evenly spaced.
    limits : (float, float)
        The least and the greatest value of a hidden unit: (0, 1), or (-1, 1) for spins.
    states : int
        Where the columns are the states of one-hot units, how many one unit has: they share its probability of 1, so
        the scales end at the greatest share, and a state is unused below a hundredth of an even share.
    maximum : int
        The most rows of the heat map without labels.
    title : str, optional
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure
        With the axes of the heat map and of the histogram.

    Raises
    ------
    InputError
        If `mean_h` is not a finite table within `limits`, or `labels` has another length.
    """
    from matplotlib.ticker import MaxNLocator

    means = table("mean_h", mean_h)
    low, high = limits
    slack = 1e-6 * (high - low)  # rounding in single precision
    if not low < high or means.min() < low - slack or means.max() > high + slack:
        raise InputError(f"mean_h lies in [{means.min():.3g}, {means.max():.3g}], limits are {limits}; give its range.")
    if labels is None:
        names, rows = None, evenly_spaced(means, maximum)
    else:
        names, rows = class_means(means, labels)
        order = by_preference(rows)
        rows = rows[:, order]
    counts = use_in_words(means, limits, states)
    mean = means.mean(0)
    if states:
        limits, shares = (low, float(rows.max())), (low, float(mean.max()))
    else:
        shares = limits
    with style():
        figure = new_figure(WIDTH, 3.0) if figure is None else figure
        left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
        cmap = SIGNED if low < 0 else "Blues"
        if names is None:
            drawn = heat_map(left, rows, cmap, limits, x="hidden unit", y="row")
            headings(left, title or "activation", f"{len(rows):,} of {len(means):,} rows")
        else:
            drawn = heat_map(left, rows, cmap, limits, x="hidden unit, by the class it prefers", y="class")
            headings(left, title or "mean activation by class", f"{len(means):,} rows")
            # the units' own numbers, as on the pictures of the weights; places in this order mean nothing
            shown = order.tolist() if len(order) <= 24 else []
            left.set_xticks(range(len(shown)), shown)
            if len(names) <= 20:
                left.set_yticks(range(len(names)), names)
        colour_bar(drawn, "")
        right.hist(mean, bins=np.linspace(*shares, BINS + 1).tolist(), color=BLUE)
        right.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        name = "states" if states else "units"
        right.set(xlabel="mean activation over the data", ylabel=f"hidden {name}", xlim=shares)
        headings(right, f"use of the {means.shape[1]:,} {name}", counts)
    return figure


def use_in_words(means: Floats, limits: tuple[float, float], states: int) -> str:
    """How many units are idle or stuck; how many of the states of one-hot units are unused."""
    if states:
        unused = count_use(means, (limits[0], limits[0] + 1 / states)).dead.size
        return f"unused (<1 % of an even share): {unused}"
    use = count_use(means, limits)
    return f"dead (<1 %): {use.dead.size}, saturated (>99 %): {use.saturated.size}"


def class_means(means: Floats, labels: npt.ArrayLike) -> tuple[list[str], Floats]:
    """The names of the C classes and the mean of each over its rows of `means` (N, H), an array (C, H)."""
    classes = np.asarray(labels)
    if classes.shape != means.shape[:1]:
        raise InputError(f"labels has shape {classes.shape} for {len(means)} rows of mean_h; give one label a row.")
    names = np.unique(classes)
    return [str(name) for name in names], np.stack([means[classes == name].mean(0) for name in names])


def by_preference(rows: Floats) -> npt.NDArray[np.intp]:
    """The order of the columns of `rows` (C, H) by their greatest row, the most marked preference first."""
    marked = rows.max(0) - rows.mean(0)
    return np.lexsort((-marked, rows.argmax(0)))


def evenly_spaced(means: Floats, maximum: int) -> Floats:
    """At most `maximum` rows of `means` (N, H), from first to last."""
    if maximum < 1:
        raise InputError(f"maximum is {maximum}; show at least one row.")
    chosen = np.linspace(0, len(means) - 1, min(maximum, len(means))).round().astype(np.intp)
    rows: Floats = means[chosen]
    return rows


def count_use(means: Floats, limits: tuple[float, float]) -> Use:
    """The mean of each unit over `means` (N, H), and which units stay within 1 % of either end of `limits`."""
    mean = means.mean(0)
    share = (mean - limits[0]) / (limits[1] - limits[0])
    return Use(mean, np.flatnonzero(share < EXTREME), np.flatnonzero(share > 1 - EXTREME))
