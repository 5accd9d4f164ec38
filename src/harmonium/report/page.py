"""A report as files: report.html, which needs nothing beside it, and numbers.json, what a program reads of it.

The template and the style lie in templates/; here the blocks become what the template lays out: numbered figures and
tables, verdicts in lists, markup checked.  A policy in the page's head forbids it every address but itself.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from itertools import count, groupby
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from markupsafe import Markup

from harmonium.errors import HarmoniumError, InputError
from harmonium.report.blocks import VERDICTS, Block, Figure, Note, Report, Table, Text, Verdict
from harmonium.report.figures import picture
from harmonium.report.markup import inline, paragraphs
from harmonium.report.tables import column_of_text, columns_aligned

_TEMPLATES = Path(__file__).parent / "templates"
_COMMAND = ("command", "made by")
_HOW = (*_COMMAND, "settings")  # facts at the end of the page only: how to make it again
_ALSO = ("versions", "software")  # facts at both places
_LONG = 34  # letters from which a fact takes two columns of the strip
_WIDE = 720  # pixels: a figure that is wider leaves the measure of the text


def write_report(report: Report, out: Path) -> Path:
    """Write the page and return its path.

    Parameters
    ----------
    report : Report
    out : Path
        A folder, made if need be, that holds figures/NAME.svg and figures/NAME.png of every figure.

    Returns
    -------
    Path
        out/report.html.

    Raises
    ------
    InputError
        If a figure is missing or cannot be read.
    HarmoniumError
        If the page cannot be written; one that stood there stays.
    """
    from harmonium.io import write_text

    out = _folder(out)
    path = out / "report.html"
    write_text(path, render(report, out / "figures"))
    return path


def write_numbers(report: Report, out: Path) -> Path:
    """Write out/numbers.json and return its path: names sorted, null for what is not finite.

    Raises
    ------
    InputError
        If the numbers hold something that is no mapping, sequence, number, word or None, or two keys of one name.
    HarmoniumError
        If the file cannot be written; one that stood there stays.
    """
    from harmonium.io import write_json

    path = _folder(out) / "numbers.json"
    write_json(path, _plain(report.numbers, "numbers"))
    return path


def render(report: Report, figures: Path) -> str:
    """The page as text, with the figures from the folder `figures`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    style, script = (
        (_TEMPLATES / name).read_text(encoding="utf-8").strip() + "\n" for name in ("report.css", "report.js")
    )
    strip, how = _facts(report.facts)
    layout = _Layout(report, figures)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2").render(
        title=report.title,
        subtitle=report.subtitle,
        facts=strip,
        how=how,
        summary=layout.views(report.summary),
        sections=[
            {
                "id": section.id,
                "title": section.title,
                "lead": paragraphs(section.lead, layout.ids),
                "views": layout.views(section.blocks),
            }
            for section in report.sections
        ],
        has_numbers=bool(report.numbers),
        has_figures=layout.n_figures > 0,
        style=Markup(style),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )


