"""MNIST: the order of the places, the checksums, no network; and the real files where there are some."""

import gzip
import hashlib
import os
import socket
from http.client import IncompleteRead
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import sklearn.datasets

from harmonium.data import load_data, mnist, split
from harmonium.data.cache import cache_folder, save_aside
from harmonium.data.idx import encode_idx
from harmonium.errors import InputError

NAMES = list(mnist.MD5)


class Tiny:
    """Six images for training and four for testing, passed off as the originals."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.X = rng.integers(0, 256, (10, 784)).astype(np.uint8)
        self.y = np.arange(10, dtype=np.uint8)
        images = self.X.reshape(-1, 28, 28)
        parts = (images[:6], images[6:], self.y[:6], self.y[6:])
        self.files = {name: encode_idx(part) for name, part in zip(NAMES, parts, strict=True)}
        self.md5 = {name: hashlib.md5(raw).hexdigest() for name, raw in self.files.items()}

    def write(self, folder, *, packed=True, names=NAMES, rename=str):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            raw = self.files[name]
            (folder / (rename(name) + ".gz" * packed)).write_bytes(gzip.compress(raw) if packed else raw)
        return folder

    def agrees(self, dataset):
        np.testing.assert_array_equal(dataset.X, self.X)
        np.testing.assert_array_equal(dataset.y, self.y)
        assert (dataset.n_train, dataset.scale, dataset.shape, dataset.y.dtype) == (6, 255.0, (28, 28), np.int64)


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A tiny MNIST, an empty cache, no data folder, and a fetch_openml that counts its calls and fails."""
    tiny = Tiny()
    monkeypatch.setattr(mnist, "N", 10)
    monkeypatch.setattr(mnist, "N_TRAIN", 6)
    monkeypatch.setattr(mnist, "MD5", tiny.md5)
    monkeypatch.delenv("HARMONIUM_DATA", raising=False)
    monkeypatch.setenv("HARMONIUM_CACHE", str(tmp_path / "cache"))
    tiny.cache = tmp_path / "cache"
    tiny.calls = []

    def offline(name, **options):
        tiny.calls.append((name, options))
        raise URLError("no network")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", offline)
    return tiny


def serve(monkeypatch, X, y):
    bunch = SimpleNamespace(data=np.asarray(X, np.float64), target=np.array([str(int(v)) for v in y], object))
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda *args, **kwargs: bunch)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("sub", ["", "mnist", "MNIST/raw"])
@pytest.mark.parametrize("rename", [str, lambda name: name.replace("-idx", ".idx")])
def test_files_in_every_place_and_spelling(tiny, tmp_path, monkeypatch, packed, sub, rename):
    tiny.write(tmp_path / "d" / sub, packed=packed, rename=rename)
    tiny.agrees(load_data("mnist", path=tmp_path / "d"))
    monkeypatch.setenv("HARMONIUM_DATA", str(tmp_path / "d"))
    dataset = load_data("mnist")
    tiny.agrees(dataset)
    assert dataset.source == str(tmp_path / "d" / sub)
    assert not tiny.calls
    assert not tiny.cache.exists()


def test_classes_and_the_own_split(tiny, tmp_path):
    dataset = load_data("mnist", path=tiny.write(tmp_path / "d"), classes=[7, 2, 9, 0])
    np.testing.assert_array_equal(dataset.y, [0, 2, 7, 9])
    np.testing.assert_array_equal(dataset.X, tiny.X[[0, 2, 7, 9]])
    assert split(dataset) == (slice(0, 2), slice(2, 4))


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_file_is_named_wherever_it_lies(tiny, tmp_path, monkeypatch, name):
    folder = tiny.write(tmp_path / "d")
    raw = bytearray(tiny.files[name])
    raw[-1] ^= 1
    (folder / f"{name}.gz").write_bytes(gzip.compress(bytes(raw)))
    message = rf"{name}\.gz is not the original file of MNIST .the MD5 of its contents differs."
    with pytest.raises(InputError, match=message):
        load_data("mnist", path=folder)
    monkeypatch.setenv("HARMONIUM_DATA", str(folder))
    with pytest.raises(InputError, match=message):  # a user's own folder is not passed over in silence
        load_data("mnist")
    assert not tiny.calls


def test_a_path_without_the_files_is_an_error_at_once(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HARMONIUM_DATA", str(tiny.write(tmp_path / "good")))
    with pytest.raises(
        InputError, match=r"path='.*none' does not hold MNIST: it lacks train-images-idx3-ubyte\.gz, t10k"
    ):
        load_data("mnist", path=tmp_path / "none")
    tiny.write(tmp_path / "part", names=NAMES[:3])
    with pytest.raises(InputError, match=r"does not hold MNIST: it lacks t10k-labels-idx1-ubyte\.gz\.$"):
        load_data("mnist", path=tmp_path / "part")
    assert not tiny.calls


@pytest.mark.parametrize(
    "error", [URLError("no network"), TimeoutError("slow"), IncompleteRead(b""), ValueError("odd")]
)
def test_offline_one_sentence_says_what_was_tried(tiny, tmp_path, monkeypatch, error):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fail)
    with pytest.raises(InputError) as caught:
        load_data("mnist")
    message = str(caught.value)
    assert "HARMONIUM_DATA (not set)" in message
    assert f"the cache {tiny.cache} (it has no copy)" in message
    assert f"OpenML ({type(error).__name__}" in message
    assert "set HARMONIUM_DATA, or --data-path (path), to a folder" in message
    assert "\n" not in message
    monkeypatch.setenv("HARMONIUM_DATA", str(tmp_path))
    with pytest.raises(InputError, match=rf"HARMONIUM_DATA={tmp_path} \(it lacks train-images"):
        load_data("mnist")


