"""Loss and error of a network against epochs, of training and validation rows; logarithmic if they fall by decades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harmonium.errors import InputError
from harmonium.plots.style import CYCLE, MUTED, WIDTH, headings, new_figure, number, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS = {"train": "training rows", "validation": "validation rows"}


def epochs(
    history: Sequence[Mapping[str, Any]], panels: Mapping[str, tuple[str, float]], *, kept: int | None = None
) -> Figure:
    """Draw a panel for each quantity.

    Parameters
    ----------
    history : sequence of mapping
        A record an epoch: ``epoch``, and ``train_NAME`` and ``validation_NAME`` where they were measured; those of
        training rows are averages over the epoch.
    panels : mapping of str to (str, float)
        NAME of each quantity, its title with the unit, and what its values are multiplied by.
    kept : int, optional
        The epoch whose network is kept, for a vertical line.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        A quantity that no record has.
    """
    with style():
        figure = new_figure(WIDTH, 3.2)
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for ax, (name, (title, factor)) in zip(axes, panels.items(), strict=True):
            drawn = 0
            for colour, (part, words) in zip(CYCLE, PARTS.items(), strict=False):
                found = [(r["epoch"], factor * r[f"{part}_{name}"]) for r in history if f"{part}_{name}" in r]
                if found:
                    drawn += 1
                    ax.plot(*zip(*found, strict=True), color=colour, label=words)
            if not drawn:
                raise InputError(f"no record of the history has {name!r}; give one that it has.")
            _scale(ax)
            if kept is not None:
                ax.axvline(kept, color=MUTED, linewidth=0.8, linestyle=":", label=f"kept: epoch {number(kept)}")
            headings(ax, title)
            ax.set_xlabel("epoch")
            ax.locator_params(axis="x", nbins=5, integer=True)
        figure.legend(*axes[-1].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure


def _scale(ax: Any) -> None:
    """Logarithmic from a decade on, with a place for zero where there is one: on less, no tick may be round."""
    values = [float(y) for line in ax.lines for y in line.get_ydata()]
    above = [y for y in values if y > 0]
    if not above or (0.0 not in values and max(above) < 10 * min(above)) or min(values) < 0:
        return
    if 0.0 in values:  # below the smallest value above zero the scale is linear
        ax.set_yscale("symlog", linthresh=min(above))
    else:
        ax.set_yscale("log")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
