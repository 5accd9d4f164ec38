"""Predictions of a finished run: the class of each row, with the probabilities of all classes."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harmonium.data.dataset import RECIPE
from harmonium.data.labels import UNLABELLED
from harmonium.errors import InputError
from harmonium.evaluate.classification import Classification, Floats, classify, proportion_dict
from harmonium.evaluate.temperature import calibrate
from harmonium.io import new_file, written_aside
from harmonium.runs.folder import is_deep
from harmonium.runs.inputs import Inputs
from harmonium.runs.reopen import Opened, reopen
from harmonium.voice.decide import recording_log_probabilities
from harmonium.voice.unheard import is_sound, unheard

#: Rows that are printed.
SHOWN = 10


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a machine says about rows.

    Attributes
    ----------
    labels : array (N,) of int64 or str
        The most probable class of each row, as the training data had it; rows of one group, such as the windows of a
        recording, are decided as one.
    probabilities : array (N, C)
        Of every class.
    classes : tuple of int or str
        What the columns stand for.
    rows : array (N,) of int64
        The rows of the data set, from 0, those of other classes counted too.
    temperature : float or None
        The one that the probabilities have been through.
    doubt : str
        Why that temperature may be no better than 1, in one sentence; empty where it is better.
    found : Classification or None
        The predictions compared with the rows' own labels, where there are any; row numbers count the rows predicted.
    path : Path or None
        The file that was written.
    files : tuple of str
        The recordings, where these were predicted.
    notes : tuple of str
        What was done to them on the way in.
    """

    labels: np.ndarray
    probabilities: Floats
    classes: tuple[int | str, ...]
    rows: np.ndarray
    temperature: float | None
    doubt: str
    found: Classification | None
    path: Path | None
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = self.files or [f"row {row}" for row in self.rows[:SHOWN]]
        lines = [
            f"{name}: {label}, {100 * p.max():.1f} %"
            for name, label, p in zip(names[:SHOWN], self.labels, self.probabilities, strict=False)
        ]
        more = [f"... and {len(self.rows) - SHOWN:,} more"] if len(self.rows) > SHOWN else []
        return "\n".join([*lines, *more, self.summary])

    @property
    def summary(self) -> str:
        """All but the rows."""
        lines = [f"{len(self.rows):,} row{'s' * (len(self.rows) != 1)}, {len(self.classes)} classes"]
        if self.found is not None:
            error, own = self.found.error, 100 * self.found.error.value
            lines.append(
                f"{error.count:,} of {error.of:,} said wrong: {own:.2f} % "
                f"({100 * error.low:.2f} to {100 * error.high:.2f} %)"
            )
            if self.found.unlabelled:
                one = self.found.unlabelled == 1
                lines.append(f"{self.found.unlabelled:,} {'row has' if one else 'rows have'} no label to compare with")
        if self.temperature is not None:
            lines.append(f"probabilities at temperature {self.temperature:.3g}")
        if self.doubt:
            lines.append(f"note: of the temperature, {self.doubt}")
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "classes": list(self.classes),
            "rows": self.rows.tolist(),
            **({"files": list(self.files), "notes": list(self.notes)} if self.files else {}),
            "predictions": self.labels.tolist(),
            "probabilities": self.probabilities.tolist(),
            "temperature": self.temperature,
            "doubt": self.doubt,
            "error": None if self.found is None else proportion_dict(self.found.error),
            "log_p_label": None if self.found is None or np.isneginf(self.found.log_p) else self.found.log_p,
            "unlabelled": len(self.rows) if self.found is None else self.found.unlabelled,
            "file": None if self.path is None else str(self.path),
        }


