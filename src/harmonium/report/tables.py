"""Cells of tables: numbers of a column with the same decimals, a true minus sign, words as they are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from numbers import Integral, Real

MISSING = "–"
_SIGNIFICANT = 6
_SMALL, _LARGE = 1e-4, 1e9  # beyond them a power of ten reads better
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NUMBER_IN_WORDS = re.compile(r"(?:<[a-z]+>)*(?:about |at most |at least |[~≈<>≤≥±]|&[lg]t;)?\s?[+−–-]?\s?\.?\d")
_EMPTY = {"", "-", "–", "—", "n/a"}


def columns_aligned(rows: Sequence[Sequence[str | float]], columns: int) -> str:
    """One letter a column: `r` where every cell is a number, or text that begins like one; else `l`.

    Text in the first column names the rows, so it stays on the left.
    """
    letters = []
    for j in range(columns):
        cells = [row[j] for row in rows if not (isinstance(row[j], str) and str(row[j]).strip() in _EMPTY)]
        words = j == 0 and any(isinstance(cell, str) for cell in cells)
        letters.append("r" if cells and not words and all(_numeric(cell) for cell in cells) else "l")
    return "".join(letters)


def column_of_text(cells: Sequence[str | float]) -> list[str]:
    """The cells of one column as a reader sees them."""
    decimals = max((_decimals(float(c)) for c in cells if not isinstance(c, (str, Integral))), default=0)
    return [cell if isinstance(cell, str) else _number(cell, decimals) for cell in cells]


def _numeric(cell: str | float) -> bool:
    return not isinstance(cell, str) or bool(_NUMBER_IN_WORDS.match(cell.strip()))


def _plain(value: float) -> bool:
    return math.isfinite(value) and (value == 0 or _SMALL <= abs(value) < _LARGE)


def _decimals(value: float) -> int:
    """The decimals that six significant digits need, without trailing zeros."""
    if not _plain(value):
        return 0
    whole = f"{value:.{_SIGNIFICANT}g}"
    if "e" in whole:
        return 0
    return len(whole.partition(".")[2])


def _number(value: Real | float, decimals: int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return f"{int(value):,}".replace("-", "−")
    x = float(value)
    if math.isnan(x):
        return MISSING
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if _plain(x):
        return f"{x:,.{decimals}f}".replace("-", "−")
    mantissa, _, power = f"{x:.2e}".partition("e")
    return f"{mantissa} × 10{str(int(power)).translate(_SUPERSCRIPTS)}".replace("-", "−")