class _Layout:
    """What the template lays out of each block; figures and tables are numbered in the order of reading."""

    def __init__(self, report: Report, figures: Path) -> None:
        everything = [*report.summary, *(block for section in report.sections for block in section.blocks)]
        shown = [block.name for block in everything if isinstance(block, Figure)]
        self.n_figures = len(shown)
        self.ids = {section.id for section in report.sections} | {f"figure-{name}" for name in shown}
        self.ids |= {"summary", "colophon"}
        self._figures = figures
        self._seen: set[str] = set()
        self._drawings, self._captions, self._tables = count(1), count(1), count(1)

    def views(self, blocks: Sequence[Block]) -> list[dict[str, Any]]:
        """One dictionary a block, or a run of verdicts."""
        views = []
        for kind, run in groupby(blocks, key=type):
            if kind is Verdict:
                views.append(self._verdicts([block for block in run if isinstance(block, Verdict)]))
            else:
                views += [self._view(block) for block in run]
        return views

    def _view(self, block: Block) -> dict[str, Any]:
        match block:
            case Text(html):
                return {"kind": "text", "paragraphs": paragraphs(html, self.ids)}
            case Note(html, kind):
                return {"kind": "note", "tone": kind, "paragraphs": paragraphs(html, self.ids)}
            case Figure():
                return self._figure(block)
            case Table():
                return self._table(block)
        raise InputError(f"blocks has a {type(block).__name__}, which is none of a report's blocks.")

    def _figure(self, figure: Figure) -> dict[str, Any]:
        own = picture(figure, self._figures, next(self._drawings))
        first = figure.name not in self._seen  # shown twice, it has its id once
        self._seen.add(figure.name)
        return {
            "kind": "figure",
            "id": f"figure-{figure.name}" if first else None,
            "html": own.html,
            "width": own.width,
            "wide": own.width > _WIDE,
            "number": next(self._captions) if figure.caption else None,
            "caption": inline(figure.caption, self.ids),
            "alt": figure.alt,
        }

    def _table(self, table: Table) -> dict[str, Any]:
        n = len(table.head)
        letters = table.align or columns_aligned(table.rows, n)
        columns = [column_of_text([row[j] for row in table.rows]) for j in range(n)]
        return {
            "kind": "table",
            "head": [(inline(str(cell), self.ids), letters[j]) for j, cell in enumerate(table.head)],
            "rows": [[(inline(columns[j][i], self.ids), letters[j]) for j in range(n)] for i in range(len(table.rows))],
            "named": letters[0] == "l",
            "number": next(self._tables) if table.caption else None,
            "caption": inline(table.caption, self.ids),
            "note": inline(table.note, self.ids),
        }

    def _verdicts(self, verdicts: Sequence[Verdict]) -> dict[str, Any]:
        tally = [(word, n) for key, word in VERDICTS.items() if (n := sum(v.verdict == key for v in verdicts))]
        return {
            "kind": "verdicts",
            "tally": ", ".join(f"{n} {word.lower()}" for word, n in tally) if len(verdicts) > 2 else "",
            "items": [
                {
                    "verdict": one.verdict,
                    "word": VERDICTS[one.verdict],
                    "claim": inline(one.claim, self.ids),
                    "where": inline(one.where, self.ids),
                    "evidence": inline(one.evidence, self.ids),
                }
                for one in verdicts
            ],
        }


def _facts(facts: Mapping[str, str]) -> tuple[list[tuple[str, str, bool]], list[tuple[str, str, bool]]]:
    """Those of the strip (name, value, whether it is long) and those of the end (name, value, whether it is code)."""
    named = [(str(name), str(value)) for name, value in facts.items()]
    strip = [(name, value, len(value) > _LONG) for name, value in named if name.lower() not in _HOW]
    how = [(n, v, n.lower() in _COMMAND or "\n" in v) for n, v in named if n.lower() in (*_HOW, *_ALSO)]
    return strip, how


def _folder(out: Path) -> Path:
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarmoniumError(f"the folder {out} cannot be made: {error.strerror}; choose another one.") from None
    return Path(out)


def _plain(value: Any, where: str) -> Any:
    """What JSON can hold: `where` names the place in an error."""
    if hasattr(value, "tolist"):  # an array, a tensor, a number of either
        value = value.tolist()
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Mapping):
        keys = sorted(value, key=str)
        if len({str(key) for key in keys}) < len(keys):
            raise InputError(f"{where} has two keys of one name; give each its own.")
        return {str(key): _plain(value[key], f"{where}[{str(key)!r}]") for key in keys}
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (Sequence, set, frozenset)) and not isinstance(value, bytes):
        items = sorted(value) if isinstance(value, (set, frozenset)) else value
        return [_plain(item, f"{where}[{i}]") for i, item in enumerate(items)]
    raise InputError(f"{where} is a {type(value).__name__}, which numbers.json cannot hold; give numbers and words.")
