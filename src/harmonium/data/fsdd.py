"""The Free Spoken Digit Dataset: 3,000 recordings of the ten digits by six speakers, as spectrograms.

A row is a recording: 40 mel bands, stretched to 32 frames, of mean 0 and variance 1 on the training part.  Recordings
0 to 4 of each digit and speaker are its own test part (300), the others are for training (2,700).
"""

from __future__ import annotations

import os
from pathlib import Path

from harmonium.data.dataset import Dataset
from harmonium.errors import InputError

FOLDERS = ("fsdd", "fsdd/recordings", ".", "recordings")  # the last is that of its repository


def load_fsdd(path: Path | None = None) -> Dataset:
    """Load the training recordings, then the test recordings: X (3000, 1280) of float32, y (3000,), 0 to 9.

    Looked for in `path` if that is given, and nowhere else; or else in the folder ``$HARMONIUM_DATA``.

    Raises
    ------
    InputError
        No such recordings, or a file that cannot be read; librosa or soundfile is not installed.
    """
    from dataclasses import replace

    from harmonium.voice.dataset import voice_data

    data = voice_data(find_fsdd(path), name="fsdd").data
    return replace(
        data,
        licence="CC BY-SA 4.0",
        citation="Z. Jackson (2016), Free Spoken Digit Dataset, https://github.com/Jakobovski/free-spoken-digit-dataset",
    )


def find_fsdd(path: Path | None = None) -> Path:
    """The folder of the recordings; raises InputError where there is none."""
    own = os.environ.get("HARMONIUM_DATA")
    if path is None and not own:
        raise InputError(
            "fsdd was not found; set HARMONIUM_DATA, or --data-path (path), to a folder with its recordings "
            "(0_george_0.wav and 2,999 more)."
        )
    root = path if path is not None else Path(own or "").expanduser()
    for sub in FOLDERS:
        if any((root / sub).glob("[0-9]_*_[0-9]*.wav")):
            return root / sub
    where = f"path={str(path)!r}" if path is not None else f"HARMONIUM_DATA={own}"
    raise InputError(f"{where} does not hold the recordings of fsdd (0_george_0.wav and others); give their folder.")
