"""A finished run opened again: its machine with its data, to evaluate it or to sample from it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harmonium.config import IN_MEMORY, Config
from harmonium.config_from import config_from
from harmonium.data import DATASETS, Dataset
from harmonium.data.scale import guess_scale
from harmonium.errors import HarmoniumError, InputError, Interrupted, StoppedError, ValueRefusedError
from harmonium.evaluate.labels import class_counts
from harmonium.evaluate.likelihood import EXACT_SECONDS, Say, estimated, log_z
from harmonium.evaluate.log_likelihood import wanted_of
from harmonium.feed import Label, pixel_side
from harmonium.io import load_model, load_tensors, save_tensors
from harmonium.ladders import even_positions, trajectory
from harmonium.logz import Estimate, ParallelTempering
from harmonium.logz.exact import enumeration_seconds
from harmonium.logz.progressive import Progressive, Wanted
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.classifier import Classified, Says, classified, machine_says
from harmonium.runs.folder import RunFolder, layer_number
from harmonium.runs.inputs import Inputs, open_inputs
from harmonium.runs.source import array_data, load_config_data
from harmonium.runs.summary import final_scores, training_states
from harmonium.runs.trajectory import load_trajectory
from harmonium.samplers.trajectory import thinned
from harmonium.units import OneHot, UnitFamily, parts_of


@dataclass(frozen=True, eq=False)
class Opened:
    """A trained machine with the options and description that its run left; `says` is what predicts labels.

    For a network that is the whole of it, and `rbm` its first machine.
    """

    rbm: RBM
    folder: RunFolder
    config: Config
    description: dict[str, Any]
    says: Says

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row as an image."""
        return tuple(self.description.get("image_shape", ()))

    @property
    def labelled(self) -> bool:
        """Whether the last visible unit is a label."""
        return bool(self.config.target)

    @property
    def classes(self) -> tuple[Label, ...]:
        """The labels that it tells apart, in the order of the label's states."""
        return tuple(self.description.get("classes", ()))

    @property
    def pixels(self) -> UnitFamily:
        """The visible side without the label."""
        return pixel_side(self.rbm.visible, self.labelled)

    def inputs(self, data: Any = None, labels: Any = None, *, to_predict: bool = False, **changes: Any) -> Inputs:
        """The run's data and split, binarised as in training.

        With `data` (a name, a file or an array) these data instead, all rows of them in ``rows.train``; `changes`
        are further options for them, such as ``classes`` or ``scale``, which is the run's own where it is not given.
        Data `to_predict` may come without labels, and the states then lack them.  Raises InputError where something
        does not fit.
        """
        own = {**self.config.as_dict(), "binarize": self.description.get("binarize", self.config.binarize)}
        values = data
        if data is None and self.config.data == IN_MEMORY:
            values = self._made_data()
        if data is not None:
            own |= {"classes": "", "labels": "", "data_path": "", "held_out": "0", "validation": 0.0, "patience": 0}
            own["scale"] = 0.0  # the run's, by _scale_of
        in_memory = data is not None and not isinstance(data, (str, os.PathLike))
        if data is not None:
            own["data"] = IN_MEMORY if in_memory else data
            # a file of labels belongs to the run's own rows, and an array has no columns with names
            if self.labelled and (in_memory or os.path.isfile(self.config.target)):
                own["target"] = "label"
            if labels is not None and not in_memory:
                own["labels"] = labels
        config = config_from({**own, **changes})
        read = values is None or isinstance(values, (str, os.PathLike))
        dataset = load_config_data(config) if read else array_data(values, labels, config)
        if to_predict and dataset.y is None:
            config = replace(config, target="", objective="auto")
        if data is None or config.scale or config.data in DATASETS:
            return self._fitted(config, dataset)
        scale = self._scale_of(dataset)
        try:
            return self._fitted(config, replace(dataset, scale=scale))
        except ValueRefusedError as error:
            if any(isinstance(part, OneHot) for part in parts_of(self.pixels)):  # numbers of states have no scale
                raise
            raise InputError(
                f"{error.where} is nothing that the machine takes with the run's scale {scale:g}; give the raw value "
                "that means 1 in these data with --scale (scale=...), or correct them."
            ) from None

    def _made_data(self) -> Dataset:
        """The data of a machine that stands on another in a network; InputError says of others what is missing."""
        if layer_number(self.folder.path) < 2:
            return load_config_data(self.config)
        from harmonium.deep.reopen import layer_data  # networks are built on runs, and need not be loaded for them

        return layer_data(self.folder.path)

    def _scale_of(self, data: Dataset) -> float:
        """The run's own scale for data whose scale is a guess, but for those that must have been divided by it already.

        Whole numbers from 0 to 16 are grey values of the run's 0 to 16 as well as too dark ones of 0 to 255: it is the
        run that tells which.
        """
        own = self.description.get("scale")
        if own is None or data.scale != guess_scale(data.X):
            return data.scale
        divided = own > 1 and self.pixels.two_values is not None and float(data.X.max()) <= 1
        return 1.0 if divided else float(own)

    def _check_columns(self, config: Config, data: Dataset) -> None:
        """Raise InputError where columns have names, and not those of the run's own."""
        own = self.description.get("columns")
        if not own or data.columns is None or list(own) == list(data.columns):
            return
        place = next(i for i, (a, b) in enumerate(zip(own, data.columns, strict=True)) if a != b)
        moved = sorted(own) == sorted(data.columns)
        mend = "bring the columns into the run's order" if moved else "rename the columns where they mean the same"
        raise InputError(
            f"column {place + 1} of data={config.data} is called {data.columns[place]!r}, and {own[place]!r} in the "
            f"run in {self.folder.path}; {mend}: {', '.join(own[:10])}{', ...' * (len(own) > 10)}."
        )

    def _fitted(self, config: Config, data: Dataset) -> Inputs:
        columns = int(data.X.shape[1])
        if columns != self.pixels.n:
            raise InputError(
                f"data={config.data} has {columns} columns, but the machine in {self.folder.path} takes "
                f"{self.pixels.n} ({self.pixels.spec}); give data of that width."
            )
        self._check_columns(config, data)
        return open_inputs(replace(config, visible=self.pixels.spec), data, classes=self.classes or None)


