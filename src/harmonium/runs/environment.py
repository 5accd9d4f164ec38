"""What the numbers of a run are computed with: versions, machine, threads."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

import harmonium
from harmonium.config import Config
from harmonium.runs.folder import RunFolder

_PACKAGES = ("torch", "numpy", "scikit-learn", "safetensors", "matplotlib")


def environment() -> dict[str, Any]:
    """Versions, processor, threads and the command."""
    return {
        "harmonium": harmonium.__version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "command": sys.argv,
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


@contextlib.contextmanager
def threads_of(config: Config, resumed: RunFolder | None) -> Iterator[None]:
    """The threads asked for, or those that a resumed run began with: other numbers of them round differently."""
    before = torch.get_num_threads()
    began_with = (resumed.read_json("environment.json") or {}).get("threads") if resumed is not None else None
    wanted = config.threads or (began_with if isinstance(began_with, int) and began_with > 0 else before)
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)
