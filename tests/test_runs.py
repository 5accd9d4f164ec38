"""Runs: what the folder holds, that nothing is lost by a typing error, and that the same options give the same run."""

import json
import tomllib

import numpy as np
import pytest

import harmonium as hm
from harmonium.errors import DivergedError, InputError
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
    options = {**QUICK, "epochs": 60, "measure": 360, "learning_rate": 1.0, "validation": 0.3}
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
        {"negative": "clamped"},
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


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden": "bernouli:3"}, "hidden='bernouli:3' cannot be used: unknown unit family .* did you mean"),
        ({"hidden": "bernoulli"}, "must say how many units"),
        ({"hidden": "bernoulli:0"}, "hidden='bernoulli:0'"),
        ({"hidden": "bernoulli:99999999999999"}, "makes 1.2e.15 weights.*choose fewer"),
        ({"hidden": "bernoulli:" + "9" * 5000}, "hidden is 5010 letters long"),
        ({"hidden": "multivalued:2,s=" + "9" * 500}, "holds a number that is too large"),
        ({"visible": "gaussian,variance=nan"}, "visible='gaussian,variance=nan' cannot be used: variance"),
        ({"optimizer": "adm"}, "unknown optimizer 'adm'.*did you mean 'adam'"),
        ({"optimizer": "sparseadam"}, "optimizer=sparseadam is for sparse gradients"),
        ({"optimizer": "lbfgs", "batch_size": 0}, "lbfgs needs the exact gradient, not negative=pcd"),
        ({"optimizer": "lbfgs", "negative": "exact"}, "takes all 48 rows at once, not batch_size=10"),
        ({"optimizer": "em", "batch_size": 0}, "em needs one one-hot hidden unit"),
        ({"negative": "cdd"}, "unknown negative 'cdd': choose from cd"),
        ({"negative": "exact", "hidden": "interval:3", "visible": "interval"}, "interval:3 has none; use cd or pcd"),
        ({"held_out": "nan"}, "held_out='nan' must be 'auto' or a fraction"),
        ({"validation": 0.001}, "validation=0.001 of 48 training rows makes 0 rows to watch"),
        ({"patience": 1, "validation": 0.0}, "patience is set, but validation is 0"),
        ({"epochs": 10_000_000, "minibatches": 1000}, "updates, more than"),
        ({"learning_rate_final": 0.1, "learning_rate_schedule": "sqrt"}, "goes with learning_rate_schedule=linear"),
        ({"data_path": "x"}, "data_path='x' goes with data from files"),
        ({"classes": "0,x"}, "classes must be whole numbers"),
        ({"classes": "5"}, "has no rows of class 5"),
        ({"device": "meta"}, "device='meta' is not available here; use cpu or auto"),
        ({"weight_scale": 1e300}, "weight_scale=1e.300 is too large here: W holds"),
        ({"hidden": "gaussian:4,variance=1", "visible": "gaussian,variance=1", "weight_scale": 9.0},
         "weight_scale=9 is too large here: the machine is not normalisable"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_said_in_a_sentence(options, words):
    with pytest.raises(InputError, match=words) as caught:
        hm.train(IMAGES, LABELS, **{**QUICK, **options})
    assert str(caught.value)[-1] in ".?"
    assert "\n" not in str(caught.value)


def test_an_enumeration_that_would_never_end_is_refused_with_its_time():
    wide = np.tile(IMAGES.reshape(60, 12), 9)
    for hidden, long in (("bernoulli:32", "about 0.64 hours"), ("bernoulli:90", "more than a year")):
        with pytest.raises(InputError, match=f"negative=exact would take {long} an update"):
            hm.train(wide, **{**QUICK, "hidden": hidden, "negative": "exact"})


def test_divergence_names_the_step_and_keeps_the_last_good_checkpoint(tmp_path, quick):
    options = {**QUICK, "visible": "gaussian", "hidden": "gaussian:3", "learning_rate": 1e3}
    with pytest.raises(DivergedError, match=r"diverged (by|at) step \d+: .*last good checkpoint is .*step-0") as caught:
        hm.train(IMAGES, out=tmp_path / "run", **options)
    assert caught.value.exit_code == 3
    folder = RunFolder(tmp_path / "run")
    kept = next(folder.checkpoints())
    assert str(kept) in str(caught.value)
    assert folder.read_history()[0]["step"] == 0
    assert not folder.model_path.exists()
    assert not folder.complete


def test_an_absurd_likelihood_counts_as_divergence(tmp_path, quick):
    with pytest.raises(DivergedError, match=r"by step \d+: the log-likelihood has fallen to -.*; lower the learning"):
        hm.train(IMAGES, out=tmp_path / "run", **{**QUICK, "learning_rate": 1e4})
    with pytest.raises(DivergedError, match=r"at step \d+: a parameter is no longer finite"):
        hm.train(IMAGES, **{**QUICK, "learning_rate": 1e30, "momentum": 0.99, "l2": 0.1, "measure": 1, "epochs": 9})
    history = (tmp_path / "run" / "metrics.jsonl").read_text()
    assert all(json.loads(line, parse_constant=pytest.fail) for line in history.splitlines())


def test_a_pair_of_gaussian_sides_that_stops_being_normalisable_has_diverged(monkeypatch):
    grow = {"visible": "gaussian,variance=1", "hidden": "gaussian:2,variance=1", "learning_rate": 3.0, "steps": 1}
    with pytest.raises(DivergedError, match=r"not normalisable|no longer finite"):
        hm.train(IMAGES, **{**QUICK, **grow, "measure": 12})


def test_measuring_the_clamped_gradient_never_counts_as_divergence(monkeypatch):
    monkeypatch.setattr("harmonium.runs.monitor.DIVERGED_FACTOR", -100.0)  # any joint likelihood looks absurd
    options = {**QUICK, "learning_rate": 0.5, "with_labels": True, "epochs": 8}
    run = hm.train(IMAGES, LABELS, negative="clamped", patience=50, **options)
    assert run.history[-1]["train_log_p_label"] > run.history[0]["train_log_p_label"] + 0.1
    assert run.summary["best_validation"] == max(r["validation_log_p_label"] for r in run.history)
    with pytest.raises(DivergedError):
        hm.train(IMAGES, LABELS, **options)


def test_labels_are_scored_and_shown(tmp_path, quick):
    options = {**QUICK, "epochs": 30, "with_labels": True, "learning_rate": 0.3, "binarize": "stochastic"}
    run = hm.train(IMAGES * 255, LABELS, out=tmp_path / "r", **options)
    row = run.summary["scores"]["held_out"]
    assert row["label_error"] < 0.2
    assert 0 > row["log_p_label"] > -0.7
    assert "wrong labels" in table(run.summary)
    again = evaluate(tmp_path / "r", IMAGES[:9] * 255, np.zeros(9, int))  # fewer labels than the machine knows
    assert again["scores"]["data"]["rows"] == 9
    with pytest.raises(InputError, match="with_labels takes labels below 2, not 5"):
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
    first = hm.train("d.npy", "y.npy", out="r", with_labels=True, **QUICK)
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
    summary = {
        "scores": {name: {**row, "label_error": 0.5} for name in ("train", "validation", "held_out")}, "log_z": z,
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


def test_a_likelihood_near_zero_is_not_taken_for_divergence():
    constant = np.ones((50, 6))
    assert len(hm.train(constant, **QUICK).history) == 5


@pytest.mark.usefixtures("quick")
def test_columns_of_another_scale_are_told_the_mend():
    far = np.random.default_rng(0).normal(50, 20, (60, 4))
    with pytest.raises(DivergedError, match="bring the columns to mean 0 and variance 1"):
        hm.train(far, **{**QUICK, "visible": "gaussian"})


def test_expectation_maximisation_refuses_a_negative_phase():
    with pytest.raises(InputError, match="negative=cd does nothing; leave it out"):
        hm.train(IMAGES, hidden="onehot:3", optimizer="em", negative="cd")


def test_optimizers_are_known_in_capitals_too():
    small = {"epochs": 1, "measure": 1}
    runs = [hm.train(IMAGES, hidden="bernoulli:2", negative="exact", optimizer=o, **small) for o in ("LBFGS", "lbfgs")]
    assert same(runs[0].rbm, runs[1].rbm)
