"""Tables of numbers as text: .csv, .tsv and .txt, perhaps gzipped, perhaps with a header that names the columns."""

from __future__ import annotations

import csv
import gzip
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from harmonium.errors import InputError

# What a header may call the labels without being asked. Not "y": it is as often a coordinate.
LABEL_NAMES = ("label", "labels", "class")
_MISSING = {"na", "n/a", "null", "none", "missing"}  # letters, yet no sign of a header


def read_text(path: Path, label_name: str | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Read a table: values (N, V) of int64 if all are integers, or else of float64, and labels (N,) or None.

    The separator is the first of tab, semicolon and comma that the first line has, or else white space; what follows
    a ``#`` is a comment. The first line is a header if one of its cells is a word. The labels are the column called
    `label_name`, or else the first of `LABEL_NAMES` in a header of several columns; they may be words, and empty.

    Raises
    ------
    InputError
        A cell that is no number, a line of another length, no such column, or no rows.
    """
    try:
        skip, separator, cells = _first_line(path)
        header = cells if any(_is_word(cell) for cell in cells) else []
        column = _label_column(path, header, label_name)
        if header:
            skip += 1
        table, words = _parse(path, separator, skip, len(cells), column)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8; save it as such.") from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is not a whole gzip file ({error}); fetch it again.") from error
    if len(table) == 0:
        raise InputError(f"{path} holds no rows of numbers; give at least one.")
    if column is None:
        return table, None
    labels = table[:, column] if words is None else words
    # A slice where it can be: the table may be large, and np.delete copies it.
    if column == 0:
        return table[:, 1:], labels
    if column == table.shape[1] - 1:
        return table[:, :-1], labels
    return np.delete(table, column, axis=1), labels


def column_names(path: Path, label_name: str | None = None) -> tuple[str, ...] | None:
    """What the header calls the columns of values, labels left out as in `read_text`; None where there is no header."""
    _, _, cells = _first_line(path)
    if not any(_is_word(cell) for cell in cells):
        return None
    labels = _label_column(path, cells, label_name)
    return tuple(name for i, name in enumerate(cells) if i != labels)


def read_words(path: Path, n: int) -> np.ndarray | None:
    """The lines of a file of labels as words (n,), without a header; None where it has several columns or other lines.

    A first line beyond the n is its header.
    """
    lines = [line for _, line in _lines(path, 0)]
    words = [line.strip('"') for line in lines if not any(separator in line for separator in "\t;,")]
    return np.array(words[-n:], dtype=str) if len(words) == len(lines) and len(words) in (n, n + 1) else None


def _parse(
    path: Path, separator: str | None, skip: int, width: int, column: int | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """The numbers (N, width) after the first `skip` lines, by NumPy's fast parser; and the labels, where words."""
    words = None
    try:
        try:
            table = _numbers(path, separator, skip, np.int64)  # five times as fast as float64
        except (ValueError, DeprecationWarning):
            try:
                table = _numbers(path, separator, skip, np.float64)
            except ValueError as error:
                if column is None or isinstance(error, UnicodeDecodeError):
                    raise
                table, words = _numbers_and_words(path, separator, skip, column)
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        fault = _first_fault(path, separator, skip, width, column)
        raise InputError(fault or f"{path} cannot be read: {error}.") from error
    if len(table) and table.shape[1] != width:  # the header has its own number of cells
        raise InputError(
            f"{path} has {width} names in its header but {table.shape[1]} numbers a line; make them agree."
        )
    return table, words


def _numbers(
    path: Path,
    separator: str | None,
    skip: int,
    dtype: type[np.number],
    converters: dict[int | str, Callable[[str], float]] | None = None,
) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "input contained no data": the caller says it
        warnings.simplefilter("error", DeprecationWarning)  # some NumPys would take 1.5 for the integer 1
        return np.loadtxt(
            str(path), dtype, delimiter=separator, skiprows=skip, ndmin=2, quotechar='"', encoding="utf-8-sig",
            converters=converters,
        )  # fmt: skip


def _numbers_and_words(path: Path, separator: str | None, skip: int, column: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers with 0 for what the label column holds, and that as words (N,)."""

    def read(dtype: type[np.number]) -> tuple[np.ndarray, np.ndarray]:
        words: list[str] = []

        def keep(cell: str) -> float:
            words.append(cell.strip())
            return 0

        table = _numbers(path, separator, skip, dtype, {column: keep})
        # NumPy may try a converter on the first line before it reads
        return table, np.array(words[len(words) - len(table) :], dtype=str)

    try:
        return read(np.int64)
    except (ValueError, DeprecationWarning):
        return read(np.float64)


def _first_line(path: Path) -> tuple[int, str | None, list[str]]:
    """How many lines to skip before the first that says something, the separator, and the cells of that line."""
    with _open(path) as file:
        for number, line in enumerate(file):
            if _content(line):
                separator = next((s for s in "\t;," if s in line), None)
                return number, separator, _cells(line, separator)
    raise InputError(f"{path} is empty; give at least one row of numbers.")


def _label_column(path: Path, header: list[str], label_name: str | None) -> int | None:
    """Where the labels are; None: there are none."""
    if label_name is None:
        usual = [name for name in LABEL_NAMES if name in header]
        return header.index(usual[0]) if usual and len(header) > 1 else None
    if label_name in header:
        return header.index(label_name)
    shown = ", ".join(header[:10]) + (", ..." if len(header) > 10 else "")
    names = f"(its columns are {shown})" if header else "(it has no header)"
    raise InputError(f"labels={label_name!r} is neither a file nor a column of {path} {names}.")


def _first_fault(path: Path, separator: str | None, skip: int, width: int, label: int | None = None) -> str | None:
    """One sentence on the first line that cannot be used: a slow second reading, for files with a fault only."""
    for number, line in _lines(path, skip):
        cells = _cells(line, separator)
        if len(cells) != width:
            return f"{path}, line {number}: {len(cells)} columns, the first line has {width}; give all as many."
        for column, cell in enumerate(cells, start=1):
            if not _is_number(cell) and column - 1 != label:
                where = f"{path}, line {number}, column {column}"
                mend = "write one there, or leave the row out"
                if label is None and skip and _is_word(cell):
                    mend += ", or name the column with labels if it holds the classes"
                return f"{where}: {cell!r} is not a number; {mend}."
    return None


def _lines(path: Path, skip: int) -> Iterator[tuple[int, str]]:
    """Lines that say something, after the first `skip`, with their numbers from 1."""
    with _open(path) as file:
        for number, line in enumerate(file, start=1):
            if number > skip and _content(line):
                yield number, _content(line)


def _open(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _content(line: str) -> str:
    return line.split("#", 1)[0].strip("\r\n ")


def _cells(line: str, separator: str | None) -> list[str]:
    line = _content(line)
    cells = line.split() if separator is None else next(csv.reader([line], delimiter=separator))
    return [cell.strip().strip('"') for cell in cells]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_word(cell: str) -> bool:
    return any(c.isalpha() for c in cell) and not _is_number(cell) and cell.lower() not in _MISSING
