"""A `Config` from named values, and the named values in a TOML file."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from harmonium.config import Config
from harmonium.errors import InputError
from harmonium.options import checked

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")


def config_from(options: Mapping[str, Any], *, from_text: bool = False) -> Config:
    """A `Config` from named values; `from_text` reads numbers from words, as a command line gives them.

    Raises InputError for an unknown name (with the nearest known one) or a value that the option does not take.
    """
    return options_from(Config, options, from_text=from_text)


def options_from(kind: type[Options], options: Mapping[str, Any], *, from_text: bool = False) -> Options:
    """The same for any dataclass whose fields are options."""
    types, specs = get_type_hints(kind), {spec.name: spec for spec in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in options.items():
        name = key.replace("-", "_")
        if name not in specs:
            near = difflib.get_close_matches(name, specs, 1)
            hint = f"did you mean {near[0]!r}?" if near else "harmonium train --help lists all options."
            raise InputError(f"unknown option {key!r}; {hint}")
        values[name] = checked(specs[name], types[name], value, from_text=from_text)
    return kind(**values)


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The options in a TOML file; raises InputError naming the file where it cannot be read or holds tables."""
    try:
        with open(path, "rb") as file:
            options = tomllib.load(file)
    except OSError as error:
        raise InputError(f"the configuration file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the configuration file {path} is not valid TOML: {error}.") from None
    for key, value in options.items():
        if isinstance(value, dict):
            raise InputError(
                f"the configuration file {path} has a table [{key}]; write its options at the top level, without it."
            )
    return options
