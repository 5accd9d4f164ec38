"""Sentences that once left one at a loss: runs that are not there, folders of recordings, counts of one, signals."""

import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import harmonium as hm
from harmonium import plots
from harmonium.cli import main
from harmonium.deep.stack import Stack
from harmonium.errors import InputError, Interrupted, StoppedError
from harmonium.noise import Noise
from harmonium.runs.classifier import classification_text
from harmonium.runs.reopen import evaluate
from harmonium.units import Bernoulli, Gaussian, Multivalued
from laws.sides import machine
from small_runs import IMAGES, LABELS
from voice_sounds import write_digits

X = IMAGES.reshape(60, 12)


def test_a_run_that_is_not_there_is_not_said_to_lack_a_file(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "rows.npy").touch()
    missing, empty, rows = (str(tmp_path / name) for name in ("missing", "empty", "rows.npy"))
    invoke = CliRunner().invoke
    for words in (["evaluate"], ["train", "--resume"], ["predict"], ["check"], ["sample"], ["page"]):
        assert f"{rows} holds no run (it is a file, and a run is a folder); give" in invoke(main, [*words, rows]).stderr
        assert f"{missing} holds no run (there is no such folder); give" in invoke(main, [*words, missing]).stderr
        assert f"{empty} holds no run (neither config.toml nor deep.toml)" in invoke(main, [*words, empty]).stderr
    with pytest.raises(InputError, match=r"missing holds no network of machines \(there is no such folder\); give a"):
        hm.load_deep(missing)
    with pytest.raises(InputError, match=r"empty holds no network of machines \(no deep.toml\)"):
        hm.load_deep(empty)
    with pytest.raises(InputError, match=r"rows.npy holds no network of machines \(it is a file, and a run is a"):
        hm.load_deep(rows)


def test_a_folder_of_recordings_is_told_what_makes_rows_of_it(tmp_path, monkeypatch):
    said = write_digits(tmp_path / "said", speakers=("ann",), indices=range(7))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"said holds recordings and no \.png images; .* make rows of them") as told:
        hm.load_data(said)
    assert f"voice_dataset({str(said)!r})" in str(told.value)
    with pytest.raises(InputError, match=r"empty holds no \.png images; give a folder that does, or a file"):
        hm.load_data(tmp_path / "empty")
    from harmonium.voice import voice_dataset

    monkeypatch.setattr("harmonium.runs.train.draw", lambda *a, **k: [])
    hm.train(
        voice_dataset(said), out=tmp_path / "run", visible="gaussian,variance=1", hidden="bernoulli:2", epochs=1,
        target="label", learning_rate=0.001, measure=1,
    )  # fmt: skip
    with pytest.raises(InputError, match=r"empty holds no \.wav files"):
        hm.predict(tmp_path / "run", tmp_path / "empty")
    assert re.match(
        r"0_ann_5\.wav: [01], \d+\.\d %\n1 row, 2 classes$", str(hm.predict(tmp_path / "run", said / "0_ann_5.wav"))
    )


def test_one_row_is_a_row():
    rbm = machine(Bernoulli(3), Bernoulli(2), 0.3)
    assert ", 1 row; ln Z by" in str(hm.log_likelihood(rbm, np.zeros((1, 3))))
    assert ", 2 rows; ln Z by" in str(hm.log_likelihood(rbm, np.zeros((2, 3))))


