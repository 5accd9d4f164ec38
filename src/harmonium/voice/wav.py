"""WAV files in and out: mono float32 signals within -1 and 1 at one rate.

    stereo        the mean of the channels
    another rate  resampled (band-limited, soxr)

Reading says what it had to do to the sound.  The libraries are imported at the first file.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import numpy as np

from harmonium.errors import InputError

Signal = np.ndarray
_KINDS = ("WAV", "WAVEX", "RF64")
_UNKNOWN = 0x7FFF0000
#: Samples a second, at least: below them nothing is left of speech.
LEAST_RATE = 1000
_PEAK, _STEPS = 0.99, 1 << 15


def library(name: str) -> Any:
    """librosa or soundfile; raises InputError where it is not installed."""
    import importlib

    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:  # soundfile raises OSError where its C library is missing
        raise InputError(f"sound needs {name}, which is not here ({error}); pip install 'harmonium[voice]'.") from None


def read_wav(path: str | os.PathLike[str]) -> tuple[Signal, int, int]:
    """Read one WAV file.

    Returns
    -------
    signal : array (n,) of float32
        Within -1 and 1, the channels mixed down.
    rate : int
        Samples a second.
    channels : int
        How many there were.

    Raises
    ------
    InputError
        A file that is missing, empty, no WAV, of too low a rate, of no samples, or with samples that are not finite.
    """
    path = Path(path)
    soundfile = library("soundfile")
    if not path.is_file():
        raise InputError(f"there is no file {path}; give the path of a WAV file.")
    if not path.stat().st_size:
        raise InputError(f"{path} is an empty file; record it again or remove it.")
    try:
        with soundfile.SoundFile(str(path)) as file:
            kind, rate, channels = file.format, int(file.samplerate), int(file.channels)
            if kind not in _KINDS:
                raise InputError(f"{path} is a {kind} file and no WAV; convert it.")
            if rate < LEAST_RATE:
                raise InputError(
                    f"{path} has {rate} samples a second by its header, and recordings need {LEAST_RATE} or more; mend "
                    "the header or record it again."
                )
            samples = file.read(dtype="float32", always_2d=True)
    except (RuntimeError, OSError) as error:  # soundfile's own errors are RuntimeErrors
        raise InputError(f"{path} is not a WAV file that can be read ({str(error).rstrip('.')}); replace it.") from None
    if not len(samples):
        raise InputError(f"{path} has a length of 0 samples; record it again or remove it.")
    if not np.isfinite(samples).all():
        count = int((~np.isfinite(samples)).sum())
        raise InputError(f"{path} holds {count} samples that are not finite; record it again or remove it.")
    return samples.mean(1, dtype=np.float32) if channels > 1 else samples[:, 0], rate, channels


def breaks_off(path: str | os.PathLike[str]) -> bool:
    """Whether a WAV file ends before the samples that its header speaks of do, as one that was copied in part.

    Programs that cannot know the length write 0 or a number near the largest there: these say nothing.
    """
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return False
        at = len(head)
        while at + 8 <= end:
            file.seek(at)
            kind, size = struct.unpack("<4sI", file.read(8))
            at += 8 + size + size % 2
            if kind == b"data":
                return bool(size < _UNKNOWN and at - size % 2 > end)
    return False


def resample(signal: Signal, rate: int, to: int) -> Signal:
    """The same sound (n,) at another rate, float32, of ceil(n * to / rate) samples."""
    if rate == to:
        return signal
    made = library("librosa").resample(signal, orig_sr=rate, target_sr=to)
    return np.asarray(made, dtype=np.float32)


def write_wav(path: str | os.PathLike[str], signal: Signal, rate: int) -> Path:
    """Write a mono signal (n,) as a WAV file of 16 bits, all of it or nothing, and return its path.

    A signal that leaves -1 and 1 is made quieter as a whole, so that nothing is clipped.

    Raises
    ------
    InputError
        A signal that is no finite row of numbers, a rate below 1, or a path that does not end in .wav.
    HarmoniumError
        A file that cannot be written.
    """
    path = Path(path)
    signal = np.asarray(signal, dtype=np.float64)
    if signal.ndim != 1 or not signal.size or not np.isfinite(signal).all():
        raise InputError(f"signal has shape {signal.shape} or values that are not finite; give finite samples (n,).")
    if path.suffix.lower() != ".wav":
        raise InputError(f"path is {str(path)!r}; sound is written as WAV, so end it in '.wav'.")
    if rate < 1:
        raise InputError(f"rate={rate} must be at least 1 sample a second.")
    peak = float(np.abs(signal).max())
    if peak > 1:
        signal = signal * (_PEAK / peak)
    steps = np.rint(signal * _STEPS).clip(-_STEPS, _STEPS - 1).astype(np.int16)  # soundfile would round down
    from harmonium.io import written_aside  # brings torch

    soundfile = library("soundfile")
    with written_aside(path) as file:
        soundfile.write(file, steps, rate, format="WAV", subtype="PCM_16")
    return path
