"""NumPy's own files: .npy, memory-mapped and never copied, and .npz; nothing is ever unpickled."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from harmonium.data.labels import refuse_name
from harmonium.errors import InputError

VALUE_NAMES = ("X", "x", "data", "images", "samples")
LABEL_NAMES = ("y", "labels", "targets")


def read_npy(path: Path, label_name: str | None = None) -> tuple[np.ndarray, None]:
    """Map a .npy file: values (N, ...), read as they are used, and no labels.

    The map is copy-on-write: torch warns about arrays that are read-only, and the file still cannot be changed.
    """
    refuse_name(path, label_name)
    with path.open("rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise InputError(f"{path} is not a .npy file; write it with numpy.save.")
    try:
        values: np.ndarray = np.load(path, mmap_mode="c", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} {_fault(error)}") from error
    return values, None


def read_npz(path: Path, label_name: str | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Read an .npz file: values (N, ...), and labels or None.

    The labels are the array called `label_name`, or else the first of `LABEL_NAMES` in a file of several arrays. The
    values are the first of `VALUE_NAMES`, or else the only other array.

    Raises
    ------
    InputError
        No such array, no way to tell which one to take, Python objects, or a damaged file.
    """
    try:
        # Only a zip file goes to numpy.load: it would take a .npy under any name, and call anything else pickled.
        archive = np.load(path, allow_pickle=False) if zipfile.is_zipfile(path) else None
    except (ValueError, EOFError, zipfile.BadZipFile):
        archive = None
    if archive is None:
        raise InputError(f"{path} is not a whole .npz file; write it with numpy.savez.")
    with archive:
        values_name, label_name = _choose(archive.files, label_name, path)
        labels = None if label_name is None else _member(archive, label_name, path)
        return _member(archive, values_name, path), labels


def _choose(names: list[str], label_name: str | None, path: Path) -> tuple[str, str | None]:
    """The names of the values and of the labels, if any."""
    listed = ", ".join(names) or "none"
    if label_name is not None and label_name not in names:
        raise InputError(f"labels={label_name!r} is neither a file nor an array of {path} ({listed}).")
    if label_name is None and len(names) > 1:
        label_name = next((name for name in LABEL_NAMES if name in names), None)
    others = [name for name in names if name != label_name]
    usual = [name for name in VALUE_NAMES if name in others]
    if usual or len(others) == 1:
        return (usual or others)[0], label_name
    raise InputError(f"{path} holds the arrays {listed}; call the samples one of {', '.join(VALUE_NAMES)}.")


def _member(archive: np.lib.npyio.NpzFile, name: str, path: Path) -> np.ndarray:
    try:
        values: np.ndarray = archive[name]
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"the array {name!r} of {path} {_fault(error)}") from error
    return values


def _fault(error: Exception) -> str:
    """The end of a sentence that says what is wrong with an array in NumPy's format."""
    if "object" in str(error).lower():
        return "holds Python objects, which are never unpickled; save it as an array of numbers."
    return f"is damaged or breaks off ({str(error).rstrip('.')}); write it again."
