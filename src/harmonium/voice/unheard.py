"""New recordings as rows for a machine that learned from others: by the features that its run has kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harmonium.data.dataset import Dataset
from harmonium.errors import InputError
from harmonium.voice.features import load_features
from harmonium.voice.recordings import Recordings, read_recording, read_recordings
from harmonium.voice.spectra import WINDOW, window_length


def is_sound(path: Any) -> bool:
    """Whether a path is that of a WAV file, or of a folder with WAV files."""
    if not isinstance(path, (str, os.PathLike)):
        return False
    path = Path(path).expanduser()
    if path.suffix.lower() == ".wav":
        return True
    return path.is_dir() and any(one.suffix.lower() == ".wav" for one in path.iterdir())


def unheard(path: str | os.PathLike[str], recipe: Path, classes: Sequence[int | str]) -> tuple[Dataset, Recordings]:
    """Rows of a WAV file, or of all WAV files of a folder, and the recordings.

    Parameters
    ----------
    path : path
    recipe : Path
        The features' file, see `harmonium.voice.features.save_features`.
    classes : sequence
        Labels that are known: y is theirs where the names of all files tell one of them.

    Returns
    -------
    Dataset
        ``groups`` is the place of each row's recording, and y, where there is one, what is said in it.
    Recordings

    Raises
    ------
    InputError
        No such file of features: the run did not learn from sound; a recording in which nothing is to be heard; or
        what `read_recordings` raises.
    """
    if not recipe.is_file():
        raise InputError(f"{path} is sound, but the run in {recipe.parent} has not learned from recordings; give rows.")
    features = load_features(recipe)
    path = Path(path).expanduser()
    rate = features.rate
    found = read_recordings(path, rate=rate, unlabelled=True) if path.is_dir() else read_recording(path, rate)
    _check_sound(found)
    X, places = features.rows(found)
    known = {str(label): code for code, label in enumerate(classes)}
    codes = [known.get(one.label, -1) for one in found]
    names = tuple(map(str, classes)) if any(isinstance(label, str) for label in classes) else None
    values = np.array(codes if names else [classes[code] for code in codes])
    y = values[places] if min(codes) >= 0 else None
    data = Dataset(X, y, 1.0, features.shape, path.name, str(path), names=names, groups=places)
    return data, found


def _check_sound(recordings: Recordings) -> None:
    """Raise InputError, naming it, for a recording that is shorter than one window, or never changes: silence."""
    shortest = window_length(recordings.rate)
    for one in recordings:
        n, where = len(one.signal), os.path.join(recordings.folder, one.file)
        if n < shortest:
            raise InputError(
                f"{where} has {n} sample{'s' * (n != 1)} at {recordings.rate} a second, less than a window of "
                f"{1000 * WINDOW:g} ms ({shortest}); record it again."
            )
        if not np.ptp(one.signal) > 0:
            raise InputError(f"{where} is silence: all its {n} samples are {one.signal[0]:g}; record it again.")
