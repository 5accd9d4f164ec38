"""Tables as text: any separator, with or without a header, and the first fault named by line and column."""

import gzip

import numpy as np
import pytest

from harmonium.data import load_data
from harmonium.errors import InputError


def load(tmp_path, text, name="t.csv", **options):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return load_data(tmp_path / name, **options)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt"])
@pytest.mark.parametrize("separator", [",", "\t", ";", " "])
@pytest.mark.parametrize("header", [True, False])
def test_values_survive_whatever_the_separator(tmp_path, name, separator, header):
    values = np.random.default_rng(0).normal(size=(7, 3))
    lines = [separator.join("abc")] if header else []
    lines += [separator.join(repr(float(v)) for v in row) for row in values]
    dataset = load(tmp_path, "\n".join(lines), name)
    np.testing.assert_array_equal(dataset.X, values)
    assert dataset.y is None
    assert dataset.shape == (3,)


def test_integers_stay_integers_and_one_fraction_makes_all_real(tmp_path):
    assert load(tmp_path, "1,2\n3,255\n").X.dtype == np.int64
    for text in ("1,2\n3,4.5\n", "1,2\n3,4.0\n", "1,2\n3,1e2\n", "1,2\n3,99999999999999999999\n"):
        X = load(tmp_path, text).X
        assert X.dtype == np.float64
        np.testing.assert_array_equal(X, [[float(c) for c in line.split(",")] for line in text.split()])


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("word", ["label", "labels", "class", "writer"])
def test_the_label_column_leaves_the_values(tmp_path, place, word):
    names, rows = ["p", "q"], [[10, 11], [20, 21], [30, 31]]
    names.insert(place, word)
    lines = [",".join(names)]
    for row, label in zip(rows, (5, 3, 4), strict=True):
        cells = list(row)
        cells.insert(place, label)
        lines.append(",".join(map(str, cells)))
    dataset = load(tmp_path, "\n".join(lines), labels="writer" if word == "writer" else None)
    np.testing.assert_array_equal(dataset.X, rows)
    np.testing.assert_array_equal(dataset.y, [5, 3, 4])


def test_oddities_of_real_files(tmp_path):
    expected = [[1, 2], [3, 4]]
    for text in (
        "\ufeffa,b\n1,2\n3,4\n",  # a byte-order mark
        "\ufeff1,2\n3,4\n",
        '"a","b"\r\n"1","2"\r\n3,4\r\n',  # quotes, Windows lines
        "# made by hand\n\na, b\n1, 2\n\n3, 4 # last\n\n",
    ):
        np.testing.assert_array_equal(load(tmp_path, text).X, expected)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n"))
    np.testing.assert_array_equal(load_data(tmp_path / "t.csv.gz").X, expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,x\n", r"t\.csv, line 2, column 2: 'x' is not a number"),
        ("a,b\n\n1,2\n3,\n", r"t\.csv, line 4, column 2: '' is not a number"),
        ("?,2\n3,4\n", r"t\.csv, line 1, column 1: '\?' is not a number"),
        ("NA,2\n3,4\n", r"t\.csv, line 1, column 1: 'NA' is not a number"),
        ("1,2\n3,4,5\n", r"t\.csv, line 2: 3 columns, the first line has 2"),
        ("a,b\n1,2,3\n4,5,6\n", r"t\.csv has 2 names in its header but 3 numbers a line"),
        ("1,5;2,5\n", r"t\.csv, line 1, column 1: '1,5' is not a number"),
        ("label,p\n1.5,0\n", r"the labels in .*t\.csv must be integers; row 0 \(counted from 0\) holds 1\.5"),
        ("1,nan\n", r"t\.csv holds one value that is not finite: nan in row 0, column 1"),
        ("", r"t\.csv is empty"),
        ("# nothing\n\n", r"t\.csv is empty"),
        ("a,b\n", r"t\.csv holds no rows of numbers"),
    ],
)
def test_faults_are_named(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, text)


def test_a_label_column_that_is_not_there(tmp_path):
    with pytest.raises(
        InputError, match=r"labels='z' is neither a file nor a column of .*t\.csv \(its columns are a, b"
    ):
        load(tmp_path, "a,b\n1,2\n", labels="z")
    with pytest.raises(InputError, match=r"labels='z' is neither .* \(it has no header\)"):
        load(tmp_path, "1,2\n", labels="z")


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe1\x002\x00\n")
    with pytest.raises(InputError, match=r"t\.csv is not text in UTF-8"):
        load_data(tmp_path / "t.csv")
    (tmp_path / "u.csv").write_bytes(b"1,2\n3,\xff\n")
    with pytest.raises(InputError, match=r"u\.csv is not text in UTF-8"):
        load_data(tmp_path / "u.csv")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 999)[:-9])
    with pytest.raises(InputError, match=r"t\.csv\.gz is not a whole gzip file"):
        load_data(tmp_path / "t.csv.gz")
