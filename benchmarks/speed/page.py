"""The report: a table a case, the curves of cost, and when another tool is the better choice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harmonium.plots.style import save
from harmonium.report.blocks import Block, Figure, Report, Section, Table, Text
from harmonium.report.markdown import markdown, write_markdown
from speed import words
from speed.arithmetic import Row, Slope, median_seconds, rows_of, slope
from speed.cases import EPOCH, Curve
from speed.machine import description
from speed.picture import curves_figure, times_figure
from speed.rounds import NOT_INSTALLED, Measured, Pace
from speed.tools import FLOOR, SCIKIT, TOOLS

MIB = 2**20


@dataclass(frozen=True)
class Results:
    """All that was measured."""

    cases: Sequence[Measured]
    curves: Sequence[tuple[Curve, Sequence[Measured]]]
    pace: Pace
    real: bool
    seconds: float
    command: str

    def slopes(self) -> list[tuple[str, int, Slope]]:
        """Of each curve and number of threads that has two points or more."""
        found = []
        for curve, points in self.curves:
            for threads in points[0].case.threads:
                known = [(x, s) for x, s in zip(curve.values, costs(curve, points, threads), strict=True) if s == s]
                if len(known) > 1:
                    found.append((curve.name, threads, slope(*zip(*known, strict=True))))
        return found


def costs(curve: Curve, points: Sequence[Measured], threads: int) -> list[float]:
    """Seconds of an epoch or an update at each value of a curve."""
    scale = [point.case.rows / point.case.batch if curve.whole else 1.0 for point in points]
    return [median_seconds(point, threads) * factor for point, factor in zip(points, scale, strict=True)]


def case_table(rows: Sequence[Row]) -> Table:
    """A row a tool."""
    head = ("tool, gradient", "threads", "s an epoch", "times the products", "times scikit-learn", "updates/s",
            "10⁹ connection updates/s", "peak MiB")  # fmt: skip
    cells = [
        (
            row.label,
            str(row.threads),
            words.significant(row.epoch.median),
            words.MISSING if row.tool == FLOOR or row.to_floor is None else words.times(row.to_floor),
            words.MISSING if row.tool in (FLOOR, SCIKIT) or row.to_scikit is None else words.times(row.to_scikit),
            words.significant(row.updates),
            words.significant(row.connections / 1e9),
            words.MISSING if row.tool == FLOOR else f"{row.memory / MIB:,.0f}",
        )
        for row in rows
    ]
    floor = next((row for row in rows if row.tool == FLOOR), None)
    return Table(head, cells, note=f"The products: {floor.note}." if floor else "", align="lrrrrrrr")


def case_section(number: int, measured: Measured) -> Section:
    """The table of a case, and who is missing from it."""
    rows = rows_of(measured)
    blocks: list[Block] = [case_table(rows)]
    died = [why for why in measured.lost.values() if not why.endswith(NOT_INSTALLED)]
    if died:
        blocks.append(Text(" ".join(died)))
    return Section(f"case-{number}", measured.case.name, blocks, words.said_of(rows))


def overview(cases: Sequence[Measured]) -> Table:
    """One line a case: harmonium's PCD-1, or what it has, beside the products and scikit-learn."""
    rows = []
    for measured in cases:
        found = {row.tool: row for row in rows_of(measured)}
        own = next((found[t] for t in ("harmonium-pcd", *measured.case.tools) if t in found), None)
        if own is None or not own.tool.startswith("harmonium"):
            continue
        epoch = {tool: words.significant(found[tool].epoch.median) for tool in (FLOOR, SCIKIT) if tool in found}
        rows.append((
            measured.case.name,
            TOOLS[own.tool].gradient,
            epoch.get(FLOOR, words.MISSING),
            words.significant(own.epoch.median),
            epoch.get(SCIKIT, words.MISSING),
            f"{own.to_floor.median:.2f}" if own.to_floor else words.MISSING,
            f"{own.to_scikit.median:.2f}" if own.to_scikit else words.MISSING,
        ))  # fmt: skip
    head = ("machine", "gradient", "products alone, s", "harmonium, s", "scikit-learn, s", "harmonium / products",
            "harmonium / scikit-learn")  # fmt: skip
    return Table(head, rows, f"Seconds of an epoch of {EPOCH:,} rows, each at its better number of threads.",
                 align="llrrrrr")  # fmt: skip


def growth_section(results: Results) -> Section:
    """Exponents, then all points."""
    exponents = [
        (name, str(threads), f"{s.value:.3f}" + (f" ± {s.error:.3f}" if math.isfinite(s.error) else ""))
        for name, threads, s in results.slopes()
    ]
    points = []
    for curve, measured in results.curves:
        one, two = costs(curve, measured, 1), costs(curve, measured, 2)
        for value, a, b in zip(curve.values, one, two, strict=True):
            gain = f"{a / b:.2f}" if a == a and b == b else words.MISSING
            points.append((curve.name, f"{value:,}", *(_milliseconds(s) for s in (a, b)), gain))
    held = ". ".join(f"Against the {curve.name}: {curve.held.replace('; ', ', ')}" for curve, _ in results.curves)
    return Section(
        "growth",
        "Cost against size",
        [
            Text(words.of_growth(held)),
            Table(("against", "threads", "exponent"), exponents, align="lrr"),
            Figure("cost", "Dashed: time in proportion to the size.", "Time against size, both in logarithms."),
            Table(("against", "value", "ms, one thread", "ms, two threads", "gain by two"), points, align="lrrrr"),
        ],
        words.growth(results.slopes()),
    )  # fmt: skip


def _milliseconds(seconds: float) -> str:
    return words.significant(1000 * seconds) if seconds == seconds else words.MISSING


def report(results: Results) -> Report:
    """The whole page."""
    missing = sorted({why for m in results.cases for why in m.lost.values() if why.endswith(NOT_INSTALLED)})
    summary: list[Block] = [overview(results.cases), Text(words.memory(results.cases))]
    if missing:
        summary.append(Text(" ".join(missing)))
    caption = "Times of an update as multiples of that of the matrix products alone (the line at 1): median, quartiles."
    summary.append(Figure("times", caption, "Dots on logarithmic axes, a panel a machine, a row a tool."))
    sections = [
        Section("how", "How it was measured", [Text(words.how(results.pace, results.real)), Text(words.fairness())]),
        *(case_section(i, measured) for i, measured in enumerate(results.cases)),
        *([growth_section(results)] if results.curves else []),
        Section("elsewhere", "When another tool is the better choice",
                [Text(words.quicker(results.cases)), Text(words.elsewhere())]),
    ]  # fmt: skip
    facts = {**description(), "command": results.command, "measured in": f"{results.seconds / 60:.1f} minutes"}
    return Report("Speed and memory, side by side",
                  "harmonium beside other programs for Restricted Boltzmann Machines, on one processor, in one run",
                  summary, sections, facts, {})  # fmt: skip


def write(results: Results, out: Path) -> None:
    """The page, and its figures in figures/NAME beside it."""
    figures = out.parent / "figures" / out.stem
    save(times_figure(results.cases), figures / "times.png")
    if results.curves:
        drawn = [(curve, {t: costs(curve, points, t) for t in points[0].case.threads})
                 for curve, points in results.curves]  # fmt: skip
        save(curves_figure(drawn), figures / "cost.png")
    write_markdown(report(results), out, f"figures/{out.stem}")


def printed(results: Results) -> str:
    """The same page for a terminal, without the figures."""
    return markdown(report(results), only=())
