"""Data in: one loader a file, one line each in the registries `DATASETS` and `READERS`; `load_data` is the way in."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from harmonium.data.checks import check_values
from harmonium.data.dataset import Dataset
from harmonium.data.digits import load_digits
from harmonium.data.files import read_npy, read_npz
from harmonium.data.fingerprint import fingerprint
from harmonium.data.fsdd import load_fsdd
from harmonium.data.idx import read_idx
from harmonium.data.images import read_images
from harmonium.data.labels import read_labels, select_classes
from harmonium.data.mnist import load_mnist
from harmonium.data.scale import check_scale, guess_scale
from harmonium.data.split import split
from harmonium.data.text import column_names, read_text, read_words
from harmonium.errors import InputError

__all__ = ["DATASETS", "READERS", "Dataset", "fingerprint", "load_data", "split"]

# Where the user keeps it (None: wherever it is to be found) -> the data set.
Loader = Callable[[Path | None], Dataset]
# File, name of the labels in it (None: the usual names) -> values (N, ...), labels (N,) or None.
Reader = Callable[[Path, str | None], tuple[np.ndarray, np.ndarray | None]]

DATASETS: dict[str, Loader] = {
    "digits": load_digits,
    "mnist": load_mnist,
    "fsdd": load_fsdd,
}

READERS: dict[str, Reader] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".csv": read_text,
    ".csv.gz": read_text,
    ".tsv": read_text,
    ".tsv.gz": read_text,
    ".txt": read_text,
    ".txt.gz": read_text,
    ".idx": read_idx,
    ".idx.gz": read_idx,
    "-ubyte": read_idx,  # train-images-idx3-ubyte, as the idx files of MNIST are called
    "-ubyte.gz": read_idx,
}

_LOOKED_AT = 1000  # names in a folder among which a nearer one is looked for, at most


def load_data(
    spec: str | os.PathLike[str],
    *,
    classes: Iterable[int | str] | None = None,
    labels: str | os.PathLike[str] | None = None,
    scale: float | None = None,
    path: str | os.PathLike[str] | None = None,
) -> Dataset:
    """Load a registered data set, a file or a folder of images.

    Parameters
    ----------
    spec : str or path
        A name in `DATASETS`, a file whose name ends as in `READERS`, or a folder of PNG images. A name wins over a file
        of the same name: write ``"./mnist"``, or pass a `Path`, to mean the file.
    classes : iterable of int or str, optional
        Keep the rows with these labels only, in their order; the data set's own split is recounted.
    labels : str or path, optional
        A file with one integer or name a row, or, where there is no such file, the name of the column (text with a
        header) or array (.npz) that holds them.
    scale : float, optional
        The raw value that means 1; by default it is guessed (see `guess_scale`).
    path : str or path, optional
        Where a registered data set is kept.

    Returns
    -------
    Dataset
        X is (N, V): rows of more dimensions are flattened, as a view (but for Fortran order), and their shape is kept.

    Raises
    ------
    InputError
        Whatever cannot be found, read or used as it is, in one sentence.
    """
    label_file = Path(labels).expanduser() if labels is not None else None
    label_name = None
    if label_file is not None and not label_file.is_file():
        label_file, label_name = None, str(labels)

    if isinstance(spec, str) and spec in DATASETS:
        if label_name is not None:
            raise InputError(f"labels={label_name!r} is not a file; {spec!r} has labels of its own, so leave it out.")
        dataset = DATASETS[spec](Path(path).expanduser() if path is not None else None)
    else:
        if path is not None:
            raise InputError(f"data_path={str(path)!r} goes with {_names()} only; leave it out for data={str(spec)!r}.")
        dataset = _from_path(Path(spec).expanduser(), label_name)

    if label_file is not None:
        y, names = read_labels(_label_values(label_file, len(dataset)), len(dataset), f"labels={str(label_file)!r}")
        dataset = replace(dataset, y=y, names=names)
    if scale is not None:
        dataset = replace(dataset, scale=check_scale(scale))
    return dataset if classes is None else select_classes(dataset, classes)


def _from_path(path: Path, label_name: str | None) -> Dataset:
    """Read a file or folder into rows (N, V) of finite numbers."""
    values, labels = _read(path, label_name)
    if values.ndim < 2:
        raise InputError(f"{path} holds an array of shape {values.shape}; give one row a sample, shape (N, V).")
    check_values(values, str(path))
    if not values.dtype.isnative:  # torch takes the machine's own byte order only
        values = values.astype(values.dtype.newbyteorder("="))
    y, names = (None, None) if labels is None else read_labels(labels, len(values), f"the labels in {path}")
    return Dataset(
        X=values.reshape(len(values), math.prod(values.shape[1:])),
        y=y,
        scale=guess_scale(values),
        shape=values.shape[1:],
        name=_stem(path),
        source=str(path),
        names=names,
        columns=column_names(path, label_name) if path.is_file() and READERS[_ending(path)] is read_text else None,
    )


def _label_values(path: Path, n: int) -> np.ndarray:
    """The labels in a file of their own: its label column or array, or all that it holds."""
    try:
        values, labels = _read(path, None)
    except InputError:
        words = read_words(path, n) if READERS.get(_ending(path)) is read_text else None
        if words is None:
            raise
        return words
    return values if labels is None else labels


def _read(path: Path, label_name: str | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Raw arrays of a file or folder, by the reader that its name calls for."""
    if path.is_dir():
        return read_images(path, label_name)
    if not path.exists():
        raise InputError(
            f"data={str(path)!r} is neither a data set ({_names()}) nor an existing file or folder; {_mend(path)}"
        )
    ending = _ending(path)
    if ending not in READERS:
        known = ", ".join(READERS)
        raise InputError(f"{path} is of no known kind; known endings are {known}, or give a folder of images.")
    try:
        return READERS[ending](path, label_name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _mend(path: Path) -> str:
    """The end of a sentence about a path that is not there: what is there and has nearly its name, or what to give."""
    known = dict.fromkeys(DATASETS) if path.parent == Path() else {}
    with contextlib.suppress(OSError):
        there = itertools.islice(path.parent.iterdir(), _LOOKED_AT)
        known |= {str(one): None for one in there if _ending(one) or one.is_dir()}
    near = difflib.get_close_matches(str(path), known, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return "give the path of a .npy, .npz, .csv or idx file, or of a folder of PNG images."


def _ending(path: Path) -> str:
    """The entry of `READERS` that the file's name ends in, or nothing."""
    return next((ending for ending in READERS if path.name.lower().endswith(ending)), "")


def _names() -> str:
    return ", ".join(DATASETS)


def _stem(path: Path) -> str:
    """The name of a file without its ending(s)."""
    return path.name if path.is_dir() else path.name.removesuffix(".gz").rsplit(".", 1)[0]
