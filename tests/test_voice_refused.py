"""Recordings in which nothing is to be heard, files that are not whole, how to hold others out, and a study's words."""

import struct

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.data import split
from harmonium.errors import InputError
from harmonium.voice import read_recordings, voice_dataset
from harmonium.voice.recordings import read_recording
from harmonium.voice.wav import breaks_off, write_wav
from voice_sounds import sound, write_digits


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voice")
    write_digits(folder / "said", speakers=("ann",), indices=range(10))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harmonium.runs.train.draw", lambda *a, **k: [])
        hm.train(
            voice_dataset(folder / "said"), out=folder / "run", target="label", visible="gaussian,variance=1", epochs=1,
            hidden="bernoulli:4", learning_rate=0.001, batch_size=8, measure=1,
        )  # fmt: skip
    return folder / "run"


def cut(path, part):
    """Leave the first part of a file."""
    raw = path.read_bytes()
    path.write_bytes(raw[: round(part * len(raw))])


@pytest.mark.parametrize(
    ("signal", "sentence"),
    [
        (np.full(1, 0.5), "x.wav has 1 sample at 8000 a second, less than a window of 25 ms (200); record it again."),
        (sound()[:199], "x.wav has 199 samples at 8000 a second, less than a window"),
        (np.zeros(3000), "x.wav is silence: all its 3000 samples are 0; record it again."),
        (np.full(3000, 0.25), "x.wav is silence: all its 3000 samples are 0.25;"),
    ],
)
def test_what_is_no_sound_is_not_said_to_be_a_word(run, tmp_path, signal, sentence):
    soundfile.write(tmp_path / "x.wav", signal, 8000, subtype="FLOAT")
    write_wav(tmp_path / "a.wav", sound(), 8000)
    for path in (tmp_path / "x.wav", tmp_path):
        result = CliRunner().invoke(main, ["predict", str(run), str(path)])
        assert result.exit_code == 2
        assert sentence in " ".join(result.stderr.split())


def test_one_window_is_sound_enough(run, tmp_path):
    soundfile.write(tmp_path / "x.wav", sound()[:200], 8000, subtype="FLOAT")
    assert len(hm.predict(run, tmp_path / "x.wav").labels) == 1


def test_a_file_that_is_not_whole_is_read_as_far_as_it_goes_and_this_is_said(run, tmp_path):
    write_wav(tmp_path / "x.wav", sound(0.6), 8000)
    whole = read_recording(tmp_path / "x.wav")
    assert whole.notes == ()
    cut(tmp_path / "x.wav", 0.5)
    half = read_recording(tmp_path / "x.wav")
    np.testing.assert_array_equal(half[0].signal, whole[0].signal[: len(half[0].signal)])
    assert 0.45 * 4800 < len(half[0].signal) < 2400
    result = CliRunner().invoke(main, ["predict", str(run), str(tmp_path / "x.wav")])
    assert result.exit_code == 0, result.stderr
    said = "the recording ends before the length in its header, and is taken as far as it goes (x.wav)"
    assert said in " ".join(result.stdout.split())
    write_digits(tmp_path / "many", indices=range(4, 6))
    cut(tmp_path / "many" / "1_bob_5.wav", 0.9)
    assert "1 of 8 recordings end before the length" in voice_dataset(tmp_path / "many").source


@pytest.mark.parametrize("words", [["page", "--out", "page.html"], ["app", "--no-open", "--port", "0"]])
def test_nobody_can_draw_sound(run, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [*words, str(run), "--quiet"])
    assert (result.exit_code, result.stdout) == (2, "")
    sentence = f"harmonium: {run} was trained on recordings, and nobody can draw sound; give a run on images, or see "
    assert result.stderr.startswith(sentence)
    assert "harmonium reproduce voice (docs/recordings.md)" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "PCM_U8"])
@pytest.mark.parametrize("samples", [999, 1000])
def test_whole_files_of_any_kind_are_whole(tmp_path, subtype, samples):
    soundfile.write(tmp_path / "x.wav", sound()[:samples], 8000, subtype=subtype)
    assert not breaks_off(tmp_path / "x.wav")
    with open(tmp_path / "x.wav", "ab") as file:
        file.write(b"LIST" + struct.pack("<I", 4) + b"INFO")  # what comes behind is no matter
    assert not breaks_off(tmp_path / "x.wav")


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0])
def test_a_length_that_its_program_did_not_know_says_nothing(tmp_path, size):
    write_wav(tmp_path / "x.wav", sound(), 8000)
    raw = bytearray((tmp_path / "x.wav").read_bytes())
    at = raw.index(b"data") + 4
    raw[at : at + 4] = struct.pack("<I", size)
    (tmp_path / "x.wav").write_bytes(bytes(raw))
    assert not breaks_off(tmp_path / "x.wav")


def test_what_is_held_out_of_own_recordings_is_what_the_documentation_says(tmp_path):
    recordings = read_recordings(write_digits(tmp_path, indices=range(7)))

    def held_out(how, fraction="auto"):
        data = voice_dataset(recordings, split=how)
        rows = np.arange(len(data))[split(data, fraction)[1]]
        return len(set(data.groups[rows].tolist())), len(rows)

    assert held_out("own") == (20, 20)  # takes 0 to 4 of two labels and two speakers
    assert held_out("ann") == (14, 14)
    assert held_out(None) == (6, 6)  # a fifth of 28
    assert held_out(None, 0.5)[0] == held_out("own", 0.5)[0] == 14
    assert held_out("own", 0)[0] == 0
    with pytest.raises(InputError, match="index 0 to 4 in their names are held out; give split=None, or a speaker"):
        voice_dataset(recordings.where(one.index < 5 for one in recordings))


def test_the_study_s_short_form_wants_no_files_of_any_kind(tmp_path):
    for study in ("voice", "digits"):
        result = CliRunner().invoke(main, ["reproduce", study, "--quick", "--data-path", str(tmp_path)])
        assert result.exit_code == 2
        assert "--data-path is for the full study, as --quick needs no files" in result.stderr
        assert "digits" not in result.stderr
    text = " ".join(CliRunner().invoke(main, ["reproduce", "--help"]).output.split())
    assert "on bundled or made-up data" in text
    assert "Where the images or recordings are." in text
