"""Greedy pre-training: a machine on the data, the next on what its hidden units say of them, and so on upwards.

Each layer is an ordinary run with a folder of its own, ``layer-1``, ``layer-2``, …, so whatever there is for one
machine (resuming, checking, pictures, likelihoods) is there for each.  Upper machines see hidden means as the
probabilities that they are, drawn anew each time, where units have two values; those of other units are drawn once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from harmonium.config import Config
from harmonium.data import Dataset
from harmonium.deep.config import DeepConfig
from harmonium.deep.stack import Stack, mean_h_from_v, turned_over
from harmonium.errors import StoppedError
from harmonium.feed import Feed
from harmonium.gibbs import sample_h_from_v
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.folder import RunFolder
from harmonium.runs.inputs import open_inputs
from harmonium.runs.resume import finished_run
from harmonium.runs.train import Run, run_training
from harmonium.units import Gaussian

Say = Callable[[str], None]
_BLOCK = 2000


def pretrain(
    config: Config, deep: DeepConfig, data: Dataset, folder: Path | None, *, progress: bool = False,
    say: Say = lambda text: None,
) -> list[Run]:  # fmt: skip
    """Train the machines from the data upwards; those that `folder` holds already are taken from there.

    Raises InputError where an option does not fit, DivergedError naming the layer, StoppedError where a signal came:
    what is done is kept, and the same call goes on.
    """
    runs: list[Run] = []
    rows, layer = data, deep.layer(config, 1)
    for number in range(1, len(deep.hidden) + 1):
        if runs:
            rows, layer = raised(runs[-1].rbm, layer, rows, deep.layer(config, number), number)
        say(f"\nlayer {number} of {len(deep.hidden)}")
        scored = deep.likelihood == "yes"
        runs.append(_layer(layer, rows, runs[-1].rbm if runs else None, folder, number, progress, say, scored))
    return runs


def _layer(
    config: Config, data: Dataset, below: RBM | None, folder: Path | None, number: int, progress: bool, say: Say,
    likelihood: bool,
) -> Run:  # fmt: skip
    """One machine, trained, continued, or found finished."""

    def first(rbm: RBM) -> RBM:
        turned = None if below is None else turned_over(below, rbm)
        if turned is None:
            return rbm
        say(f"it begins as layer {number - 1} upside down")
        return rbm.map(lambda x, y: y.to(x), turned)

    if folder is None:
        return run_training(config, dataset=data, progress=progress, say=say, first=first, likelihood=likelihood)
    own = RunFolder(folder / f"layer-{number}")
    if own.complete:
        say(f"{own.path} is there already")
        return finished_run(own)
    begun = own.occupied
    if begun:
        own.remove_leftovers()
    else:
        own = RunFolder.create(own.path)
    try:
        return run_training(
            config, lambda _: own, dataset=data, resuming=begun, progress=progress, say=say, first=first,
            likelihood=likelihood,
        )  # fmt: skip
    except StoppedError as error:
        raise StoppedError(
            f"stopped in layer {number}; go on with: harmonium train --resume {folder}", error.exit_code - 128
        ) from None


def raised(below: RBM, options_below: Config, rows: Dataset, options: Config, number: int) -> tuple[Dataset, Config]:
    """The rows that machine `number` learns from, and its options for them, by the machine below and what that had."""
    feed = open_inputs(options_below, rows).feed
    name = f"{rows.name.removesuffix(f', layer {number - 2}')}, layer {number - 1}"
    made = replace(hidden_data(below, feed, rows, number - 1, options.seed), name=name)
    return made, replace(options, visible=below.hidden.spec, binarize=_rule(below))


def _rule(below: RBM) -> str:
    """How the layer above reads hidden data: as probabilities of two values, or as they are."""
    return "stochastic" if below.hidden.two_values else "none"


@torch.no_grad()
def hidden_data(rbm: RBM, feed: Feed, data: Dataset, number: int, seed: int) -> Dataset:
    """What machine number `number` says of all rows of its data, as the data set of the machine above it.

    Probabilities of the upper value for units of two values, means for Gaussian units, a state drawn once for others;
    in float32, with the labels and the parts of the data.
    """
    noise = Noise(seed_for(seed, "hidden data", number), dtype=rbm.W.dtype, device=rbm.W.device)
    rows = torch.arange(len(data))
    found = []
    for block in rows.split(_BLOCK):
        x = feed.inputs(block).to(rbm.W)
        if rbm.hidden.two_values:
            low, high = rbm.hidden.two_values
            found.append((mean_h_from_v(rbm, x) - low) / (high - low))
        elif isinstance(rbm.hidden, Gaussian):
            found.append(mean_h_from_v(rbm, x))
        else:
            found.append(rbm.hidden.decode(sample_h_from_v(rbm, x, noise)))
    X = torch.cat(found).clamp_(min=0) if rbm.hidden.two_values else torch.cat(found)
    return replace(
        data, X=X.float().cpu().numpy(), scale=1.0, shape=(int(X.shape[1]),),
        licence="", citation="", columns=None, recipe=None,
    )  # fmt: skip


def stack_of(runs: list[Run]) -> Stack:
    """The machines of the runs, on the processor and in single precision, as one network."""
    return Stack(tuple(run.rbm.to(dtype=torch.float32, device="cpu") for run in runs))
