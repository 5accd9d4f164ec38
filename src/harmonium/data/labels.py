"""Class labels: whole numbers or names, rows without one, and the choice of some classes.

    whole numbers   y as given;  -1 and NaN are no label
    names           y = the number of the name among the sorted names; text that says nothing is no label

No label is -1, as scikit-learn has it in semi-supervised data.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harmonium.data.dataset import Dataset
from harmonium.errors import InputError

#: The label of a row that has none.
UNLABELLED = -1
#: What stands for no label in a column of text, in small letters.
_NOTHING = frozenset({"", "nan", "na", "n/a", "<na>", "null", "?", "-1"})
_LARGEST = 2**53  # above it a real number no longer tells neighbouring whole numbers apart


def read_labels(values: Any, n: int, where: str) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Turn raw values into labels.

    Parameters
    ----------
    values : array-like (n,), (n, 1) or (1, n)
        Integers, booleans, real numbers that are whole, or text. No label is NaN, -1, None, or text that is empty,
        ``nan``, ``NA``, ``N/A``, ``null``, ``?`` or ``-1``. Text that is whole numbers throughout is read as such.
    n : int
        The number of rows to be labelled.
    where : str
        What to call them in the message.

    Returns
    -------
    y : array (n,) of int64
        The numbers, or the number of each name among the sorted names; `UNLABELLED` where there is no label.
    names : tuple of str, or None
        The names in sorted order, where labels are names.

    Raises
    ------
    InputError
        More than one column, neither whole numbers nor text, or not one a row.
    """
    raw = np.asarray(values)
    if raw.size != max(raw.shape, default=0):
        raise InputError(f"{where} must be one integer or name a row, not of shape {raw.shape}; give one column.")
    flat = raw.reshape(-1)
    if flat.dtype.kind == "O":
        flat = _plain(flat, where)
    if flat.dtype.kind == "S":
        flat = np.array([value.decode("utf-8", "replace") for value in flat.tolist()], dtype=str)
    if flat.dtype.kind not in "biufUT":
        raise InputError(f"{where} must be integers or names; their type is {raw.dtype}.")
    y, names = _from_text(flat, where) if flat.dtype.kind in "UT" else (_from_numbers(flat, where), None)
    if len(y) != n:
        raise InputError(f"{where} must be one a row: there are {len(y)} labels for {n} rows.")
    return y, names


def _from_numbers(flat: np.ndarray, where: str) -> np.ndarray:
    if flat.dtype.kind == "b":
        return flat.astype(np.int64)
    missing = np.isnan(flat) if flat.dtype.kind == "f" else np.zeros(len(flat), bool)
    values = np.where(missing, UNLABELLED, flat) if missing.any() else flat
    if values.dtype.kind == "f":
        _refuse_any(~(np.isfinite(values) & (np.floor(values) == values)), flat, f"{where} must be integers")
    far = (values > _LARGEST) | (values < -_LARGEST)
    _refuse_any(far, flat, f"{where} must be integers of at most 15 digits")
    return values.astype(np.int64)


