"""Moments of the data against those of the model: on the line y = x where the machine has learned them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, vector
from harmonium.plots.style import BLUE, MUTED, WIDTH, headings, new_figure, number, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 2000  # above, a density: points would cover one another


@dataclass(frozen=True)
class Pair:
    """One kind of moments, to be drawn on axes of its own: arrays (n,) of the data's and of the model's."""

    name: str
    data: npt.ArrayLike
    model: npt.ArrayLike
    subtitle: str | None = None


def moments(pairs: list[Pair], *, caption: str | None = None, figure: Figure | None = None) -> Figure:
    """Draw each pair as a scatter of the model's moments over the data's, with the line where they agree.

    Parameters
    ----------
    pairs : list of Pair
        Such as means, covariances and hidden activations, at most four.
    caption : str, optional
        A line below the panels: whose moments these are.
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is nothing to draw, or a pair's arrays are empty, not finite or of different lengths.
    """
    if not 1 <= len(pairs) <= 4:
        raise InputError(f"pairs has {len(pairs)} kinds of moments; give one to four.")
    drawn = []
    for pair in pairs:
        data, model = vector(f"the data's {pair.name}", pair.data), vector(f"the model's {pair.name}", pair.model)
        if data.shape != model.shape:
            raise InputError(f"{pair.name} has {len(data)} moments of the data and {len(model)} of the model.")
        drawn.append((pair, data, model))
    with style():
        figure = new_figure(WIDTH, 2.3 * 3 / len(pairs) + 0.5) if figure is None else figure
        axes = figure.subplots(1, len(pairs), squeeze=False)[0]
        for ax, (pair, data, model) in zip(axes, drawn, strict=True):
            _panel(ax, pair, data, model)
        axes[0].set_ylabel("model")
        if caption:
            figure.supxlabel(caption, fontsize=8, color=MUTED, x=0.01, ha="left")
    return figure


def limits(data: Floats, model: Floats) -> tuple[float, float]:
    """One range for both axes, with a margin; about a constant, of width one."""
    low, high = float(min(data.min(), model.min())), float(max(data.max(), model.max()))
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _panel(ax: Axes, pair: Pair, data: Floats, model: Floats) -> None:
    from matplotlib.ticker import MaxNLocator

    low, high = limits(data, model)
    if len(data) > MOST_POINTS:
        ax.hexbin(
            data, model, gridsize=45, bins="log", mincnt=1, cmap="Blues", extent=(low, high, low, high),
            linewidths=0.1, vmin=0.1, rasterized=True,
        )  # fmt: skip
    else:
        ax.plot(data, model, "o", markersize=3.5, color=BLUE, alpha=0.65, markeredgewidth=0)
    ax.axline((low, low), (high, high), color=MUTED, linewidth=0.9, linestyle="--", zorder=3)
    ax.set(xlim=(low, high), ylim=(low, high), xlabel="data")
    ax.set_aspect("equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
    headings(ax, pair.name, pair.subtitle)


def agreement_in_words(r2: float, rms: float, noise: float) -> str:
    """A subtitle: R², and the differences beside what sampling makes of them."""
    first = "constant in the data" if np.isnan(r2) else f"R² = {number(r2, 3)}"
    return f"{first}\nrms difference {rms:.2g}\nby sampling alone {noise:.2g}"
