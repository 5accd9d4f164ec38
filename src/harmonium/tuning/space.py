"""A search space: the searched options, the fixed ones, and the sentence that refuses whatever cannot be meant.

TOML, one entry an option of `harmonium.config.Config`:

    hidden = {units = "bernoulli", low = 3, high = 10}     units may be a list; or hidden = ["ising:8", "onehot:55"]
    learning_rate = {low = 1e-4, high = 0.1, log = true}
    batch_size_final = {low = "batch_size", high = 350}    an end may name another option
    l2 = {low = 1e-4, high = 0.1, log = true, zero = 0.2}  exactly 0 in a fifth of the trials
    optimizer = ["sgd", "adam"]                            one of a list
    negative = "cd"                                        fixed
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, get_type_hints

from harmonium.config import Config
from harmonium.config_from import config_from
from harmonium.errors import InputError
from harmonium.options import Takes, checked, takes
from harmonium.tuning.entries import Axis, Draw, Entry, Range, Units, Words
from harmonium.tuning.spaces import SPACES

#: Options that say what the data are, how they are judged, or how a run goes about it: scores of different values
#: could not be compared, or would not differ.
NOT_SEARCHED = (
    "data", "data_path", "classes", "labels", "scale", "binarize", "held_out", "validation", "target",
    "objective", "measure", "checkpoint_every", "seed", "device", "threads",
)  # fmt: skip
_RANGE_KEYS = ("low", "high", "log", "zero")
#: The number of hidden units.
_NUMBER = Takes("", "", low=1, high=10_000_000)
_SPECS, _TYPES = {spec.name: spec for spec in fields(Config)}, get_type_hints(Config)


@dataclass(frozen=True)
class Space:
    """What is searched, each after those that its ends name, and what is fixed beside it."""

    entries: tuple[Entry, ...]
    fixed: dict[str, Any]

    def draw(self, source: Draw) -> dict[str, Any]:
        """One choice of all searched options."""
        settled = dict(self.fixed)
        for entry in self.entries:
            settled[entry.name] = entry.draw(source, settled)
        searched = {entry.name for entry in self.entries}
        return {name: settled[name] for name in _SPECS if name in searched}

    @property
    def axes(self) -> list[Axis]:
        """The searched quantities, in the order of the options."""
        bounds = _bounds(self.entries, self.fixed)
        found = {entry.name: entry.axes(bounds) for entry in self.entries}
        return [axis for name in _SPECS if name in found for axis in found[name]]


def read_space(source: str | os.PathLike[str] | Mapping[str, Any] | None) -> tuple[dict[str, Any], bool]:
    """The entries of a bundled space, a TOML file or a mapping, and whether they are bundled.

    Raises InputError for a name that is neither bundled nor a file, and for what is not TOML.
    """
    if source is None:
        return dict(SPACES["default"]), True
    if isinstance(source, Mapping):
        return dict(source), False
    if not isinstance(source, (str, os.PathLike)):
        raise InputError(f"space must be a name, a TOML file or a mapping, not {source!r}.")
    name = os.fspath(source)
    if name in SPACES:
        return dict(SPACES[name]), True
    try:
        with open(name, "rb") as file:
            return tomllib.load(file), False
    except FileNotFoundError:
        raise InputError(
            f"space={name!r} is neither a bundled space ({', '.join(SPACES)}) nor an existing TOML file."
        ) from None
    except OSError as error:
        raise InputError(f"the search space {name} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the search space {name} is not valid TOML: {error}.") from None


def make_space(raw: Mapping[str, Any], fixed: Mapping[str, Any], *, bundled: bool = False) -> Space:
    """The space of these entries with options fixed beside it, which a bundled space gives way to.

    Raises InputError naming the option for an unknown one, one that is both fixed and searched, an empty list, a value
    that the option does not take, ends in the wrong order, or ends that name each other in a circle.
    """
    asked = config_from(fixed)
    given = {name.replace("-", "_") for name in fixed}
    fixed = {name: getattr(asked, name) for name in _SPECS if name in given}
    entries: dict[str, Entry] = {}
    constants: dict[str, Any] = {}
    for key, value in raw.items():
        name = _known(key)
        if name in fixed and (bundled or not isinstance(value, (Mapping, list, tuple))):
            continue  # what is said directly comes first
        if name in fixed:
            raise InputError(f"{name} is both fixed ({fixed[name]!r}) and searched; leave one of the two out.")
        if name in entries or name in constants:
            raise InputError(f"{name} stands in the space twice, once with - and once with _; leave one out.")
        if isinstance(value, (Mapping, list, tuple)):
            entries[name] = _entry(name, value)
        else:
            constants[name] = value
    settled = config_from(constants)
    fixed = {**{name: getattr(settled, name) for name in constants}, **fixed}
    if not entries:
        raise InputError("the search space has nothing to search; give at least one option a list or a range.")
    ordered = _in_order(entries, fixed)
    _check_ends(ordered, fixed)
    _check_words(entries)
    return Space(ordered, fixed)


def _known(key: str) -> str:
    name = key.replace("-", "_")
    if name not in _SPECS:
        near = difflib.get_close_matches(name, _SPECS, 1)
        hint = f"did you mean {near[0]!r}?" if near else "harmonium train --help lists all options."
        raise InputError(f"the search space has an unknown option {key!r}; {hint}")
    return name


def _entry(name: str, value: Any) -> Entry:
    if name in NOT_SEARCHED:
        raise InputError(f"{name} cannot be searched, for scores would not be comparable; give it one value.")
    if not isinstance(value, Mapping):
        return _words(name, value)
    if name == "hidden":
        return _units(value)
    _check_keys(name, value, _RANGE_KEYS)
    if _TYPES[name] not in (int, float):
        raise InputError(f"{name} takes words, so it cannot have a range; give a list such as {_example(name)}.")
    return _range(name, takes(_SPECS[name]), _TYPES[name], value)


def _example(name: str) -> str:
    choices = takes(_SPECS[name]).choices or ("false", "true")
    return f"{name} = [{', '.join(choices)}]"


def _words(name: str, value: Any) -> Words:
    if not value:
        raise InputError(f"{name} has an empty list; give at least one value.")
    values = tuple(checked(_SPECS[name], _TYPES[name], one) for one in value)
    if len(set(values)) < len(values):
        raise InputError(f"{name} lists a value twice, {list(values)}; list each once.")
    return Words(name, values)


def _units(value: Mapping[str, Any]) -> Units:
    _check_keys("hidden", value, ("units", "low", "high", "log"))
    units = value.get("units", "bernoulli")
    units = (units,) if isinstance(units, str) else tuple(units) if isinstance(units, (list, tuple)) else ()
    if not units or not all(isinstance(kind, str) and kind and ":" not in kind for kind in units):
        raise InputError(
            f'hidden has units = {value.get("units")!r}; give a kind such as "bernoulli", or a list of kinds, '
            "without numbers."
        )
    if len(set(units)) < len(units):
        raise InputError(f"hidden lists a kind of units twice, {list(units)}; list each once.")
    return Units("hidden", units, _range("hidden", _NUMBER, int, {k: v for k, v in value.items() if k != "units"}))


def _check_keys(name: str, value: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in value:
        if key not in known:
            raise InputError(f"{name} has an unknown key {key!r}; its range takes {', '.join(known)}.")
    for key in ("low", "high"):
        if key not in value:
            raise InputError(f"{name} has a range without {key!r}; give both low and high.")


def _range(name: str, taken: Takes, kind: type, value: Mapping[str, Any]) -> Range:
    wanted = replace(taken, special=None)
    numbers: list[Any] = []
    for key in ("low", "high"):
        end = value[key]
        if isinstance(end, str):
            numbers.append(_referred(name, key, end))
            continue
        right = isinstance(end, int) if kind is int else isinstance(end, (int, float))
        if isinstance(end, bool) or not right or not wanted.contains(end):
            raise InputError(f"{name} has {key} = {end!r}; it must be {wanted.in_words(kind)}, or another option.")
        numbers.append(kind(end))
    log, zero = value.get("log", False), value.get("zero", 0.0)
    if not isinstance(log, bool):
        raise InputError(f"{name} has log = {log!r}; write true or false.")
    if isinstance(zero, bool) or not isinstance(zero, (int, float)) or not 0 <= zero < 1:
        raise InputError(f"{name} has zero = {zero!r}; it is the probability of exactly 0, from 0 to below 1.")
    if zero and not wanted.contains(0):
        raise InputError(f"{name} cannot be 0, so leave its zero = {zero!r} out.")
    return Range(name, kind is int, numbers[0], numbers[1], log, float(zero))


def _referred(name: str, key: str, end: str) -> str:
    other = end.replace("-", "_")
    if other not in _SPECS or _TYPES[other] not in (int, float) or other == name:
        raise InputError(f"{name} has {key} = {end!r}; an end is a number or the name of another option with numbers.")
    return other


def _in_order(entries: Mapping[str, Entry], fixed: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Each entry after those that it needs."""
    ordered: list[Entry] = []
    waiting = dict(entries)
    while waiting:
        ready = [entry for entry in waiting.values() if not any(need in waiting for need in entry.needs)]
        if not ready:
            raise InputError(f"{' and '.join(waiting)} name each other as their ends; give one of them numbers.")
        for entry in ready:
            for need in entry.needs:
                if need not in entries and need not in fixed:
                    raise InputError(
                        f"{entry.name} names {need}, which is neither searched nor fixed; give it a value."
                    )
            ordered.append(waiting.pop(entry.name))
    return tuple(ordered)


