"""The work behind the study: classifiers of recordings, and machines that give recordings back.

Every recording is a row: a spectrogram stretched to one length, each entry of mean 0 and variance 1 on the training
recordings.  A network begins with Gaussian visible units of unit variance below Bernoulli layers, pre-trained by CD-1
and fine-tuned by backpropagation (Mohamed, Dahl and Hinton 2012).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harmonium.data import Dataset
from harmonium.data.fsdd import find_fsdd
from harmonium.deep.finished import DeepRun
from harmonium.deep.pictures import regenerations
from harmonium.deep.train import train_deep
from harmonium.experiments.study import Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.voice.words import made_up
from harmonium.noise import seed_for
from harmonium.runs.train import train
from harmonium.voice import Recordings, VoiceData, read_recordings, voice_data

#: Kinds of classifiers, and what one of each takes on one core, in seconds.
KINDS = {"network": 150.0, "discriminative": 60.0, "logistic": 20.0}
#: Of the first machine, on Gaussian units, and of those above.
LAYERS: dict[str, Any] = {
    "visible": "gaussian,variance=1", "negative": "cd", "batch_size": 50, "momentum": 0.9, "centre": "no",
    "validation": 0.0, "patience": 0, "measure": 2, "likelihood": "no",
}  # fmt: skip
NETWORK: dict[str, Any] = {
    "layers": "512,512", "optimizer": "adam", "epochs": 60,
    "layer_options": "1:learning_rate=0.001,epochs=100; 2:learning_rate=0.02",
    "fine_tune": "classifier", "fine_tune_epochs": 60, "fine_tune_rate": 0.001, "dropout": "0.1,0.4",
}  # fmt: skip
DISCRIMINATIVE: dict[str, Any] = {
    "visible": "gaussian,variance=1", "hidden": "bernoulli:512", "objective": "discriminative", "target": "label",
    "optimizer": "adam", "learning_rate": 0.001, "batch_size": 50, "epochs": 60, "weight_start": "xavier",
    "validation": 0.0, "patience": 0, "l2": 0.0001, "measure": 2,
}  # fmt: skip
#: Dropout is for classifiers, and these machines learn by sgd, the program's own choice.
CODE: dict[str, Any] = {
    **{name: value for name, value in NETWORK.items() if name not in ("dropout", "optimizer")},
    "layers": "512,256", "fine_tune": "autoencoder", "fine_tune_epochs": 100,
}  # fmt: skip
#: What is smaller in the short form.
_QUICK = {"epochs": 5, "fine_tune_epochs": 10}
SHOWN = 4


@cache
def recordings(scale: str) -> Recordings:
    """The Free Spoken Digit Dataset, or the made-up words of the short form."""
    return made_up() if scale == "quick" else read_recordings(find_fsdd())


def data_of(scale: str, split: str) -> VoiceData:
    """Rows of the recordings with their own test part, or with a speaker as test."""
    return voice_data(recordings(scale), split=split, name="fsdd" if scale == "full" else "made-up words")


def sized(options: Mapping[str, Any], scale: str) -> dict[str, Any]:
    """The options, or smaller ones for the short form."""
    found = dict(options)
    if scale == "quick":
        found |= {name: value for name, value in _QUICK.items() if name in found}
        for name in ("layers", "hidden"):
            if name in found:
                found[name] = found[name].replace("512", "40").replace("256", "20")
        if "layer_options" in found:
            found["layer_options"] = "1:learning_rate=0.001,epochs=20; 2:learning_rate=0.02"
    return found


def classify(
    folder: Path, needs: Mapping[str, Done], *, scale: str, kind: str, split: str, seed: int
) -> dict[str, Any]:
    """The task of training one classifier: errors, the class said of each test recording, seconds."""
    voice = data_of(scale, split)
    data = voice.data
    own = np.asarray(data.y)[data.n_train :]
    began = time.perf_counter()
    if kind == "logistic":
        said = _logistic(data, seed)
    elif kind == "discriminative":
        said = _discriminative(data, sized(DISCRIMINATIVE, scale), seed)
    else:
        run = network(data, sized({**LAYERS, **NETWORK}, scale), seed, labelled=True)
        assert run.network is not None
        with torch.no_grad():
            x = torch.from_numpy(data.X[data.n_train :])
            said = run.network.eval()(x).argmax(1).numpy()
    return {
        "error": float((said != own).mean()), "wrong": int((said != own).sum()), "of": len(own), "own": own.tolist(),
        "said": said.tolist(), "seconds": time.perf_counter() - began, "threads": torch.get_num_threads(),
        "train_recordings": voice.n_train, "split": split,
    }  # fmt: skip


def network(data: Dataset, options: Mapping[str, Any], seed: int, *, labelled: bool) -> DeepRun:
    """A network with Gaussian visible units, pre-trained and fine-tuned."""
    named: dict[str, Any] = {**options, "target": "label"} if labelled else dict(options)
    return train_deep(data, seed=seed, **named)


def _discriminative(data: Dataset, options: Mapping[str, Any], seed: int) -> np.ndarray:
    from harmonium.labels import log_label_probabilities

    run = train(data, seed=seed, **options)
    with torch.no_grad():
        log_p = log_label_probabilities(run.rbm, torch.from_numpy(data.X[data.n_train :]).to(run.rbm.W))
    found: np.ndarray = log_p.argmax(1).numpy()
    return found


def _logistic(data: Dataset, seed: int) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    assert data.y is not None
    folds = StratifiedKFold(5, shuffle=True, random_state=seed_for("voice", "folds", seed) % 2**32)
    grid = {"C": [0.0003, 0.001, 0.003, 0.01, 0.03]}
    search = GridSearchCV(LogisticRegression(max_iter=1000), grid, cv=folds)
    found: np.ndarray = search.fit(data.X[: data.n_train], data.y[: data.n_train]).predict(data.X[data.n_train :])
    return found


def give_back(folder: Path, needs: Mapping[str, Done], *, scale: str, seed: int) -> dict[str, Any]:
    """The task of regenerating test recordings with random, pre-trained and fine-tuned weights; WAV files are kept.

    Errors are root mean squares in decibels over all test recordings, at the features' own resolution.
    """
    from harmonium.voice.regenerate import spectrograms, write_signal

    voice = data_of(scale, "own")
    data, features = voice.data, voice.features
    began = time.perf_counter()
    run = network(data, sized({**LAYERS, **CODE}, scale), seed, labelled=False)
    assert run.network is not None
    assert features.standard is not None
    x = torch.from_numpy(data.X[data.n_train :])
    with torch.no_grad():
        found = regenerations(run, x, seed)
    scale_of = torch.from_numpy(features.standard.scale)
    errors = {
        name: float(((values - x) * scale_of).square().mean().sqrt())
        for name, values in found.items()
        if name != "data"
    }
    errors["mean of the training recordings"] = float((x * scale_of).square().mean().sqrt())
    test = voice.recordings[voice.n_train :]
    chosen = _spread(np.asarray(data.y)[data.n_train :])
    some = Recordings(tuple(test[i] for i in chosen), test.rate)
    kept: dict[str, Any] = {}
    for name, values in found.items():
        pictures = spectrograms(features, values[chosen].numpy(), np.arange(len(chosen)), some)
        for place, picture in enumerate(pictures):
            kept[f"{name}/{place}"] = picture
            write_signal(folder / f"{place}-{name}.wav", features, picture)
    np.savez(folder / "spectrograms.npz", **kept)
    return {
        "errors": errors, "recordings": [Path(one.file).stem for one in some], "columns": list(found),
        "seconds": time.perf_counter() - began, "bands": features.bands, "rate": features.rate,
        "test_recordings": len(test), "code": run.stack.sizes[-1],
    }  # fmt: skip


def _spread(labels: np.ndarray) -> list[int]:
    """The first recording of some labels, evenly spread over all."""
    found = [int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)]
    return found[:: max(1, len(found) // SHOWN)][:SHOWN]


def task(scale: Scale, kind: str, split: str, seed: int) -> Task:
    """The task of one classifier."""
    arguments = {"scale": scale.name, "kind": kind, "split": split, "seed": seed}
    return Task(f"{kind}-{split}-{seed}", f"{__name__}:classify", arguments, seconds=scale.pick(KINDS[kind], 2))


def code_task(scale: Scale) -> Task:
    """The task of giving recordings back."""
    arguments = {"scale": scale.name, "seed": 0}
    return Task("give-back", f"{__name__}:give_back", arguments, seconds=scale.pick(200, 3))
