"""What all workers of a search must agree on: ``search.toml`` in its folder, and the data.

The held-out rows are drawn once, with the first seed, and are the same for all seeds of all trials: a row that judges
the best machine at the end has never been among the validation rows that chose it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from harmonium.config import IN_MEMORY, Config
from harmonium.config_from import config_from
from harmonium.data import Dataset, fingerprint, split
from harmonium.errors import InputError
from harmonium.io import write_text, written_aside
from harmonium.runs.idle import idle_options
from harmonium.runs.inputs import split_rows
from harmonium.runs.processes import processors
from harmonium.runs.source import load_config_data, with_absolute_paths
from harmonium.tuning.space import Space, make_space

SAMPLERS = ("random", "tpe")
_FILE, _DATA = "search.toml", "data.npz"
_MOST_TRIALS, _MOST_SEEDS = 1_000_000, 1000


@dataclass(frozen=True)
class Settings:
    """One search.

    Attributes
    ----------
    space : dict
        Searched options as a space file holds them; `fixed` are all others that were given.
    trials : int
        Trials to finish: complete, pruned, diverged or not possible.
    seeds : int
        Trainings in a trial, with the seeds ``fixed["seed"]`` (or 0) and those after it.
    fingerprint : str
        Of the data.
    """

    space: dict[str, Any]
    fixed: dict[str, Any]
    trials: int
    seeds: int
    sampler: str
    prune: bool
    fingerprint: str

    @property
    def made(self) -> Space:
        """The space, ready to be drawn from."""
        return make_space(self.space, self.fixed)

    @property
    def seed(self) -> int:
        """The first seed, from which the trials' options are drawn too."""
        return int(self.fixed.get("seed", 0))

    @property
    def config(self) -> Config:
        """The options that all trials share."""
        return config_from(self.fixed)

    def options(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """A trial's options as `harmonium.train` takes them, but for data that were in memory and what did nothing."""
        own = {**self.fixed, **drawn, "seed": self.seed}
        idle = idle_options(config_from(own))
        names = [f.name for f in fields(Config) if f.name in own and f.name not in idle]
        return {name: own[name] for name in names if own[name] != IN_MEMORY}

    def write(self, folder: Path) -> None:
        """Store them."""
        write_text(folder / _FILE, tomli_w.dumps({f.name: getattr(self, f.name) for f in fields(self)}))


def exists(folder: str | os.PathLike[str]) -> bool:
    """Whether the folder holds a search."""
    return (Path(folder) / _FILE).is_file()


def read_settings(folder: str | os.PathLike[str]) -> Settings:
    """The search in a folder; raises InputError where there is none, or its search.toml cannot be read."""
    path = Path(folder) / _FILE
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return Settings(**values)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder} holds no search (no {_FILE}); give a folder of harmonium search.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError):
        raise InputError(f"{path} is damaged; begin the search anew in another folder.") from None


def make_settings(
    space: Space, data: Dataset, *, trials: int, seeds: int, sampler: str, prune: bool
) -> Settings:  # fmt: skip
    """Settings whose every part has been checked; raises InputError for whatever no trial could use."""
    check_count("trials", trials, _MOST_TRIALS)
    check_count("seeds", seeds, _MOST_SEEDS)
    if sampler not in SAMPLERS:
        raise InputError(f"sampler must be one of {', '.join(SAMPLERS)}, not {sampler!r}.")
    config = with_absolute_paths(config_from(space.fixed))
    fixed = {name: getattr(config, name) for name in space.fixed}
    _check_validation(config, data)
    searched = {entry.name: _as_toml(entry) for entry in space.entries}
    return Settings(searched, fixed, trials, seeds, sampler, prune, fingerprint(data))


