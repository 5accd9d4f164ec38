"""A short name for exactly these data, to keep with the results that came of them."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from harmonium.data.blocks import row_blocks
from harmonium.data.dataset import Dataset


def fingerprint(dataset: Dataset, length: int = 16) -> str:
    """The first `length` hexadecimal digits of the SHA-256 of the shape, type and values of X (N, V), and of y (N,),
    the names of its classes and the groups (N,) of its rows.

    Memory layout, byte order and the place of the data make no difference; X is read in blocks.
    """
    X, y = dataset.X, dataset.y
    digest = hashlib.sha256(f"{X.shape} {X.dtype.newbyteorder('<').str} {y is not None}\n".encode())
    for _, block in row_blocks(X):
        digest.update(_bytes(block))
    if y is not None:
        digest.update(_bytes(y.astype(np.int64)))
    if dataset.names is not None:
        digest.update(json.dumps(dataset.names).encode())
    if dataset.groups is not None:
        digest.update(b"groups")
        digest.update(_bytes(dataset.groups.astype(np.int64)))
    return digest.hexdigest()[:length]


def _bytes(values: np.ndarray) -> bytes:
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