def test_a_signal_before_anything_is_done_says_so(tmp_path, monkeypatch):
    def stop(*a, **k):
        raise Interrupted(signal.SIGINT)

    monkeypatch.setattr("harmonium.runs.reopen.evaluate", stop)
    result = CliRunner().invoke(main, ["evaluate", str(tmp_path)])
    assert result.exit_code == 130
    assert (
        result.stderr == "harmonium: stopped; nothing is left half written, and the same command can be given again.\n"
    )
    own = (
        "import os, signal\nfrom harmonium.cli import shared\n"
        "with shared._listening(), shared.imports():\n    os.kill(os.getpid(), signal.SIGTERM)\n    print('on')\n"
    )
    done = subprocess.run([sys.executable, "-c", own], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", result.stderr)


def test_a_signal_between_two_layers_says_how_to_go_on(tmp_path, monkeypatch):
    def stop(*a, **k):
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr("harmonium.deep.train.pretrain", stop)
    with pytest.raises(StoppedError, match=r"go on with: harmonium train --resume .*r$") as told:
        hm.train_deep(X, out=tmp_path / "r", layers="3")
    assert told.value.exit_code == 143
    with pytest.raises(Interrupted):
        hm.train_deep(X, layers="3")


def test_the_bound_takes_states_alone_and_arrays_too():
    stack = Stack((machine(Bernoulli(4), Bernoulli(3), 0.5), machine(Bernoulli(3), Bernoulli(2), 0.5)))
    v = (np.random.default_rng(0).random((5, 4)) < 0.5).astype(np.uint8)

    def bound(rows, **more):
        return hm.log_likelihood_bound(stack, rows, 1.0, Noise(0, dtype=torch.float64), **more)

    assert torch.equal(bound(v), bound(torch.from_numpy(v).float()))
    for rows, words in (
        (v[:, :3], r"v has shape \(5, 3\), but bernoulli:4 needs \(rows, 4\)"),
        (v[:0], "v has no rows"),
        (2.0 * v + 1, "v has .* which is no state of bernoulli units"),
        (np.where(v, np.nan, 0.0), "not finite"),
        ("abc", "cannot be read as an array"),
    ):
        with pytest.raises(InputError, match=words):
            bound(rows)
    for draws in (0, 1.5, True):
        with pytest.raises(InputError, match="draws must be a whole number from 1 on"):
            bound(v, draws=draws)


@pytest.mark.parametrize("visible", [Multivalued(3, 3), Multivalued(2, 7), Gaussian(3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_bound_takes_states_in_the_precision_that_they_come_in(visible, dtype):
    stack = Stack((machine(visible, Bernoulli(2), 0.3),))
    eta = (
        visible.neutral(torch.zeros(visible.k, visible.size, dtype=dtype))
        if visible.k > 1
        else torch.zeros(visible.k, visible.size, dtype=dtype)
    )
    v = visible.sample(eta.expand(6, -1, -1), torch.rand(6, visible.size, dtype=dtype))
    assert bool(hm.log_likelihood_bound(stack, v, 0.0, Noise(0, dtype=torch.float64)).isfinite().all())


def test_a_stack_shows_its_sides_and_no_numbers():
    stack = Stack((machine(Bernoulli(4), Gaussian(3), 0.5), machine(Gaussian(3), Bernoulli(2), 0.5)))
    assert repr(stack).startswith("Stack(bernoulli:4 - gaussian:3")
    assert "tensor" not in repr(stack)


@pytest.mark.parametrize(
    ("errors", "scale"), [([93.0, 91.0, 88.0], "linear"), ([93.0, 20.0, 2.0], "log"), ([9.0, 0.4, 0.0], "symlog")]
)
def test_curves_of_fine_tuning_have_plain_numbers_and_nothing_over_them(errors, scale):
    history = [{"epoch": i, "train_loss": e, "validation_loss": e} for i, e in enumerate(errors, 1)]
    figure = plots.epochs(history, {"loss": ("loss", 1.0)}, kept=2)
    (ax,) = figure.axes
    assert ax.get_yscale() == scale
    figure.canvas.draw()
    both = [*ax.get_yticklabels(), *ax.get_yticklabels(minor=True)]
    assert not [label.get_text() for label in both if "10^" in label.get_text() or "×" in label.get_text()]
    low, high = ax.get_ylim()
    assert sum(low <= tick <= high for tick in ax.get_yticks()) >= 2
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["training rows", "validation rows", "kept: epoch 2"]
    assert not legend.get_window_extent().overlaps(ax.get_window_extent())


def test_one_row_with_a_label_and_one_without_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("harmonium.runs.train.draw", lambda *a, **k: [])
    run = hm.train(X, LABELS, out=tmp_path / "r", hidden="bernoulli:2", target="label", epochs=1, measure=1)
    few = LABELS[:5].copy()
    few[0] = -1
    assert "1 row has no label to compare with" in str(hm.predict(run.folder, X[:5], few))
    found = evaluate(run.folder, X[:2], few[:2])["classification"]
    assert re.match(r"data: \d of 1 row said wrong", classification_text(found))
    assert "1 row without a label is left out" in classification_text(found)