def check_count(name: str, value: Any, most: int) -> None:
    """Raise InputError unless `value` is a whole number from 1 to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise InputError(f"{name} must be a whole number from 1 to {most}, not {value!r}.")


def checked_workers(workers: Any, settings: Settings) -> int:
    """How many workers: 0 is one for each processor, or for so many as a worker has threads.

    Raises InputError for more workers, or threads in them, than there are processors.
    """
    most, threads = processors(), settings.config.threads
    if workers == 0 and type(workers) is int:
        return max(most // max(threads, 1), 1)
    check_count("workers", workers, most)
    if threads * workers > most:
        raise InputError(f"workers={workers} of threads={threads} is more than the {most} processors here; take fewer.")
    return int(workers)


def check_same(asked: Settings, stored: Settings, folder: Path) -> None:
    """Raise InputError where a search would be continued with other settings than it was begun with."""
    for name in ("space", "fixed", "seeds", "sampler", "prune", "fingerprint"):
        ours, theirs = getattr(asked, name), getattr(stored, name)
        if ours == theirs:
            continue
        if isinstance(ours, dict):
            name = next(key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key))
            ours, theirs = ours.get(name, "left out"), theirs.get(name, "left out")
        name = "the data's fingerprint" if name == "fingerprint" else name
        raise InputError(
            f"{name} ({_short(ours)}) is not what the search in {folder} was begun with ({_short(theirs)}); "
            "choose another folder, or go on with --resume and no other options."
        )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _as_toml(entry: Any) -> Any:
    """An entry as a space file would hold it."""
    if hasattr(entry, "values"):
        return list(entry.values)
    if hasattr(entry, "number"):
        return {"units": list(entry.units), "low": entry.number.low, "high": entry.number.high, "log": entry.number.log}
    result = {"low": entry.low, "high": entry.high, "log": entry.log}
    return {**result, "zero": entry.zero} if entry.zero else result


def _check_validation(config: Config, data: Dataset) -> None:
    """Refuse a search that has no rows to judge by."""
    held = fix_held_out(data, config)
    rows = split_rows(replace(config, held_out=held[1]), held[0])
    if not len(rows.validation):
        why = "validation=0" if config.validation == 0 else f"{len(rows.train)} training rows are too few for a tenth"
        raise InputError(f"a search is judged by validation rows, and there are none ({why}); set validation=0.2.")


def fix_held_out(data: Dataset, config: Config) -> tuple[Dataset, str]:
    """The rows with those held out at the end, whatever the seed, and the option that finds them there.

    The rows keep their order within either part, so that a run with the first seed on the original data is the same.
    """
    if config.held_out == "auto" and data.n_train is not None and 0 < data.n_train < len(data):
        return data, "auto"
    train, held_out = split(data, config.held_out, config.seed)
    if isinstance(train, slice):  # nothing is held out
        return data, config.held_out
    order = np.concatenate([train, held_out])
    y = None if data.y is None else data.y[order]
    groups = None if data.groups is None else data.groups[order]
    numbers = order if data.numbers is None else data.numbers[order]
    return replace(data, X=data.X[order], y=y, n_train=len(train), groups=groups, numbers=numbers), "auto"


def store_data(folder: Path, data: Dataset) -> None:
    """Keep data that were in memory with the search, for its workers and for another day."""
    with written_aside(folder / _DATA) as file:
        y = {name: x for name in ("y", "groups") if (x := getattr(data, name)) is not None}
        n_train = -1 if data.n_train is None else data.n_train
        np.savez(file, X=data.X, scale=data.scale, shape=data.shape, n_train=n_train, name=data.name, **y)


def load_search_data(folder: Path, settings: Settings) -> Dataset:
    """The data of a search as they lie, before `fix_held_out`; raises InputError where they have changed."""
    if settings.config.data != IN_MEMORY:
        data = load_config_data(settings.config)
    else:
        try:
            with np.load(folder / _DATA, allow_pickle=False) as stored:
                data = Dataset(
                    X=stored["X"],
                    y=stored["y"] if "y" in stored.files else None,
                    scale=float(stored["scale"]),
                    shape=tuple(int(n) for n in stored["shape"]),
                    name=str(stored["name"]),
                    source=IN_MEMORY,
                    n_train=None if stored["n_train"] < 0 else int(stored["n_train"]),
                    groups=stored["groups"] if "groups" in stored.files else None,
                )
        except (OSError, ValueError, KeyError):
            raise InputError(f"{folder / _DATA}, the data of the search, cannot be read; begin anew.") from None
    found = fingerprint(data)
    if found != settings.fingerprint:
        raise InputError(
            f"the data of the search in {folder} have changed since it began (fingerprint {settings.fingerprint} "
            f"then, {found} now); bring back the old ones, or search anew."
        )
    return data
