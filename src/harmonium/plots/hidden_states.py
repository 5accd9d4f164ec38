"""How often each hidden state occurs, a panel for each class of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.plots.checks import Floats, table
from harmonium.plots.style import BLUE, CYCLE, MUTED, RULE, WIDTH, headings, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LETTER, LINE, ACROSS = 0.075, 0.11, 6.3  # inches that a letter of a name and a turned name take, and that all have
REST = "others"


def hidden_states(
    shares: npt.ArrayLike,
    names: Sequence[str],
    classes: Sequence[object] | None = None,
    *,
    notes: Sequence[str] | None = None,
    most: int = 32,
    title: str | None = None,
    caption: str | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draw the probability of each hidden state as bars, one panel below the other, all on one scale.

    Parameters
    ----------
    shares : array (S,) or (C, S)
        Probabilities of the states, of each class a row; what a row lacks of 1 is on states that are not listed.
    names : sequence of S str
        Of the states: bits or numbers.
    classes : sequence of C, optional
        Names of the panels; the data's classes.
    notes : sequence of C str, optional
        A line for each panel, such as its effective number of states.
    most : int
        The most states to draw: of more, those that are most frequent over the panels in the order of their frequency,
        and all others as one bar.
    title, caption : str, optional
        Above and below the panels.
    figure : matplotlib Figure, optional
        An empty figure to draw on.

    Returns
    -------
    Figure
        With one axes a class.

    Raises
    ------
    InputError
        If the shares are negative, sum to more than 1, or do not match their names.
    """
    rows = table("shares", np.atleast_2d(np.asarray(shares, dtype=np.float64)))
    if rows.min() < 0 or rows.sum(1).max() > 1 + 1e-6:
        raise InputError("shares must be probabilities: none below 0, and no row with a sum above 1.")
    for name, given, size in (
        ("names", names, rows.shape[1]),
        ("classes", classes, len(rows)),
        ("notes", notes, len(rows)),
    ):
        if given is not None and len(given) != size:
            raise InputError(f"{name} has {len(given)} entries where shares has {size}; give as many.")
    if most < 1:
        raise InputError(f"most is {most}; show at least one state.")
    chosen, rest = choose(rows, most)
    labels = [names[state] for state in chosen]
    heights = rows[:, chosen]
    if rest.any():
        labels, heights = [*labels, REST], np.column_stack([heights, rest])
    top = 1.08 * float(heights.max()) or 1.0
    turned = max(map(len, labels)) * LETTER * len(labels) > ACROSS
    every = -(
        -int(LINE * len(labels) * 100) // int(ACROSS * 100)
    )  # of more names than there is room for, each so many-th
    with style():
        figure = new_figure(WIDTH, 0.5 + 1.15 * len(rows) + 0.25 * bool(title)) if figure is None else figure
        panels = figure.subplots(len(rows), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for i, (ax, values) in enumerate(zip(panels, heights, strict=True)):
            colours = [CYCLE[i % len(CYCLE)] if classes is not None else BLUE] * len(chosen)
            ax.bar(range(len(values)), values, width=0.8, color=[*colours, MUTED][: len(values)])
            ax.set(ylim=(0, top), xlim=(-0.7, len(values) - 0.3))
            ax.grid(False, axis="x")
            head = None if classes is None else str(classes[i])
            headings(ax, head)
            if notes is not None:
                ax.set_title(notes[i], loc="right", fontsize=8, fontweight="normal", color=MUTED)
        places = range(0, len(labels), every)
        panels[-1].set_xticks(places, [labels[i] for i in places])
        panels[-1].tick_params(axis="x", rotation=90 if turned else 0, labelsize=6.5 if turned else 8)
        for ax in panels:
            ax.tick_params(axis="x", length=0)
            ax.axhline(0, color=RULE, linewidth=0.7)
        panels[-1].set_xlabel("hidden state")
        figure.supylabel("probability", fontsize=9)
        if title:
            figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
        if caption:
            figure.supxlabel(caption, fontsize=8, color=MUTED, x=0.01, ha="left")
    return figure


def choose(rows: Floats, most: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """At most `most` states of `rows` (C, S), and what each row has beside them (C,), exact zeros if nothing."""
    mean = rows.mean(0)
    chosen = np.arange(len(mean)) if len(mean) <= most else np.argsort(-mean, kind="stable")[:most]
    rest = 1 - rows[:, chosen].sum(1)
    return chosen, np.where(rest > 1e-6, rest, 0.0)
