"""Recordings as rows of numbers: their spectra (see `spectra`), cut into pieces of one size and brought to one scale.

    window="recording"   the whole recording, stretched to `frames` frames (linear in time)      one row a recording
    window="spliced"     a frame with `context` frames on either side, every `every`-th frame     many rows a recording

    x_d  ->  (x_d - mean_d) / scale_d        mean and scale of the *training* rows, for all rows

A row is a picture of (channels, width): time to the right, the highest channel on top, as spectrograms are drawn.
At the ends of a recording the first and the last frame are repeated.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from harmonium.data.blocks import row_blocks
from harmonium.errors import InputError
from harmonium.voice import spectra
from harmonium.voice.recordings import Recordings
from harmonium.voice.wav import LEAST_RATE, Signal

KINDS, WINDOWS = ("logmel", "mfcc"), ("recording", "spliced")
_FILE_KIND = "voice features"
_CONSTANT = 1e-6  # of a unit of the features: a column that varies less is left as it is


@dataclass(frozen=True, eq=False)
class Standard:
    """Mean 0 and variance 1 of each column on the training rows, frozen: (x - mean) / scale.

    Attributes
    ----------
    mean, scale : array (D,) of float32
        Of the training rows; the scale of a column that never changes is 1.
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> Standard:
        """Mean and standard deviation of the columns of X (N, D), in two passes in float64, a block at a time."""
        mean = sum(block.sum(0, dtype=np.float64) for _, block in row_blocks(X)) / len(X)
        squares = sum(np.square(block - mean).sum(0) for _, block in row_blocks(X)) / len(X)
        scale = np.sqrt(squares)
        return cls(mean.astype(np.float32), np.where(scale > _CONSTANT, scale, 1.0).astype(np.float32))

    def apply_(self, X: np.ndarray) -> np.ndarray:
        """Standardise rows (N, D) in place, and return them."""
        X -= self.mean
        X /= self.scale
        return X

    def undo(self, X: np.ndarray) -> np.ndarray:
        """Rows (N, D) in the units that they had."""
        return np.asarray(X, dtype=np.float32) * self.scale + self.mean


