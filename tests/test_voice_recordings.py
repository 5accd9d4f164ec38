"""WAV files in and out, what their names say, and one sentence for whatever is wrong with them."""

import sys

import numpy as np
import pytest
import soundfile

from harmonium.errors import InputError
from harmonium.voice import read_recording, read_recordings
from harmonium.voice.wav import write_wav
from voice_sounds import sound, write_digits


def put(folder, **signals):
    """Floating-point WAV files, which hold any number, by name without the ending."""
    folder.mkdir(exist_ok=True)
    for name, (signal, rate) in signals.items():
        soundfile.write(folder / f"{name}.wav", signal, rate, subtype="FLOAT")
    return folder


def test_sixteen_bits_come_back_to_half_a_step(tmp_path):
    signal = sound()
    write_wav(tmp_path / "a.wav", signal, 8000)
    back = read_recording(tmp_path / "a.wav")
    assert back.rate == 8000
    assert np.abs(back[0].signal - signal).max() <= 0.5 / 32768 + 1e-7
    assert soundfile.info(str(tmp_path / "a.wav")).subtype == "PCM_16"
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]  # nothing is left of the writing aside


def test_a_loud_signal_is_made_quieter_as_a_whole(tmp_path):
    signal = 3 * sound()
    write_wav(tmp_path / "a.wav", signal, 8000)
    back = read_recording(tmp_path / "a.wav")[0].signal
    np.testing.assert_allclose(back, signal * (0.99 / np.abs(signal).max()), atol=0.6 / 32768)


def test_names_say_label_speaker_and_index_in_the_order_of_numbers(tmp_path):
    signal = (np.ones(10) / 2, 8000)
    put(tmp_path, **dict.fromkeys(("10_ann_0", "2_ann_10", "2_ann_9", "2_al_bert_3", ".hidden_a_1"), signal))
    (tmp_path / "notes.txt").touch()
    found = read_recordings(tmp_path)
    assert [(r.label, r.speaker, r.index) for r in found] == [
        ("2", "al_bert", 3), ("2", "ann", 9), ("2", "ann", 10), ("10", "ann", 0)
    ]  # fmt: skip
    assert found.speakers == ("al_bert", "ann")
    assert [r.file for r in found.where(r.index > 8 for r in found)] == ["2_ann_9.wav", "2_ann_10.wav"]
    assert [r.file for r in found[1:3]] == ["2_ann_9.wav", "2_ann_10.wav"]


def test_other_patterns(tmp_path):
    put(tmp_path, **{"ann-07.yes": (np.ones(10), 8000), "bob-8.no": (np.ones(10), 8000)})
    found = read_recordings(tmp_path, pattern="{speaker}-{index}.{label}")
    assert [(r.label, r.speaker, r.index) for r in found] == [("no", "bob", 8), ("yes", "ann", 7)]
    for pattern in ("{speaker}", "{label}_{label}", "{label}_{word}", "a"):
        with pytest.raises(InputError, match=r"pattern=.* must name \{label\}"):
            read_recordings(tmp_path, pattern=pattern)
    with pytest.raises(InputError, match=r"ann-07\.yes\.wav does not say its label: its name is not of the form"):
        read_recordings(tmp_path)


def test_a_table_in_place_of_names(tmp_path):
    put(tmp_path, a=(np.ones(10), 8000), b=(np.ones(20), 8000), c=(np.ones(30), 8000))
    table = tmp_path / "labels.csv"
    table.write_text("speaker,file,label\nann,b.wav,yes\n,a.wav,no\n")
    found = read_recordings(tmp_path, table=table)
    assert [(r.file, r.label, r.speaker, len(r.signal)) for r in found] == [
        ("b.wav", "yes", "ann", 20), ("a.wav", "no", "", 10)
    ]  # fmt: skip
    for text, message in {
        "file,label\na.wav,yes\nd.wav,no\n": r"row 2 of .*labels\.csv names d\.wav, which is not in",
        "file,label\na.wav,\n": r"row 1 of .*labels\.csv has no label",
        "file,label\n,yes\n": r"row 1 of .*labels\.csv has no file",
        "file,word\na.wav,yes\n": "needs a header with the columns file and label",
        "file,label\n": "needs a header with the columns file and label, and rows below it",
    }.items():
        table.write_text(text)
        with pytest.raises(InputError, match=message):
            read_recordings(tmp_path, table=table)
    table.write_bytes(b"file,label\na.wav,\xff\n")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_recordings(tmp_path, table=table)
    with pytest.raises(InputError, match="there is no table"):
        read_recordings(tmp_path, table=tmp_path / "none.csv")


