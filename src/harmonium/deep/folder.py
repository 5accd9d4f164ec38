"""The folder of a deep run.

``deep.toml`` the options, ``layer-1`` … the runs of the machines, ``network.safetensors`` the fine-tuned network,
``fine-tuning.jsonl`` a line an epoch, ``figures/`` pictures, and last of all ``summary.json``, the mark of a whole run.
"""

from __future__ import annotations

import contextlib
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from harmonium.config import Config
from harmonium.config_from import config_from, options_from
from harmonium.data.dataset import RECIPE, Dataset
from harmonium.deep.config import DeepConfig
from harmonium.errors import HarmoniumError, InputError
from harmonium.io import write_json, write_text
from harmonium.runs.folder import DEEP, RunFolder, lacking, read_json_lines

_OWN = ("network.safetensors", "fine-tuning.jsonl", "summary.json", "figures/*.png", RECIPE, DEEP)


class DeepFolder:
    """Paths and small files of one deep run."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @classmethod
    def claim(cls, out: str | os.PathLike[str] | None, name: str, *, overwrite: bool) -> DeepFolder:
        """The folder at `out`, made if need be and with `overwrite` emptied of a run; a fresh one without `out`.

        Raises InputError where something else is there.
        """
        if out is None:
            return cls(RunFolder.fresh(f"{name}-deep").path)
        folder = cls(out)
        if folder.path.exists() and not folder.path.is_dir():
            raise InputError(f"out={str(out)!r} is not a folder; give the path of one.")
        if (folder.path / DEEP).is_file():
            if not overwrite:
                raise InputError(
                    f"out={out} already holds a run; continue it with --resume, replace it with --overwrite, or choose "
                    "another folder."
                )
            folder.clear()
        else:
            RunFolder.create(out, overwrite=overwrite)
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HarmoniumError(f"the run folder {out} cannot be made: {error.strerror}; choose another.") from None
        return folder

    def clear(self) -> None:
        """Remove this run's own files, and nothing that somebody else put here."""
        for layer in self.path.glob("layer-*"):
            RunFolder(layer).clear()
            with contextlib.suppress(OSError):
                layer.rmdir()
        for pattern in _OWN:
            for path in self.path.glob(pattern):
                path.unlink(missing_ok=True)

    @property
    def network_path(self) -> Path:
        """The fine-tuned network."""
        return self.path / "network.safetensors"

    @property
    def figures(self) -> Path:
        """Pictures."""
        return self.path / "figures"

    def layer(self, number: int) -> RunFolder:
        """The run of machine `number`, from 1."""
        return RunFolder(self.path / f"layer-{number}")

    def complete(self, layers: int, *, tuned: bool) -> bool:
        """Whether everything is there: so many machines, the network where one is `tuned`, and the scores."""
        machines = all(self.layer(number).complete for number in range(1, layers + 1))
        return machines and (self.network_path.is_file() or not tuned) and (self.path / "summary.json").is_file()

    def write_config(self, config: Config, deep: DeepConfig, data: Dataset) -> None:
        """Store the options, and how the rows of the data were made."""
        RunFolder(self.path).write_recipe(data)
        write_text(self.path / DEEP, tomli_w.dumps({"network": deep.as_dict(), "machines": config.as_dict()}))

    def read_config(self) -> tuple[Config, DeepConfig]:
        """The options of machines and network; raises InputError where they cannot be read."""
        path = self.path / DEEP
        if not path.is_file():
            what = lacking(self.path, f"no {DEEP}")
            raise InputError(
                f"{self.path} holds no network of machines ({what}); give a folder that train --layers has made."
            )
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
            return config_from(found["machines"]), options_from(DeepConfig, found["network"])
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} cannot be read ({error}); take another copy of the run.") from None

    def write_history(self, history: list[dict[str, Any]]) -> None:
        """Store the epochs of fine-tuning."""
        write_text(self.path / "fine-tuning.jsonl", "".join(json.dumps(record) + "\n" for record in history))

    def read_history(self) -> list[dict[str, Any]]:
        """What `write_history` has stored; raises InputError where the file is damaged."""
        return read_json_lines(self.path / "fine-tuning.jsonl")

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Store the scores, which marks the run as complete."""
        write_json(self.path / "summary.json", summary)

    def read_summary(self) -> dict[str, Any]:
        """What `write_summary` has stored; raises InputError where there is nothing, or something else."""
        path, again = self.path / "summary.json", f"harmonium train --resume {self.path}"
        if not path.is_file():
            raise InputError(f"the run in {self.path} is not finished; finish it with: {again}")
        try:
            found = dict(json.loads(path.read_text(encoding="utf-8")))
            if {"layers", "bound", "image_shape"} <= found.keys():
                return found
        except (OSError, ValueError, TypeError):
            pass
        raise InputError(f"{path} does not hold the scores of a network; remove it, and make it again with: {again}")
