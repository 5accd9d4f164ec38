"""A run's machine as a classifier: class probabilities of its rows, the temperature, and what there is to say of them.

T    of least mean -ln P(own class | x)^(1/T) on the validation rows, which no weight has seen; the machine was
     chosen by them too, so that T is, if anything, a little low
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from harmonium.data.labels import UNLABELLED
from harmonium.evaluate.calibration import Calibration, calibration
from harmonium.evaluate.classification import Classification, Floats, classify
from harmonium.evaluate.labels import label_log_probabilities
from harmonium.evaluate.temperature import Temperature, calibrate, fit_temperature
from harmonium.feed import Feed
from harmonium.machine import RBM
from harmonium.runs.inputs import Inputs

#: Letters of a line of text, and so how wide a confusion matrix may be.
_WIDTH = 80


@dataclass(frozen=True, eq=False)
class Classified:
    """Labelled rows as a machine sees them.

    Attributes
    ----------
    part : str
        What the rows are: held_out, validation, train, or data.
    classes : tuple
        The labels in the order of their codes.
    rows : array (N,) of int64
        Row numbers in the data.
    log_p : array (N, C)
        ln P(y | x), in nats, as trained.
    y : array (N,) of int64
        Codes; -1 for no label.
    found : Classification
    calibration : Calibration
        As trained.
    temperature : float or None
        The run's.
    calibrated : Calibration or None
        With the temperature.
    """

    part: str
    classes: tuple[int | str, ...]
    rows: np.ndarray
    log_p: Floats
    y: np.ndarray
    found: Classification
    calibration: Calibration
    temperature: float | None
    calibrated: Calibration | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        own = None
        if self.temperature is not None and self.calibrated is not None:
            log_p = classify(calibrate(self.log_p, self.temperature), self.y).log_p
            own = {**self.calibrated.as_dict(), "log_p_label": log_p}
        return {
            "part": self.part,
            **self.found.as_dict(self.classes),
            "calibration": self.calibration.as_dict(),
            "temperature": self.temperature,
            "calibrated": own,
        }


def run_log_probabilities(rbm: RBM, feed: Feed, rows: Tensor) -> Floats:
    """ln P(y | x) (n, C), in nats, of the given rows (n,), with or without labels."""
    rbm = rbm.to(device=feed.device)
    # Normalised in double precision: the rounding of single precision would show in the sums
    return np.asarray(label_log_probabilities(rbm, feed, rows).double().log_softmax(-1).cpu().numpy())


#: ln P(y | x) (n, C), in nats, of the given rows (n,) of a feed, whatever it is that predicts.
Says = Callable[[Feed, Tensor], Floats]


def machine_says(rbm: RBM) -> Says:
    """What a machine with the label among its visible units says."""
    return partial(run_log_probabilities, rbm)


def fitted_temperature(inputs: Inputs, says: Says) -> Temperature | None:
    """The temperature of the validation rows; None where none of them has a label, or there are none."""
    rows, feed = inputs.rows.validation, inputs.feed
    if feed.y is None or not len(rows) or not bool((feed.y[rows] != UNLABELLED).any()):
        return None
    log_p = says(feed, rows)
    return fit_temperature(log_p, feed.y[rows].cpu().numpy())


def classified(
    inputs: Inputs, says: Says, temperature: float | None = None, *, other: bool = False
) -> Classified | None:
    """How the rows are classified that were learned from least: held out, or validation, or training rows.

    `other` says that the rows are of other data than the run's own.  None where no row has a label.
    """
    feed, seed = inputs.feed, inputs.config.seed
    if feed.y is None:
        return None
    parts = {"held_out": inputs.rows.held_out, "validation": inputs.rows.validation, "train": inputs.rows.train}
    part = next((name for name, rows in parts.items() if bool((feed.y[rows] != UNLABELLED).any())), None)
    if part is None:
        return None
    rows = parts[part]
    log_p, y = says(feed, rows), feed.y[rows].cpu().numpy()
    return Classified(
        part="data" if other else part,
        classes=feed.classes,
        rows=rows.cpu().numpy(),
        log_p=log_p,
        y=y,
        found=classify(log_p, y),
        calibration=calibration(log_p, y, seed=seed),
        temperature=temperature,
        calibrated=None if temperature is None else calibration(calibrate(log_p, temperature), y, seed=seed),
    )


def classification_text(found: dict[str, Any]) -> str:
    """What `Classified.as_dict` says, for a terminal."""
    error = found["error"]
    low, high = (100 * end for end in error["interval"])
    rows = f"{error['of']:,} row{'s' * (error['of'] != 1)}"
    lines = [
        f"{found['part'].replace('_', '-')}: {error['count']:,} of {rows} said wrong, "
        f"{100 * error['value']:.2f} % ({low:.2f} to {high:.2f} %)"
    ]
    if found["unlabelled"]:
        one = found["unlabelled"] == 1
        lines.append(
            f"{found['unlabelled']:,} {'row' if one else 'rows'} without a label {'is' if one else 'are'} left out"
        )
    if found["top_confusions"]:
        most = (f"{c['own']} as {c['said']} ({c['count']} of {c['of']})" for c in found["top_confusions"][:3])
        lines.append(f"most confused: {', '.join(most)}")
    own = found["calibration"]
    lines.append(
        f"confidence {100 * own['mean_confidence']:.2f} %, right {100 * own['right']['value']:.2f} %; "
        f"error of calibration {_ece(own)}"
    )
    if found["calibrated"] is not None:
        lines.append(f"with temperature {found['temperature']:.3g} (predict --calibrated): {_ece(found['calibrated'])}")
        before, after = (_log_p(part["log_p_label"]) for part in (found, found["calibrated"]))
        lines.append(f"ln P(label) is {before} without it, {after} with it")
    return "\n".join([*lines, *_matrix(found["confusion"], found["classes"])])


def _ece(own: dict[str, Any]) -> str:
    low, high = (100 * end for end in own["interval"])
    chance = ", no more than chance makes" if own["ece"] <= own["by_chance"] else ""
    return f"{100 * own['ece']:.2f} % ({low:.2f} to {high:.2f} %{chance})"


def _log_p(value: float | None) -> str:
    return "minus infinity" if value is None else f"{value:.4f}"


def _matrix(confusion: list[list[int]], classes: list[Any]) -> list[str]:
    """The confusion matrix as a table; nothing where it is too wide for a line."""
    names = [str(name) for name in classes]
    left = max(map(len, names))
    cell = max(*(len(name) for name in names), *(len(f"{count}") for row in confusion for count in row)) + 1
    if left + 2 + cell * len(names) > _WIDTH:
        return []
    head = " " * (left + 2) + "".join(f"{name:>{cell}}" for name in names)
    rows = (f"{n:>{left}}  " + "".join(f"{c:>{cell}}" for c in row) for n, row in zip(names, confusion, strict=True))
    return ["", "own class down, class said across", head, *rows]
