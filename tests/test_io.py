"""Model files: whole, portable, equal for equal machines; whatever else is called one is refused in a sentence."""

import errno
import json
import pickle

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from harmonium.errors import HarmoniumError, InputError
from harmonium.io import load_model, load_tensors, save_model, save_tensors, write_text, written_aside
from harmonium.machine import RBM, packed
from harmonium.noise import Noise
from harmonium.start import first_machine
from harmonium.units import parse_side

PAIRS = [
    ("bernoulli:5", "bernoulli:3"),
    ("ising:4", "onehot:2x3,none=true"),
    ("gaussian:3", "gaussian:2,variance=0.5"),
    ("bernoulli:3+gaussian:2+onehot:1x4", "multivalued:2,s=3"),
    ("interval:4", "bernoulli:2"),
]


def machine(visible="bernoulli:5", hidden="bernoulli:3", dtype=torch.float32):
    noise = Noise(1, dtype=dtype)
    rbm = first_machine(parse_side(visible), parse_side(hidden), noise, weight_scale=0.1)
    b = rbm.b.clone()
    b[0] = noise.normal(rbm.hidden.size)
    return RBM(rbm.visible, rbm.hidden, rbm.W, rbm.a, b)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("visible", "hidden"), PAIRS)
def test_a_machine_comes_back_bit_for_bit(visible, hidden, dtype, tmp_path):
    rbm = machine(visible, hidden, dtype)
    save_model(tmp_path / "m.safetensors", rbm, note="x")
    again, description = load_model(tmp_path / "m.safetensors")
    assert (again.visible, again.hidden, description["note"]) == (rbm.visible, rbm.hidden, "x")
    assert all(torch.equal(x, y) and x.dtype == y.dtype for x, y in zip(rbm.tensors, again.tensors, strict=True))


def test_the_layout_is_what_other_readers_expect(tmp_path):
    rbm = machine()
    save_model(tmp_path / "m.safetensors", rbm)
    with safe_open(tmp_path / "m.safetensors", framework="np") as file:
        assert set(file.keys()) == {"weight", "visible_bias", "hidden_bias"}
        assert file.get_tensor("weight").shape == (3, 5)
        assert (file.get_tensor("weight") == rbm.W.mT.numpy()).all()
        assert json.loads(file.metadata()["harmonium"])["visible"] == "bernoulli:5"


def test_memory_layout_makes_no_difference(tmp_path):
    rbm = machine()
    strided = RBM(
        rbm.visible, rbm.hidden, torch.stack([rbm.W, rbm.W], -1)[..., 0], rbm.a.repeat(2, 1)[::2], packed(rbm)[1].b
    )
    other = RBM(rbm.visible, rbm.hidden, rbm.W.contiguous(), rbm.a, rbm.b)
    for i, each in enumerate((rbm, strided, other)):
        save_model(tmp_path / f"{i}", each, b=1, a=2)
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert torch.equal(load_model(tmp_path / "1")[0].W, rbm.W)


def test_every_cut_and_every_flipped_byte_is_noticed(tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(path, machine("bernoulli:2", "bernoulli:1"))
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        with pytest.raises(InputError, match=r"m\.safetensors "):
            load_model(path)
    for i in range(0, len(whole), 7):
        path.write_bytes(whole[:i])
        with pytest.raises(InputError, match=r"m\.safetensors is not a whole safetensors file"):
            load_model(path)


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def test_foreign_files_are_refused_and_never_unpickled(tmp_path):
    path = tmp_path / "m.safetensors"
    for content in (pickle.dumps(Trap()), b"", b"\0" * 100, b'{"a": 1}', b"\xff" * 64):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"m.safetensors is not a whole safetensors file"):
            load_model(path)
    torch.save(machine().W, path)
    with pytest.raises(InputError, match=r"m.safetensors"):
        load_model(path)
    for metadata in (None, {"format": "pt"}, {"harmonium": "no json"}, {"harmonium": "[" * 100_000}):
        save_file({"weight": torch.ones(2)}, path, metadata)
        with pytest.raises(InputError, match=r"m.safetensors is a safetensors file, but not one of harmonium's"):
            load_model(path)
    save_file({"weight": torch.ones(2)}, path, {"harmonium": "[]"})
    with pytest.raises(InputError, match="foreign thing, not a model"):
        load_model(path)
    save_tensors(path, "checkpoint", {}, {})
    with pytest.raises(InputError, match="holds a checkpoint, not a model"):
        load_model(path)
    with pytest.raises(InputError, match="there is no file"):
        load_model(tmp_path / "none")


