"""The way in: names, classes, labels, scale, checks, fingerprints."""

import ast
import gzip
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import harmonium.data
from harmonium.data import DATASETS, Dataset, fingerprint, load_data
from harmonium.data.blocks import BLOCK_VALUES, row_blocks
from harmonium.data.checks import check_values
from harmonium.data.idx import encode_idx
from harmonium.data.labels import select_classes
from harmonium.errors import InputError

X = np.arange(12.0).reshape(6, 2)


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return tmp_path / "x.npy"


def make(y, n_train=None):
    return Dataset(X=X, y=np.array(y), scale=1.0, shape=(2,), name="made", source="here", n_train=n_train)


def test_the_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    bunch = load_digits()
    digits = load_data("digits")
    np.testing.assert_array_equal(digits.X, bunch.data)
    np.testing.assert_array_equal(digits.y, bunch.target)
    assert (digits.X.dtype, digits.X.max(), digits.scale, digits.shape) == (np.uint8, 16, 16.0, (8, 8))
    assert digits.n_train is None
    assert "CC BY" in digits.licence
    assert "10.24432/C50P49" in digits.citation
    with pytest.raises(InputError, match="data_path='/x' cannot be used"):
        load_data("digits", path="/x")


def test_a_name_wins_over_a_file_and_a_path_over_the_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("digits").touch()
    assert len(load_data("digits")) == 1797
    for spec in ("./digits", Path("digits")):
        with pytest.raises(InputError, match=r"digits is of no known kind; known endings are \.npy, \.npz"):
            load_data(spec)


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.csv", "x.idx", "x-idx3-ubyte.gz"])
def test_files_that_may_not_be_read(tmp_path, monkeypatch, name):
    (tmp_path / name).touch()

    def denied(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("io.open", denied)
    monkeypatch.setattr("zipfile.is_zipfile", denied)
    with pytest.raises(InputError, match=rf"{name} cannot be read: Permission denied\.$"):
        load_data(tmp_path / name)


def test_unknown_specs(file):
    for name, mend in {
        "mnits": r"did you mean 'mnist'\?", str(file.with_suffix(".npz")): f"did you mean '{file}'",
        "unheard of": "give the path of a .npy, .npz, .csv or idx file, or of a folder", "no/x.npy": "give the path of",
    }.items():  # fmt: skip
        known = "data set .*digits, mnist.* nor an existing file or folder"
        with pytest.raises(InputError, match=f"data='{name}' is neither a {known}; {mend}"):
            load_data(name)
    with pytest.raises(InputError, match=r"data_path='/x' goes with digits, mnist.* only"):
        load_data(file, path="/x")
    assert {"digits", "mnist"} <= set(DATASETS)


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_scales_that_mean_nothing(file, scale):
    with pytest.raises(InputError, match=f"scale={scale!r} must be a positive number"):
        load_data(file, scale=scale)


def test_labels_from_every_kind_of_file(file, tmp_path):
    labels = np.array([4, 4, 0, 9, 2, 1])
    np.save(tmp_path / "a.npy", labels)
    np.save(tmp_path / "b.npy", labels.astype(np.float32)[:, None])
    (tmp_path / "c.txt").write_text("\n".join(map(str, labels)))
    (tmp_path / "d.txt").write_text(" ".join(map(str, labels)))
    (tmp_path / "e.csv").write_text("label\n" + "\n".join(map(str, labels)))
    (tmp_path / "f.csv").write_text("id,label\n" + "\n".join(f"{i},{v}" for i, v in enumerate(labels)))
    (tmp_path / "g-idx1-ubyte.gz").write_bytes(gzip.compress(encode_idx(labels.astype(np.uint8))))
    for path in sorted(tmp_path.glob("[a-g]*")):
        dataset = load_data(file, labels=path)
        np.testing.assert_array_equal(dataset.y, labels, err_msg=path.name)
        assert dataset.y.dtype == np.int64
        np.testing.assert_array_equal(load_data(file, labels=str(path), classes=[4]).X, X[:2])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.arange(5), "must be one a row: there are 5 labels for 6 rows"),
        (np.eye(6), r"must be one integer or name a row, not of shape \(6, 6\); give one column"),
        (np.full(6, 1j), "must be integers or names; their type is complex128"),
        (np.array([1, 1, 1, 0.5, 1, 1]), r"must be integers; row 3 \(counted from 0\) holds 0\.5"),
        (np.array([1, np.inf, 1, 1, 1, 1]), r"must be integers; row 1 \(counted from 0\) holds inf"),
    ],
)
def test_labels_that_are_none(file, tmp_path, labels, message):
    np.save(tmp_path / "y.npy", labels)
    with pytest.raises(InputError, match=rf"^labels='.*y\.npy' {message}"):
        load_data(file, labels=tmp_path / "y.npy")


