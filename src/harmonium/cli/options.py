"""The options that train, validate and search share: those of `Config`, presets and files, and what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_type_hints

import click

from harmonium.config import Config
from harmonium.config_from import config_from, read_toml
from harmonium.deep.config import SINGLE, DeepConfig, of_machines, split_options
from harmonium.errors import InputError
from harmonium.options import takes
from harmonium.presets import preset

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for each field of `Config` (but `data`, which is an argument); numbers are read by `Config` too."""
    return _options(Config, command)


def deep_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same for the fields of `DeepConfig`."""
    return _options(DeepConfig, command)


def _options(kind: type[DataclassInstance], command: Callable[..., Any]) -> Callable[..., Any]:
    types = get_type_hints(kind)
    for spec in reversed([f for f in fields(kind) if f.name != "data"]):
        flag, wanted, of = "--" + spec.name.replace("_", "-"), takes(spec), types[spec.name]
        default = wanted.shown or ("no" if spec.default is False else f"{spec.default}")
        if wanted.shown and of in (int, float):  # the number that stands for it
            default = f"{spec.default:g}: {default}"
        shown = f"{wanted.help}  [{default}]"
        if of is bool:
            command = click.option(f"{flag}/--no-{flag[2:]}", spec.name, default=None, help=shown)(command)
        else:
            words = {int: "WHOLE", float: "NUMBER", str: "TEXT"}[of]
            metavar = f"[{'|'.join(wanted.choices)}]" if wanted.choices else words
            command = click.option(flag, spec.name, default=None, help=shown, metavar=metavar)(command)
    return command


preset_option = click.option(
    "--preset",
    "preset_name",
    default=None,
    metavar="NAME",
    help="Published options by name, such as mnist-789-L8; those given here come first.",
)


def deep_of(given: dict[str, Any]) -> tuple[dict[str, Any], DeepConfig | None]:
    """The options of the machines, and those of the network where layers are asked for.

    Raises InputError for options of a network without layers.
    """
    own = {spec.name for spec in fields(DeepConfig)}
    if "layers" in given:
        return split_options(given, from_text=True)
    for name in own & set(given):
        raise InputError(f"{name}={given[name]!r} is for stacked machines; give their units with layers=500,500.")
    return given, None


def config_of(
    given: dict[str, Any], config_file: str | None, preset_name: str | None, *, stacked: bool = False
) -> Config:
    """The options given, before those of a file or of a preset, whose hidden units give way to layers.

    Raises InputError where the latter have one that machines that are `stacked` do not take.
    """
    if config_file and preset_name is not None:
        raise InputError("--preset and --config both give the options; leave one of them out.")
    named = {key.replace("-", "_"): value for key, value in (read_toml(config_file) if config_file else {}).items()}
    config_from(named)  # what is wrong in a file is not the fault of what was given beside it
    if preset_name is not None:
        named = preset(preset_name)
        if stacked:
            named.pop("hidden", None)
    plain = Config()
    for name in SINGLE if stacked else ():
        if named.get(name, getattr(plain, name)) != getattr(plain, name):
            where = config_file or f"the preset {preset_name}"
            raise InputError(
                f"{where} has {name}={named[name]!r}, which is for one machine, and layers stacks several; give the "
                "other options one by one."
            )
    found = {**named, **given}
    return config_from(of_machines(found) if stacked else found, from_text=True)


def asked_for(data: str | None, options: dict[str, Any], **paths: str | None) -> dict[str, Any]:
    """The options that were given; raises InputError where one of them, or of the paths, is empty."""
    given = {name: value for name, value in {"data": data, **options}.items() if value is not None}
    for name, value in {**given, **paths}.items():
        if value == "":
            raise InputError(f"{name} is empty; give a value or leave it out.")
    return given
