"""The folder of a validation: what was asked for, and a run folder for each seed that has ended.

It is also how results travel from worker processes: a seed has ended when its summary.json is there.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from harmonium.config import Config
from harmonium.config_from import config_from
from harmonium.data import Dataset, fingerprint
from harmonium.errors import HarmoniumError, InputError
from harmonium.io import load_model, write_json, write_text
from harmonium.machine import RBM
from harmonium.runs.environment import environment
from harmonium.runs.finished import Run, store
from harmonium.runs.folder import RunFolder
from harmonium.runs.together import train_together
from harmonium.runs.validation import Validation

_FILE = "validation.toml"


class SeedFolders:
    """Paths and small files of one validation."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, seed: int) -> RunFolder:
        """The run folder of a seed."""
        return RunFolder(self.path / f"seed-{seed:05d}")

    def begin(self, config: Config, data: Dataset, seeds: int) -> None:
        """Make the folder, or make sure that it holds this very validation; raises InputError where it does not."""
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"out={str(self.path)!r} is not a folder; give the path of one.")
        mark = fingerprint(data)
        if (self.path / _FILE).is_file():
            own, _ = self.read()
            for name in (f.name for f in fields(Config)):
                if getattr(own, name) != getattr(config, name):
                    raise InputError(
                        f"{name}={getattr(config, name)!r} is not what the validation in {self.path} was begun with, "
                        f"{getattr(own, name)!r}; take the same options, or another folder."
                    )
            stored = self._stored()["fingerprint"]
            if stored != mark:
                raise InputError(
                    f"the data of {self.path} have changed since the validation began (fingerprint {stored} then, "
                    f"{mark} now); bring back the old ones, or take another folder."
                )
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise InputError(f"out={self.path} holds other files, and no validation; choose another folder.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HarmoniumError(f"the folder {self.path} cannot be made: {error.strerror}; choose another.") from None
        stored = {"seeds": seeds, "fingerprint": mark, "options": config.as_dict()}
        write_text(self.path / _FILE, tomli_w.dumps(stored))

    def read(self) -> tuple[Config, int]:
        """The options and the number of seeds; raises InputError where there is no validation."""
        stored = self._stored()
        return config_from(stored["options"]), int(stored["seeds"])

    def _stored(self) -> dict[str, Any]:
        try:
            found = tomllib.loads((self.path / _FILE).read_text(encoding="utf-8"))
            if all(key in found for key in ("seeds", "fingerprint", "options")):
                return found
        except FileNotFoundError:
            raise InputError(f"{self.path} holds no validation (no {_FILE}); give a folder that has one.") from None
        except (OSError, ValueError):
            pass
        raise InputError(f"{self.path / _FILE} cannot be read; begin anew in another folder.")

    def complete(self, seed: int) -> bool:
        """Whether a seed has ended."""
        return self.of(seed).read_json("summary.json") is not None

    def summary(self, seed: int) -> dict[str, Any]:
        """What its run came to."""
        return self.of(seed).read_json("summary.json") or {}

    def train(
        self, config: Config, data: Dataset, seeds: Sequence[int], together: int, ended: Callable[[int], None]
    ) -> None:
        """Train these seeds in this process, so many as one, and store each as it ends."""

        def keep(number: int, run: Run) -> None:
            self.store(seeds[number], run, config, data)
            ended(seeds[number])

        train_together(config, data, seeds, together=together, ended=keep)

    def store(self, seed: int, run: Run, config: Config, data: Dataset) -> None:
        """Write the run of a seed, the summary last."""
        folder = self.of(seed)
        folder.path.mkdir(exist_ok=True)
        config = replace(config, seed=seed)
        folder.write_config(config)
        folder.write_json("environment.json", {**environment(), "data": run.summary["data"]})
        store(folder, run, config, data)
        folder.write_json("summary.json", run.summary)

    def collect(self, config: Config, seeds: Sequence[int], *, keep: bool) -> Validation:
        """All seeds, which have ended; `keep` says whether the folder stays."""
        runs = []
        for seed in seeds:
            folder = self.of(seed)
            rbm: RBM = load_model(folder.model_path)[0]
            runs.append(Run(rbm, self.summary(seed), folder.read_history(), folder.path if keep else None))
        return Validation(config, tuple(seeds), tuple(runs), self.path if keep else None)


# ---- what worker processes are given ------------------------------------------------------------------------------


_ARRAYS = ("X", "y", "groups", "numbers")


def describe(place: Path, config: Config, data: Dataset) -> None:
    """Write options and data for workers, who map the rows into memory: all of them share one copy."""
    for name in _ARRAYS:
        if (values := getattr(data, name)) is not None:
            np.save(place / f"{name}.npy", values)
    words = {f.name: getattr(data, f.name) for f in fields(Dataset) if f.name not in _ARRAYS}
    write_json(place / "job.json", {"options": config.as_dict(), "data": words})


def described(place: Path) -> tuple[Config, Dataset]:
    """What `describe` wrote."""
    stored = json.loads((place / "job.json").read_text(encoding="utf-8"))
    words = stored["data"] | {"shape": tuple(stored["data"]["shape"])}
    arrays: dict[str, Any] = {
        name: np.load(path, mmap_mode="c", allow_pickle=False)
        for name in _ARRAYS
        if (path := place / f"{name}.npy").is_file()
    }
    return config_from(stored["options"]), Dataset(**{"y": None, **arrays}, **words)
