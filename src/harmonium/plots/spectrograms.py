"""Spectrograms side by side: the recordings on the left, what machines make of them on the right, on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, table, vector
from harmonium.plots.style import MUTED, WIDTH, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

LOUDNESS = "magma"  # even in lightness, and the same to colour-blind readers: dark is silent
TICKS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # kHz
APART = 0.11  # of the height, so that two ticks' words do not touch


def spectrograms(
    columns: Mapping[str, Sequence[npt.ArrayLike]],
    names: Sequence[str],
    frequencies: npt.ArrayLike,
    hop: float,
    *,
    limits: tuple[float, float] | None = None,
    unit: str = "dB",
    title: str | None = None,
    caption: str | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw a grid of spectrograms: a recording a row, and the input and each regeneration a column.

    Parameters
    ----------
    columns : mapping of str to sequences of R arrays (B, T)
        Under each heading the R spectrograms, the lowest band first; the input comes first. Lengths T may differ.
    names : sequence of R str
        What stands beside the rows: the word that is said, the speaker.
    frequencies : array (B,)
        The frequency at the middle of each band in Hz, rising.
    hop : float
        Seconds from one frame to the next.
    limits : (float, float), optional
        The values that are darkest and brightest; by default the least and the greatest of the first column.
    unit : str
        Of the values, for the colour bar.
    title, caption : str, optional
        Above and below all.
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure
        With R times as many axes as there are columns, row by row, all on one scale of time.

    Raises
    ------
    InputError
        If there are no columns, a column has not as many spectrograms as there are names, or one has not B bands.
    """
    centres = vector("frequencies", frequencies) / 1000
    if len(centres) < 2 or (np.diff(centres) <= 0).any() or centres[0] < 0:
        raise InputError("frequencies must be two or more, rising from 0 or above; give the middle of each band in Hz.")
    if not hop > 0:
        raise InputError(f"hop is {hop}; give the seconds from one frame to the next.")
    grid = _grid(columns, len(names), len(centres))
    if limits is None:
        first = next(iter(grid.values()))
        low, high = min(float(one.min()) for one in first), max(float(one.max()) for one in first)
        limits = low, (high if high > low else low + 1)
    if not limits[0] < limits[1]:
        raise InputError(f"limits is {limits}; give the lower value first.")
    everything = [one for column in grid.values() for one in column]
    seconds = max(one.shape[1] for one in everything) * hop
    with style():
        if figure is None:
            figure = new_figure(WIDTH, 0.75 + 1.05 * len(names) + 0.25 * bool(title) + 0.2 * bool(caption))
        axes = figure.subplots(len(names), len(grid), sharex=True, sharey=True, squeeze=False)
        for j, (heading, column) in enumerate(grid.items()):
            axes[0, j].set_title(heading)
            for i, one in enumerate(column):
                drawn = _draw(axes[i, j], one, hop, limits)
        _scales(axes, names, centres, seconds)
        slack = 1e-3 * (limits[1] - limits[0])  # of rounding
        low = min(float(one.min()) for one in everything) < limits[0] - slack
        high = max(float(one.max()) for one in everything) > limits[1] + slack
        bar = figure.colorbar(
            drawn, ax=axes, label=unit, shrink=min(1.0, 2.0 / len(names)), anchor=(0, 1), aspect=25, pad=0.015,
            extendfrac=0.04, extend=("both" if low else "max") if high else ("min" if low else "neither"),
        )  # fmt: skip
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0)
        if title:
            figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
        if caption:
            figure.supxlabel(caption, fontsize=8, color=MUTED, x=0.01, ha="left")
    return figure


def _grid(columns: Mapping[str, Sequence[npt.ArrayLike]], rows: int, bands: int) -> dict[str, list[Floats]]:
    """All spectrograms as tables of finite numbers, checked."""
    if not columns or not rows:
        raise InputError("columns or names is empty; give at least one recording, and its spectrogram.")
    grid = {}
    for heading, column in columns.items():
        if len(column) != rows:
            raise InputError(f"{heading!r} has {len(column)} spectrograms for {rows} names; give one a name.")
        grid[heading] = [table(f"spectrogram {i} of {heading!r}", one) for i, one in enumerate(column)]
        wrong = next((one for one in grid[heading] if len(one) != bands), None)
        if wrong is not None:
            raise InputError(f"{heading!r} has a spectrogram of shape {wrong.shape}; give ({bands} bands, frames).")
    return grid


def _draw(ax: Axes, values: Floats, hop: float, limits: tuple[float, float]) -> AxesImage:
    """One spectrogram: frame t is the cell around t * hop seconds, band b that around b."""
    bands, frames = values.shape
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return ax.imshow(
        values, cmap=LOUDNESS, vmin=limits[0], vmax=limits[1], origin="lower", aspect="auto", interpolation="nearest",
        extent=(-hop / 2, (frames - 0.5) * hop, -0.5, bands - 0.5),
    )  # fmt: skip


def _scales(axes: np.ndarray, names: Sequence[str], centres: Floats, seconds: float) -> None:
    """Seconds below, kHz at the left where the bands have them, and the names of the rows."""
    from matplotlib.ticker import MaxNLocator

    places, words = _kilohertz(centres)
    for (first, *_), name in zip(axes, names, strict=True):
        first.set_yticks(places, words)
        first.set_ylabel(name, fontweight="bold")
    for ax in axes[-1]:
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.set(xlabel="seconds", xlim=(0, seconds))


def _kilohertz(centres: Floats) -> tuple[list[float], list[str]]:
    """Where ticks are among the bands and what they say, from the highest down, none too close to the one before."""
    places: list[float] = []
    words = []
    for tick in sorted(TICKS, reverse=True):
        if centres[0] <= tick <= centres[-1]:
            place = float(np.interp(tick, centres, np.arange(len(centres))))
            if not places or places[-1] - place > APART * len(centres):
                places.append(place)
                words.append(f"{tick:g}" if len(places) > 1 else f"{tick:g} kHz")
    return places, words
