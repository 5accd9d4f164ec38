"""Folders of images: grey values, order, classes, faults."""

import numpy as np
import pytest
from PIL import Image

from harmonium.data import load_data
from harmonium.errors import InputError


def save(path, values, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(values))
    (image if mode is None else image.convert(mode)).save(path)


def grey(*values):
    return np.array(values, np.uint8).reshape(2, -1)


def test_grey_values_in_the_order_of_the_names(tmp_path):
    for name, value in (("b.png", 20), ("a.PNG", 10), ("c.png", 30), (".hidden.png", 99)):
        save(tmp_path / name, grey(value, 0, 1, 2, 3, 255))
    dataset = load_data(tmp_path)
    np.testing.assert_array_equal(dataset.X, [[v, 0, 1, 2, 3, 255] for v in (10, 20, 30)])
    assert (dataset.y, dataset.scale, dataset.shape) == (None, 255.0, (2, 3))


def test_every_mode_becomes_grey_bytes(tmp_path):
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
    save(tmp_path / "a.png", colours)
    save(tmp_path / "b.png", colours, "P")
    save(tmp_path / "c.png", colours, "RGBA")
    save(
        tmp_path / "d.png", np.array([[0, 65535], [100 << 8, 65300]], np.uint16)
    )  # 16 bits: the high byte, not clipped
    save(tmp_path / "e.png", grey(0, 255, 255, 0), "1")
    X = load_data(tmp_path).X
    luminance = [76, 150, 29, 255]  # ITU-R 601-2
    np.testing.assert_allclose(X[[0, 2]].astype(int), [luminance] * 2, atol=1)
    np.testing.assert_array_equal(X[3:], [[0, 255, 100, 255], [0, 255, 255, 0]])
    assert X[1, 3] == 255


@pytest.mark.parametrize(
    ("folders", "labels"),
    [(("cat", "ant", "bee"), [0, 1, 2]), (("10", "7", "8"), [10, 7, 8]), (("07", "7"), [0, 1])],
)
def test_sub_folders_are_classes(tmp_path, folders, labels):
    for folder in folders:
        save(tmp_path / folder / "x.png", grey(0, 1, 2, len(folder)))
    np.testing.assert_array_equal(load_data(tmp_path).y, labels)


def test_images_at_several_depths_have_no_classes(tmp_path):
    save(tmp_path / "a" / "x.png", grey(1, 2))
    save(tmp_path / "b" / "c" / "x.png", grey(3, 4))
    dataset = load_data(tmp_path)
    assert dataset.y is None
    np.testing.assert_array_equal(dataset.X, [[1, 2], [3, 4]])


def test_faults(tmp_path):
    with pytest.raises(InputError, match=r"holds no \.png images"):
        load_data(tmp_path)
    for name in ("a.png", "b.png"):
        save(tmp_path / name, grey(1, 2, 3, 4))
    with pytest.raises(InputError, match="labels='cat' is not a file"):
        load_data(tmp_path, labels="cat")
    for name in ("c.png", "d.png"):
        save(tmp_path / name, grey(1, 2, 3, 4, 5, 6))
    with pytest.raises(InputError, match=r"c\.png is 3×2 pixels where a\.png is 2×2"):
        load_data(tmp_path)
    (tmp_path / "c.png").unlink()
    (tmp_path / "d.png").unlink()
    whole = (tmp_path / "b.png").read_bytes()
    for raw in (whole[:44], b"no image"):
        (tmp_path / "b.png").write_bytes(raw)
        with pytest.raises(InputError, match=r"b\.png is not a whole PNG image"):
            load_data(tmp_path)
