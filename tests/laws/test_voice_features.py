"""Features against transforms written out, brute force over windows, and what must not change them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.fft import dct

from harmonium.errors import InputError
from harmonium.voice import Features, Recording, Recordings, Standard, load_features, save_features, spectra
from harmonium.voice.features import stretched
from voice_sounds import sound

RATE = 8000


def recordings(*signals, rate=RATE):
    return Recordings(tuple(Recording(f"{i}.wav", np.float32(s)) for i, s in enumerate(signals)), rate)


THREE = recordings(sound(0.3, seed=1), sound(0.52, pitch=180, seed=2), sound(0.15, seed=3))


def mel(hertz):
    """Slaney's scale: 200/3 Hz a mel up to 1 kHz, then 27 steps to a factor 6.4."""
    hertz = np.asarray(hertz, dtype=np.float64)
    return np.where(hertz < 1000, hertz * 3 / 200, 15 + 27 * np.log(np.maximum(hertz, 1e-9) / 1000) / np.log(6.4))


def written_out(signal, bands, floor, rate=RATE):
    """The log-mel spectrogram from its definition: frames, Hann window, DFT, triangles, decibels."""
    window, hop, n = round(0.025 * rate), round(0.010 * rate), 512
    hann = np.zeros(n)
    start = (n - window) // 2
    hann[start : start + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    padded = np.pad(np.float64(signal), n // 2)
    frames = np.array([padded[t * hop : t * hop + n] * hann for t in range(1 + len(signal) // hop)])
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    lines = np.arange(n // 2 + 1) * rate / n
    fine = np.linspace(0, rate / 2, 400_001)  # the inverse of mel by a table
    edges = np.interp(np.linspace(0, mel(rate / 2), bands + 2), mel(fine), fine)
    low, middle, high = (edges[i : i + bands, None] for i in range(3))
    triangles = np.clip(np.minimum((lines - low) / (middle - low), (high - lines) / (high - middle)), 0, None)
    made = power @ (triangles * 2 / (high - low)).T
    return 10 * np.log10(np.maximum(made / made.max(), 10 ** (-floor / 10))).T


@pytest.mark.parametrize(("bands", "floor"), [(40, 60.0), (24, 35.0)])
def test_log_mel_is_what_its_formula_says(bands, floor):
    for one in THREE:
        made = spectra.logmel(one.signal, RATE, bands=bands, floor=floor)
        np.testing.assert_allclose(made, written_out(one.signal, bands, floor), atol=0.02)
        assert made.max() == 0
        assert made.min() >= -floor - 1e-4


def test_a_tone_is_loudest_in_its_own_band():
    centres = spectra.band_centres(RATE, 40)
    for place in (8, 20, 33):
        tone = np.sin(2 * np.pi * centres[place] * np.arange(4000) / RATE).astype(np.float32)
        loud = spectra.logmel(tone, RATE, bands=40, floor=60.0)
        assert (loud[:, 10:-10].argmax(0) == place).all()


def test_volume_does_not_matter_and_silence_is_the_floor():
    signal = THREE[0].signal
    features = Features(RATE, floor=50.0)
    loud, soft = (features.rows(recordings(signal * gain))[0] for gain in (1.0, 0.01))
    np.testing.assert_allclose(loud, soft, atol=1e-2)
    np.testing.assert_allclose(features.rows(recordings(np.zeros(900)))[0], -50, atol=1e-4)
    assert np.isfinite(features.rows(recordings(np.ones(1)))[0]).all()  # one sample


def test_cepstra_are_the_cosine_transform_of_the_bands_and_go_back():
    decibels = spectra.logmel(THREE[0].signal, RATE, bands=24, floor=60.0)
    cepstra = spectra.mfcc(decibels, 13)
    np.testing.assert_allclose(cepstra, dct(decibels, axis=0, norm="ortho")[:13], atol=1e-3)
    np.testing.assert_allclose(spectra.mfcc_to_logmel(spectra.mfcc(decibels, 24), 24), decibels, atol=1e-3)
    np.testing.assert_allclose(spectra.mfcc(spectra.mfcc_to_logmel(cepstra, 24), 13), cepstra, atol=1e-3)


def test_differences_of_a_straight_line_and_of_a_parabola():
    t = np.arange(30.0)
    made = spectra.deltas(np.float32([2 + 0.5 * t, 0.25 * t**2]))
    inside = slice(4, -4)
    np.testing.assert_allclose(made[:2], [2 + 0.5 * t, 0.25 * t**2], rtol=1e-6)
    np.testing.assert_allclose(made[2:4, inside], [np.full(22, 0.5), 0.5 * t[inside]], atol=1e-4)
    np.testing.assert_allclose(made[4:, inside], [np.zeros(22), np.full(22, 0.5)], atol=1e-4)


@pytest.mark.parametrize(("context", "every"), [(0, 1), (3, 1), (5, 4)])
@pytest.mark.parametrize("options", [{}, {"kind": "mfcc", "deltas": True}, {"subtract_mean": True}])
def test_spliced_windows_by_brute_force(context, every, options):
    features = Features(RATE, bands=20, window="spliced", context=context, every=every, trim=0.0, **options)
    X, places = features.rows(THREE)
    expected, of = [], []
    for i, one in enumerate(THREE):
        frames = features.spectrum(one.signal)
        if features.subtract_mean:
            frames = frames - frames.mean(1, keepdims=True)
        if features.deltas:
            frames = spectra.deltas(frames)
        channels, length = frames.shape
        for t in range(0, length, every):
            picture = [
                [frames[c, min(max(t + j, 0), length - 1)] for j in range(-context, context + 1)]
                for c in reversed(range(channels))
            ]
            expected.append(np.ravel(picture))
            of.append(i)
    np.testing.assert_allclose(X, expected, atol=1e-5)
    np.testing.assert_array_equal(places, of)
    assert X.shape[1] == np.prod(features.shape)


def test_the_mean_of_every_channel_is_taken_away_where_asked_for():
    features = Features(RATE, window="spliced", context=0, subtract_mean=True)
    X, places = features.rows(THREE)
    for i in range(3):
        np.testing.assert_allclose(X[places == i].mean(0), 0, atol=1e-3)


@pytest.mark.parametrize("count", [2, 7, 16, 31, 90])
@pytest.mark.parametrize("length", [1, 2, 16, 53])
def test_stretching_is_linear_interpolation(length, count):
    frames = np.random.default_rng(0).normal(size=(3, length)).astype(np.float32)
    made = stretched(frames, count)
    for c in range(3):
        expected = np.interp(np.linspace(0, length - 1, count), np.arange(length), frames[c])
        np.testing.assert_allclose(made[c], expected, atol=1e-5)
    np.testing.assert_array_equal(stretched(frames, length) if length > 1 else frames, frames)


def test_a_whole_recording_is_one_picture_with_the_highest_band_on_top():
    features = Features(RATE, bands=30, frames=20, trim=0.0)
    X, places = features.rows(THREE)
    assert places.tolist() == [0, 1, 2]
    for row, one in zip(X, THREE, strict=True):
        np.testing.assert_allclose(row.reshape(features.shape)[::-1], stretched(features.spectrum(one.signal), 20))


def test_silence_is_cut_at_the_ends_alone():
    still, plain = sound(0.3, seed=4, silence=0.2), sound(0.3, seed=4)
    kept = Features(RATE, trim=30.0).sound(still)
    assert abs(len(kept) - len(plain)) <= 3 * 200  # windows that see a little of the sound
    assert len(kept) < 0.75 * len(still)
    both = np.concatenate([plain, still[:1600], plain])
    assert len(Features(RATE, trim=30.0).sound(both)) == pytest.approx(len(both), abs=2 * 200)
    assert len(Features(RATE, trim=0.0).sound(still)) == len(still)


def test_training_rows_have_mean_0_and_variance_1_and_other_rows_the_same_scale():
    train, new = recordings(*(one.signal for one in THREE[:2])), recordings(THREE[2].signal)
    plain = Features(RATE, window="spliced", context=2, bands=20)
    raw, _ = plain.rows(train)
    features = plain.fitted(train)
    X, _ = features.rows(train)
    np.testing.assert_allclose(X.mean(0, dtype=np.float64), 0, atol=1e-4)
    np.testing.assert_allclose(X.std(0, dtype=np.float64), 1, atol=1e-4)
    expected = (plain.rows(new)[0] - raw.mean(0, dtype=np.float64)) / raw.std(0, dtype=np.float64)
    np.testing.assert_allclose(features.rows(new)[0], expected, atol=1e-3)
    np.testing.assert_allclose(features.standard.undo(X), raw, atol=1e-3)


def test_a_column_that_never_changes_stays_finite():
    X = np.float32([[1, 5, 0], [3, 5, 0], [5, 5, 1e-9]])
    standard = Standard.of(X)
    np.testing.assert_allclose(standard.apply_(X.copy())[:, 0], np.array([-1, 0, 1]) * np.sqrt(1.5), rtol=1e-6)
    np.testing.assert_allclose(standard.apply_(X.copy())[:, 1:], 0, atol=1e-8)


@pytest.mark.parametrize("fitted", [True, False])
def test_stored_features_make_the_same_rows(tmp_path, fitted):
    features = Features(
        RATE, kind="mfcc", bands=22, coefficients=9, deltas=True, window="spliced", context=2, trim=25.0
    )
    features = features.fitted(THREE) if fitted else features
    save_features(tmp_path / "f.safetensors", features)
    back = load_features(tmp_path / "f.safetensors")
    np.testing.assert_array_equal(back.rows(THREE)[0], features.rows(THREE)[0])
    assert replace(back, standard=None).__dict__ == replace(features, standard=None).__dict__
    raw = bytearray((tmp_path / "f.safetensors").read_bytes())
    raw[-1] ^= 1
    (tmp_path / "f.safetensors").write_bytes(bytes(raw))
    with pytest.raises(InputError, match=r"f\.safetensors"):
        load_features(tmp_path / "f.safetensors")
    with pytest.raises(InputError, match="there is no file"):
        load_features(tmp_path / "g.safetensors")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "mel"}, "kind='mel' must be one of logmel, mfcc"),
        ({"window": "whole"}, "window='whole' must be one of recording, spliced"),
        ({"bands": 1}, "bands=1 must be a whole number from 2 on"),
        ({"context": -1}, "context=-1 must be"),
        ({"every": 0}, "every=0 must be"),
        ({"frames": 2.5}, r"frames=2\.5 must be"),
        ({"kind": "mfcc", "bands": 10}, "coefficients=13 must not be more than the bands=10"),
        ({"floor": 0.0}, r"floor=0\.0 above 0"),
        ({"trim": float("nan")}, "trim=nan must be at least 0"),
    ],
)
def test_settings_that_are_none(options, message):
    with pytest.raises(InputError, match=message):
        Features(RATE, **options)


def test_recordings_that_do_not_fit():
    with pytest.raises(InputError, match="have 16000 samples a second and the features 8000"):
        Features(RATE).rows(recordings(sound(), rate=16000))
    with pytest.raises(InputError, match="recordings is empty"):
        Features(RATE).rows(recordings())
    with pytest.raises(InputError, match="bands=400 is too many for 8000"):
        Features(RATE, bands=400).rows(THREE)