def _bounds(entries: tuple[Entry, ...], fixed: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """The lowest and the highest value of each option with numbers."""
    bounds = {name: (float(v), float(v)) for name, v in fixed.items() if _TYPES[name] in (int, float)}
    for entry in entries:
        if isinstance(entry, Range):
            low, high = entry.bounds(bounds)
            bounds[entry.name] = (0.0 if entry.zero else low, high)
        elif isinstance(entry, Words) and _TYPES[entry.name] in (int, float):
            bounds[entry.name] = (float(min(entry.values)), float(max(entry.values)))
    return bounds


def _check_ends(entries: tuple[Entry, ...], fixed: Mapping[str, Any]) -> None:
    """Refuse ranges that are empty, or empty in some trial."""
    bounds = _bounds(entries, fixed)
    for entry in entries:
        numbers = entry.number if isinstance(entry, Units) else entry
        if not isinstance(numbers, Range):
            continue
        # the low end at its highest against the high end at its lowest
        low, high = (
            bounds[end][side] if isinstance(end, str) else end
            for side, end in ((1, numbers.low), (0, numbers.high))
        )  # fmt: skip
        if low > high:
            ends = f"low = {numbers.low!r}, high = {numbers.high!r}"
            reach = f", where low can be {low:g} and high {high:g}" if numbers.needs else ""
            raise InputError(f"{entry.name} has {ends}{reach}; its low end must not be above its high end.")
        if numbers.log and numbers.bounds(bounds)[0] <= 0:
            raise InputError(f"{entry.name} has log = true and a low end of 0; let it begin above 0.")
        wanted = replace(takes(_SPECS[entry.name]), special=None)
        if not isinstance(entry, Units) and not all(wanted.contains(end) for end in numbers.bounds(bounds)):
            raise InputError(f"{entry.name} can leave its own range; it must be {wanted.in_words(float)}.")


def _check_words(entries: Mapping[str, Entry]) -> None:
    """Refuse names that no trial could use, before the first one has been trained."""
    from harmonium.negative import NEGATIVES
    from harmonium.runs.inputs import read_side
    from harmonium.training.update import default_learning_rate

    for entry in entries.values():
        if isinstance(entry, Units):
            for kind in entry.units:
                head, comma, rest = kind.partition(",")
                if kind != "visible":
                    read_side("hidden", f"{head}:2{comma}{rest}")
        elif entry.name == "hidden" and isinstance(entry, Words):
            for side in entry.values:
                read_side("hidden", side)
        elif entry.name == "optimizer" and isinstance(entry, Words):
            for name in entry.values:
                if name not in ("em", "lbfgs"):
                    default_learning_rate(name)
        elif entry.name == "negative" and isinstance(entry, Words):
            for name in entry.values:
                if name not in NEGATIVES:
                    raise InputError(f"unknown negative {name!r}: choose from {', '.join(NEGATIVES)}.")