def test_a_label_file_that_is_not_there(file):
    with pytest.raises(InputError, match=r"labels='z\.npy' is not a file, and .*x\.npy has no columns"):
        load_data(file, labels="z.npy")
    with pytest.raises(InputError, match=r"labels='z\.npy' is not a file; 'digits' has labels of its own"):
        load_data("digits", labels="z.npy")


def test_classes_keep_order_and_recount_the_training_part():
    dataset = select_classes(make([7, 1, 9, 7, 1, 9], n_train=4), iter([9, 7, 7]))
    np.testing.assert_array_equal(dataset.y, [7, 9, 7, 9])
    np.testing.assert_array_equal(dataset.X, X[[0, 2, 3, 5]])
    assert dataset.n_train == 3
    everything = make([7, 1, 9, 7, 1, 9])
    assert select_classes(everything, np.array([1, 7, 9])).X is everything.X


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([3], r"classes=3 has no rows of class 3 in here; the classes there are 1, 7, 9"),
        ([7, 3, 2], r"classes=2,3,7 has no rows of class 2, 3 in here"),
        ([], r"classes=\[\] selects nothing in here; the classes there are 1, 7, 9"),
        ([1.5], r"classes=1\.5 must be whole numbers, such as 7,8,9"),
        ("79", "classes='79' must be a list of whole numbers"),
        (7, "classes=7 must be a list of whole numbers"),
    ],
)
def test_classes_that_are_not_there(classes, message):
    with pytest.raises(InputError, match=message):
        select_classes(make([7, 1, 9, 7, 1, 9]), classes)


def test_classes_need_labels(file):
    with pytest.raises(InputError, match=r"classes=1 needs labels, and .*x\.npy has none"):
        load_data(file, classes=[1])


def test_blocks_cover_every_row_once():
    for shape in ((3 * BLOCK_VALUES // 7 + 5, 7), (5, 2 * BLOCK_VALUES), (1, 1), (0, 4)):
        values = np.broadcast_to(np.arange(shape[0], dtype=float)[:, None], shape)
        blocks = list(row_blocks(values))
        starts = np.cumsum([0] + [len(block) for _, block in blocks])
        assert [start for start, _ in blocks] == starts[:-1].tolist()
        assert starts[-1] == shape[0]
        assert all(block[0, 0] == start for start, block in blocks)


def test_values_that_are_not_finite_are_counted_and_the_first_is_named():
    values = np.zeros((BLOCK_VALUES // 2, 2, 3), np.float32)
    check_values(values, "x")
    row = len(values) // 2  # neither in the first block nor in the last
    values[row, 1, 2], values[row, 1, 1], values[-1, 0, 0] = np.nan, -np.inf, np.nan
    message = f"x holds 3 values that are not finite, the first -inf in row {row}, column 4"
    with pytest.raises(InputError, match=message):
        check_values(values, "x")


def test_checks_and_fingerprint_of_a_map_allocate_little(tmp_path):
    values = np.ones((16 * BLOCK_VALUES, 1), np.float32)  # 64 MiB
    np.save(tmp_path / "x.npy", values)
    tracemalloc.start()
    fingerprint(load_data(tmp_path / "x.npy"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < values.nbytes / 4


def test_the_fingerprint_knows_the_data_and_nothing_else():
    dataset = make([1, 2, 3, 4, 5, 6])
    name = fingerprint(dataset)
    assert len(name) == 16
    assert set(name) <= set("0123456789abcdef")
    changed = X.copy()
    changed[5, 1] = np.nextafter(changed[5, 1], 99)
    others = (
        replace(dataset, X=changed),
        replace(dataset, X=X.astype(np.float32)),
        replace(dataset, X=X.reshape(4, 3)),
        replace(dataset, X=X[::-1]),
        replace(dataset, y=None),
        replace(dataset, y=dataset.y[::-1]),
    )
    assert len({name, *(fingerprint(other) for other in others)}) == 1 + len(others)
    same = (
        replace(dataset, X=np.asfortranarray(X), y=dataset.y.astype(np.int16)),
        replace(dataset, X=X.astype(">f8"), name="other", source="there"),
    )
    assert {fingerprint(other) for other in same} == {name}


def test_data_needs_no_torch():
    for path in Path(harmonium.data.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "torch" for name in names), path
