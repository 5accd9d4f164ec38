"""Runs: what the folder holds, that nothing is lost by a typing error, and that the same options give the same run."""

import tomllib

import numpy as np
import pytest

import harmonium as hm
from harmonium.errors import InputError
from harmonium.io import load_model
from harmonium.runs.draws import draw_samples
from harmonium.runs.folder import RunFolder
from harmonium.runs.reopen import evaluate
from harmonium.runs.summary import table
from small_runs import IMAGES, LABELS, QUICK, no_pictures, same, scores


@pytest.fixture
def quick(monkeypatch):
    no_pictures(monkeypatch)


def test_a_run_folder_holds_everything(tmp_path):
    run = hm.train(IMAGES, out=tmp_path / "run", **QUICK)
    files = {p.relative_to(tmp_path / "run").as_posix() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    pictures = {"learning_curve", "weights", "biases", "hidden_activations", "samples"}
    assert files == {
        "config.toml", "environment.json", "metrics.jsonl", "model.safetensors", "summary.json",
        "checkpoints/step-00000000.safetensors", "checkpoints/step-00000012.safetensors",
        "trajectory/step-00000000.safetensors",
        *(f"figures/{name}.png" for name in pictures),
    }  # fmt: skip
    folder = RunFolder(tmp_path / "run")
    assert folder.read_json("summary.json") == run.summary
    assert scores(folder.read_history()) == scores(run.history)
    assert [record["step"] for record in run.history] == [0, 3, 6, 9, 12]
    assert folder.read_json("environment.json")["threads"] == 1  # a small machine takes one
    assert same(load_model(folder.path)[0], run.rbm)
    drawn = draw_samples(folder.path, steps=2, number=5)  # the data are out of reach: the samples stand alone
    assert drawn.samples.shape == (5, 12)
    assert np.load(drawn.path).tolist() == drawn.samples.tolist()
    assert drawn.picture.read_bytes().startswith(b"\x89PNG")
    before = drawn.samples
    assert np.array_equal(draw_samples(folder.path, steps=2, number=5, data=IMAGES).samples, before)


def test_same_seed_same_run_however_often_it_is_measured(tmp_path, quick):
    first = hm.train(IMAGES, out=tmp_path / "a", **QUICK)
    second = hm.train(IMAGES, out=tmp_path / "b", **QUICK)
    often = hm.train(IMAGES, **{**QUICK, "measure": 12}, checkpoint_every=0.0)
    other = hm.train(IMAGES, **QUICK, seed=1)
    assert same(first.rbm, second.rbm)
    assert same(first.rbm, often.rbm)
    assert not same(first.rbm, other.rbm)
    assert scores(first.history) == scores(second.history) == scores(often.history)[::3]
    for name in ("model.safetensors", "checkpoints/step-00000000.safetensors", "config.toml"):
        if "step" not in name:  # a checkpoint holds the time
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_patience_stops_and_keeps_the_best(quick):
    options = {**QUICK, "epochs": 60, "measure": 360, "learning_rate": 0.3, "validation": 0.3}
    run = hm.train(IMAGES, patience=3, **options)
    values = [record["validation"] for record in run.history]
    steps = [record["step"] for record in run.history]
    best = int(np.argmax(values))
    assert best <= len(values) - 4  # three measurements in a row that were worse, and by more than by chance
    assert run.summary["steps"] == steps[-1] < 360
    assert run.summary["best_step"] == steps[best]
    assert run.summary["best_validation"] == values[best] == run.summary["scores"]["validation"]["value"]
    until = hm.train(IMAGES, patience=0, **{**options, "epochs": 60})
    assert scores(until.history)[: len(values)] == scores(run.history)
    assert len(until.history) == 361
    assert f"the machine after update {steps[best]}" in table(run.summary)


def test_an_occupied_folder_is_refused_and_a_typing_error_loses_nothing(tmp_path, quick):
    out = tmp_path / "run"
    hm.train(IMAGES, out=out, **QUICK)
    (out / "figures").mkdir()
    (out / "figures" / "notes.txt").write_text("mine")
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    with pytest.raises(InputError, match="already holds a run; continue it with --resume, replace it with --overwrite"):
        hm.train(IMAGES, out=out, **QUICK)
    wrong = [
        {"hidden": "bernouli:3"},
        {"learning_rate": -3},
        {"learning_rate": float("nan")},
        {"optimizer": "adm"},
        {"negative": "exactly"},
        {"objective": "discriminative"},
        {"objective": "generative", "target": "label"},
        {"labelled_share": 0.5},
        {"visible": "onehot,q=1"},
        {"held_out": "1.5"},
        {"binarize": "x"},
        {"classes": "0"},
        {"device": "abacus"},
        {"nonsense": 1},
    ]
    for options in wrong:
        with pytest.raises(InputError):
            hm.train(IMAGES, out=out, overwrite=True, **{**QUICK, **options})
        with pytest.raises(InputError):
            hm.train(IMAGES, out=tmp_path / "fresh", **{**QUICK, **options})
    assert before == {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert not (tmp_path / "fresh").exists()
    new = hm.train(IMAGES, out=out, overwrite=True, **{**QUICK, "epochs": 1})
    assert len(RunFolder(out).read_history()) == len(new.history)
    assert [p.stem for p in RunFolder(out).checkpoints()] == ["step-00000006", "step-00000000"]
    assert (out / "figures" / "notes.txt").read_text() == "mine"
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file' is not a folder"):
        hm.train(IMAGES, out=tmp_path / "file", **QUICK)


def test_labels_are_scored_and_shown(tmp_path, quick):
    options = {
        **QUICK,
        "epochs": 30,
        "target": "label",
        "objective": "joint",
        "learning_rate": 0.3,
        "binarize": "stochastic",
    }
    run = hm.train(IMAGES * 255, LABELS, out=tmp_path / "r", **options)
    row = run.summary["scores"]["held_out"]
    assert row["label_error"] < 0.2
    assert 0 > row["log_p_label"] > -0.7
    assert f"{100 * row['label_error']:.2f} %" in table(run.summary)
    again = evaluate(tmp_path / "r", IMAGES[:9] * 255, np.zeros(9, int))  # fewer labels than the machine knows
    assert again["scores"]["data"]["rows"] == 9
    with pytest.raises(
        InputError, match="the label 5 in row 0 of array is none of the classes that the machine knows, 0, 1;"
    ):
        evaluate(tmp_path / "r", IMAGES[:9] * 255, np.full(9, 5))


def test_evaluating_again_finds_the_same_scores(tmp_path, quick):
    np.savez(tmp_path / "d.npz", X=IMAGES, y=LABELS)
    run = hm.train(tmp_path / "d.npz", out=tmp_path / "r", **QUICK, classes=[0, 1])
    assert evaluate(tmp_path / "r")["scores"] == run.summary["scores"]
    everything = evaluate(tmp_path / "r", tmp_path / "d.npz")["scores"]
    assert list(everything) == ["data"]
    parts = run.summary["scores"].values()
    mean = sum(part["value"] * part["rows"] for part in parts) / 60
    assert everything["data"]["value"] == pytest.approx(mean, abs=1e-12)
    assert evaluate(tmp_path / "r", IMAGES)["scores"] == everything
    assert evaluate(tmp_path / "r", tmp_path / "d.npz", classes="1")["scores"]["data"]["rows"] == 30
    with pytest.raises(InputError, match=r"has 5 columns, but the machine in .* takes 12"):
        evaluate(tmp_path / "r", IMAGES.reshape(60, 12)[:, :5])


def test_data_in_memory_must_be_given_again(tmp_path, quick):
    hm.train(IMAGES, out=tmp_path / "r", **QUICK)
    words = "the data of this run were an array in memory, so they must be given again.*--data FILE"
    with pytest.raises(InputError, match=words):
        evaluate(tmp_path / "r")
    with pytest.raises(InputError, match=words):
        draw_samples(tmp_path / "r", start="data", steps=1)
    assert evaluate(tmp_path / "r", IMAGES)["scores"]["data"]["rows"] == 60
    assert len(draw_samples(tmp_path / "r", start="data", steps=1, number=3, data=IMAGES).samples) == 3
    with pytest.raises(InputError, match="number=99 is more than the 60 rows"):
        draw_samples(tmp_path / "r", start="data", number=99, data=IMAGES)


def test_the_own_configuration_gives_the_same_run_from_anywhere(tmp_path, quick, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    np.save("d.npy", IMAGES)
    np.save("y.npy", LABELS)
    first = hm.train("d.npy", "y.npy", out="r", target="label", **QUICK)
    monkeypatch.chdir(tmp_path)
    options = tomllib.loads((tmp_path / "here" / "r" / "config.toml").read_text())
    assert same(hm.train(**options).rbm, first.rbm)
    assert evaluate("here/r")["scores"] == first.summary["scores"]


def test_the_table_fits_a_terminal():
    row = {"value": -12345.678, "half_width": 0.123, "method": "AIS", "rows": 60000, "baseline": -20000.1}
    side = {"value": 987654.321, "half_width": 0.12, "method": "reverse AIS", "bound": -1, "ess": 25591.9, "sides": []}
    z = {
        **side, "bound": 0, "method": "AIS and reverse AIS, BAR", "interval": [987654.321, 987654.345],
        "sides": [side, {**side, "bound": 1}], "doubts": ["some modes are reached by few chains; " * 4],
    }  # fmt: skip
    label = {"label_error": 0.5, "log_p_label": -12.3456, "baseline_label_error": 0.9, "labelled_rows": 60000}
    label["baseline_log_p_label"] = -11.1
    summary = {
        "scores": {name: {**row, **label} for name in ("train", "validation", "held_out")}, "log_z": z,
        "binarize": "0.5", "scale": 255.0, "grey": True, "seconds": 12345.6, "seconds_measuring": 123.4,
        "steps": 1_000_000, "best_step": 999_999, "threads": 16, "peak_memory": 2**36,
    }  # fmt: skip
    assert max(map(len, table(summary).splitlines())) < 80
    assert "peak" not in table({**summary, "peak_memory": None})


def test_scores_of_grey_values_say_that_they_are_not_likelihoods():
    grey = np.random.default_rng(0).random((40, 6))
    for data, rule, said in ((grey, "none", True), (grey, "0.5", False), (grey > 0.5, "none", False)):
        run = hm.train(data, binarize=rule, **QUICK)
        assert run.summary["grey"] is said
        assert ("do not compare" in str(run)) is said


def test_memory_is_unknown_where_the_system_does_not_tell(monkeypatch):
    import sys

    from harmonium.runs.summary import peak_memory

    assert peak_memory() > 2**26
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    assert peak_memory() is None
