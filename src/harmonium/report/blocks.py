"""What a report is made of: text, figures, tables, verdicts and notes, in sections; plain values, no libraries.

Strings of prose and cells of tables take a little markup: <b> <i> <em> <strong> <code> <sub> <sup> <br> and
<a href="#id">, where id is that of a section, or figure-NAME.  Everything else is shown as it stands, so a label from
elsewhere cannot break the page; `escape` makes sure that one like "<b>" is shown as it stands, too.  A link to an id
that the report lacks becomes plain text.  Title, subtitle, facts and the alt text of a figure are plain.
"""

from __future__ import annotations

import html as _html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from harmonium.errors import InputError

#: What a verdict may say, and how a reader sees it.
VERDICTS = {
    "confirmed": "Confirmed",
    "contradicted": "Contradicted",
    "partly": "Partly",
    "undecided": "Undecided",
}
NOTES = ("note", "warning")
#: The parts that every page has, which no section may be called.
RESERVED = ("summary", "colophon", "top", "main")

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def escape(text: object) -> str:
    """`text` with `<`, `>`, `&` and quotes made harmless, for a label inside a string that takes markup."""
    return _html.escape(str(text), quote=True)


@dataclass(frozen=True)
class Text:
    """A paragraph, or several with blank lines between them."""

    html: str


@dataclass(frozen=True)
class Figure:
    """A picture, drawn beforehand as figures/NAME.png and figures/NAME.svg in the folder of the report.

    Parameters
    ----------
    name : str
        Letters, digits, `.`, `_`, `-`.
    caption : str
        What the reader should see in it; it is numbered.
    alt : str
        The same for someone who cannot see it.

    Raises
    ------
    InputError
        If the name is not one of a file, or there is no alt text.
    """

    name: str
    caption: str
    alt: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(f"name={self.name!r} cannot name a figure; use letters, digits, '.', '_' and '-'.")
        if not self.alt.strip():
            raise InputError(f"alt of figure {self.name!r} is empty; say in words what it shows.")


@dataclass(frozen=True)
class Table:
    """A table; the first column names its rows.

    Parameters
    ----------
    head : sequence of str (columns,)
    rows : sequence (rows,) of sequences (columns,) of str or number
        Numbers of a column share their decimals (six significant digits at most), NaN is a dash.
    caption, note : str
        Above and below the table; a caption is numbered.
    align : str, optional
        One of `l`, `r`, `c` a column; by default numbers to the right and words to the left.

    Raises
    ------
    InputError
        If a row or `align` does not fit the head, or a cell is neither text nor a number.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    caption: str = ""
    note: str = ""
    align: str | None = None

    def __post_init__(self) -> None:
        columns = len(self.head)
        if not columns:
            raise InputError("head is empty; a table has at least one column.")
        for i, row in enumerate(self.rows):
            if len(row) != columns:
                raise InputError(f"rows[{i}] has {len(row)} cells under {columns} headings; give one for each.")
            for cell in row:
                if not isinstance(cell, (str, Real)):
                    kind = type(cell).__name__
                    raise InputError(f"rows[{i}] has a cell of type {kind}; cells are text or numbers.")
        if self.align is not None and (len(self.align) != columns or set(self.align) - set("lrc")):
            raise InputError(f"align={self.align!r} does not fit; give one of 'l', 'r', 'c' for each of {columns}.")


@dataclass(frozen=True)
class Verdict:
    """What became of one claim; several in a row are shown as one list.

    Parameters
    ----------
    claim : str
        What was claimed.
    where : str
        Where: "section 4, figure 3".
    verdict : {"confirmed", "contradicted", "partly", "undecided"}
    evidence : str
        A sentence with its interval.

    Raises
    ------
    InputError
        If the verdict is none of the four.
    """

    claim: str
    where: str
    verdict: str
    evidence: str

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise InputError(f"verdict={self.verdict!r} is unknown; use one of {', '.join(VERDICTS)}.")


@dataclass(frozen=True)
class Note:
    """A remark beside the text; of kind "warning" where a reader may be misled without it.

    Raises
    ------
    InputError
        If the kind is another.
    """

    html: str
    kind: str = "note"

    def __post_init__(self) -> None:
        if self.kind not in NOTES:
            raise InputError(f"kind={self.kind!r} is unknown; use one of {', '.join(NOTES)}.")


Block = Text | Figure | Table | Verdict | Note


@dataclass(frozen=True)
class Section:
    """A part of the report under its own heading.

    Parameters
    ----------
    id : str
        What links point to; letters, digits, `_`, `-`, a letter first.
    title : str
    blocks : sequence of Block
    lead : str
        The answer in one or two sentences, shown large.

    Raises
    ------
    InputError
        If the id cannot be one, or is one of `RESERVED`.
    """

    id: str
    title: str
    blocks: Sequence[Block]
    lead: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id) or self.id in RESERVED or self.id.startswith("figure-"):
            raise InputError(
                f"id={self.id!r} cannot be that of a section; use letters, digits, '_' and '-', a letter first, and "
                f"neither {', '.join(RESERVED)} nor figure-…"
            )


@dataclass(frozen=True)
class Report:
    """A whole page.

    Parameters
    ----------
    title, subtitle : str
    summary : sequence of Block
        The main table and the verdicts.
    sections : sequence of Section
    facts : mapping of str to str
        Data, rows, threshold, seeds, machine, threads, seconds, versions, in the order given: a strip under the title.
        `command` (or `made by`) and `settings` go to the end of the page, where it says how to make it again, and
        `versions` (or `software`) to both places.
    numbers : mapping of str to any
        What `harmonium.report.write_numbers` stores: nested mappings and sequences of numbers, words and None.

    Raises
    ------
    InputError
        If two sections have one id.
    """

    title: str
    subtitle: str
    summary: Sequence[Block]
    sections: Sequence[Section]
    facts: Mapping[str, str]
    numbers: Mapping[str, Any]

    def __post_init__(self) -> None:
        ids = [section.id for section in self.sections]
        for name in ids:
            if ids.count(name) > 1:
                raise InputError(f"id={name!r} names two sections; give each its own.")
