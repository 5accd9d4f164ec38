"""The idx format of MNIST: two zero bytes, type, number of dimensions, sizes, values; big-endian; perhaps gzipped."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from harmonium.data.labels import refuse_name
from harmonium.errors import InputError

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES = {np.dtype(name): code for code, name in TYPES.items()}


def read_idx(path: Path, label_name: str | None = None) -> tuple[np.ndarray, None]:
    """Read one idx or idx.gz file: values (N, ...) in the machine's byte order, and no labels."""
    refuse_name(path, label_name)
    return decode_idx(unpack(path), str(path)), None


def unpack(path: Path) -> bytes:
    """The bytes of a file, unzipped if it is gzipped; InputError if it cannot be read, breaks off or is damaged."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path} is not a whole gzip file ({error}); fetch it again.") from error


def decode_idx(raw: bytes, where: str) -> np.ndarray:
    """Decode the bytes of an unpacked idx file; `where` is what to call it in the message.

    Raises
    ------
    InputError
        A wrong magic number, or a length other than the one the header gives.
    """
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in TYPES or raw[3] == 0:
        raise InputError(f"{where} is not an idx file: it begins with 0x{raw[:4].hex()}; fetch it again.")
    header = 4 + 4 * raw[3]
    if len(raw) < header:
        raise InputError(f"{where} breaks off in its header, after {len(raw)} of {header} bytes; fetch it again.")
    dtype = np.dtype(TYPES[raw[2]])
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", raw[3], 4))
    expected = header + dtype.itemsize * math.prod(shape)
    if len(raw) != expected:
        raise InputError(f"{where} has {len(raw)} bytes where shape {shape} needs {expected}; fetch it again.")
    # A copy even for bytes: a view of `raw` would be read-only, and torch warns about those.
    return np.frombuffer(raw, dtype, offset=header).reshape(shape).astype(dtype.newbyteorder("="))


def encode_idx(values: np.ndarray) -> bytes:
    """Encode an array as an unpacked idx file: the inverse of `decode_idx`."""
    dtype = values.dtype.newbyteorder(">")
    head = bytes([0, 0, _CODES[dtype], values.ndim]) + np.array(values.shape, ">u4").tobytes()
    return head + values.astype(dtype, copy=False).tobytes()
