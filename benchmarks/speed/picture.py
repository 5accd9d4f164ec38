"""Two figures: times as multiples of the products alone, a panel a case; and cost against size, a panel a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harmonium.plots.style import BLUE, INK, MUTED, VERMILION, headings, new_figure, number, style
from speed.arithmetic import Row, rows_of
from speed.cases import Case, Curve
from speed.rounds import Measured
from speed.tools import FLOOR, SCIKIT, TOOLS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_COLUMNS, _CURVE_COLUMNS = 3, 2
#: Inches: a line of dots, and what a panel needs around them.
_LINE, _AROUND = 0.19, 0.8


def times_figure(cases: Sequence[Measured]) -> Figure:
    """A dot a tool at its better number of threads, in multiples of the products alone, which are the line at 1."""
    lines = [line for side_by_side in (True, False) for line in _in_lines(cases, side_by_side)]
    tools = [list(dict.fromkeys(tool for m in line for tool in m.case.tools)) for line in lines]
    heights = [_AROUND + _LINE * len(names) for names in tools]
    figure = new_figure(height=sum(heights))
    with style():
        grid = figure.subplots(
            len(lines), _COLUMNS, squeeze=False, sharex=True, sharey="row", gridspec_kw={"height_ratios": heights}
        )
        for panels, line, names in zip(grid, lines, tools, strict=True):
            for ax, measured in zip(panels, line, strict=False):
                _panel(ax, measured.case, rows_of(measured), names)
            for ax in panels[len(line) :]:
                ax.set_axis_off()
            panels[0].set_yticks(range(len(names)), [TOOLS[name].label for name in names])
            panels[0].set_ylim(len(names) - 0.5, -0.5)
        grid[-1][0].set_xlabel("time / time of the products alone")
        _plain_ticks(grid[0][0].xaxis, *grid[0][0].get_xlim())
    return figure


def _in_lines(cases: Sequence[Measured], side_by_side: bool) -> list[Sequence[Measured]]:
    """The cases that other tools share, or those that none does, so many in a line."""
    chosen = [m for m in cases if (SCIKIT in m.case.tools) == side_by_side]
    return [chosen[i : i + _COLUMNS] for i in range(0, len(chosen), _COLUMNS)]


def _panel(ax: Axes, case: Case, rows: Sequence[Row], names: Sequence[str]) -> None:
    ax.axvline(1, color=INK, linewidth=1.0)
    for row in rows:
        if row.tool == FLOOR or row.to_floor is None:
            continue
        y = names.index(row.tool)
        colour = BLUE if row.tool.startswith("harmonium") else VERMILION if row.tool == SCIKIT else MUTED
        ax.plot([row.to_floor.low, row.to_floor.high], [y, y], color=colour, linewidth=1.2)
        ax.plot(row.to_floor.median, y, "o", color=colour, markersize=4.5)
    ax.set_xscale("log")
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelbottom=True)
    machine, _, minibatches = case.name.rpartition(", ")
    headings(ax, None, f"{machine}\n{minibatches}")


def curves_figure(curves: Sequence[tuple[Curve, Mapping[int, Sequence[float]]]]) -> Figure:
    """Milliseconds against each size with one thread and with two, and a dashed line of slope 1."""
    lines = -(-len(curves) // _CURVE_COLUMNS)
    figure = new_figure(height=2.6 * lines)
    with style():
        panels = list(figure.subplots(lines, _CURVE_COLUMNS, squeeze=False).flat)
        for ax, (curve, seconds) in zip(panels, curves, strict=False):
            last = 1000 * next(iter(seconds.values()))[-1]
            ax.plot(curve.values, [last * x / curve.values[-1] for x in curve.values], "--", color=MUTED, linewidth=1)
            for (threads, values), colour in zip(seconds.items(), (BLUE, VERMILION), strict=False):
                label = "one thread" if threads == 1 else f"{threads} threads"
                ax.plot(curve.values, [1000 * s for s in values], "o-", color=colour, markersize=3.5, label=label)
            ax.set_xscale("log")
            ax.set_yscale("log")
            _plain_ticks(ax.xaxis, *ax.get_xlim())
            _plain_ticks(ax.yaxis, *ax.get_ylim())
            ax.set_xlabel(curve.name)
            ax.set_ylabel("milliseconds")
            headings(ax, None, curve.held)
        panels[0].legend(fontsize=8)
        for ax in panels[len(curves) :]:
            ax.set_axis_off()
    return figure


def _plain_ticks(axis: Axis, low: float, high: float) -> None:
    """Tenfolds, with 2 and 5 between them where there is room, written out."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    between = (1.0, 2.0, 5.0) if high / low < 100 else (1.0,)
    places = [m * 10.0**e for e in range(-9, 10) for m in between if low <= m * 10.0**e <= high]
    axis.set_major_locator(FixedLocator(places))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}" if x < 1000 else number(x)))
