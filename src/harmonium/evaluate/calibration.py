"""Are class probabilities as sure as they should be? Of rows said with 80 % confidence, 80 % should be right.

    confidence = max_y P(y | x)          right = 1 where that class is the row's own
    ECE   = sum over bins of  n_b / N · | mean right - mean confidence |               (Naeini et al. 2015)
    Brier = mean of  sum_y ( P(y | x) - [y is own] )²                                   0 to 2 (Brier 1950)

Bins hold equally many rows (mass) or are equally wide (width). The ECE of few rows is too high: a calibrated machine
does not show 0, and the more bins the less. So beside it stands what a calibrated machine with these confidences would
show by chance, and its interval is reflected, [2 ECE - q(97.5 %), 2 ECE - q(2.5 %)] of the bootstrap over rows, which
takes most of that excess off (Davison and Hinkley 1997, section 5.2); it reaches down to 0 where chance alone explains
the ECE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harmonium.checks import check_whole
from harmonium.errors import InputError
from harmonium.evaluate.classification import Floats, labelled_rows, proportion_dict
from harmonium.evaluate.proportion import Proportion
from harmonium.noise import Noise, seed_for

#: Draws behind an interval: its ends then vary by a few per cent of its width.
DRAWS = 400
BINS = 15


@dataclass(frozen=True)
class Bin:
    """Rows of about one confidence.

    Attributes
    ----------
    low, high : float
        The confidences that the bin covers: its edges, or its least and greatest row for bins of equal mass.
    confidence : float
        The mean confidence of its rows.
    right : Proportion
        How many of them are right, with the 95 % interval of their share.
    """

    low: float
    high: float
    confidence: float
    right: Proportion


@dataclass(frozen=True)
class Calibration:
    """How sure a machine is beside how often it is right.

    Attributes
    ----------
    bins : tuple of Bin
        From the least sure to the surest; those without rows are left out.
    ece : float
        The expected calibration error, 0 to 1.
    low, high : float
        Its 95 % interval.
    by_chance : float
        The 95 % point of the ECE that a calibrated machine with these confidences would show.
    brier : float
        The Brier score, 0 (best) to 2.
    mean_confidence : float
        The mean probability of the class said.
    right : Proportion
        How many rows are right.
    """

    bins: tuple[Bin, ...]
    ece: float
    low: float
    high: float
    by_chance: float
    brier: float
    mean_confidence: float
    right: Proportion

    @property
    def calibrated(self) -> bool:
        """Whether the ECE is within what chance alone makes of a calibrated machine, 95 times in 100."""
        return self.ece <= self.by_chance

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ece": self.ece,
            "interval": [self.low, self.high],
            "by_chance": self.by_chance,
            "brier": self.brier,
            "mean_confidence": self.mean_confidence,
            "right": proportion_dict(self.right),
            "bins": [
                {"low": b.low, "high": b.high, "confidence": b.confidence, "right": proportion_dict(b.right)}
                for b in self.bins
            ],
        }


def calibration(log_p: Any, y: Any, *, bins: int = BINS, kind: str = "mass", seed: int = 0) -> Calibration:
    """Judge the confidence of class probabilities.

    Parameters
    ----------
    log_p : array (N, C)
        ln P(y | x), in nats.
    y : array (N,) of integers
        Codes; -1 for rows without a label, which are left out.
    bins : int
        How many; fewer where there are fewer rows.
    kind : str
        mass (bins of equally many rows) or width (of equal width, from 0 to 1).
    seed : int
        Of the draws behind the interval.

    Raises
    ------
    InputError
        As `harmonium.evaluate.classification.classify`, or other bins.
    """
    check_whole("bins", bins, 1)
    if kind not in ("mass", "width"):
        raise InputError(f"kind must be mass or width, not {kind!r}.")
    values, codes, _ = labelled_rows(log_p, y)
    p = np.exp(values)
    confidence = np.minimum(p.max(1), 1.0)  # single precision may sum to a little more
    right = (values.argmax(1) == codes).astype(np.float64)
    if kind == "mass":
        bins = min(bins, len(p))
        place = np.empty(len(p), np.int64)
        place[np.argsort(confidence, kind="stable")] = np.arange(len(p)) * bins // len(p)
    else:
        place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    ece = _ece(place, right - confidence, bins)
    low, high, by_chance = _interval(place, right, confidence, bins, ece, seed)
    own = np.zeros_like(p)
    own[np.arange(len(p)), codes] = 1
    return Calibration(
        bins=tuple(_bins(place, right, confidence, bins, kind)),
        ece=ece,
        low=low,
        high=high,
        by_chance=by_chance,
        brier=float(((p - own) ** 2).sum(1).mean()),
        mean_confidence=float(confidence.mean()),
        right=Proportion(int(right.sum()), len(right)),
    )


def _ece(place: np.ndarray, excess: Floats, bins: int) -> float:
    return float(np.abs(np.bincount(place, excess, bins)).sum() / len(excess))


def _interval(
    place: np.ndarray, right: Floats, confidence: Floats, bins: int, ece: float, seed: int
) -> tuple[float, float, float]:
    """The ends of the reflected bootstrap interval, and the 95 % point for a calibrated machine."""
    import torch

    noise = Noise(seed_for(seed, "calibration"), dtype=torch.float64)
    n, excess = len(right), right - confidence
    again, calibrated = np.empty(DRAWS), np.empty(DRAWS)
    for draw in range(DRAWS):
        uniform = noise.uniform(n).numpy()
        calibrated[draw] = _ece(place, (uniform < confidence) - confidence, bins)
        rows = (noise.uniform(n).numpy() * n).astype(np.int64)
        again[draw] = _ece(place[rows], excess[rows], bins)
    low, high = (2 * ece - end for end in np.quantile(again, (0.975, 0.025)).tolist())
    by_chance = float(np.quantile(calibrated, 0.95))
    return (0.0 if ece <= by_chance else max(low, 0.0)), min(max(high, 0.0), 1.0), by_chance


def _bins(place: np.ndarray, right: Floats, confidence: Floats, bins: int, kind: str) -> list[Bin]:
    found = []
    for b in range(bins):
        rows = np.flatnonzero(place == b)
        if not len(rows):
            continue
        own = confidence[rows]
        ends = (float(own.min()), float(own.max())) if kind == "mass" else (b / bins, (b + 1) / bins)
        found.append(Bin(*ends, float(own.mean()), Proportion(int(right[rows].sum()), len(rows))))
    return found
