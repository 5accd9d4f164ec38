"""One searched option: the values it may take, how one is drawn, and where a value lies between the ends.

    words      {a, b, c}         each with the same probability
    real       low + u (high - low),            or exp(ln low + u (ln high - ln low)) on a logarithmic scale
    whole      every number from low to high,   both ends included
    zero = p   exactly 0 with probability p, else as above
    an end that names another option is that option's value in the same trial

Numbers u are uniform in [0, 1) and come from a `Draw`, which an Optuna trial is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

#: Where 0 lies on the unit axis of an option that may be exactly 0: a gap left of its lowest other value.
ZERO_AT = -0.2


class Draw(Protocol):
    """Where values come from; `optuna.trial.Trial` is one."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """A whole number, ends included."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A real number."""


@dataclass(frozen=True)
class Axis:
    """One searched quantity, to be drawn and weighed: `words` where it is not a number.

    `key` is the option, or ``option.units`` for the kind of its units.
    """

    key: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    zero: bool = False
    words: tuple[str, ...] = ()

    def value(self, options: Mapping[str, Any]) -> float | str:
        """What a trial's options say on this axis."""
        name, _, part = self.key.partition(".")
        value = options[name]
        if part == "units":
            return _without_number(value)
        if self.words:
            return word(value)
        return float(_number(value) if isinstance(value, str) else value)

    def position(self, value: float) -> float:
        """A number's place between the ends, 0 to 1; `ZERO_AT` for an exact zero set apart."""
        if self.zero and value == 0:
            return ZERO_AT
        if self.high == self.low:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def word(value: Any) -> str:
    """A value as TOML would write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Words:
    """One of a list of values."""

    name: str
    values: tuple[Any, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """The options that must be settled before."""
        return ()

    def draw(self, source: Draw, settled: Mapping[str, Any]) -> Any:
        """A value."""
        return source.suggest_categorical(self.name, self.values)

    def axes(self, bounds: Mapping[str, tuple[float, float]]) -> list[Axis]:
        """What is searched."""
        return [Axis(self.name, words=tuple(word(value) for value in self.values))]


@dataclass(frozen=True)
class Range:
    """Numbers between two ends; an end that is a word names another option."""

    name: str
    whole: bool
    low: float | str
    high: float | str
    log: bool = False
    zero: float = 0.0

    @property
    def needs(self) -> tuple[str, ...]:
        """The options that must be settled before."""
        return tuple(end for end in (self.low, self.high) if isinstance(end, str))

    def draw(self, source: Draw, settled: Mapping[str, Any]) -> Any:
        """A value; ends that name other options are found in `settled`."""
        if self.zero and source.suggest_float(f"{self.name}.zero", 0.0, 1.0) < self.zero:
            return 0 if self.whole else 0.0
        low, high = (settled[end] if isinstance(end, str) else end for end in (self.low, self.high))
        if self.needs:  # Optuna wants the same ends in every trial: draw the fraction of the way
            return self._between(low, high, source.suggest_float(f"{self.name}.fraction", 0.0, 1.0))
        if self.whole:
            return source.suggest_int(self.name, int(low), int(high), log=self.log)
        return source.suggest_float(self.name, float(low), float(high), log=self.log)

    def _between(self, low: float, high: float, u: float) -> float | int:
        end = high + 1 if self.whole else high  # equal shares for all whole numbers
        value = low * (end / low) ** u if self.log else low + u * (end - low)
        return max(int(low), min(int(high), math.floor(value))) if self.whole else max(low, min(high, value))

    def bounds(self, others: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
        """The lowest and the highest value that any trial can have, an exact zero apart."""
        low, high = (
            others[end][side] if isinstance(end, str) else float(end) for side, end in enumerate((self.low, self.high))
        )
        return low, high

    def axes(self, bounds: Mapping[str, tuple[float, float]]) -> list[Axis]:
        """What is searched."""
        low, high = self.bounds(bounds)
        return [Axis(self.name, low, high, self.log and low > 0, self.zero > 0)]


@dataclass(frozen=True)
class Units:
    """Hidden units of one kind of several, and their number; the kind "visible" is that of the visible units."""

    name: str
    units: tuple[str, ...]
    number: Range

    @property
    def needs(self) -> tuple[str, ...]:
        """The options that must be settled before."""
        return (*self.number.needs, *(("visible",) if "visible" in self.units else ()))

    def draw(self, source: Draw, settled: Mapping[str, Any]) -> str:
        """A side as `Config` spells it, such as ``multivalued:20,s=4``."""
        kind = self.units[0]
        if len(self.units) > 1:
            kind = source.suggest_categorical(f"{self.name}.units", self.units)
        if kind == "visible":
            kind = settled["visible"]
            kind = "bernoulli" if kind == "auto" else kind
        head, comma, rest = kind.partition(",")
        return f"{head}:{self.number.draw(source, settled)}{comma}{rest}"

    def axes(self, bounds: Mapping[str, tuple[float, float]]) -> list[Axis]:
        """What is searched: the number, and the kind where there are several."""
        axes = self.number.axes(bounds)
        if len(self.units) > 1:
            known = tuple(kind for kind in self.units if kind != "visible")
            axes.append(Axis(f"{self.name}.units", words=known))
        return axes


Entry = Words | Range | Units


def _number(side: str) -> int:
    """The number of units in a side such as multivalued:20,s=4."""
    return int(side.partition(":")[2].partition(",")[0])


def _without_number(side: str) -> str:
    head, _, rest = side.partition(":")
    return head + "".join(rest.partition(",")[1:])
