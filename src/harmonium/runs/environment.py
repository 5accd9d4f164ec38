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
from harmonium.runs.folder import RunFolder
from harmonium.runs.plan import Plan

_PACKAGES = ("torch", "numpy", "scikit-learn", "safetensors", "matplotlib")


#: Multiply-adds of a minibatch's product with the weights up to which one thread is enough.
SMALL_STEP = 1 << 23


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
def threads_of(plan: Plan, resumed: RunFolder | None) -> Iterator[None]:
    """The threads asked for, or those that a resumed run began with: other numbers of them round differently.

    Left to itself a small machine takes one: sharing operations of microseconds costs more than they take, many times
    more where the processors are busy with other work.
    """
    before = torch.get_num_threads()
    began_with = (resumed.read_json("environment.json") or {}).get("threads") if resumed is not None else None
    own = before if plan.largest_batch * plan.state.rbm.W.numel() > SMALL_STEP else 1
    wanted = plan.config.threads or (began_with if isinstance(began_with, int) and began_with > 0 else own)
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)
