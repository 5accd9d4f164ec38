"""The idx format: every type survives, every fault is named."""

import gzip
import struct

import numpy as np
import pytest

from harmonium.data.idx import TYPES, decode_idx, encode_idx, read_idx
from harmonium.errors import InputError


@pytest.mark.parametrize("name", TYPES.values())
@pytest.mark.parametrize("shape", [(5,), (3, 2), (2, 3, 4)])
def test_values_survive_the_round_trip(tmp_path, name, shape):
    values = np.arange(np.prod(shape)).reshape(shape).astype(np.dtype(name).newbyteorder("="))
    values[..., -1] = -3 if values.dtype.kind != "u" else 253
    for file, raw in (("a.idx", encode_idx(values)), ("a.idx.gz", gzip.compress(encode_idx(values)))):
        (tmp_path / file).write_bytes(raw)
        found, labels = read_idx(tmp_path / file)
        np.testing.assert_array_equal(found, values)
        assert found.dtype == values.dtype
        assert found.dtype.isnative
        assert found.flags.writeable  # else torch warns
        assert labels is None


def test_bytes_written_by_hand_are_read_big_endian():
    raw = bytes([0, 0, 0x0B, 2]) + struct.pack(">II", 1, 3) + struct.pack(">hhh", 1, 256, -2)
    np.testing.assert_array_equal(decode_idx(raw, "x"), [[1, 256, -2]])


GOOD = encode_idx(np.arange(12, dtype=np.uint8).reshape(3, 4))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (GOOD[:-1], r"x has 23 bytes where shape \(3, 4\) needs 24"),
        (GOOD + b"\0", r"x has 25 bytes where shape \(3, 4\) needs 24"),
        (GOOD[:7], "x breaks off in its header, after 7 of 12 bytes"),
        (b"\0\0", "x is not an idx file: it begins with 0x0000;"),
        (b"", "x is not an idx file"),
        (b"\x01" + GOOD[1:], "x is not an idx file: it begins with 0x01000802"),
        (b"\0\0\x0a\x02" + GOOD[4:], "x is not an idx file"),
        (b"\0\0\x08\x00", "x is not an idx file"),
    ],
)
def test_faults_are_named(raw, message):
    with pytest.raises(InputError, match=message):
        decode_idx(raw, "x")


def test_a_damaged_or_short_gzip_file_is_named(tmp_path):
    packed = gzip.compress(encode_idx(np.random.default_rng(0).integers(0, 256, 5000).astype(np.uint8)))
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 255
    for i, raw in enumerate((packed[:-20], packed[:100], bytes(damaged))):
        path = tmp_path / f"{i}.idx.gz"
        path.write_bytes(raw)
        with pytest.raises(InputError, match=rf"{i}\.idx\.gz is not a whole gzip file"):
            read_idx(path)
