"""MNIST: 70,000 handwritten digits of 28×28 pixels, from a folder, the cache, or OpenML; always the same bytes.

The four original files are known by the MD5 of their unpacked bytes. OpenML's ``mnist_784`` holds the same images in
the same order, so that the cache and the download are checked by those sums too.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import warnings
from collections.abc import Iterator
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from harmonium.data.cache import cache_folder, save_aside
from harmonium.data.dataset import Dataset
from harmonium.data.files import read_npy
from harmonium.data.idx import decode_idx, encode_idx, unpack
from harmonium.errors import InputError

N_TRAIN, N = 60_000, 70_000
MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
FOLDERS = ("mnist", ".", "MNIST/raw")  # the last is torchvision's
NETWORK_TIMEOUT = 20.0  # seconds without a byte


def load_mnist(path: Path | None = None) -> Dataset:
    """Load the 60,000 training images, then the 10,000 test images: X (70000, 784) of uint8, y (70000,).

    Looked for in `path` if that is given, and nowhere else; or else in the folder ``$HARMONIUM_DATA``, in the cache,
    and at OpenML (what it sends goes to the cache).

    Raises
    ------
    InputError
        Files that are missing in `path`, a file that is not the original, or no copy anywhere.
    """
    if path is not None:
        found, missing = _find(path)
        if missing:
            raise InputError(f"path={str(path)!r} does not hold MNIST: {_missing(missing)}.")
        return _from_files(found)
    tried = []
    if own := os.environ.get("HARMONIUM_DATA"):
        found, missing = _find(Path(own).expanduser())
        if not missing:
            return _from_files(found)
        tried.append(f"HARMONIUM_DATA={own} ({_missing(missing)})")
    else:
        tried.append("HARMONIUM_DATA (not set)")
    for attempt in (_from_cache, _from_openml):
        try:
            return attempt()
        except _UnavailableError as error:
            tried.append(str(error))
    raise InputError(
        f"mnist was not found; tried {', '.join(tried)}: set HARMONIUM_DATA, or --data-path (path), to a folder with "
        "train-images-idx3-ubyte.gz and its three siblings."
    )


def at_hand() -> bool:
    """Whether `load_mnist` would find a copy without a network; its bytes are not read."""
    own = os.environ.get("HARMONIUM_DATA")
    return bool(own and not _find(Path(own).expanduser())[1]) or all(path.is_file() for path in _cached())


class _UnavailableError(Exception):
    """A place that has no MNIST; the message is the place, and why in parentheses."""


def _find(folder: Path) -> tuple[list[Path], list[str]]:
    """The four files, and the names of those that are missing, in the sub-folder that holds most of them."""
    best: tuple[list[Path], list[str]] = ([], list(MD5))
    for sub in FOLDERS:
        found, missing = [], []
        for name in MD5:
            spellings = (name, name.replace("-idx", ".idx"))
            candidates = [folder / sub / (s + gz) for s in spellings for gz in (".gz", "")]
            there = next((c for c in candidates if os.path.isfile(c)), None)
            if there is None:
                missing.append(name)
            else:
                found.append(there)
        if len(missing) < len(best[1]):
            best = (found, missing)
    return best


def _missing(names: list[str]) -> str:
    return f"it lacks {', '.join(name + '.gz' for name in names)}"


def _from_files(paths: list[Path]) -> Dataset:
    """Read the four files, in the order of `MD5`."""
    parts = []
    for path, md5 in zip(paths, MD5.values(), strict=True):
        raw = unpack(path)
        if _md5(raw) != md5:
            raise InputError(
                f"{path} is not the original file of MNIST (the MD5 of its contents differs); fetch it again."
            )
        parts.append(decode_idx(raw, str(path)))
    X = np.concatenate(parts[:2]).reshape(N, 784)
    return _dataset(X, np.concatenate(parts[2:]), str(paths[0].parent))


def _from_cache() -> Dataset:
    images, labels = _cached()
    if not (images.is_file() and labels.is_file()):
        raise _UnavailableError(f"the cache {images.parent} (it has no copy)")
    try:
        X, y = read_npy(images)[0], read_npy(labels)[0]
    except (InputError, OSError) as error:
        raise _UnavailableError(f"the cache {images.parent} (its copy is damaged)") from error
    if not _is_original(X, y):
        raise _UnavailableError(f"the cache {images.parent} (its copy is damaged)")
    return _dataset(X, y, str(images))


def _from_openml() -> Dataset:
    """Fetch from OpenML, or from scikit-learn's own cache of it, and keep it in ours."""
    from sklearn.datasets import fetch_openml

    parser = "pandas" if find_spec("pandas") else "liac-arff"
    try:
        with _impatient():
            bunch = fetch_openml("mnist_784", version=1, as_frame=False, parser=parser, n_retries=1, delay=0.5)
        X, y = np.asarray(bunch.data).astype(np.uint8), np.asarray(bunch.target).astype(np.uint8)
    except (OSError, HTTPException, ValueError) as error:  # URLError and time-outs are OSErrors, OpenML's ValueErrors
        raise _UnavailableError(f"OpenML ({type(error).__name__}: {' '.join(str(error).split())})") from error
    if not _is_original(X, y):
        raise _UnavailableError("OpenML (what it sent is not the original MNIST)")
    with contextlib.suppress(OSError):  # a cache that cannot be written costs the next download, not this one
        for path, values in zip(_cached(), (X, y), strict=True):
            save_aside(path, values)
    return _dataset(X, y, "OpenML mnist_784 version 1")


@contextlib.contextmanager
def _impatient() -> Iterator[None]:
    """Without a network, fail in seconds and without scikit-learn's warning about each retry."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_TIMEOUT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        socket.setdefaulttimeout(before)


def _cached() -> tuple[Path, Path]:
    folder = cache_folder()
    return folder / "mnist-images.npy", folder / "mnist-labels.npy"


def _is_original(X: np.ndarray, y: np.ndarray) -> bool:
    """Whether these are the bytes of the four files, headers supplied: X (70000, 784) and y (70000,) of uint8."""
    if X.shape != (N, 784) or y.shape != (N,) or X.dtype != np.uint8 or y.dtype != np.uint8:
        return False
    images = X.reshape(N, 28, 28)
    parts = (images[:N_TRAIN], images[N_TRAIN:], y[:N_TRAIN], y[N_TRAIN:])
    return all(_md5(encode_idx(part)) == md5 for part, md5 in zip(parts, MD5.values(), strict=True))


def _md5(raw: bytes) -> str:
    return hashlib.md5(raw, usedforsecurity=False).hexdigest()


def _dataset(X: np.ndarray, y: np.ndarray, source: str) -> Dataset:
    return Dataset(
        X=X,
        y=y.astype(np.int64),
        scale=255.0,
        shape=(28, 28),
        name="mnist",
        source=source,
        n_train=N_TRAIN,
        licence="CC BY-SA 3.0",
        citation="Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), Gradient-based learning applied to document "
        "recognition, Proceedings of the IEEE 86(11), 2278-2324, https://doi.org/10.1109/5.726791",
    )
