"""Deep runs from options to folders: layers as runs, resuming, predicting, scoring, sampling, and what is refused."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.deep.config import DeepConfig, split_options
from harmonium.deep.pretrain import hidden_data
from harmonium.deep.stack import features, mean_h_from_v
from harmonium.deep.train import open_deep, resume_deep
from harmonium.errors import InputError, StoppedError
from harmonium.runs.reopen import reopen
from small_runs import IMAGES, LABELS, same

X = np.tile(IMAGES.reshape(60, 12), (5, 1))
Y = np.tile(LABELS, 5)
UNTUNED = {"epochs": 3, "batch_size": 20, "measure": 2, "held_out": "0.2"}
QUICK = {**UNTUNED, "fine_tune_epochs": 6, "fine_tune_rate": 0.01}


def npz(tmp_path, **more):
    path = tmp_path / "d.npz"
    np.savez(path, X=X, y=Y, **more)
    return path


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("harmonium.runs.train.draw", lambda *a, **k: [])


def run_in(tmp_path, **options):
    return hm.train_deep(X, Y, out=tmp_path / "r", layers="8,4", target="label", **{**QUICK, **options})


def test_every_layer_is_a_run_and_the_next_sees_what_it_says(tmp_path):
    run = run_in(tmp_path)
    assert run.stack.sizes == (12, 8, 4)
    for number, rbm in enumerate(run.stack.machines, 1):
        opened = reopen(tmp_path / "r" / f"layer-{number}")
        assert same(opened.rbm, rbm)
        assert opened.config.hidden == f"bernoulli:{(8, 4)[number - 1]}"
        assert not opened.config.target
    v = torch.from_numpy(X).float()
    torch.testing.assert_close(features(run.stack, v, 1), mean_h_from_v(run.stack.machines[0], v))
    parts = [layer.summary["scores"]["train"]["rows"] for layer in run.layers]
    assert parts == [run.summary["parts"]["train"]] * 2


@pytest.mark.parametrize(
    "hidden", ["bernoulli:5", "ising:5", "gaussian:5,variance=1", "multivalued:5,s=3", "onehot:2x3"]
)
def test_hidden_data_are_probabilities_means_or_states(hidden):
    run = hm.train(X, hidden=hidden, epochs=1, batch_size=50, learning_rate=0.001)
    inputs = open_deep(*split(layers=hidden))
    found = hidden_data(run.rbm, inputs.feed, inputs.data, 1, 0)
    side, v = run.rbm.hidden, torch.from_numpy(X).float()
    mean = mean_h_from_v(run.rbm, v)
    values = torch.from_numpy(found.X)
    if side.two_values:
        low, high = side.two_values
        torch.testing.assert_close(values * (high - low) + low, mean)
    elif hidden.startswith("gaussian"):
        torch.testing.assert_close(values, mean)
    else:
        assert bool(side.accepts(values).all())
        states = side.encode(values)
        error = (states.mean(0) - mean.mean(0)).abs() / (0.5 / len(v) ** 0.5)
        assert float(error.max()) < 5  # standard errors, of values within 1: a false alarm in 100,000
    assert found.n_train == inputs.data.n_train
    assert len(found) == len(X)


def split(**options):
    from harmonium.config_from import config_from
    from harmonium.data.arrays import as_dataset

    named, deep = split_options({"data": "array", **options})
    return config_from(named), deep, as_dataset(X, Y)


def test_a_machine_of_the_same_sides_begins_upside_down(tmp_path):
    options = {"layer_options": "2:epochs=1,learning_rate=1e-12", "momentum": 0.0, "fine_tune": "none"}
    run = hm.train_deep(X, layers="8,12", **{**UNTUNED, **options})
    lower, upper = run.stack.machines
    torch.testing.assert_close(upper.W, lower.W.mT)
    torch.testing.assert_close(upper.a, lower.b)
    bound, single = run.summary["bound"]["held_out"], run.layers[0].summary["scores"]["held_out"]
    assert abs(bound["value"] - single["value"]) < bound["half_width"] + 0.05  # tight, up to the draws


def test_an_interrupted_run_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    whole = run_in(tmp_path / "a")

    def stop(*a, **k):
        raise StoppedError("stopped", 15)

    with monkeypatch.context() as patch:
        patch.setattr("harmonium.deep.train._fine_tuned", stop)
        with pytest.raises(StoppedError):
            run_in(tmp_path / "b")
    folder = tmp_path / "b" / "r"
    assert not (folder / "summary.json").exists()
    (folder / "layer-2" / "summary.json").unlink()  # killed in its last moment
    again = resume_deep(folder, X, Y)
    for first, second in zip(whole.stack.machines, again.stack.machines, strict=True):
        assert same(first, second)
    for first, second in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(first, second)
    once_more = resume_deep(folder, X, Y)
    assert once_more.summary["fine_tuned"] == again.summary["fine_tuned"] == whole.summary["fine_tuned"]


def test_predictions_are_the_network_s(tmp_path):
    run = run_in(tmp_path)
    loaded = hm.load_deep(run.folder)
    with torch.no_grad():
        wanted = run.network(torch.from_numpy(X).float()).double().softmax(1).numpy()
        torch.testing.assert_close(loaded.network(torch.from_numpy(X).float()).softmax(1).double().numpy(), wanted,
                                   rtol=0, atol=1e-6)  # fmt: skip
    found = hm.predict(run.folder, X, Y)
    np.testing.assert_allclose(found.probabilities, wanted, atol=1e-12)
    assert found.found.error.count == int((wanted.argmax(1) != Y).sum())
    own = {name: part["wrong"] for name, part in run.summary["fine_tuned"]["scores"].items()}
    assert sum(own.values()) == found.found.error.count  # train, validation and held out are all rows
    assert loaded.summary == json.loads((run.folder / "summary.json").read_text())


def test_the_command_line_trains_resumes_scores_samples_and_predicts(tmp_path):
    data, out = npz(tmp_path), tmp_path / "r"
    words = ["train", str(data), "--layers", "8,4", "--target", "label", "--out", str(out), "--quiet"]
    words += [f"--{name.replace('_', '-')}={value}" for name, value in QUICK.items()]
    invoke = CliRunner().invoke
    assert invoke(main, words).exit_code == 0
    assert "already holds a run" in invoke(main, words).stderr
    shown = invoke(main, ["evaluate", str(out)])
    assert "ln p(data) >=" in shown.stdout
    assert "held out:" in shown.stdout
    other = invoke(main, ["evaluate", str(out), "--data", str(data)])
    assert "of 300 rows said wrong" in other.stdout
    predicted = invoke(main, ["predict", str(out), "--out", str(tmp_path / "p.csv")])
    assert predicted.exit_code == 0, predicted.stderr
    drawn = invoke(main, ["sample", str(out), "--number", "5", "--steps", "3"])
    assert drawn.exit_code == 0, drawn.stderr
    samples = np.load(out / "samples" / "noise-3-n5.npy")
    assert samples.shape == (5, 12)
    assert set(np.unique(samples)) <= {0, 1}
    assert invoke(main, ["train", "--resume", str(out), "--quiet"]).exit_code == 0
    assert invoke(main, [*words, "--overwrite"]).exit_code == 0
    for sentence, wrong in {
        "is for one machine": ["sample", str(out), "--temperature", "2"],
        "leave method, continue and figures out": ["evaluate", str(out), "--method", "exact"],
        "holds a network of machines; give one of them": ["check", str(out)],
        "a resumed network keeps its own options": ["train", "--resume", str(out), "--epochs", "4"],
        "is for stacked machines": ["train", "--dropout", "0,0.5"],
    }.items():
        result = invoke(main, wrong)
        assert result.exit_code == 2
        assert sentence in result.stderr
        assert "Traceback" not in result.stderr


def test_an_autoencoder_gives_back_better_than_before(tmp_path):
    run = hm.train_deep(
        X, layers="8,gaussian:2,variance=1", fine_tune="autoencoder", layer_options="2:learning_rate=0.001",
        **{**QUICK, "fine_tune_epochs": 40},
    )  # fmt: skip
    tuned = run.summary["fine_tuned"]["scores"]["held_out"]["squared_error"]
    assert tuned < run.summary["regeneration"]["held_out"]
    with torch.no_grad():
        x = torch.from_numpy(X).float()
        all_rows = float((run.network(x) - x).square().sum(1).mean())
    parts, own = run.summary["parts"], run.summary["fine_tuned"]["scores"]
    assert all_rows == pytest.approx(sum(parts[p] * own[p]["squared_error"] for p in parts) / 300, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"layers": ""}, "names no hidden units"),
        ({"layers": "8,banana:3"}, "layers='8,banana:3': layer 2='banana:3' cannot be used"),
        ({"layers": "8,0"}, "must be a whole number from 1 on"),
        ({"layers": "8,4", "hidden": "bernoulli:3"}, "is for one machine"),
        ({"layers": "8", "objective": "joint"}, "is for one machine"),
        ({"layers": "8", "fine_tune": "classifier"}, "needs labels to predict"),
        ({"layers": "8", "fine_tune": "regressor"}, "fine_tune must be one of"),
        ({"layers": "8", "dropout": "0.5"}, "must be two fractions"),
        ({"layers": "8", "dropout": "0,1"}, "must be two fractions"),
        ({"layers": "8", "layer_options": "2:epochs=3"}, "about layer 2 of 1"),
        ({"layers": "8", "layer_options": "epochs=3"}, "cannot be read at 'epochs=3'"),
        ({"layers": "8", "layer_options": "1:hidden=ising:3"}, "cannot change hidden"),
        ({"layers": "8", "layer_options": "1:epoch=3"}, "layer_options of layer 1: .* did you mean 'epochs'"),
        ({"layers": "8,4", "layer_options": "2:epochs=x"}, "layer_options of layer 2: epochs must be a whole number"),
        ({"layers": "8", "fine_tune_rate": 0.0}, "fine_tune_rate must be"),
    ],
)  # fmt: skip
def test_wrong_options_are_one_sentence_and_nothing_is_written(options, sentence, tmp_path):
    with pytest.raises(InputError, match=sentence):
        hm.train_deep(X, out=tmp_path / "r", **options)
    assert not (tmp_path / "r").exists()


def test_a_run_without_a_classifier_does_not_predict(tmp_path):
    run = hm.train_deep(X, out=tmp_path / "r", layers="4", **UNTUNED)
    assert run.network is None
    with pytest.raises(InputError, match="was not fine-tuned as a classifier"):
        hm.predict(run.folder, X)
    assert DeepConfig(layers="500, multivalued:20,s=4,gaussian:30,variance=1").hidden == (
        "bernoulli:500", "multivalued:20,s=4", "gaussian:30,variance=1",
    )  # fmt: skip


def test_the_exported_network_says_what_the_run_says(tmp_path):
    pytest.importorskip("onnxscript")
    reference = pytest.importorskip("onnx.reference")
    run = run_in(tmp_path)
    invoke = CliRunner().invoke
    done = invoke(main, ["export", str(run.folder), "--out", str(tmp_path / "n.onnx")])
    assert done.exit_code == 0, done.stderr
    x = X.astype(np.float32)
    (found,) = reference.ReferenceEvaluator(str(tmp_path / "n.onnx")).run(None, {"x": x})
    np.testing.assert_allclose(found, hm.predict(run.folder, X).probabilities, atol=1e-6)
    for sentence, words in {
        "exists already": ["export", str(run.folder), "--out", str(tmp_path / "n.onnx")],
        "must end in .onnx": ["export", str(run.folder), "--out", str(tmp_path / "n.pt")],
        "holds no network": ["export", str(run.folder / "layer-1"), "--out", str(tmp_path / "m.onnx")],
    }.items():
        assert sentence in invoke(main, words).stderr


def test_rows_without_a_label_pre_train_and_neither_tune_nor_judge(tmp_path):
    few = np.where(np.arange(300) % 3 == 0, Y, -1)
    run = hm.train_deep(X, few, out=tmp_path / "r", layers="8", target="label", **QUICK)
    found = run.summary["fine_tuned"]["scores"]
    assert sum(own["rows"] for own in found.values()) == 100  # those with a label
    assert sum(run.summary["parts"].values()) == 300
    with torch.no_grad():
        said = run.network(torch.from_numpy(X).float()).argmax(1).numpy()
    assert sum(own["wrong"] for own in found.values()) == int((said != few)[few >= 0].sum())


def test_labels_that_are_all_held_out_are_one_sentence(tmp_path):
    only = np.where(np.arange(300) < 30, Y, -1)
    data = hm.load_data("digits")
    from dataclasses import replace

    given = replace(data, X=X, y=only[::-1].copy(), scale=1.0, shape=(12,), n_train=240)
    with pytest.raises(InputError, match="no training row has a label"):
        hm.train_deep(given, layers="8", target="label", out=tmp_path / "r", **{**QUICK, "held_out": "auto"})
    assert not (tmp_path / "r").exists()
