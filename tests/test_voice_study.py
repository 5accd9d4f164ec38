"""The study of voice: what its tasks compute, and its short form from the first number to the page."""

import json

import numpy as np
import pytest

from harmonium.experiments import find_experiment
from harmonium.experiments.study import reproduce
from harmonium.experiments.voice import SCALES, machines, speakers, split
from harmonium.experiments.voice.words import SPEAKERS, TAKES, WORDS, made_up

pytest.importorskip("librosa")


def test_made_up_words_are_the_same_every_time_and_differ():
    first, second = made_up(), made_up()
    assert len(first) == WORDS * len(SPEAKERS) * TAKES
    assert all(np.array_equal(a.signal, b.signal) for a, b in zip(first, second, strict=True))
    assert len({a.signal.tobytes() for a in first}) == len(first)


def test_a_speaker_left_out_is_never_trained_on():
    voice = machines.data_of("quick", "low")
    assert {one.speaker for one in voice.recordings[voice.n_train :]} == {"low"}
    assert "low" not in {one.speaker for one in voice.recordings[: voice.n_train]}


def test_parts_share_no_seed_and_name_their_tasks():
    scale = SCALES["full"]
    assert {task.arguments["split"] for task in split.tasks(scale).values()} == {"own"}
    assert [task.arguments["seed"] for task in split.tasks(scale).values()] == [0, 1, 2, 0, 1, 2, 0]
    quick = speakers.tasks(SCALES["quick"])
    assert {task.arguments["split"] for task in quick.values()} == set(SPEAKERS)


def test_regenerations_are_judged_in_decibels(tmp_path):
    value = machines.give_back(tmp_path, {}, scale="quick", seed=0)
    voice = machines.data_of("quick", "own")
    x = voice.data.X[voice.n_train :] * voice.features.standard.scale  # decibels around the training mean
    assert value["errors"]["mean of the training recordings"] == pytest.approx(np.sqrt(np.square(x).mean()), rel=1e-5)
    kept = np.load(tmp_path / "spectrograms.npz")
    assert len(list(tmp_path.glob("*.wav"))) == len(kept.files) == len(value["columns"]) * len(value["recordings"])
    first = voice.recordings[voice.n_train :][0]
    assert np.abs(kept["data/0"] - voice.features.spectrum(first.signal)).mean() < 3  # stretched and back


@pytest.mark.parametrize("kind", ["discriminative", "logistic"])
def test_errors_are_counted(kind, tmp_path):
    value = machines.classify(tmp_path, {}, scale="quick", kind=kind, split="own", seed=0)
    wrong = np.array(value["own"]) != np.array(value["said"])
    assert (value["wrong"], value["of"]) == (wrong.sum(), len(wrong)) == (wrong.sum(), WORDS * len(SPEAKERS) * 5)
    assert value["error"] < 0.5  # of five words


def test_the_short_form_makes_the_page(tmp_path, monkeypatch):
    fewer = {"epochs": 1, "fine_tune_epochs": 2, "layer_options": ""}
    monkeypatch.setattr("harmonium.experiments.voice.machines._QUICK", fewer)
    monkeypatch.setattr("harmonium.experiments.study.execute", in_this_process)
    monkeypatch.setattr("harmonium.experiments.voice.machines.SHOWN", 1)
    done = reproduce(find_experiment("voice"), tmp_path / "v", quick=True)
    numbers = json.loads((tmp_path / "v" / "numbers.json").read_text())
    assert set(numbers["split"]["errors"]) == set(machines.KINDS)
    page = done.report.read_text()
    assert "made-up words" in page
    assert "reaches the mark" not in page
    assert len(list((tmp_path / "v" / "sounds").glob("*.wav"))) == 4


def in_this_process(tasks, work, workers, threads, say):
    """`execute` without processes: importing in each would take most of the time."""
    from harmonium.experiments.tasks import ordered
    from harmonium.io import write_json

    for task in ordered(tasks):
        folder = task.folder(work)
        folder.mkdir(parents=True)
        module, _, name = task.function.partition(":")
        assert module == machines.__name__
        value = getattr(machines, name)(folder, {}, **task.arguments)
        write_json(folder / "result.json", {"value": value, "seconds": 1.0})
