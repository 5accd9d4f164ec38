"""Who is measured: name, gradient, the package that must be there, and the file that speaks to it.

An adapter prepares the training of a `Case` on its `Rows`.  It is called in a process of its own; all that it needs is
imported inside.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import harmonium
from speed.cases import Case
from speed.rows import Rows


@dataclass(frozen=True)
class Training:
    """A training that is ready: `more(n)` makes n more updates; `note` is a remark on what it was decided to do."""

    more: Callable[[int], object]
    note: str = ""


#: Called with the tool's variant.
Adapter = Callable[[Case, Rows, str], Training]


@dataclass(frozen=True)
class Tool:
    """One contender; `adapter` is a function in a module, as "module:function"."""

    name: str
    gradient: str
    package: str
    adapter: str
    variant: str = ""

    @property
    def label(self) -> str:
        """As tables and pictures show it."""
        return f"{self.name}, {self.gradient}" if self.gradient else self.name

    @property
    def version(self) -> str:
        """That of its package, empty where it is not installed."""
        if self.package == "harmonium":  # which may be run from its sources
            return harmonium.__version__
        try:
            return version(self.package)
        except PackageNotFoundError:
            return ""

    def load(self) -> Adapter:
        """The adapter itself."""
        module, _, function = self.adapter.partition(":")
        found: Any = getattr(importlib.import_module(module), function)
        return found


FLOOR = "floor"
SCIKIT = "scikit-learn"
TOOLS = {
    FLOOR: Tool("matrix products alone", "", "torch", "speed.floor:products"),
    "harmonium-cd": Tool("harmonium", "CD-1", "harmonium", "speed.ours:trainer", "cd"),
    "harmonium-pcd": Tool("harmonium", "PCD-1", "harmonium", "speed.ours:trainer", "pcd"),
    "harmonium-default": Tool("harmonium", "its defaults", "harmonium", "speed.ours:trainer", "default"),
    "harmonium-labels": Tool("harmonium", "discriminative", "harmonium", "speed.ours:trainer", "labels"),
    SCIKIT: Tool("scikit-learn", "PCD-1", "scikit-learn", "speed.scikit:trainer"),
    "rbms": Tool("rbms", "PCD-1", "rbms", "speed.peers:rbms_trainer"),
    "learnergy": Tool("learnergy", "CD-1", "learnergy", "speed.peers:learnergy_trainer"),
    "qucumber": Tool("QuCumber", "CD-1, float64", "qucumber", "speed.peers:qucumber_trainer"),
}