def _refuse_any(bad: np.ndarray, flat: np.ndarray, what: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(f"{what}; row {row} (counted from 0) holds {flat[row]}.")


def _from_text(flat: np.ndarray, where: str) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Numbers where all of the text is numbers, or else the places of the names."""
    found, place = np.unique(np.asarray(flat, dtype=object).astype(str), return_inverse=True)
    words = [str(word).strip() for word in found]
    names = sorted({word for word in words if word.lower() not in _NOTHING})
    numbers = [_number(name) for name in names]
    # Two spellings of one number, such as the folders 07 and 7, are two names.
    if names and None not in numbers and len(set(numbers)) == len(numbers):
        meaning = dict(zip(names, numbers, strict=True))
        values = np.array([meaning.get(word, math.nan) for word in words], dtype=np.float64)
        return _from_numbers(values[place.reshape(-1)], where), None
    code = {name: i for i, name in enumerate(names)}
    codes = np.array([code.get(word, UNLABELLED) for word in words], dtype=np.int64)
    return codes[place.reshape(-1)], tuple(names) or None


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _plain(flat: np.ndarray, where: str) -> np.ndarray:
    """Python objects as an array of text or of real numbers; None and what is not equal to itself is no label."""
    values = [None if _is_nothing(value) else value for value in flat.tolist()]
    kinds = {str if isinstance(value, str) else float for value in values if value is not None}
    if kinds == {str}:
        return np.array(["" if value is None else value for value in values], dtype=str)
    try:
        if str not in kinds:
            return np.array([math.nan if value is None else float(value) for value in values], dtype=np.float64)
    except (TypeError, ValueError):
        pass
    raise InputError(f"{where} must be integers throughout or names throughout; they are mixed, or of other types.")


def _is_nothing(value: Any) -> bool:
    # The missing value of pandas has no truth, and so cannot be compared.
    missing = value is None or type(value).__name__ in ("NAType", "NaTType")
    return missing or (isinstance(value, float) and math.isnan(value))


def select_classes(dataset: Dataset, classes: Iterable[int | str]) -> Dataset:
    """Keep the rows with these labels, in their order, and recount the data set's own training part.

    X (N, V) and y (N,) become (M, V) and (M,); X is copied unless every row is kept. Classes are whole numbers (or
    text of such), or names where the data set has names. Rows without a label are left out.

    Raises
    ------
    InputError
        No labels, no classes asked for, or a class that no row has.
    """
    names = dataset.names
    asked = _asked(classes, named=names is not None)
    if dataset.y is None:
        raise InputError(f"classes={_spelled(asked)} needs labels, and {dataset.source} has none; give labels, too.")
    codes = [int(code) for code in np.unique(dataset.y) if code != UNLABELLED]
    available = {code if names is None else names[code]: code for code in codes}
    missing = [c for c in asked if c not in available]
    if missing or not asked:
        few = ", ".join(map(str, list(available)[:20])) + (", ..." if len(available) > 20 else "")
        fault = f"has no rows of class {', '.join(map(str, missing))}" if asked else "selects nothing"
        fault = f"classes={_spelled(asked)} {fault}"
        raise InputError(f"{fault} in {dataset.source}; the classes there are {few or 'none'}.")
    kept = np.isin(dataset.y, [available[c] for c in asked])
    if kept.all():
        return dataset
    n_train = None if dataset.n_train is None else int(np.count_nonzero(kept[: dataset.n_train]))
    groups = None if dataset.groups is None else dataset.groups[kept]
    numbers = np.flatnonzero(kept) if dataset.numbers is None else dataset.numbers[kept]
    return replace(dataset, X=dataset.X[kept], y=dataset.y[kept], n_train=n_train, groups=groups, numbers=numbers)


def _asked(classes: Iterable[int | str], *, named: bool) -> list[int | str]:
    """The classes asked for, sorted, each once: names, or whole numbers."""
    if isinstance(classes, str) or not isinstance(classes, Iterable):
        wanted = "a list of names" if named else "a list of whole numbers, such as [7, 8, 9]"
        raise InputError(f"classes={classes!r} must be {wanted}.")
    words = list(classes)
    try:
        if named:
            return sorted({c if isinstance(c, str) else str(operator.index(c)) for c in words})
        return sorted({int(c) if isinstance(c, str) else operator.index(c) for c in words})
    except (TypeError, ValueError) as error:
        wanted = "names of classes" if named else "whole numbers, such as 7,8,9"
        raise InputError(f"classes={_spelled(words)} must be {wanted}.") from error


def _spelled(classes: list[Any]) -> str:
    """The classes as the option has them; an empty list, which only Python can give, as Python has it."""
    return ",".join(map(str, classes)) or "[]"


def refuse_name(path: Path, label_name: str | None) -> None:
    """For files whose parts have no names: InputError if the labels were asked for by name."""
    if label_name is not None:
        raise InputError(f"labels={label_name!r} is not a file, and {path} has no columns or arrays of that name.")