def reopen(path: str | os.PathLike[str]) -> Opened:
    """Open the run at `path`; raises InputError where there is no run or it has no finished model."""
    folder = RunFolder.existing(path)
    if not folder.model_path.is_file():
        whole = folder.path.resolve().parent if layer_number(path) else path
        raise InputError(f"the run in {path} has no model yet; finish it with: harmonium train --resume {whole}")
    rbm, description = load_model(folder.model_path)
    return Opened(rbm, folder, folder.read_config(), description, machine_says(rbm))


@torch.no_grad()
def evaluate(
    path: str | os.PathLike[str],
    data: Any = None,
    labels: Any = None,
    *,
    method: str = "auto",
    precision: float = 0.1,
    time_limit: float = 60.0,
    proceed: bool = False,
    figures: bool = False,
    say: Say = lambda line: None,
    **changes: Any,
) -> dict[str, Any]:
    """Average log-likelihoods of a run's data, in nats per row, and how ln Z was found.

    With `data` (and perhaps `labels`), a name, a file or an array, all rows of these are scored instead; `changes`
    are ``classes``, ``scale`` or ``data_path`` for them.  `method`, `precision`, `time_limit` and `say` are those of
    `harmonium.log_likelihood`, but of a machine that is to predict labels auto scores its predictions alone; `proceed`
    goes on with the estimate that the last call has left in the run's folder.  Predicted labels of the held-out rows,
    or of `data`, are judged under ``classification``; `figures` draws them, and lists the files.
    Raises InputError where the run or the data cannot be used, StoppedError where a signal ends annealings.
    """
    wanted = wanted_of(precision, time_limit)
    opened = reopen(path)
    inputs = opened.inputs(data, labels, **changes)
    rbm = opened.rbm.to(device=inputs.feed.device)
    by_labels = opened.config.by_labels and method == "auto" and not proceed
    z = None if by_labels else _log_z(opened, inputs, rbm, method, wanted, proceed, say)
    counts = _class_counts(opened) if data is not None and inputs.feed.y is not None else None
    summary = final_scores(inputs, rbm, z, wanted=wanted, counts=counts)
    if data is not None:
        summary["scores"] = {"data": summary["scores"]["train"]}
    found = classified(inputs, opened.says, opened.description.get("temperature"), other=data is not None)
    if found is not None:
        summary["classification"] = found.as_dict()
    if figures:
        summary["figures"] = [str(path) for path in _draw(opened, inputs, found)]
    return summary


