"""One option: its help, its heading, the values it takes, and the sentence that refuses all others."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import Field, dataclass, field
from numbers import Integral, Real
from typing import Any

from harmonium.errors import InputError


@dataclass(frozen=True)
class Takes:
    """What an option takes: a range of numbers (ends included, but for `above` and `below`), or words.

    `special` is one number outside the range, and `means` what it stands for.
    """

    help: str
    group: str
    shown: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    above: float | None = None
    high: float | None = None
    below: float | None = None
    special: float | None = None
    means: str = ""

    def contains(self, value: float) -> bool:
        """Whether a number may be used; infinities and NaN never."""
        if isinstance(value, float) and not math.isfinite(value):
            return False
        if self.special is not None and value == self.special:
            return True
        return (
            (self.low is None or value >= self.low)
            and (self.above is None or value > self.above)
            and (self.high is None or value <= self.high)
            and (self.below is None or value < self.below)
        )

    def in_words(self, kind: type) -> str:
        """The values it takes, as the end of "must be ..."."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        words = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}[kind]
        top = _exact(self.high) if self.high is not None else ""
        if self.low is not None:
            top = top or (f"below {_exact(self.below)}" if self.below is not None else "")
            words += f" from {_exact(self.low)} {f'to {top}' if top else 'on'}"
        elif self.above is not None:
            words += f" above {_exact(self.above)}" + (f" and up to {top}" if top else "")
        return words + (f" (or {_exact(self.special)}: {self.means})" if self.special is not None else "")


def _exact(number: float) -> str:
    """A bound in words; whole numbers in all their digits, as far as a real number has them."""
    return f"{int(number):,}" if number == int(number) and abs(number) < 2**63 else f"{number:g}"


def option(default: Any, help: str, group: str, **takes: Any) -> Any:
    """A dataclass field that knows what it takes; further keywords are the fields of `Takes`."""
    return field(default=default, metadata={"takes": Takes(help, group, **takes)})


def takes(spec: Field[Any]) -> Takes:
    """What the option of a field takes."""
    found: Takes = spec.metadata["takes"]
    return found


def checked(spec: Field[Any], kind: type, value: Any, *, from_text: bool = False) -> Any:
    """`value` as the option's type; `from_text` reads numbers from words, as a command line gives them.

    Raises InputError naming the option, its value and what it takes instead.
    """
    wanted = takes(spec)
    if isinstance(value, bool) and "yes" in wanted.choices:
        value = "yes" if value else "no"  # what Python and TOML would say
    if from_text and kind in (int, float) and isinstance(value, str):
        converted = _number(value, kind)
    else:
        converted = _CONVERT[kind](value)
    good = converted is not None
    if good and kind in (int, float):
        good = wanted.contains(converted)
    if good and wanted.choices:
        good = converted in wanted.choices
    if not good:
        raise InputError(f"{spec.name} must be {wanted.in_words(kind)}, not {_shown(value)}.")
    if kind is str and "\0" in converted:
        raise InputError(f"{spec.name} holds a null character; write it without.")
    return converted


def _number(text: str, kind: type) -> Any:
    try:
        return kind(text)
    except ValueError:
        return None


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _as_int(value: Any) -> int | None:
    return None if isinstance(value, bool) or not isinstance(value, Integral) else int(value)


def _as_float(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _as_bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _as_str(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        path = os.fspath(value)
        text = path.decode() if isinstance(path, bytes) else path
        return text if os.path.dirname(text) else os.path.join(".", text)  # a path is never the name of a data set
    if isinstance(value, (list, tuple)) and value:
        return ",".join(map(str, value))  # classes = [7, 8, 9] reads well in TOML and Python
    return None if isinstance(value, bool) or not isinstance(value, Real) else str(value)


_CONVERT: dict[type, Callable[[Any], Any]] = {int: _as_int, float: _as_float, bool: _as_bool, str: _as_str}
