"""The run folder: where everything about one training run lies.

config.toml           the resolved options, accepted back by --config
recipe.safetensors    how rows were made of sound
environment.json      versions, processor, threads, command, data
metrics.jsonl         one JSON line a measurement
checkpoints/          step-NNNNNNNN.safetensors, all that resuming needs; the two latest are kept
trajectory/           step-NNNNNNNN.safetensors, machines that the training has passed through
model.safetensors     the trained machine
figures/              pictures
summary.json          the final table, written last: where it is, the run is complete
samples/              what harmonium sample draws
log_z.safetensors     the annealings behind an estimated ln Z, for harmonium evaluate --continue
check.json            what harmonium check found; check-other.json, on other data than the run's own
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from harmonium.config import Config
from harmonium.config_from import config_from, read_toml
from harmonium.data.dataset import RECIPE, Dataset
from harmonium.errors import HarmoniumError, InputError
from harmonium.io import write_json, write_text

_AT_STEP = re.compile(r"step-(\d{8,})\.safetensors")
_LAYER = re.compile(r"layer-(\d+)")
#: A run's own files: removed by clear, the options last.  `_SIGNS` are those without which nothing is lost.
_OWN = (
    "checkpoints/step-*.safetensors",
    "trajectory/step-*.safetensors",
    "summary.json",
    "check.json",
    "check-other.json",
    "log_z.safetensors",
    "model.safetensors",
    "metrics.jsonl",
    "figures/*.png",
    "samples/*.npy",
    "samples/*.png",
    "environment.json",
    RECIPE,
    "config.toml",
)
_FOLDERS = ("checkpoints", "trajectory", "figures", "samples")
#: What marks a folder as that of a network, with a run for each of its machines (`harmonium.deep.folder`).
DEEP = "deep.toml"
_SIGNS = (DEEP, "config.toml", "model.safetensors", "metrics.jsonl", "summary.json", "checkpoints")


class RunFolder:
    """Paths and small files of one run."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    # ---- making one -------------------------------------------------------------------------------------------

    @classmethod
    def fresh(cls, name: str, root: str | os.PathLike[str] = "runs") -> RunFolder:
        """A new folder ``root/name-001``, or with the next free number."""
        for number in range(1, 1_000_000):
            folder = cls(Path(root) / f"{name}-{number:03d}")
            if folder._make(exist_ok=False):
                return folder
        raise HarmoniumError(f"{root} holds too many runs called {name}; choose another --out.")

    @classmethod
    def create(cls, path: str | os.PathLike[str], *, overwrite: bool = False) -> RunFolder:
        """The folder at `path`, made if need be; a run that it holds is cleared if `overwrite`, or else refused."""
        folder = cls(path)
        folder.refuse_occupied(overwrite=overwrite)
        if folder.occupied:
            folder.clear()
        folder._make(exist_ok=True)
        return folder

    def refuse_occupied(self, *, overwrite: bool = False) -> None:
        """Raise InputError where `create` would; nothing is touched."""
        if not str(self.path) or (self.path.exists() and not self.path.is_dir()):
            raise InputError(f"out={str(self.path)!r} is not a folder; give the path of one.")
        if self.occupied and not overwrite:
            raise InputError(
                f"out={self.path} already holds a run; continue it with --resume, replace it with --overwrite, or "
                "choose another folder."
            )

    @classmethod
    def existing(cls, path: str | os.PathLike[str]) -> RunFolder:
        """The run at `path`; raises InputError where there is none."""
        folder = cls(path)
        if is_deep(path):
            raise InputError(
                f"{path} holds a network of machines; give one of them, such as {folder.path / 'layer-1'}."
            )
        if not folder.config_path.is_file():
            what = lacking(path, "neither config.toml nor deep.toml")
            raise InputError(f"{path} holds no run ({what}); give a folder that harmonium train has made.")
        return folder

    @property
    def occupied(self) -> bool:
        """Whether a run has begun here."""
        return any((self.path / name).exists() for name in _SIGNS)

    @property
    def complete(self) -> bool:
        """Whether the run has been trained, scored and drawn; damaged scores are to be made anew."""
        return self.read_json("summary.json") is not None and self.model_path.is_file()

    def clear(self) -> None:
        """Remove this run's own files, and nothing that somebody else put here."""
        for pattern in _OWN:
            for path in self.path.glob(pattern):
                path.unlink(missing_ok=True)
        self.remove_leftovers()
        for name in _FOLDERS:
            with contextlib.suppress(OSError):  # not there, or something else is in it
                (self.path / name).rmdir()

    def remove_leftovers(self) -> None:
        """Remove half-written files of a process that was killed; nobody else may be writing here."""
        for pattern in _OWN:
            folder, _, name = pattern.rpartition("/")
            for ending in ("*.tmp", "*.part"):
                for path in (self.path / folder).glob(f".{name}.{ending}"):
                    path.unlink(missing_ok=True)

    def _make(self, *, exist_ok: bool) -> bool:
        try:
            self.path.mkdir(parents=True, exist_ok=exist_ok)
        except FileExistsError:
            return False
        except OSError as error:
            raise HarmoniumError(
                f"the run folder {self.path} cannot be made: {error.strerror}; choose another --out."
            ) from None
        return True

    # ---- what lies in it --------------------------------------------------------------------------------------

    @property
    def config_path(self) -> Path:
        """The resolved options."""
        return self.path / "config.toml"

    @property
    def model_path(self) -> Path:
        """The trained machine."""
        return self.path / "model.safetensors"

    @property
    def figures(self) -> Path:
        """Pictures."""
        return self.path / "figures"

    def write_config(self, config: Config) -> None:
        """Store the options."""
        write_text(self.config_path, tomli_w.dumps(config.as_dict()))

    def read_config(self) -> Config:
        """The options that the run was started with."""
        return config_from(read_toml(self.config_path))

    def write_recipe(self, data: Dataset) -> None:
        """Store how the rows of the data were made, where that is known."""
        if data.recipe is not None:
            data.recipe.save(self.path / RECIPE)

    def write_json(self, name: str, value: Any) -> None:
        """Store environment.json or summary.json."""
        write_json(self.path / name, value)

    def read_json(self, name: str) -> dict[str, Any] | None:
        """What `write_json` stored, or None."""
        try:
            value = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def write_history(self, history: list[dict[str, Any]]) -> None:
        """Store all measurements, one JSON line each; the file is replaced whole, so no reader sees half a line."""
        write_text(self.path / "metrics.jsonl", "".join(json.dumps(_plain(record)) + "\n" for record in history))

    def read_history(self) -> list[dict[str, Any]]:
        """The measurements so far; raises InputError where the file is damaged."""
        return read_json_lines(self.path / "metrics.jsonl")

    # ---- checkpoints ------------------------------------------------------------------------------------------

    def checkpoint_path(self, step: int) -> Path:
        """Where the checkpoint of a step lies; its folder is made."""
        return _at_step(self.path / "checkpoints", step)

    def checkpoints(self) -> Iterator[Path]:
        """Latest first."""
        for _, path in reversed(_steps_in(self.path / "checkpoints")):
            yield path

    def prune(self, keep: int = 2) -> None:
        """Keep the latest checkpoints only."""
        for path in list(self.checkpoints())[keep:]:
            path.unlink(missing_ok=True)

    # ---- machines on the way ----------------------------------------------------------------------------------

    def snapshot_path(self, step: int) -> Path:
        """Where the machine after `step` updates lies; its folder is made."""
        return _at_step(self.path / "trajectory", step)

    def snapshots(self) -> list[tuple[int, Path]]:
        """The stored steps with their files, first to last."""
        return _steps_in(self.path / "trajectory")