def test_several_channels_are_mixed_and_other_rates_resampled_and_both_are_said(tmp_path):
    t8, t16 = np.arange(4000) / 8000, np.arange(8000) / 16000

    def tone(t):
        return 0.5 * np.sin(2 * np.pi * 440 * t)

    stereo = np.stack([tone(t8) + 0.2, tone(t8) - 0.2], 1)
    put(tmp_path, yes_a_0=(tone(t8), 8000), yes_a_1=(stereo, 8000), yes_a_2=(tone(t16), 16000))
    found = read_recordings(tmp_path)
    assert found.rate == 8000  # that of most
    assert [len(r.signal) for r in found] == [4000] * 3
    np.testing.assert_allclose(found[1].signal, found[0].signal, atol=1e-6)
    middle = slice(400, 3600)  # a filter cannot know what was before and after
    np.testing.assert_allclose(found[2].signal[middle], found[0].signal[middle], atol=2e-3)
    assert found.notes == (
        "1 of 3 recordings had several channels, mixed down to one (yes_a_1.wav)",
        "1 of 3 recordings were resampled from 16000 to 8000 samples a second",
    )
    assert read_recordings(tmp_path, rate=16000).rate == 16000
    assert read_recording(tmp_path / "yes_a_1.wav", 16000).notes == (
        "the recording had several channels, mixed down to one (yes_a_1.wav)",
        "the recording was resampled from 8000 to 16000 samples a second",
    )
    assert read_recording(tmp_path / "yes_a_0.wav").notes == ()


def faulty(folder):
    """Name of a file -> what is said of it."""
    put(folder, slow_a_0=(sound(), 999), short_a_0=(np.ones(0), 8000), nan_a_0=(np.array([0.1, np.nan, np.inf]), 8000))
    (folder / "empty_a_0.wav").touch()
    (folder / "text_a_0.wav").write_text("this is no sound")
    soundfile.write(folder / "flac_a_0.wav", np.ones(100) / 2, 8000, format="FLAC")
    return {
        "slow_a_0": "has 999 samples a second by its header, and recordings need 1000 or more; mend the header",
        "short_a_0": "has a length of 0 samples",
        "nan_a_0": "holds 2 samples that are not finite",
        "empty_a_0": "is an empty file",
        "text_a_0": "is not a WAV file that can be read",
        "flac_a_0": "is a FLAC file and no WAV",
        "missing": "there is no file",
    }


def test_every_fault_of_a_file_is_one_sentence_with_its_name(tmp_path):
    for name, message in faulty(tmp_path).items():
        with pytest.raises(InputError, match=message) as caught:
            read_recording(tmp_path / f"{name}.wav")
        assert f"{name}.wav" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_missing_library_is_named_with_the_mend(tmp_path, monkeypatch):
    write_wav(tmp_path / "a.wav", sound(), 8000)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(InputError, match=r"sound needs soundfile, .* pip install 'harmonium\[voice\]'"):
        read_recording(tmp_path / "a.wav")


def test_one_faulty_file_among_good_ones_is_found(tmp_path):
    write_digits(tmp_path, indices=range(2))
    (tmp_path / "1_bob_1.wav").write_bytes((tmp_path / "1_bob_1.wav").read_bytes()[:20])
    with pytest.raises(InputError, match=r"1_bob_1\.wav"):
        read_recordings(tmp_path)


def test_faulty_folders_rates_and_targets(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        read_recordings(tmp_path / "none")
    with pytest.raises(InputError, match=r"holds no \.wav files"):
        read_recordings(tmp_path)
    write_digits(tmp_path, indices=range(1))
    with pytest.raises(InputError, match="rate=0 must be at least 1"):
        read_recordings(tmp_path, rate=0)
    for signal, message in ((np.ones((3, 2)), "signal has shape"), (np.array([np.nan]), "signal has"), ([], "signal")):
        with pytest.raises(InputError, match=message):
            write_wav(tmp_path / "x.wav", signal, 8000)
    with pytest.raises(InputError, match=r"end it in '\.wav'"):
        write_wav(tmp_path / "x.mp3", [0.0], 8000)
    with pytest.raises(InputError, match="rate=0 must be at least 1"):
        write_wav(tmp_path / "x.wav", [0.0], 0)
    assert not list(tmp_path.glob("x.*"))
