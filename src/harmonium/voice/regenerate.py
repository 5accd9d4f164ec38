"""Rows back to sound: the spectrogram that a machine's rows stand for, and a signal to listen to.

    rows  ->  undo the standard  ->  decibels of (bands, T)  ->  power in lines (non-negative least squares)
          ->  signal with that spectrogram (Griffin and Lim 1984; Perraudin, Balazs and Søndergaard 2013)

Where spliced windows overlap, a frame is the average of all that the windows say of it.  Phases are not kept by the
features: they are found anew, from a start drawn with a seed.  Spoken digits written so, and read again, differ from
their spectrogram of 40 bands by 0.6 dB on average (the worst of 60 by 1.3 dB) where they are within 30 dB of the
loudest; with 80 bands by 0.4 (0.7).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError
from harmonium.voice import spectra
from harmonium.voice.features import Features, stretched
from harmonium.voice.recordings import Recordings
from harmonium.voice.wav import Signal, library, write_wav

ITERATIONS = 64


def spectrograms(
    features: Features, X: npt.ArrayLike, recording_of_row: npt.ArrayLike, recordings: Recordings | None = None
) -> list[np.ndarray]:
    """The spectrograms in decibels that rows stand for.

    Parameters
    ----------
    features : Features
        What made the rows.
    X : array (N, D)
        Rows as `Features.rows` gives them, or as a machine has regenerated them.
    recording_of_row : array (N,) of integers
        Sorted, each of 0 to R - 1; the rows of one recording are in the order of time.
    recordings : Recordings, optional
        The R recordings, for their lengths and (with `subtract_mean`) means. Without them a stretched recording has
        `features.frames` frames, and one of windows as many as its windows have middle frames and those between.

    Returns
    -------
    list of R arrays (bands, T) of float32
        The lowest band first. Differences in time are left out; cepstra give the smoothest spectrum that has them.

    Raises
    ------
    InputError
        Rows of another width or that are not finite, places that do not fit, or recordings that are needed and missing.
    """
    rows, places = np.asarray(X, dtype=np.float32), np.asarray(recording_of_row)
    height, width = features.shape
    if rows.ndim != 2 or rows.shape[1] != height * width or not np.isfinite(rows).all():
        raise InputError(f"X has shape {rows.shape}; give finite rows of {height} channels times {width} frames.")
    count = _checked_places(places, len(rows))
    if recordings is not None and len(recordings) != count:
        raise InputError(
            f"there are {len(recordings)} recordings, and rows of {count}; give the recordings of the rows."
        )
    if recordings is None and features.subtract_mean:
        raise InputError("the features are without the recordings' means, which X does not tell; give recordings.")
    if features.standard is not None:
        rows = features.standard.undo(rows)
    static = height // 3 if features.deltas else height
    pictures = rows.reshape(-1, height, width)[:, ::-1][:, :static]
    ends = np.searchsorted(places, np.arange(count + 1))
    made = []
    for i in range(count):
        own = pictures[ends[i] : ends[i + 1]]
        before = None if recordings is None else features.spectrum(recordings[i].signal)
        if features.window == "recording":
            frames = own[0] if before is None else stretched(own[0], before.shape[1])
        else:
            frames = _overlapped(own, features, None if before is None else before.shape[1])
        if before is not None and features.subtract_mean:
            frames = frames + before.mean(1, keepdims=True)
        made.append(frames if features.kind == "logmel" else spectra.mfcc_to_logmel(frames, features.bands))
    return made


def signal_of(features: Features, decibels: npt.ArrayLike, *, seed: int = 0, iterations: int = ITERATIONS) -> Signal:
    """A signal with this spectrogram: (bands, T) of decibels -> (n,) of float32, its loudest sample 0.9.

    What lies at the floor or below is taken for silence.  Raises InputError for another number of bands, fewer than two
    frames, or values that are not finite.
    """
    from harmonium.noise import seed_for

    values = np.asarray(decibels, dtype=np.float32)
    if values.ndim != 2 or len(values) != features.bands or values.shape[1] < 2 or not np.isfinite(values).all():
        raise InputError(f"decibels has shape {values.shape}; give finite ({features.bands} bands, 2 frames or more).")
    librosa, rate = library("librosa"), features.rate
    n_fft, hop, window = spectra.fft_length(rate), spectra.hop_length(rate), spectra.window_length(rate)
    power = np.where(values > values.max() - features.floor, 10 ** ((values - values.max()) / 10), 0.0)
    lines = librosa.feature.inverse.mel_to_stft(power.astype(np.float32), sr=rate, n_fft=n_fft, power=2.0)
    signal = librosa.griffinlim(
        lines, n_iter=iterations, hop_length=hop, win_length=window, n_fft=n_fft, pad_mode="constant",
        random_state=seed_for(seed, "phases") % 2**32,
    )  # fmt: skip
    peak = float(np.abs(signal).max())
    return np.asarray(signal * (0.9 / peak if peak > 0 else 1.0), dtype=np.float32)


def write_signal(
    path: str | os.PathLike[str], features: Features, decibels: npt.ArrayLike, *, seed: int = 0
) -> Path:  # fmt: skip
    """Write the signal of a spectrogram (bands, T) as a WAV file of 16 bits; errors as in `signal_of`, `write_wav`."""
    return write_wav(path, signal_of(features, decibels, seed=seed), features.rate)


def _checked_places(places: np.ndarray, rows: int) -> int:
    """How many recordings there are; raises InputError unless they are 0 to R - 1 in order, one for each row."""
    steps = np.diff(places, prepend=-1) if places.ndim == 1 and places.dtype.kind in "iu" else None
    if steps is None or len(places) != rows or not rows or places[0] != 0 or ((steps < 0) | (steps > 1)).any():
        raise InputError(
            f"recording_of_row must be {rows} whole numbers that count recordings from 0 on in order, none left out."
        )
    return int(places[-1]) + 1


def _overlapped(windows: np.ndarray, features: Features, length: int | None) -> np.ndarray:
    """Windows (n, C, 2k + 1) around every `every`-th frame as frames (C, T), averaged; frames in no window are held."""
    n, channels, _ = windows.shape
    length = (n - 1) * features.every + 1 if length is None else length
    at = (np.arange(n) * features.every)[:, None] + np.arange(-features.context, features.context + 1)
    inside = (at >= 0) & (at < length)
    total = np.zeros((length, channels), np.float64)
    np.add.at(total, at[inside], windows.swapaxes(1, 2)[inside])
    seen = np.bincount(at[inside], minlength=length)
    frames = total / np.maximum(seen, 1)[:, None]
    nearest = np.maximum.accumulate(np.where(seen > 0, np.arange(length), 0))  # the last frame that was in a window
    return np.asarray(frames[nearest].T, dtype=np.float32)
