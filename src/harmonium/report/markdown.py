"""The same report as Markdown, for the pages of a repository: no styles, figures as links to PNG files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from harmonium.report.blocks import VERDICTS, Block, Figure, Report, Table, Text, Verdict
from harmonium.report.markup import inline, paragraphs
from harmonium.report.tables import column_of_text, columns_aligned

_RULES = {"l": "---", "r": "---:", "c": ":---:"}
#: Inline tags that every reader of Markdown writes differently or not at all.
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`"}


def write_markdown(report: Report, path: Path, figures: str = "figures", only: Sequence[str] | None = None) -> Path:
    """Write the report as a page of Markdown.

    Parameters
    ----------
    report : Report
    path : Path
        The file to write, all of it or nothing.
    figures : str
        Where its pictures will be found, seen from the page.
    only : sequence of str, optional
        The figures to show; by default all.
    """
    from harmonium.io import write_text

    write_text(path, markdown(report, figures, only))
    return path


def markdown(report: Report, figures: str = "figures", only: Sequence[str] | None = None) -> str:
    """The report as Markdown; see `write_markdown`."""
    tables = count(1)

    def block(one: Block) -> str:
        if isinstance(one, Text):
            return "\n\n".join(_inline(str(part)) for part in paragraphs(one.html))
        if isinstance(one, Figure):
            shown = only is None or one.name in only
            return f"![{one.alt}]({figures}/{one.name}.png)\n\n*{_text(one.caption)}*" if shown else ""
        if isinstance(one, Table):
            return _table(one, next(tables))
        if isinstance(one, Verdict):
            return f"* **{VERDICTS[one.verdict]}** — {_text(one.claim)} ({_text(one.where)}). {_text(one.evidence)}"
        return "> " + ("**Warning.** " if one.kind == "warning" else "") + _text(one.html)

    def blocks(many: Sequence[Block]) -> str:
        text = ""
        for i, one in enumerate(many):
            follows = i > 0 and isinstance(one, Verdict) and isinstance(many[i - 1], Verdict)
            written = block(one)
            if written:
                text += ("" if not text else "\n" if follows else "\n\n") + written
        return text

    pieces = [f"# {report.title}", report.subtitle]
    pieces.append("\n".join(f"* {name}: {value}" for name, value in report.facts.items()))
    pieces.append(blocks(report.summary))
    for section in report.sections:
        lead, body = _text(section.lead).replace("**", ""), blocks(section.blocks)
        if lead or body:  # a section of figures that are not shown is none
            pieces += [f"## {section.title}", f"**{lead}**" if lead else "", body]
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def _text(words: str) -> str:
    return _inline(str(inline(words))).replace("\n", " ")


def _inline(safe: str) -> str:
    """Safe HTML as Markdown: emphasis by its marks, sub- and superscripts as they are, quotes as letters.

    What stands for < and > stays as it is: a reader of Markdown would take the signs themselves for markup.
    """
    for tag, mark in _MARKS.items():
        safe = re.sub(rf"</?{tag}>", mark, safe)
    for entity, letter in (("&#34;", '"'), ("&#39;", "'"), ("\u00a0", " ")):
        safe = safe.replace(entity, letter)
    return safe


def _table(table: Table, number: int) -> str:
    letters = table.align or columns_aligned(table.rows, len(table.head))
    columns = [column_of_text([row[j] for row in table.rows]) for j in range(len(table.head))]
    rows = [list(table.head), *map(list, zip(*columns, strict=True))]
    lines = ["| " + " | ".join(_text(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join(_RULES[letter] for letter in letters) + " |")
    caption = f"**Table {number}.** {_text(table.caption)}\n\n" if table.caption else ""
    return caption + "\n".join(lines) + (f"\n\n{_text(table.note)}" if table.note else "")
