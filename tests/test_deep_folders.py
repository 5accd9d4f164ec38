"""The folder of a deep run: what is missing, damaged or of another run is said in one sentence with the mend."""

import json
import re
import shutil

import numpy as np
import pytest
import torch

import harmonium as hm
from harmonium.cli.options import config_of
from harmonium.config import Config
from harmonium.deep.scores import table
from harmonium.deep.stack import features
from harmonium.errors import InputError
from harmonium.presets import Preset
from harmonium.runs.check import check
from harmonium.runs.folder import RunFolder
from harmonium.runs.reopen import reopen
from small_runs import IMAGES, LABELS

X = np.tile(IMAGES.reshape(60, 12), (5, 1))
Y = np.tile(LABELS, 5)
QUICK = {"epochs": 2, "batch_size": 20, "measure": 2, "held_out": "0.2", "seed": 3, "fine_tune_epochs": 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two classifiers of different shapes, from a file."""
    folder = tmp_path_factory.mktemp("made")
    np.savez(folder / "d.npz", X=X, y=Y)
    for name, layers in (("a", "8,6"), ("b", "5,4")):
        hm.train_deep(folder / "d.npz", out=folder / name, layers=layers, target="label", likelihood="no", **QUICK)
    return folder


@pytest.fixture
def run(made, tmp_path):
    shutil.copytree(made / "a", tmp_path / "a")
    return tmp_path / "a"


def edited(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


#: What is done to the folder, and what is said then.
DAMAGES = {
    "no scores": (lambda run, made: (run / "summary.json").unlink(), "is not finished; finish it with"),
    "half of the scores": (lambda run, made: (run / "summary.json").write_text("{"), "does not hold the scores"),
    "other scores": (lambda run, made: (run / "summary.json").write_text("{}"), "does not hold the scores"),
    "no network": (lambda run, made: (run / "network.safetensors").unlink(), "lost a machine or its network"),
    "no machine": (lambda run, made: shutil.rmtree(run / "layer-1"), "lost a machine or its network"),
    "another network": (
        lambda run, made: shutil.copy(made / "b" / "network.safetensors", run),
        "network.safetensors does not belong to the machines of the run, 12 - 8 - 6",
    ),
    "other layers": (
        lambda run, made: edited(run / "deep.toml", '"8,6"', '"8,5"'),
        "layers='8,5' of .* does not belong to the machines of the run, 12 - 8 - 6",
    ),
    "wrong value": (
        lambda run, made: edited(run / "deep.toml", "\nepochs = 2", '\nepochs = "x"'), "deep.toml: epochs must be",
    ),
    "unknown option": (
        lambda run, made: edited(run / "deep.toml", "\nepochs = 2", "\nepochz = 2"), "deep.toml: unknown option",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_one_sentence(damage, run, made):
    do, sentence = DAMAGES[damage]
    do(run, made)
    for open_ in (hm.load_deep, hm.predict):
        with pytest.raises(InputError, match=sentence) as caught:
            open_(run)
        assert str(run) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("lost", ["network.safetensors", "layer-2", "summary.json"])
def test_what_is_lost_is_made_again(lost, run):
    before = hm.predict(run).probabilities
    path = run / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    _resume(run)
    np.testing.assert_array_equal(hm.predict(run).probabilities, before)


def _resume(run, say=lambda text: None):
    from harmonium.deep.train import resume_deep

    return resume_deep(run, say=say)


def test_a_complete_run_is_left_alone(run):
    marks = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    said = []
    again = _resume(run, said.append)
    assert said == [f"the run in {run} is complete; nothing is left to do"]
    assert str(again) == str(hm.load_deep(run))
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()} == marks


def test_a_machine_without_likelihoods_is_checked_for_everything_else(run):
    """Its scores are counts of rows alone."""
    assert "value" not in json.loads((run / "layer-1" / "summary.json").read_text())["scores"]["train"]
    found = check(run / "layer-1")
    assert found["moments"]["rows"] > 0
    assert "below-baseline" not in {finding["kind"] for finding in found["findings"]}


@pytest.mark.parametrize("options", [{}, {"optimizer": "auto"}, {"optimizer": "adam"}])
def test_a_target_changes_nothing_of_the_machines(options):
    """They learn the data, by the optimizer that they would have without one."""
    given = {**QUICK, **options, "layers": "5,4", "likelihood": "no"}
    plain = hm.train_deep(X, Y, **given, fine_tune="autoencoder")
    with_target = hm.train_deep(X, Y, **given, target="label")
    for a, b in zip(plain.stack.machines, with_target.stack.machines, strict=True):
        assert torch.equal(a.W, b.W)


@pytest.mark.parametrize("given", [{"optimizer": "adam"}, {"learning_rate": 0.2}])
def test_a_file_s_or_a_preset_s_options_are_the_machines(given, tmp_path, monkeypatch):
    """The optimizer of a file stays; hidden units of a preset give way to layers."""
    monkeypatch.setattr("harmonium.presets.PRESETS", {"own": Preset({"hidden": "bernoulli:9", **given}, "", "")})
    (tmp_path / "c.toml").write_text("".join(f"{name} = {value!r}\n" for name, value in given.items()))
    for config in (
        config_of({"target": "label"}, str(tmp_path / "c.toml"), None, stacked=True),
        config_of({"target": "label"}, None, "own", stacked=True),
    ):
        assert (config.optimizer, config.learning_rate) == (
            given.get("optimizer", "sgd"), given.get("learning_rate", -1.0),
        )  # fmt: skip
        assert config.hidden == Config().hidden


def test_a_machine_that_was_interrupted_is_gone_on_with_as_a_network(run):
    RunFolder(run / "layer-1").model_path.unlink()
    with pytest.raises(InputError, match=rf"train --resume {re.escape(str(run))}$"):
        reopen(run / "layer-1")


def test_features_are_the_means_of_a_layer_for_any_array(run):
    deep = hm.load_deep(run)
    for number in (1, 2):
        wanted = features(deep.stack, torch.from_numpy(X).float(), number).numpy()
        np.testing.assert_array_equal(deep.features(X.astype(float), number), wanted)
    np.testing.assert_array_equal(deep.features(X), wanted)
    with pytest.raises(InputError, match=r"\(N, 12\)"):
        deep.features(X[:, 1:])
    with pytest.raises(InputError, match="from 1 to 2"):
        deep.features(X, 3)


def test_the_table_keeps_its_columns_and_says_what_makes_a_machine_useless():
    layer = {"layer": 1, "visible": "bernoulli:30", "hidden": "bernoulli:9", "seconds": 2.0}
    wide = {**layer, "layer": 2, "hidden": "gaussian:5,variance=1.0000001"}
    idle = {"severity": "error", "sentence": "9 of 9 hidden units are idle."}
    lines = table({"layers": [layer | {"findings": [idle, {**idle, "severity": "note"}]}, wide]}).splitlines()
    assert len({len(line) for line in lines[:3]}) == 1
    assert [line for line in lines if "idle" in line] == ["layer 1, error: 9 of 9 hidden units are idle."]


def test_a_printed_prediction_tells_the_rows(run):
    found = hm.predict(run, X[:12], Y[:12])
    lines = str(found).splitlines()
    assert lines[0] == f"row 0: {found.labels[0]}, {100 * found.probabilities[0].max():.1f} %"
    assert lines[10] == "... and 2 more"
    assert lines[11:] == found.summary.splitlines()
