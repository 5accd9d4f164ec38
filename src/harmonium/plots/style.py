"""The house look: print quality, a colour-blind-safe cycle, light grid; applied locally, never to global state.

Matplotlib is imported where it is used, so that importing the figures costs nothing before one is drawn.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmonium.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 7.0  # inches: the text width of a page; 9-point letters stay readable when a screen shows it 700 pixels wide
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"  # Okabe and Ito (2008)
CYCLE = (BLUE, VERMILION, GREEN, ORANGE, "#CC79A7", "#56B4E9")
INK, MUTED, RULE = "#222222", "#666666", "#DCDCDC"  # text, secondary text, the lines between tiles
SIGNED, AMOUNT = "RdBu_r", "gray_r"  # colour maps: values about zero, and amounts from nothing to full

LOOK: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.facecolor": "white",
    "grid.color": "#E8E8E8",
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "harmonium",  # the same names inside equal figures
}
#: What each format would write about who and when.
_UNNAMED: dict[str, dict[str, str | None]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}


@contextmanager
def style() -> Iterator[None]:
    """The house look inside the `with` block; every rcParam is as before after it."""
    import matplotlib as mpl
    from cycler import cycler

    with mpl.rc_context({**LOOK, "axes.prop_cycle": cycler(color=CYCLE)}):
        yield


def new_figure(width: float = WIDTH, height: float = 3.6) -> Figure:
    """An empty figure of `width` by `height` inches that belongs to no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def headings(ax: Axes, title: str | None, subtitle: str | None = None) -> None:
    """Write a bold title and, between it and the axes, a subtitle of one line or more; either may be missing."""
    lines = subtitle.count("\n") + 1 if subtitle else 0
    if subtitle:
        ax.annotate(
            subtitle, (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points",
            ha="left", va="bottom", fontsize=8, color=MUTED, annotation_clip=False,
        )  # fmt: skip
    if title:
        ax.set_title(title, pad=6 + 12 * lines)


def number(value: float, decimals: int = 0) -> str:
    """`value` with so many decimals, thousands separated, and a true minus sign."""
    return f"{value:,.{decimals}f}".replace("-", "−")


def save(figure: Figure | Axes, path: str | Path) -> Path:
    """Write `figure` (or the figure of these axes) as a PNG or SVG file, all of it or nothing, and return its path.

    The file is written aside and renamed, so that a reader never meets half a picture. The look is applied here
    too, because Matplotlib makes tick labels only when it draws.

    Raises
    ------
    InputError
        If `path` ends in neither `.png` nor `.svg`.
    """
    from matplotlib.axes import Axes

    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _UNNAMED:
        raise InputError(f"path is {str(path)!r}; figures are saved as PNG or SVG, so end it in '.png' or '.svg'.")
    whole: Any = figure.figure if isinstance(figure, Axes) else figure
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with style():
            whole.savefig(
                aside, format=kind, dpi=150,
                bbox_inches="tight", pad_inches=0.06,  # pictures of fixed aspect leave room that layouts cannot foresee
                metadata=_UNNAMED[kind],  # equal figures, equal bytes
            )  # fmt: skip
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    return path