def _class_counts(opened: Opened) -> Tensor | None:
    """The run's training rows of each class (C,); of earlier runs counted anew, None where their data are gone."""
    stored = (opened.folder.read_json("summary.json") or {}).get("class_counts")
    if stored is not None:
        return torch.tensor(stored)
    try:
        own = opened.inputs()
    except HarmoniumError:
        return None
    return class_counts(own.feed, own.rows.train)


def _draw(opened: Opened, inputs: Inputs, found: Classified | None) -> Iterator[Path]:
    from harmonium.runs.class_pictures import draw_classifier

    if found is None:
        raise InputError("figures are of predicted labels, and these rows or their machine have none; leave it out.")
    ending = "-other" if found.part == "data" else ""
    yield from draw_classifier(inputs, found, opened.folder.figures, shape=opened.shape, ending=ending)


def _log_z(opened: Opened, inputs: Inputs, rbm: RBM, method: str, wanted: Wanted, proceed: bool, say: Say) -> Estimate:
    """ln Z by the given method; annealings both ways are stored with the run, and gone on with where asked for."""
    seed, states = inputs.config.seed, training_states(inputs)
    if method == "trajectory":
        noise = Noise(seed_for(seed, method), dtype=rbm.W.dtype, device=rbm.W.device)
        machines = [m.to(dtype=rbm.W.dtype, device=rbm.W.device) for m in load_trajectory(opened.folder)]
        machines = thinned(machines, noise)
        return ParallelTempering(ladder=trajectory(machines, even_positions(len(machines) + 1)))(rbm, noise)
    both = method == "both" or (method == "auto" and enumeration_seconds(rbm) > EXACT_SECONDS)
    path = opened.folder.path / "log_z.safetensors"
    if proceed and not both and method == "auto":
        raise InputError("continue has nothing to go on with: ln Z of this machine is exact, in seconds; leave it out.")
    if proceed and not both:
        raise InputError(f"continue goes with estimates from both sides, not method={method} here; leave it out.")
    if not both:
        return log_z(rbm, base=inputs.base, states=states, seed=seed, method=method, wanted=wanted, say=say)
    if proceed and not path.is_file():
        raise InputError(f"continue found no earlier estimate in {opened.folder.path}; leave it out at first.")
    say("preparing the annealing …")
    progressive = None
    try:
        progressive = Progressive(rbm, base=inputs.base, states=states, seed=seed)
        if proceed:
            tensors, description = load_tensors(path, "annealings")
            progressive.load_state_dict({**tensors, **description})
        return estimated(progressive, wanted, say)
    except Interrupted as stop:
        words = "stopped before the first batch of annealings was done, so nothing is kept of them"
        if progressive is not None and progressive.batches:
            words = "stopped; the batches of annealings that were done are kept, and continue goes on with them"
        raise StoppedError(f"{words}.", stop.signal_number) from None
    finally:  # also where a signal ends it
        if progressive is not None and progressive.batches:
            state = progressive.state_dict()
            tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
            save_tensors(path, "annealings", tensors, {k: v for k, v in state.items() if k not in tensors})
