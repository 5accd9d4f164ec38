"""The machines of a deep run, opened one by one: those above the first get their data from those below."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.deep.export import exported_network
from harmonium.deep.folder import DeepFolder
from harmonium.deep.reopen import layer_data
from harmonium.deep.stack import features
from harmonium.deep.unroll import encoder
from harmonium.errors import InputError
from harmonium.runs.check import check
from harmonium.runs.reopen import evaluate, reopen
from harmonium.runs.resume import resume
from small_runs import IMAGES, LABELS

X = np.tile(IMAGES.reshape(60, 12), (5, 1))
Y = np.tile(LABELS, 5)
QUICK = {"epochs": 3, "batch_size": 20, "measure": 2, "fine_tune": "none", "held_out": "0.2", "seed": 3}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("harmonium.runs.train.draw", lambda *a, **k: [])
    monkeypatch.setattr("harmonium.deep.pictures.draw_deep", lambda *a, **k: None)


def deep_run(tmp_path, **options):
    np.savez(tmp_path / "d.npz", X=X, y=Y)
    return hm.train_deep(tmp_path / "d.npz", out=tmp_path / "r", **{**QUICK, **options})


@pytest.mark.parametrize(
    "layers", ["8,6,4", "ising:7,bernoulli:5", "onehot:2x3,4", "gaussian:5,variance=1,multivalued:4,s=3,3"]
)
def test_every_layer_is_scored_on_its_own_data_like_any_run(tmp_path, layers):
    run = deep_run(tmp_path, layers=layers, learning_rate=0.001)
    for number, layer in enumerate(run.layers, 1):
        found = evaluate(layer.folder)
        assert found["log_z"]["value"] == layer.summary["log_z"]["value"]
        assert {part: own["value"] for part, own in found["scores"].items()} == {
            part: own["value"] for part, own in layer.summary["scores"].items()
        }
        inputs = reopen(layer.folder).inputs()
        assert inputs.data.name == "d" + f", layer {number - 1}" * (number > 1)
        assert len(inputs.rows.held_out) == 60


def test_a_layer_s_data_are_what_the_layers_below_say(tmp_path):
    run = deep_run(tmp_path, layers="8,6,4", target="label", classes="1")
    rows = torch.from_numpy(X[Y == 1]).float()
    for number in (2, 3):
        data = layer_data(tmp_path / "r" / f"layer-{number}")
        np.testing.assert_allclose(data.X, features(run.stack, rows, number - 1).numpy(), atol=1e-6)
        assert set(data.y) == {1}


def test_check_and_sample_take_them_too(tmp_path, monkeypatch):
    deep_run(tmp_path, layers="8,6")
    invoke = CliRunner().invoke
    check(tmp_path / "r" / "layer-2")
    assert (tmp_path / "r" / "layer-2" / "check.json").is_file()
    monkeypatch.chdir(tmp_path / "r" / "layer-2")  # also from within
    drawn = invoke(main, ["sample", ".", "--start", "data", "--number", "4", "--steps", "2"])
    assert drawn.exit_code == 0, drawn.stderr


def test_of_data_in_memory_one_is_told_how_to_make_them_again(tmp_path):
    run = hm.train_deep(X, Y, out=tmp_path / "r", layers="8,6", **QUICK)
    with pytest.raises(InputError, match=r"data=hm.load_deep\(.*\).features\(v, 1\)") as told:
        evaluate(tmp_path / "r" / "layer-2")
    assert str(tmp_path / "r") in str(told.value)
    made = hm.load_deep(tmp_path / "r").features(X, 1)
    found = evaluate(tmp_path / "r" / "layer-2", made)
    own, parts = run.layers[1].summary["scores"], run.summary["parts"]
    mean = sum(parts[part] * own[part]["value"] for part in parts) / sum(parts.values())
    assert found["scores"]["data"]["value"] == pytest.approx(mean, abs=0.15)  # probabilities are drawn anew
    with pytest.raises(InputError, match="an array in memory, so they must be given again"):
        evaluate(tmp_path / "r" / "layer-1")


def test_one_that_is_not_finished_is_finished_with_its_network(tmp_path):
    deep_run(tmp_path, layers="8,6")
    (tmp_path / "r" / "layer-2" / "summary.json").unlink()
    with pytest.raises(InputError, match="a machine of a network; go on with all of it") as told:
        resume(tmp_path / "r" / "layer-2")
    assert str(told.value).endswith(f"--resume {tmp_path / 'r'}")


def test_without_fine_tuning_what_is_exported_is_the_encoder(tmp_path):
    run = hm.load_deep(deep_run(tmp_path, layers="8,6").folder)
    assert run.network is None
    x = torch.from_numpy(X).float()
    with torch.no_grad():
        wanted = encoder(run.stack)(x)
        torch.testing.assert_close(exported_network(DeepFolder(run.folder), True)(x), wanted)
        torch.testing.assert_close(wanted, features(run.stack, x))


def test_a_page_of_an_upper_layer_is_refused_by_the_name_of_its_network(tmp_path):
    deep_run(tmp_path, layers="8,6")
    with pytest.raises(InputError, match="give the whole network") as told:
        hm.page(tmp_path / "r" / "layer-2", tmp_path / "p.html")
    assert str(tmp_path / "r") in str(told.value).removeprefix(str(tmp_path / "r" / "layer-2"))
