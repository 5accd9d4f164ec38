"""Recordings from a disk, said by runs that learned from others: by the features that the run has kept."""

import csv

import numpy as np
import pytest
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.errors import InputError
from harmonium.voice import Features, load_features, recording_log_probabilities, voice_data, voice_dataset
from harmonium.voice.wav import write_wav
from voice_sounds import sound, write_digits

pytest.importorskip("librosa")
soundfile = pytest.importorskip("soundfile")
OPTIONS = {
    "visible": "gaussian,variance=1", "hidden": "bernoulli:10", "target": "label", "optimizer": "adam",
    "learning_rate": 0.005, "epochs": 20, "batch_size": 8, "measure": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Recordings of three words by two speakers; a run on whole recordings, one on windows, and a network."""
    folder = tmp_path_factory.mktemp("voice")
    write_digits(folder / "said", labels=("0", "1", "7"), indices=range(10))
    write_digits(folder / "new", labels=("0", "1", "7"), speakers=("cas",), indices=range(3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harmonium.runs.train.draw", lambda *a, **k: [])
        hm.train(voice_dataset(folder / "said"), out=folder / "whole", **OPTIONS)
        spliced = Features(8000, window="spliced", context=3, bands=20)
        hm.train(voice_dataset(folder / "said", spliced), out=folder / "windows", **OPTIONS)
        hm.train_deep(
            voice_dataset(folder / "said"), layers="12,8", target="label", visible="gaussian,variance=1", epochs=5,
            learning_rate=0.001, batch_size=8, measure=2, fine_tune_epochs=20, fine_tune_rate=0.01,
            out=folder / "deep",
        )  # fmt: skip
    return folder


@pytest.mark.parametrize("run", ["whole", "deep"])
def test_a_folder_of_recordings_is_said_as_its_rows_are(root, run):
    found = hm.predict(root / run, root / "new")
    features = load_features(root / run / "recipe.safetensors")
    data = voice_data(root / "new", features, split=None).data
    np.testing.assert_allclose(found.probabilities, hm.predict(root / run, data.X).probabilities, atol=1e-6)
    assert found.files == tuple(f"{label}_cas_{i}.wav" for label in (0, 1, 7) for i in range(3))
    own = np.repeat([0, 1, 7], 3)
    assert found.found.error.count == int((found.labels != own).sum())
    assert set(found.labels) <= {0, 1, 7}


def test_windows_are_decided_together(root):
    found = hm.predict(root / "windows", root / "new")
    features = load_features(root / "windows" / "recipe.safetensors")
    data = voice_data(root / "new", features, split=None).data
    assert len(data) > 9
    rows = np.log(hm.predict(root / "windows", data.X).probabilities)
    wanted = recording_log_probabilities(rows, data.groups)
    np.testing.assert_allclose(np.log(found.probabilities), wanted, atol=1e-5)
    again = hm.predict(root / "windows", data)  # rows given as a data set with groups
    np.testing.assert_allclose(again.probabilities, found.probabilities, atol=1e-9)
    assert again.rows.tolist() == [int(np.flatnonzero(data.groups == i)[0]) for i in range(9)]


def test_one_file_from_the_command_line_in_stereo_at_another_rate(root, tmp_path):
    one = sound(0.3, 16000, 140, seed=3)
    soundfile.write(tmp_path / "x.wav", np.stack([one, one], 1), 16000)
    result = CliRunner().invoke(main, ["predict", str(root / "whole"), str(tmp_path / "x.wav")])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("x.wav: ")
    assert "mixed down to one" in result.stdout
    assert "resampled from 16000 to 8000" in result.stdout
    out = tmp_path / "said.csv"
    assert (
        CliRunner().invoke(main, ["predict", str(root / "whole"), str(root / "new"), "--out", str(out)]).exit_code == 0
    )
    lines = list(csv.reader(out.read_text().splitlines()))
    assert lines[0] == ["file", "prediction", "0", "1", "7"]
    assert [line[0] for line in lines[1:]] == list(hm.predict(root / "whole", root / "new").files)


def test_names_need_not_tell_labels(root, tmp_path):
    write_wav(tmp_path / "some words.wav", sound(seed=1), 8000)
    write_wav(tmp_path / "9_ann_1.wav", sound(seed=2), 8000)
    found = hm.predict(root / "whole", tmp_path)
    assert found.files == ("9_ann_1.wav", "some words.wav")
    assert found.found is None


def test_what_is_no_sound_or_for_no_such_run_is_one_sentence(root, tmp_path):
    (tmp_path / "text.wav").write_text("not sound")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "none").mkdir()
    for path, sentence in {
        tmp_path / "text.wav": "is not a WAV file",
        tmp_path / "empty.wav": "is an empty file",
        tmp_path / "missing.wav": "missing.wav",
    }.items():
        with pytest.raises(InputError, match=sentence):
            hm.predict(root / "whole", path)
    plain = hm.train(
        np.eye(6), np.arange(6) % 2, hidden="bernoulli:2", target="label", epochs=1, out=tmp_path / "plain"
    )
    with pytest.raises(InputError, match="has not learned from recordings"):
        hm.predict(plain.folder, root / "new")