@dataclass(frozen=True, eq=False)
class Features:
    """How recordings become rows.

    Attributes
    ----------
    rate : int
        Samples a second that recordings must have.
    kind : "logmel" or "mfcc"
    bands : int
        Mel bands.
    coefficients : int
        Cepstral coefficients of "mfcc".
    deltas : bool
        Put first and second differences in time behind the channels.
    subtract_mean : bool
        Take each channel's mean over the recording away: what a microphone does to every frame, but also what tells
        a long vowel; it helps where recordings are long.
    trim : float
        Cut silence at either end, this many decibels below the loudest window; 0 cuts nothing.
    floor : float
        Decibels below the loudest band at which all is silence.
    window : "recording" or "spliced"
    frames : int
        Frames of a row of window="recording".
    context, every : int
        Frames on either side of one, and from one row to the next, of window="spliced".
    standard : Standard or None
        The columns' scale; None leaves them as they are.
    """

    rate: int
    kind: str = "logmel"
    bands: int = 40
    coefficients: int = 13
    deltas: bool = False
    subtract_mean: bool = False
    trim: float = 20.0
    floor: float = 60.0
    window: str = "recording"
    frames: int = 32
    context: int = 5
    every: int = 1
    standard: Standard | None = None

    def __post_init__(self) -> None:
        for name, known in (("kind", KINDS), ("window", WINDOWS)):
            if getattr(self, name) not in known:
                raise InputError(f"{name}={getattr(self, name)!r} must be one of {', '.join(known)}.")
        for name, low in (
            ("rate", LEAST_RATE),
            ("bands", 2),
            ("coefficients", 1),
            ("frames", 2),
            ("context", 0),
            ("every", 1),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise InputError(f"{name}={value!r} must be a whole number from {low} on.")
        if self.kind == "mfcc" and self.coefficients > self.bands:
            raise InputError(f"coefficients={self.coefficients} must not be more than the bands={self.bands}.")
        if not (0 <= self.trim < np.inf and 0 < self.floor <= 200):
            raise InputError(f"trim={self.trim} must be at least 0 and floor={self.floor} above 0 and at most 200 dB.")

    @property
    def channels(self) -> int:
        """Numbers a frame."""
        return (self.bands if self.kind == "logmel" else self.coefficients) * (3 if self.deltas else 1)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of a row as a picture: channels, frames."""
        return self.channels, self.frames if self.window == "recording" else 2 * self.context + 1

    def sound(self, signal: Signal) -> Signal:
        """The part of a signal (n,) that is looked at."""
        return spectra.trimmed(signal, self.rate, self.trim) if self.trim else signal

    def spectrum(self, signal: Signal) -> np.ndarray:
        """All frames of a signal (n,), before differences in time and means: (C, T), the lowest channel first."""
        decibels = spectra.logmel(self.sound(signal), self.rate, bands=self.bands, floor=self.floor)
        return decibels if self.kind == "logmel" else spectra.mfcc(decibels, self.coefficients)

    def rows(self, recordings: Recordings) -> tuple[np.ndarray, np.ndarray]:
        """Rows of all recordings, in their order.

        Returns
        -------
        X : array (N, D) of float32
            D = channels * width; standardised where there is a standard.
        recording_of_row : array (N,) of int64
            The place of each row's recording among the recordings.

        Raises
        ------
        InputError
            No recordings, or another rate than these features are for.
        """
        if not len(recordings):
            raise InputError("recordings is empty; give at least one.")
        if recordings.rate != self.rate:
            raise InputError(
                f"recordings have {recordings.rate} samples a second and the features {self.rate}; read them with "
                f"rate={self.rate}."
            )
        parts = [self._pieces(one.signal) for one in recordings]
        X = np.concatenate(parts)
        places = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return self.standardised_(X), places

    def standardised_(self, X: np.ndarray) -> np.ndarray:
        """Rows (N, D) brought to the standard in place, where there is one."""
        return X if self.standard is None else self.standard.apply_(X)

    def fitted(self, recordings: Recordings) -> Features:
        """These features with the standard of the rows of these (training) recordings."""
        plain = replace(self, standard=None)
        return replace(self, standard=Standard.of(plain.rows(recordings)[0]))

    def save(self, path: str | os.PathLike[str]) -> None:
        """`save_features`, as a data set's recipe."""
        save_features(path, self)

    def _pieces(self, signal: Signal) -> np.ndarray:
        """The rows of one recording, not standardised: (n, D)."""
        frames = self.spectrum(signal)
        if self.subtract_mean:
            frames = frames - frames.mean(1, keepdims=True)
        if self.deltas:
            frames = spectra.deltas(frames)
        frames = frames[::-1]
        if self.window == "recording":
            return stretched(frames, self.frames).reshape(1, -1)
        padded = np.pad(frames, ((0, 0), (self.context, self.context)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * self.context + 1, axis=1)
        return windows[:, :: self.every].swapaxes(0, 1).reshape(-1, self.channels * (2 * self.context + 1))


def stretched(frames: np.ndarray, count: int) -> np.ndarray:
    """(C, T) at `count` even times from the first frame to the last, linearly between frames: (C, count)."""
    last = frames.shape[1] - 1
    at = np.linspace(0, last, count)
    left = np.minimum(at.astype(np.int64), max(last - 1, 0))
    part = (at - left).astype(frames.dtype)
    made: np.ndarray = (1 - part) * frames[:, left] + part * frames[:, np.minimum(left + 1, last)]
    return made


def save_features(path: str | os.PathLike[str], features: Features) -> None:
    """Write settings and standard as one safetensors file, so that new recordings become the same rows."""
    import torch

    from harmonium.io import save_tensors

    settings = asdict(replace(features, standard=None))
    settings.pop("standard")
    standard = features.standard
    tensors = {} if standard is None else {"mean": standard.mean, "scale": standard.scale}
    save_tensors(path, _FILE_KIND, {name: torch.from_numpy(x) for name, x in tensors.items()}, {"settings": settings})


def load_features(path: str | os.PathLike[str]) -> Features:
    """Features that `save_features` wrote; raises InputError naming the file if it is missing, foreign or damaged."""
    from harmonium.io import load_tensors

    tensors, description = load_tensors(path, _FILE_KIND)
    settings: Any = description.get("settings")
    known = {field.name for field in fields(Features)} - {"standard"}
    if not isinstance(settings, dict) or set(settings) != known:
        raise InputError(f"{path} does not hold the settings of features that this harmonium knows.")
    made = Features(**settings)
    if not tensors:
        return made
    width = made.shape[0] * made.shape[1]
    if {name: tuple(x.shape) for name, x in tensors.items()} != {"mean": (width,), "scale": (width,)}:
        raise InputError(f"{path} does not hold a mean and a scale of {width} columns; take another copy.")
    return replace(made, standard=Standard(tensors["mean"].numpy(), tensors["scale"].numpy()))
