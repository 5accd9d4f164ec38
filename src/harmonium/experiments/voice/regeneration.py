"""The demonstration with sound: a spectrogram on the left, on the right what a network makes of it."""

from __future__ import annotations

import shutil

import numpy as np

from harmonium import plots
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.voice.machines import CODE, code_task
from harmonium.experiments.words import n
from harmonium.report import blocks
from harmonium.voice import spectra

LABELS = {"data": "recording", "random": "random weights", "pre-trained": "pre-trained", "fine-tuned": "fine-tuned"}
_MEAN = "mean of the training recordings"


def tasks(scale: Scale) -> dict[str, Task]:
    """One network."""
    return {"give-back": code_task(scale)}


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Spectrograms, errors, and sounds to listen to."""
    done = results["give-back"]
    value, kept = done.value, np.load(done.folder / "spectrograms.npz")
    columns = {
        LABELS[name]: [kept[f"{name}/{i}"] for i in range(len(value["recordings"]))] for name in value["columns"]
    }
    figure = notebook.figure(
        "regeneration",
        plots.spectrograms(columns, value["recordings"], spectra.band_centres(value["rate"], value["bands"]),
                           spectra.hop_length(value["rate"]) / value["rate"]),
        "Test recordings and what the network makes of them: means all the way up and down again.",
        "A grid of spectrograms: recordings, noise, and two columns of likenesses.",
    )  # fmt: skip
    sounds = notebook.out / "sounds"
    sounds.mkdir(exist_ok=True)
    for path in sorted(done.folder.glob("*.wav")):
        place, _, name = path.stem.partition("-")
        shutil.copyfile(path, sounds / f"{value['recordings'][int(place)]}-{name}.wav")
    errors = value["errors"]
    rows = [[LABELS.get(name, name), n(error)] for name, error in errors.items()]
    table = blocks.Table(
        ("weights", "error, dB"), rows,
        f"Root mean square of the difference to the spectrogram, in decibels, over {value['test_recordings']} test "
        f"recordings; a code of {value['code']} units.",
        note=f"The network: {CODE['layers']} Bernoulli units on Gaussian ones, fine-tuned as an autoencoder for "
        f"{CODE['fine_tune_epochs']} epochs. As good as saying nothing: the {_MEAN}. Each of these spectrograms is a "
        "sound, too, in the folder <code>sounds</code> beside this page; phases are found anew (Griffin and Lim 1984).",
    )  # fmt: skip
    notebook.numbers["regeneration"] = {"errors": errors, "seconds": value["seconds"]}
    lead = (
        f"From {n(errors['random'], 1)} dB with random weights to {n(errors['pre-trained'], 1)} dB pre-trained and "
        f"{n(errors['fine-tuned'], 1)} dB fine-tuned; the {_MEAN} is {n(errors[_MEAN], 1)} dB away."
    )
    return blocks.Section("regeneration", TITLE, [figure, table], lead)


TITLE = "What does the network make of a recording?"
PART = Part("regeneration", TITLE, tasks, section)
