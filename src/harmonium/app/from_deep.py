"""Panels of machines stacked: random, pre-trained and fine-tuned weights side by side.

    code = encoder(picture),   rebuilt picture = decoder(code)

An autoencoder that was fine-tuned has its own encoder and decoder.  A classifier has no way down: beside its class
probabilities stands what the pre-trained network makes of the picture.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from torch import nn

from harmonium.app.panel import FINETUNED, PRETRAINED, RANDOM, Panel, State, state_from_network
from harmonium.app.pictures import pictures_of
from harmonium.deep.finetune import Settings, classification, fields_of, fine_tune, reconstructing
from harmonium.deep.finished import DeepRun
from harmonium.deep.folder import DeepFolder
from harmonium.deep.pictures import random_stack
from harmonium.deep.reopen import load_deep
from harmonium.deep.stack import Stack
from harmonium.deep.train import open_deep
from harmonium.deep.unroll import autoencoder, classifier, decoder, encoder
from harmonium.machine import RBM
from harmonium.runs.inputs import Inputs
from harmonium.runs.source import load_config_data
from harmonium.units import OneHot, Product, parts_of

#: What stands below the column of a classifier.
READS = "After further lessons in naming pictures; rebuilt as before them."
#: Epochs of fine-tuning beside the demonstration, and Adam's rate.
EPOCHS, RATE = 40, 0.003


def panel_of_deep(path: str | os.PathLike[str], *, name: str = "") -> Panel:
    """The panel of a finished deep run.

    Parameters
    ----------
    path : path
        Its folder, as `harmonium.train_deep` has left it.
    name : str
        What the chooser calls it; by default the folder's name.

    Raises
    ------
    InputError
        Where it is not finished, its data are no pictures or lay in memory, or its units cannot be shown.
    """
    run = load_deep(path)
    folder = DeepFolder(path)
    config, deep = folder.read_config()
    inputs = open_deep(config, deep, load_config_data(config))
    pictures = pictures_of(inputs, f"the run in {folder.path}")
    first = random_stack(run.stack, config.seed)
    states = [
        state_from_network(RANDOM, encoder(first), decoder(first), step=0),
        state_from_network(PRETRAINED, encoder(run.stack), decoder(run.stack)),
    ]
    if run.network is not None:
        states.append(_tuned(run, run.network))
    return Panel(name or folder.path.resolve().name, pictures, _classes(run), tuple(states))


def _classes(run: DeepRun) -> tuple[int | str, ...]:
    return run.classes if _kind(run) == "classifier" else ()


def _kind(run: DeepRun) -> str:
    return str(run.summary.get("fine_tuned", {}).get("kind", "none"))


def _tuned(run: DeepRun, network: nn.Sequential) -> State:
    if _kind(run) == "classifier":
        up, down = encoder(run.stack), decoder(run.stack)
        return state_from_network(FINETUNED, up, down, network, on_code=False, about=READS)
    return state_from_network(FINETUNED, *_halves(network))


def _halves(both: nn.Sequential) -> tuple[nn.Sequential, nn.Sequential]:
    """The encoder and the decoder of an autoencoder."""
    up, down = both
    assert isinstance(up, nn.Sequential)
    assert isinstance(down, nn.Sequential)
    return up, down


def tuned_here(
    rbm: RBM, inputs: Inputs, epochs: int = EPOCHS, tell: Callable[[str], None] = lambda line: None
) -> State:
    """The column of a machine that is fine-tuned on the spot, once to rebuild its data and once to name them.

    Parameters
    ----------
    rbm : RBM
        A machine on the inputs' side; units of a label are left out, with the mean of their weights in the biases.
    inputs : Inputs
        Its data, with labels.
    epochs : int
        Of each of the two.
    tell : callable
        Told what takes long.
    """
    tell("fine-tuning it to rebuild the digits, and to name them …")
    feed, rows = inputs.feed, inputs.rows
    assert feed.y is not None
    stack = Stack((without_label(rbm),))
    settings = Settings(epochs=epochs, learning_rate=RATE, seed=inputs.config.seed)
    both = autoencoder(stack)
    fine_tune(fields_of(both), reconstructing(feed.inputs, feed.pixels, rows.train, rows.validation), settings)
    reader = classifier(stack, len(feed.classes))
    train, watched = feed.with_label(rows.train), feed.with_label(rows.validation)
    fine_tune(reader, classification(feed.inputs, feed.y, train, watched), settings)
    about = "After further lessons in rebuilding pictures, and in naming them."
    return state_from_network(FINETUNED, *_halves(both), reader, on_code=False, about=about)


def without_label(rbm: RBM) -> RBM:
    """The machine on its pixels alone; the fields of a label of which nothing is known are their mean."""
    *pixels, label = parts_of(rbm.visible)
    if not pixels or not isinstance(label, OneHot):
        return rbm
    side = pixels[0] if len(pixels) == 1 else Product(*pixels)
    b = rbm.b.clone()
    b[0] += rbm.W[side.size :].mean(0)
    return RBM(side, rbm.hidden, rbm.W[: side.size], rbm.a[: side.k, : side.size], b)
