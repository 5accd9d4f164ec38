"""A data set: rows of raw values, perhaps labels, and where they came from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Recipe(Protocol):
    """How rows were made of something that is no table, such as sound: a run keeps it, to make rows of new things."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as a file."""
        ...


#: The file of it in a run's folder.
RECIPE = "recipe.safetensors"


@dataclass(frozen=True)
class Dataset:
    """Rows of raw values as they were read; nothing is binarised or copied here.

    Attributes
    ----------
    X : array (N, V)
        Raw values; may be a memory map.
    y : array (N,) of integers or None
        Class labels, if there are any: whole numbers, -1 for a row without one.
    scale : float
        The raw value that means 1 (255 for grey bytes, 16 for the bundled digits, 1 otherwise).
    shape : tuple of int
        The shape of one row as an image, ``(28, 28)``; ``(V,)`` where rows are not images.
    name, source : str
        What it is called and where it was found.
    n_train : int or None
        Rows ``[:n_train]`` are the data set's own training part, the rest its test part (a choice of classes may empty
        either); None: it has no split of its own.
    licence, citation : str
        For data sets that have them.
    names : tuple of str or None
        Where the classes have names: y is the place of the row's name among these, which are sorted.
    groups : array (N,) of integers or None
        Rows of one group come from one thing, such as the windows of one recording: a split leaves them together.
    columns : tuple of str or None
        What the columns of X are called, where the file says it.
    numbers : array (N,) of int64 or None
        Where each row stood in the data as they were read, where rows have been left out.
    recipe : Recipe or None
        How rows were made of something that is no table.
    """

    X: np.ndarray
    y: np.ndarray | None
    scale: float
    shape: tuple[int, ...]
    name: str
    source: str
    n_train: int | None = None
    licence: str = ""
    citation: str = ""
    names: tuple[str, ...] | None = None
    groups: np.ndarray | None = None
    columns: tuple[str, ...] | None = None
    numbers: np.ndarray | None = None
    recipe: Recipe | None = None

    def __len__(self) -> int:
        return len(self.X)
