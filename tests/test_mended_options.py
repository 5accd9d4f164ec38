"""Options that were once ignored or read in a way of their own without a word: each is refused in one sentence, or says
what it means.
"""

import re
from dataclasses import fields

import pytest
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.config import Config
from harmonium.deep.config import DeepConfig
from harmonium.errors import InputError
from harmonium.options import takes
from harmonium.runs.processes import processors
from harmonium.tuning.settings import checked_workers
from small_runs import IMAGES

X = IMAGES.reshape(60, 12)
QUICK = ["--epochs", "1", "--minibatches", "2", "--quiet"]


def refused(*words):
    """The sentence of a command that is badly used."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.stderr
    return " ".join(result.stderr.split())


NETWORKS = {
    "--dropout 0.2,0.5": "dropout=0.2,0.5 does nothing where no classifier is fine-tuned; set target=label",
    "--dropout 0.2,0.5 --fine-tune autoencoder": "dropout=0.2,0.5 does nothing where no classifier is fine-tuned",
    "--dropout 0,0.5 --target label --fine-tune none": "dropout=0,0.5 does nothing",
    "--fine-tune none --fine-tune-rate 0.1": "fine_tune_rate=0.1 does nothing without fine-tuning; set fine_tune=auto",
    "--fine-tune-epochs 3": "fine_tune_epochs=3 does nothing without fine-tuning",
    "--fine-tune none --target label --fine-tune-batch-size 7": "fine_tune_batch_size=7 does nothing",
    "--fine-tune-patience 2": "fine_tune_patience=2 does nothing",
    "--weight-decay 0.1": "weight_decay=0.1 does nothing",
    "--layers 5,,5": "layers='5,,5' has nothing between two commas or at an end; write 500,500,2000.",
    "--layers ,5": "layers=',5' has nothing between",
    "--layer-options 1:epochs=1;1:epochs=2": "gives layer 1 twice; write all options of a layer once",
    "--layer-options 1:epochs=1,epochs=2": "gives epochs of layer 1 twice",
    "--layers 0": "layers='0': layer 1=",
    "--layers 5,x": "layers='5,x': layer 2='x' cannot be used",
    "--layers -3": "layers='-3': layer 1='-3' cannot be used: '-3' names no units; write how many as a whole number",
    "--layers 10;20": "'10;20' names no units; write how many as a whole number from 1 on, as in bernoulli:16, and",
    "--preset mnist-discriminative": "which is for one machine, and layers stacks several; give the other options",
}


@pytest.mark.parametrize("words", NETWORKS)
def test_what_a_network_would_ignore_is_refused(words, tmp_path):
    given = words.split() if "--layers" in words else ["--layers", "10,10", *words.split()]
    sentence = refused("train", "digits", *given, "--out", tmp_path / "r", *QUICK)
    assert NETWORKS[words] in sentence
    assert not (tmp_path / "r").exists()


def test_a_file_of_options_for_one_machine_is_refused_for_several(tmp_path):
    (tmp_path / "c.toml").write_text('hidden = "ising:4"\n')
    sentence = refused("train", "--config", tmp_path / "c.toml", "--layers", "5", *QUICK)
    assert "c.toml has hidden='ising:4', which is for one machine" in sentence
    with pytest.raises(InputError, match=r"weight_decay=0\.5 does nothing without fine-tuning"):
        hm.train_deep(X, layers="5", weight_decay=0.5)


def test_a_number_that_stands_for_something_else_is_in_the_help():
    text = " ".join(CliRunner().invoke(main, ["train", "--help"], terminal_width=400).output.split())
    for kind in (Config, DeepConfig):
        for spec in fields(kind):
            wanted = takes(spec)
            if wanted.shown and isinstance(spec.default, (int, float)):
                assert f"[{spec.default:g}: {wanted.shown}]" in text, spec.name
    assert "[0: 50, or as many as make 3,000 updates]" in text
    assert "[-1: the best on validation rows of four]" in text
    with pytest.raises(InputError, match=re.escape("from 1 to 1,000,000 (or 0: 50, or as many as make 3,000 updates)")):
        DeepConfig(layers="5", fine_tune_epochs=-1)


def test_logits_are_a_classifier_s(tmp_path, monkeypatch):
    monkeypatch.setattr("harmonium.runs.train.draw", lambda *a, **k: [])
    monkeypatch.setattr("harmonium.deep.pictures.draw_deep", lambda *a, **k: None)
    quick = {"epochs": 1, "batch_size": 20, "measure": 1}
    hm.train_deep(X, layers="4", out=tmp_path / "plain", **quick)
    hm.train_deep(X, layers="4", out=tmp_path / "code", fine_tune="autoencoder", fine_tune_epochs=1, **quick)
    assert "holds an autoencoder; leave it out" in refused(
        "export", tmp_path / "code", "--logits", "--out", tmp_path / "n.onnx"
    )
    assert "was not fine-tuned as one; leave it out" in refused(
        "export", tmp_path / "plain", "--logits", "--out", tmp_path / "n.onnx"
    )
    assert not (tmp_path / "n.onnx").exists()


def test_no_run_is_said_before_a_file_that_is_there(tmp_path):
    (tmp_path / "z.onnx").touch()
    for name, why in {"nothere": "there is no such folder", "z.onnx": "it is a file", "": "no deep.toml"}.items():
        assert f"holds no network ({why}" in refused("export", tmp_path / name, "--out", tmp_path / "z.onnx")


class Settings:
    """As much of a search's as asks for workers."""

    def __init__(self, threads):
        self.config = Config(threads=threads)


def test_no_workers_are_one_for_each_processor_wherever_there_are_workers():
    assert checked_workers(0, Settings(0)) == processors()
    assert checked_workers(0, Settings(processors())) == 1
    for name in ("validate", "search", "reproduce"):
        text = " ".join(CliRunner().invoke(main, [name, "--help"], terminal_width=400).output.split())
        assert re.search(r"--workers INTEGER Processes[^\]]*0(:| is) one for each processor", text), name
        assert "workers" in refused(name, "digits", "--workers", "-1", *(["--quick"] if name == "reproduce" else []))


@pytest.mark.parametrize("value", [True, 0.0, "2"])
def test_workers_are_whole_numbers(value):
    with pytest.raises(InputError, match="workers must be a whole number"):
        checked_workers(value, Settings(0))
