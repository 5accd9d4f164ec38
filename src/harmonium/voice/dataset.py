"""Recordings as a data set: the rows of training recordings first, then those of test recordings.

own          index 0 to 4 of each label and speaker are test, as in the Free Spoken Digit Dataset
a speaker    all recordings of this speaker are test: a voice that was never heard
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np

from harmonium.data.dataset import Dataset
from harmonium.data.labels import read_labels
from harmonium.errors import InputError
from harmonium.voice.features import Features, Standard
from harmonium.voice.recordings import Recordings, read_recordings

_OWN_TEST = 5


@dataclass(frozen=True, eq=False)
class VoiceData:
    """A data set of voice with what it was made of.

    Attributes
    ----------
    data : Dataset
        ``groups`` is the place of each row's recording among `recordings`.
    features : Features
        With the standard of the training recordings.
    recordings : Recordings
        Those of training first.
    n_train : int
        How many these are; all, where nothing is held out.
    """

    data: Dataset
    features: Features
    recordings: Recordings
    n_train: int


def voice_data(
    source: str | os.PathLike[str] | Recordings,
    features: Features | None = None,
    *,
    split: str | None = "own",
    name: str = "voice",
) -> VoiceData:
    """Turn recordings into a data set.

    Parameters
    ----------
    source : path or Recordings
        A folder for `read_recordings`, or what has been read.
    features : Features, optional
        By default those of `Features` at the recordings' rate. A standard that they have is kept; otherwise it is
        that of the training recordings.
    split : str or None
        "own" (index 0 to 4 are test), the name of the speaker who is test, or None: all are for training.
    name : str
        What to call the data set.

    Returns
    -------
    VoiceData

    Raises
    ------
    InputError
        What `read_recordings` and `Features.rows` raise, a speaker who is not there, or a split that leaves no
        training recordings.
    """
    recordings = source if isinstance(source, Recordings) else read_recordings(source)
    features = Features(recordings.rate) if features is None else features
    test = _test_part(recordings, split)
    ordered = replace(recordings, items=(*recordings.where(~test), *recordings.where(test)))
    n_train = int((~test).sum())
    X, places = features.rows(ordered)
    rows = int(np.searchsorted(places, n_train))  # for training
    if features.standard is None:
        features = replace(features, standard=Standard.of(X[:rows]))
        X = features.standardised_(X)
    y, names = read_labels(np.array([one.label for one in ordered]), len(ordered), f"the labels in {ordered.folder}")
    data = Dataset(
        X=X,
        y=y[places],
        scale=1.0,
        shape=features.shape,
        name=name,
        source="; ".join([ordered.folder, *ordered.notes]),
        n_train=None if split is None else rows,
        names=names,
        groups=places,
        recipe=features,
    )
    return VoiceData(data, features, ordered, n_train)


def voice_dataset(
    source: str | os.PathLike[str] | Recordings,
    features: Features | None = None,
    *,
    split: str | None = "own",
    name: str = "voice",
) -> Dataset:
    """Turn recordings into a data set: that of `voice_data` alone, which see for the errors.

    Parameters
    ----------
    source : path or Recordings
        A folder for `read_recordings`, or what has been read.
    features : Features, optional
        By default those of `Features` at the recordings' rate.
    split : str or None
        What is held out, as whole recordings. "own": those of index 0 to 4 of each label and speaker, as in the Free
        Spoken Digit Dataset. The name of a speaker: all that this speaker says. None: nothing here, and
        `harmonium.train` then holds out a fifth, or the fraction that its ``held_out`` says.
    name : str
        What to call the data set.

    Returns
    -------
    Dataset
        X (N, channels * width), y (N,), groups (N,), and n_train, the rows before the test part; None without one.
    """
    return voice_data(source, features, split=split, name=name).data


def _test_part(recordings: Recordings, split: str | None) -> np.ndarray:
    """Which recordings are test, (R,) of bool."""
    if split is None:
        return np.zeros(len(recordings), bool)
    if split == "own":
        test = np.array([0 <= one.index < _OWN_TEST for one in recordings])
        mend = f"those of index 0 to {_OWN_TEST - 1} in their names are held out; give split=None, or a speaker"
    else:
        if split not in recordings.speakers:
            known = ", ".join(recordings.speakers) or "none"
            raise InputError(f"split={split!r} must be 'own' or a speaker; the speakers are {known}.")
        test = np.array([one.speaker == split for one in recordings])
        mend = "hold out another speaker"
    if test.all() or not test.any():
        words = "no recording for training" if test.any() else "no recording to test with"
        raise InputError(f"split={split!r} leaves {words} of {recordings.folder}; {mend}.")
    return test