GOOD = {"weight": torch.ones(1, 2), "visible_bias": torch.ones(2), "hidden_bias": torch.ones(1)}
SPECS = {"visible": "bernoulli:2", "hidden": "bernoulli:1"}


@pytest.mark.parametrize(
    ("tensors", "description", "words"),
    [
        ({"weight": None}, {}, "lacks 'weight'"),
        ({"hidden_bias": None}, {}, "lacks 'hidden_bias'"),
        ({}, {"visible": None}, "lacks 'visible'"),
        ({"weight": torch.ones(2, 1)}, {}, "W has shape"),
        ({"weight": torch.ones(2)}, {}, "m.safetensors is not a model"),
        ({"visible_bias": torch.ones(3)}, {}, "a has shape"),
        ({"visible_rows": torch.ones(1, 2)}, {}, "a has shape"),
        ({"weight": torch.ones(1, 2, dtype=torch.float64)}, {}, "not floating-point of one kind"),
        ({name: x.int() for name, x in GOOD.items()}, {}, "not floating-point of one kind"),
        ({}, {"visible": "bernoulli:99999999999999"}, "W has shape"),
        ({}, {"hidden": "onehot:99999999999x99999999999"}, "W has shape"),
        ({}, {"hidden": "bernoulli:" + "9" * 5000}, "not a model"),
        ({}, {"hidden": "quantum:1"}, "unknown unit family"),
        ({}, {"hidden": ""}, "unknown unit family"),
        ({}, {"hidden": 7}, "not a model"),
        ({}, {"hidden": ["bernoulli:1"]}, "not a model"),
    ],
)
def test_parts_that_do_not_make_a_machine(tensors, description, words, tmp_path):
    tensors = {name: x for name, x in {**GOOD, **tensors}.items() if x is not None}
    description = {name: x for name, x in {**SPECS, **description}.items() if x is not None}
    save_tensors(tmp_path / "m.safetensors", "model", tensors, description)
    with pytest.raises(InputError, match=r"m.safetensors is not a") as caught:
        load_model(tmp_path / "m.safetensors")
    assert words in str(caught.value)


def test_a_newer_format_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("harmonium.io.FORMAT_VERSION", 9)
    save_model(tmp_path / "m", machine())
    monkeypatch.undo()
    with pytest.raises(InputError, match="m has format version 9, but this harmonium reads 1"):
        load_tensors(tmp_path / "m", "model")


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(failing, tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    save_model(path, machine())
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"os.{failing}", full)
    with pytest.raises(HarmoniumError, match=r"m.safetensors cannot be written: No space left on device; free some"):
        save_model(path, machine(dtype=torch.float64))
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EACCES", "ENOENT", "EFBIG"])
def test_space_is_spoken_of_where_it_is_lacking(name, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(getattr(errno, name), name)

    monkeypatch.setattr("tempfile.mkstemp", fail)
    mend = "free some space or choose" if name in ("ENOSPC", "EDQUOT") else "choose"
    with pytest.raises(HarmoniumError, match=f"t cannot be written: {name}; {mend} another folder"):
        write_text(tmp_path / "t", "new")


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path):
    write_text(tmp_path / "t", "old")

    def interrupted():
        with written_aside(tmp_path / "t") as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [p.name for p in tmp_path.iterdir()] == ["t"]
    assert (tmp_path / "t").read_text() == "old"