def is_deep(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is that of a network."""
    return (Path(path) / DEEP).is_file()


def lacking(path: str | os.PathLike[str], without: str) -> str:
    """Why no run is at `path`: it is not there, or no folder, or a folder `without` what a run has."""
    if Path(path).is_dir():
        return without
    return "it is a file, and a run is a folder" if Path(path).exists() else "there is no such folder"


def layer_number(path: str | os.PathLike[str]) -> int:
    """Which machine of a network the folder is that of, from 1; 0 where it is none."""
    own = Path(path).resolve()
    found = _LAYER.fullmatch(own.name)
    return int(found[1]) if found and is_deep(own.parent) else 0


def _at_step(folder: Path, step: int) -> Path:
    folder.mkdir(exist_ok=True)
    return folder / f"step-{step:08d}.safetensors"


def _steps_in(folder: Path) -> list[tuple[int, Path]]:
    return sorted((int(m[1]), p) for p in folder.glob("step-*") if (m := _AT_STEP.fullmatch(p.name)))


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers that are not finite have no place in JSON: null."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in record.items()}


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """A file of one JSON object a line; nothing where there is none.  Raises InputError where a line is damaged."""
    if not path.is_file():
        return []
    found: list[dict[str, Any]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            found.append(dict(json.loads(line)))
        except (ValueError, TypeError):
            raise InputError(
                f"{path}, line {number}, is damaged; take another copy of the file, or remove it to go on without the "
                "learning curve."
            ) from None
    return found