def predict(
    run: str | os.PathLike[str],
    data: Any = None,
    labels: Any = None,
    *,
    calibrated: bool = False,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    **changes: Any,
) -> Prediction:
    """Predict the classes of rows by the machine of a run.

    Parameters
    ----------
    run : path
        The folder of a run that was trained with a target.
    data : str, path, array (N, V) or Dataset, optional
        What to predict, all rows of it; by default the rows that the run held out. For a run that learned from
        recordings also a WAV file, or a folder of them.
    labels : array (N,), str or path, optional
        Labels to compare with, of an array, or a file or column of them.
    calibrated : bool
        Divide ln P by the run's temperature, so that rows said with 80 % confidence are right 8 times in 10. The
        predicted classes stay the same.
    out : path, optional
        A CSV file to write: row, prediction, and the probability of each class.
    overwrite : bool
        Replace that file where there is one.
    **changes
        Further options for the data, such as ``classes`` or ``scale``.

    Returns
    -------
    Prediction

    Raises
    ------
    InputError
        A run without a target, data that do not fit it, labels that it does not know, no temperature to calibrate
        with, or a file that must not be replaced.
    HarmoniumError
        A file that cannot be written.
    """
    if not isinstance(run, (str, os.PathLike)):
        raise InputError(
            f"run must be the path of a run's folder, not {type(run).__name__}; write predict('runs/digits-001', data),"
            " or class_probabilities(rbm, x) for a machine in memory."
        )
    path = None if out is None else new_file(out, ".csv", overwrite=overwrite)
    opened = _open(run)
    if not opened.labelled:
        raise InputError(f"the machine in {run} has no target to predict; train one with target=label.")
    temperature = _temperature(opened) if calibrated else None
    sound = None
    recipe = opened.folder.path / RECIPE
    if is_sound(data) or (recipe.is_file() and _is_folder(data)):  # a folder without sound is refused as one
        data, sound = unheard(data, recipe, opened.classes)
    inputs = _inputs(opened, data, labels, changes)
    rows = inputs.rows.held_out if data is None else torch.arange(len(inputs.feed))
    if not len(rows):
        raise InputError(f"the run in {run} held out no rows to predict; give data.")
    feed = inputs.feed
    log_p, y = opened.says(feed, rows), None if feed.y is None else feed.y[rows].cpu().numpy()
    groups = inputs.data.groups
    if groups is not None:
        _, first, places = np.unique(groups[rows.numpy()], return_index=True, return_inverse=True)
        log_p, rows = recording_log_probabilities(log_p, places), rows[first]
        y = None if y is None else y[first]
    if temperature is not None:
        log_p = calibrate(log_p, temperature)
    found = None
    if y is not None and (y != UNLABELLED).any():
        found = classify(log_p, y)
    prediction = Prediction(
        labels=np.asarray(opened.classes)[log_p.argmax(1)],
        probabilities=np.exp(log_p),
        classes=opened.classes,
        rows=rows.cpu().numpy() if inputs.data.numbers is None else inputs.data.numbers[rows.cpu().numpy()],
        temperature=temperature,
        doubt=_doubt(opened) if calibrated else "",
        found=found,
        path=path,
        files=() if sound is None else tuple(one.file for one in sound),
        notes=() if sound is None else sound.notes,
    )
    if path is not None:
        _write(path, prediction)
    return prediction


def _is_folder(data: Any) -> bool:
    return isinstance(data, (str, os.PathLike)) and os.path.isdir(os.path.expanduser(data))


def _open(run: str | os.PathLike[str]) -> Opened:
    if not is_deep(run):
        return reopen(run)
    from harmonium.deep.reopen import open_classifier  # networks are built on runs, and need not be loaded for them

    return open_classifier(run)


def _temperature(opened: Opened) -> float:
    value = opened.description.get("temperature")
    if not isinstance(value, (int, float)):
        raise InputError(
            f"calibrated needs a temperature, fitted on validation rows with labels, and the run in "
            f"{opened.folder.path} has had none; train with validation=0.1, or leave calibrated out."
        )
    return float(value)


def _doubt(opened: Opened) -> str:
    fit = (opened.folder.read_json("summary.json") or {}).get("temperature_fit")
    return str(fit.get("doubt", "")) if isinstance(fit, dict) else ""


def _inputs(opened: Opened, data: Any, labels: Any, changes: dict[str, Any]) -> Inputs:
    """The data as the machine takes them; other data may have the column of labels of the run's own, or none."""
    if data is None:
        return opened.inputs(None, labels, **changes)
    changes = {"target": "label", **changes}
    column = opened.config.label_source
    from_file = isinstance(data, (str, os.PathLike)) and not os.path.isfile(os.path.expanduser(column))
    if labels is None and column and from_file:
        try:
            return opened.inputs(data, column, to_predict=True, **changes)
        except InputError as error:
            if not str(error).startswith("labels="):  # there is no such column
                raise
    return opened.inputs(data, labels, to_predict=True, **changes)


def _write(path: Path, prediction: Prediction) -> None:
    with written_aside(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["file" if prediction.files else "row", "prediction", *prediction.classes])
        for row, label, p in zip(
            prediction.files or prediction.rows.tolist(),
            prediction.labels.tolist(),
            prediction.probabilities.tolist(),
            strict=True,
        ):
            writer.writerow([row, label, *(f"{value:.9g}" for value in p)])
        text.flush()
        text.detach()  # the file is closed by who opened it
