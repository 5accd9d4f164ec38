"""Predictions of runs: their probabilities by brute force, their file, labels and names, and what is refused."""

import csv
import json
import os

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.data import Dataset
from harmonium.evaluate.temperature import calibrate, fit_temperature
from harmonium.runs.classifier import classification_text
from harmonium.runs.reopen import evaluate, reopen
from small_runs import IMAGES, LABELS, QUICK, no_pictures

NAMES = np.array(["round", "even"])[LABELS]
X = IMAGES.reshape(60, 12)
OPTIONS = {**QUICK, "epochs": 10, "target": "label", "learning_rate": 0.2, "optimizer": "sgd"}
OPTIONS |= {"validation": 0.3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of 60 rows with named classes, 3 in 10 of its training rows for validation; and its data as files."""
    root = tmp_path_factory.mktemp("predict")
    lines = [",".join([*map(str, row), name]) for row, name in zip(X, NAMES, strict=True)]
    head = ",".join([*(f"p{i}" for i in range(12)), "kind"])
    (root / "d.csv").write_text("\n".join([head, *lines]))
    np.save(root / "x.npy", X)
    with pytest.MonkeyPatch.context() as patch:
        no_pictures(patch)
        hm.train(root / "d.csv", out=root / "r", **{**OPTIONS, "target": "kind"})
        hm.train(X, out=root / "plain", **QUICK)
        hm.train(X, LABELS, out=root / "memory", **{**OPTIONS, "validation": 0.0})
    return root


def by_enumeration(rbm, x, classes):
    """P(y | x) from the free energies of (x, y) for each y."""
    x = torch.as_tensor(x, dtype=torch.float64)
    rbm = rbm.to(dtype=torch.float64)
    free = [rbm.free_energy(torch.cat([x, torch.eye(classes).double()[[c] * len(x)]], 1)) for c in range(classes)]
    return torch.stack(free, 1).neg().softmax(1).numpy()


def test_probabilities_are_those_of_the_machine(folder):
    opened = reopen(folder / "r")
    wanted = by_enumeration(opened.rbm, X, 2)
    found = hm.predict(folder / "r", X)
    np.testing.assert_allclose(found.probabilities, wanted, atol=1e-5)
    assert found.classes == ("even", "round")
    assert found.labels.tolist() == np.array(["even", "round"])[wanted.argmax(1)].tolist()
    assert found.found is None
    assert "wrong" not in str(found)
    np.testing.assert_allclose(hm.class_probabilities(opened.rbm, X), wanted, atol=1e-12)


def test_every_way_to_give_the_same_rows_and_labels(folder):
    bare = hm.predict(folder / "r", folder / "x.npy")
    assert bare.found is None
    (folder / "y.txt").write_text("\n".join(NAMES))
    data = Dataset(X, 1 - LABELS, 1.0, (12,), "d", "here", names=("even", "round"))
    ways = [
        hm.predict(folder / "r", folder / "d.csv"),  # the column that it was trained on
        hm.predict(folder / "r", folder / "x.npy", folder / "y.txt"),
        hm.predict(folder / "r", X, NAMES),
        hm.predict(folder / "r", data),
    ]
    for found in ways:
        np.testing.assert_allclose(found.probabilities, bare.probabilities, atol=1e-6)
        assert found.found.error.count == (found.labels != NAMES).sum()
        assert found.found.error.of == 60


def test_rows_without_label_are_predicted_and_not_counted(folder):
    some = NAMES.astype(object)
    some[:20] = None
    found = hm.predict(folder / "r", X, some)
    assert (len(found.labels), found.found.unlabelled, found.found.error.of) == (60, 20, 40)
    assert "20 rows have no label" in str(found)


def test_without_data_the_held_out_rows(folder):
    found = hm.predict(folder / "r")
    held = reopen(folder / "r").inputs().rows.held_out.numpy()
    np.testing.assert_array_equal(found.rows, held)
    np.testing.assert_allclose(found.probabilities, hm.predict(folder / "r", X).probabilities[held], atol=1e-6)
    stored = json.loads((folder / "r" / "summary.json").read_text())["scores"]["held_out"]
    assert found.found.error.value == pytest.approx(stored["label_error"])
    assert found.found.log_p == pytest.approx(stored["log_p_label"], rel=1e-5)


def test_the_temperature_is_that_of_the_validation_rows(folder):
    opened = reopen(folder / "r")
    inputs = opened.inputs()
    rows = inputs.rows.validation
    plain = hm.predict(folder / "r", X)
    fit = fit_temperature(np.log(plain.probabilities[rows]), inputs.feed.y[rows].numpy())
    summary = json.loads((folder / "r" / "summary.json").read_text())
    assert opened.description["temperature"] == summary["temperature"] == pytest.approx(fit.value, rel=1e-3)
    hot = hm.predict(folder / "r", X, calibrated=True)
    wanted = np.exp(calibrate(np.log(plain.probabilities), summary["temperature"]))
    np.testing.assert_allclose(hot.probabilities, wanted, atol=1e-9)
    assert hot.labels.tolist() == plain.labels.tolist()
    assert hot.doubt == fit.doubt or hot.doubt.split()[:3] == fit.doubt.split()[:3]


def test_evaluate_judges_the_held_out_rows(folder):
    summary = evaluate(folder / "r", figures=True)
    found = summary["classification"]
    error = hm.predict(folder / "r").found.error
    assert (found["part"], found["error"]["count"], found["error"]["of"]) == ("held_out", error.count, error.of)
    assert np.sum(found["confusion"]) == error.of
    assert found["calibrated"]["ece"] >= 0
    json.dumps(found, allow_nan=False)
    text = classification_text(found)
    assert f"{error.count} of {error.of} rows said wrong" in text
    assert "own class down" in text
    drawn = {os.path.basename(path) for path in summary["figures"]}
    assert drawn - {"mistakes.png"} == {"confusion.png", "reliability.png"}
    other = evaluate(folder / "r", X, NAMES)["classification"]
    assert (other["part"], other["error"]["of"]) == ("data", 60)
    assert "classification" not in evaluate(folder / "plain", X)


def test_the_file_holds_what_is_returned(folder, tmp_path):
    out = tmp_path / "p.csv"
    found = hm.predict(folder / "r", X, out=out)
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["prediction"] for row in rows] == found.labels.tolist()
    assert [int(row["row"]) for row in rows] == list(range(60))
    read = np.array([[float(row[name]) for name in found.classes] for row in rows])
    np.testing.assert_allclose(read, found.probabilities, rtol=1e-8)
    before = out.read_bytes()
    with pytest.raises(hm.InputError, match="exists already; replace it with --overwrite"):
        hm.predict(folder / "r", X[:5], out=out)
    assert out.read_bytes() == before
    hm.predict(folder / "r", X[:5], out=out, overwrite=True)
    assert len(out.read_text().splitlines()) == 6
    assert os.listdir(tmp_path) == ["p.csv"]  # nothing is left beside it


def refused(folder, words, *arguments, **options):
    with pytest.raises(hm.HarmoniumError, match=words) as caught:
        hm.predict(folder, *arguments, **options)
    assert "\n" not in str(caught.value)


def test_what_is_refused_is_one_sentence(folder, tmp_path):
    run = folder / "r"
    refused(folder / "plain", "has no target to predict", X)
    refused(folder / "memory", "were an array in memory")
    refused(folder / "memory", "calibrated needs a temperature", X, calibrated=True)
    refused(run, "has 11 columns, but the machine .* takes 12", X[:, 1:])
    refused(run, "the label 'odd' in row 1 .* none of the classes .* even, round", X[:2], ["even", "odd"])
    refused(folder / "memory", "the label 7 in row 0 .* none of the classes .* 0, 1", X[:2], [7, 1])
    refused(
        run, "not finite, the first nan in row 0, column 3", np.where(np.arange(12) == 3, np.nan, X[:2].astype(float))
    )
    (tmp_path / "empty.csv").write_text("")
    refused(run, "empty.csv is empty", tmp_path / "empty.csv")
    refused(run, "is empty", X[:0])
    refused(run, "must end in .csv", X, out=tmp_path / "p.txt")
    nowhere = tmp_path / "none" / "p.csv"  # said before anything is read
    refused(tmp_path / "no run", "lies in a folder that is not there; make .*none, or", X, out=nowhere)
    refused(tmp_path, "holds no run", X)
    machine = reopen(run).rbm
    for x, words in ((X[:, 1:], r"x has shape \(60, 11\)"), (X[:0], "no rows"), (X + 2.0, "no state of bernoulli")):
        with pytest.raises(hm.InputError, match=words):
            hm.class_probabilities(machine, x)
    with pytest.raises(hm.InputError, match="a label must be the last"):
        hm.class_probabilities(reopen(folder / "plain").rbm, X)


def test_other_rows_are_judged_by_the_frequencies_of_the_training_rows(folder):
    own = reopen(folder / "r").inputs()
    counts = np.bincount(own.feed.y[own.rows.train].numpy(), minlength=2)
    even = LABELS == 1  # its name is the second, and "even" the first of the sorted ones
    for changed in (False, True):
        if changed:  # a run that has not stored them
            path = folder / "r" / "summary.json"
            kept = path.read_text()
            path.write_text(json.dumps({k: v for k, v in json.loads(kept).items() if k != "class_counts"}))
        found = evaluate(folder / "r", X[even], NAMES[even])["scores"]["data"]
        assert found["baseline_log_p_label"] == pytest.approx(np.log((counts[0] + 1) / (counts.sum() + 2)))
        assert found["baseline_label_error"] == float(counts[0] < counts[1])
    path.write_text(kept)


def test_rows_are_counted_among_all_rows_of_the_data(folder, tmp_path):
    kind = folder / "d.csv"
    found = hm.predict(folder / "r", kind, classes="round", out=tmp_path / "p.csv")
    np.testing.assert_array_equal(found.rows, np.flatnonzero(NAMES == "round"))
    assert [int(line.split(",")[0]) for line in (tmp_path / "p.csv").read_text().split()[1:]] == found.rows.tolist()
    whole = hm.predict(folder / "r", kind).probabilities
    np.testing.assert_allclose(found.probabilities, whole[found.rows], atol=1e-6)
    np.testing.assert_array_equal(hm.predict(folder / "r", X, NAMES, classes="round").rows, found.rows)


def test_what_is_no_run_and_no_machine_is_one_sentence(folder):
    for run in (None, 3, X, hm.load_model(folder / "r")[0]):
        refused(run, rf"run must be the path of a run's folder, not {type(run).__name__}; write predict\(", X)
    machine = reopen(folder / "r").rbm
    for rbm, x in (("P", X), (X, machine), (None, X)):
        with pytest.raises(hm.InputError, match=rf"rbm must be a machine, not {type(rbm).__name__}; write class_prob"):
            hm.class_probabilities(rbm, x)
    refused(folder / "memory", "given again: as data=... in Python")


def invoke(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_command(folder, tmp_path):
    out = tmp_path / "p.csv"
    said = invoke("predict", folder / "r", folder / "d.csv", "--out", out)
    assert said.exit_code == 0
    wrong = hm.predict(folder / "r", folder / "d.csv").found.error
    assert said.stdout.splitlines()[0] == str(out)
    assert f"{wrong.count} of 60 said wrong" in said.stdout
    again = invoke("predict", folder / "r", folder / "d.csv", "--out", out)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "exists already" in again.stderr
    answer = json.loads(invoke("predict", folder / "r", "--calibrated", "--json").stdout)
    assert answer["temperature"] == reopen(folder / "r").description["temperature"]
    np.testing.assert_allclose(np.sum(answer["probabilities"], 1), 1)
    short = invoke("predict", folder / "r", "--data", folder / "x.npy")
    assert short.stdout.splitlines()[0].startswith("row 0: ")
    assert "give DATA once" in invoke("predict", folder / "r", "a", "--data", "b").stderr
    text = invoke("evaluate", folder / "r", "--quiet").stdout
    assert "rows said wrong" in text
    assert "error of calibration" in text
