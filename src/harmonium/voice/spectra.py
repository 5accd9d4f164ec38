"""Signals to spectra, frame by frame, by librosa: decibels below the recording's loudest in mel bands, or cepstra.

    logmel   10 log10( max( mel power / its maximum, 10^(-floor/10) ) )        bands, the lowest first
    mfcc     its cosine transform in the bands                                 coefficients, the smoothest first

Windows of 25 ms (Hann), one every 10 ms; powers are relative to the recording's maximum, so that its volume does not
matter.  The mel bands are Slaney's, as in librosa's default.
"""

from __future__ import annotations

import functools
import warnings

import numpy as np

from harmonium.errors import InputError
from harmonium.voice.wav import Signal, library

#: Seconds.
WINDOW, HOP = 0.025, 0.010
_DELTA_WIDTH = 9


def window_length(rate: int) -> int:
    """Samples in a window."""
    return round(WINDOW * rate)


def hop_length(rate: int) -> int:
    """Samples from one window to the next."""
    return max(1, round(HOP * rate))


def fft_length(rate: int) -> int:
    """Samples of a transform: the power of two from twice the window on, so that low bands get a line each."""
    return 1 << (2 * window_length(rate) - 1).bit_length()


@functools.lru_cache(maxsize=8)
def filters(rate: int, bands: int) -> np.ndarray:
    """The mel bands' weights of the spectrum's lines, (bands, fft_length / 2 + 1) of float32; to be left as they are.

    Raises InputError where a band is too narrow to hold a line.
    """
    librosa = library("librosa")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Empty filters")  # said below
        made: np.ndarray = librosa.filters.mel(sr=rate, n_fft=fft_length(rate), n_mels=bands)
    if not (made > 0).any(1).all():
        raise InputError(f"bands={bands} is too many for {rate} samples a second: some hold no line; choose fewer.")
    return made


def band_centres(rate: int, bands: int) -> np.ndarray:
    """The frequency at the middle of each band in Hz, (bands,)."""
    edges: np.ndarray = library("librosa").mel_frequencies(n_mels=bands + 2, fmin=0.0, fmax=rate / 2)
    return edges[1:-1]


def logmel(signal: Signal, rate: int, *, bands: int, floor: float) -> np.ndarray:
    """Decibels below the maximum of all bands and frames, at least -floor: signal (n,) -> (bands, T) of float32.

    T is 1 + n // hop; a recording without any sound is -floor throughout.
    """
    librosa = library("librosa")
    n_fft, hop = fft_length(rate), hop_length(rate)
    padded = np.pad(signal, n_fft // 2)  # so that frame t is around sample t * hop; librosa warns of short signals
    stft = librosa.stft(padded, n_fft=n_fft, win_length=window_length(rate), hop_length=hop, center=False)
    power = filters(rate, bands) @ (stft.real**2 + stft.imag**2)
    loudest = float(power.max())
    made = librosa.power_to_db(power / (loudest or 1.0), amin=10 ** (-floor / 10), top_db=None)
    return np.asarray(made, dtype=np.float32)


def mfcc(decibels: np.ndarray, coefficients: int) -> np.ndarray:
    """The first cosine coefficients of the bands: (bands, T) -> (coefficients, T)."""
    made = library("librosa").feature.mfcc(S=decibels, n_mfcc=coefficients)
    return np.asarray(made, dtype=np.float32)


def mfcc_to_logmel(cepstra: np.ndarray, bands: int) -> np.ndarray:
    """The smoothest spectrum with these first cosine coefficients, in decibels: (coefficients, T) -> (bands, T)."""
    from scipy.fft import idct

    return np.asarray(idct(cepstra, axis=0, type=2, norm="ortho", n=bands), dtype=np.float32)


def deltas(frames: np.ndarray) -> np.ndarray:
    """The channels with their first and second differences in time behind them: (C, T) -> (3 C, T)."""
    delta = library("librosa").feature.delta
    changes = [delta(frames, width=_DELTA_WIDTH, order=order, mode="nearest") for order in (1, 2)]
    return np.concatenate([frames, *changes]).astype(np.float32)


def trimmed(signal: Signal, rate: int, decibels: float) -> Signal:
    """The signal without the leading and trailing part that is this much below its loudest window."""
    kept, _ = library("librosa").effects.trim(
        signal, top_db=decibels, frame_length=window_length(rate), hop_length=hop_length(rate)
    )
    return np.asarray(kept, dtype=np.float32) if len(kept) else signal
