"""NumPy's files: mapped, not copied; never unpickled; every fault is named."""

import numpy as np
import pytest
import torch

from harmonium.data import load_data
from harmonium.errors import InputError

X = np.arange(24, dtype=np.float32).reshape(4, 6)


class Unpickled(Exception):
    """Raised by loading a trap."""


class Trap:
    def __reduce__(self):
        return (_spring, ())


def _spring():
    raise Unpickled


def test_npy_is_mapped_not_copied_and_torch_takes_it_without_a_warning(tmp_path):
    np.save(tmp_path / "x.npy", X)
    dataset = load_data(tmp_path / "x.npy")
    assert isinstance(dataset.X, np.memmap)
    np.testing.assert_array_equal(torch.from_numpy(dataset.X).numpy(), X)  # warnings are errors
    dataset.X[0, 0] = 99  # copy on write: the file is safe
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), X)
    assert (dataset.y, dataset.scale, dataset.shape, dataset.name) == (None, 1.0, (6,), "x")


def test_rows_of_more_dimensions_are_a_flat_view_that_remembers_its_shape(tmp_path):
    np.save(tmp_path / "x.npy", X.reshape(4, 2, 3))
    dataset = load_data(tmp_path / "x.npy")
    assert isinstance(dataset.X, np.memmap)
    assert dataset.shape == (2, 3)
    np.testing.assert_array_equal(dataset.X, X)


def test_the_other_byte_order_is_turned_round(tmp_path):
    np.save(tmp_path / "x.npy", X.astype(">f4"))
    dataset = load_data(tmp_path / "x.npy")
    np.testing.assert_array_equal(torch.from_numpy(dataset.X).numpy(), X)


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.array([[0, 255]], np.uint8), 255),
        (np.array([[0, 2]], np.uint8), 255),
        (np.array([[0, 1]], np.uint8), 1),
        (np.array([[False, True]]), 1),
        (np.array([[0, 255]], np.int64), 1),
        (np.array([[0.0, 255.0]]), 1),
    ],
)
def test_scale_is_guessed_from_the_type(tmp_path, values, scale):
    np.save(tmp_path / "x.npy", values)
    assert load_data(tmp_path / "x.npy").scale == scale
    assert load_data(tmp_path / "x.npy", scale=7).scale == 7.0


@pytest.mark.parametrize("values", ["X", "x", "data", "images", "samples", "anything"])
@pytest.mark.parametrize("labels", ["y", "labels", "targets", None])
def test_npz_arrays_are_found_by_name(tmp_path, values, labels):
    arrays = {values: X} if labels is None else {labels: np.array([3, 1, 2, 3]), values: X}
    np.savez(tmp_path / "a.npz", **arrays)
    dataset = load_data(tmp_path / "a.npz")
    np.testing.assert_array_equal(dataset.X, X)
    if labels is None:
        assert dataset.y is None
    else:
        np.testing.assert_array_equal(dataset.y, [3, 1, 2, 3])


def test_npz_labels_by_name_win(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=np.zeros(4, int), writer=np.arange(4))
    np.testing.assert_array_equal(load_data(tmp_path / "a.npz", labels="writer").y, range(4))


def test_npz_faults(tmp_path):
    np.savez(tmp_path / "a.npz", one=X, two=X)
    with pytest.raises(InputError, match=r"a\.npz holds the arrays one, two; call the samples one of X"):
        load_data(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"labels='foo' is neither a file nor an array of .*a\.npz \(one, two\)"):
        load_data(tmp_path / "a.npz", labels="foo")
    whole = (tmp_path / "a.npz").read_bytes()
    for raw in (whole[:200], b"hello", b""):
        (tmp_path / "b.npz").write_bytes(raw)
        with pytest.raises(InputError, match=r"b\.npz is not a whole \.npz file"):
            load_data(tmp_path / "b.npz")
    damaged = bytearray(whole)
    damaged[200] ^= 255  # inside the first array: its CRC fails
    (tmp_path / "c.npz").write_bytes(damaged)
    with pytest.raises(InputError, match=r"'one' of .*c\.npz is damaged"):
        load_data(tmp_path / "c.npz", labels="two")
    np.save(tmp_path / "d.npy", X)
    (tmp_path / "d.npy").rename(tmp_path / "d.npz")
    with pytest.raises(InputError, match=r"d\.npz is not a whole \.npz file"):
        load_data(tmp_path / "d.npz")


def test_python_objects_are_refused_and_never_unpickled(tmp_path):
    traps = np.array([[Trap(), Trap()]], dtype=object)
    np.save(tmp_path / "x.npy", traps, allow_pickle=True)
    np.savez(tmp_path / "x.npz", X=traps)
    with pytest.raises(Unpickled):
        np.load(tmp_path / "x.npy", allow_pickle=True)  # the trap works
    for name in ("x.npy", "x.npz"):
        with pytest.raises(InputError, match="holds Python objects, which are never unpickled"):
            load_data(tmp_path / name)


def test_npy_faults(tmp_path):
    np.save(tmp_path / "x.npy", X)
    whole = (tmp_path / "x.npy").read_bytes()
    for cut, message in ((4, "is not a .npy file"), (60, "is damaged or breaks off"), (-3, "is damaged or breaks off")):
        (tmp_path / "x.npy").write_bytes(whole[:cut])
        with pytest.raises(InputError, match=f"x.npy {message}"):
            load_data(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.arange(5.0), r"holds an array of shape \(5,\); give one row a sample"),
        (np.array(5.0), r"holds an array of shape \(\)"),
        (np.zeros((0, 5)), r"is empty \(shape \(0, 5\)\)"),
        (np.zeros((5, 0)), r"is empty \(shape \(5, 0\)\)"),
        (np.array([["a", "b"]]), "holds values of type <U1"),
        (np.array([[1j]]), "holds values of type complex128"),
        (np.array([[1.0, np.nan]]), "holds one value that is not finite: nan in row 0, column 1"),
    ],
)
def test_arrays_that_are_not_samples(tmp_path, values, message):
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(InputError, match=rf"x\.npy {message}"):
        load_data(tmp_path / "x.npy")