def test_the_download_does_not_wait_for_long(tiny, monkeypatch):
    timeouts = []
    real = sklearn.datasets.fetch_openml
    monkeypatch.setattr(
        sklearn.datasets,
        "fetch_openml",
        lambda *a, **k: (timeouts.append(socket.getdefaulttimeout()), real(*a, **k)),
    )
    before = socket.getdefaulttimeout()
    try:
        socket.setdefaulttimeout(321.0)
        with pytest.raises(InputError):
            load_data("mnist")
        assert socket.getdefaulttimeout() == 321.0
    finally:
        socket.setdefaulttimeout(before)
    [(name, options)] = tiny.calls
    assert (name, options["version"], options["as_frame"]) == ("mnist_784", 1, False)
    assert options["n_retries"] <= 2
    assert options["delay"] <= 1
    assert timeouts[0] <= 30


def test_what_openml_sends_is_checked_cached_and_mapped_the_next_time(tiny, monkeypatch):
    with monkeypatch.context() as online:
        serve(online, tiny.X, tiny.y)
        tiny.agrees(load_data("mnist"))
    assert sorted(p.name for p in tiny.cache.iterdir()) == ["mnist-images.npy", "mnist-labels.npy"]
    dataset = load_data("mnist")
    tiny.agrees(dataset)
    assert isinstance(dataset.X, np.memmap)
    assert not tiny.calls


def test_a_damaged_cache_is_replaced(tiny, monkeypatch):
    for damage in (lambda raw: raw[:-7], lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), lambda raw: b"x"):
        with monkeypatch.context() as online:
            serve(online, tiny.X, tiny.y)
            load_data("mnist")
        file = tiny.cache / "mnist-images.npy"
        file.write_bytes(damage(file.read_bytes()))
        with pytest.raises(InputError, match=r"the cache .* \(its copy is damaged\)"):
            load_data("mnist")
    with monkeypatch.context() as online:
        serve(online, tiny.X, tiny.y)
        tiny.agrees(load_data("mnist"))
    tiny.agrees(load_data("mnist"))


def test_openml_may_not_send_something_else(tiny, monkeypatch):
    changed = tiny.X.copy()
    changed[3, 400] ^= 1
    for X, y in ((changed, tiny.y), (tiny.X, tiny.y[::-1]), (tiny.X[:9], tiny.y[:9])):
        serve(monkeypatch, X, y)
        with pytest.raises(InputError, match=r"OpenML \(what it sent is not the original MNIST"):
            load_data("mnist")
        assert not tiny.cache.exists()


def test_a_cache_that_cannot_be_written_does_not_matter(tiny, monkeypatch):
    tiny.cache.write_text("a file in the way")
    serve(monkeypatch, tiny.X, tiny.y)
    tiny.agrees(load_data("mnist"))


def test_saving_aside_leaves_all_or_nothing(tmp_path, monkeypatch):
    save_aside(tmp_path / "a.npy", np.arange(3))

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_aside(tmp_path / "a.npy", np.arange(9))
    assert [p.name for p in tmp_path.iterdir()] == ["a.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), range(3))


def test_the_cache_folder_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.delenv("HARMONIUM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "win"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for platform, base in (("linux", "xdg"), ("win32", "win"), ("darwin", "Library/Caches")):
        monkeypatch.setattr("sys.platform", platform)
        assert cache_folder() == tmp_path / base / "harmonium"


@pytest.mark.mnist
def test_the_real_files():
    own = os.environ.get("HARMONIUM_DATA")
    if not own or mnist._find(Path(own))[1]:
        pytest.skip("set HARMONIUM_DATA to a folder with mnist/train-images-idx3-ubyte.gz and its three siblings")
    dataset = load_data("mnist")
    assert mnist._is_original(dataset.X, dataset.y.astype(np.uint8))  # so the cache and OpenML pass the same sums
    assert dataset.y[:5].tolist() == [5, 0, 4, 1, 9]
    assert dataset.y[60_000:60_005].tolist() == [7, 2, 1, 0, 4]
    three = load_data("mnist", classes=(7, 8, 9))
    assert len(three) == 21_076
    assert np.bincount(three.y)[7:].tolist() == [7293, 6825, 6958]
    assert split(three) == (slice(0, three.n_train), slice(three.n_train, 21_076))
