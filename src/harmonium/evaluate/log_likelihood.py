"""ln p(v) of an array of rows, with everything that is needed to believe it: what most people want.

ln p(v) = - F(v) + ln base(v) - ln Z
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from harmonium.checks import check_seed
from harmonium.data.arrays import as_dataset
from harmonium.errors import InputError
from harmonium.evaluate.likelihood import (
    Say,
    Score,
    binarisation_in_words,
    doubts,
    free_energies,
    grey_doubt,
    log_z,
    row_log_likelihoods,
    score_of_rows,
    states_of,
)
from harmonium.feed import make_feed
from harmonium.logz import Estimate
from harmonium.logz.progressive import Wanted
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.start import independent_parameters


@dataclass(frozen=True, eq=False)
class LogLikelihood:
    """Log-likelihoods of rows.

    Attributes
    ----------
    rows : Tensor (N,)
        ln p(v) of each row, in nats and float64.
    mean : Score
        Their average, with errors.
    z : Estimate
        ln Z, how it was found, and the one-sided estimates that it lies between.
    doubts : tuple of str
        Why not to trust it, a sentence each; empty where nothing speaks against it.
    binarisation : str
        What was done to the raw values: scores are comparable only where it was the same.
    """

    rows: Tensor
    mean: Score
    z: Estimate
    doubts: tuple[str, ...]
    binarisation: str = "as they are"

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the average that ln Z brings; one point where ln Z is exact."""
        return self.mean.value - self.mean.half_width, self.mean.value + self.mean.half_width

    def __str__(self) -> str:
        about = "exact" if self.z.stderr == 0 else f"± {self.mean.half_width:.2g} (95 %)"
        rows = f"{self.mean.rows} row{'s' * (self.mean.rows != 1)}"
        lines = [f"{self.mean.value:.3f} nats per row, {about}, {rows}; ln Z by {self.z.method}"]
        lines.append(f"data {self.binarisation}")
        return "\n".join([*lines, *(f"warning: {doubt}" for doubt in self.doubts)])


@torch.no_grad()
def log_likelihood(
    rbm: RBM,
    X: Any,
    *,
    method: str = "auto",
    precision: float = 0.1,
    time_limit: float = 60.0,
    binarize: str | float = "none",
    scale: float = 1.0,
    seed: int = 0,
    say: Say = lambda line: None,
) -> LogLikelihood:
    """ln p(v) of rows, exact where that takes seconds, else with ln Z estimated from both sides.

    Parameters
    ----------
    rbm : RBM
        The machine.
    X : array (N, n)
        Rows of data columns, as the visible units take them: 0 and 1 for Bernoulli units, -1 and 1 for Ising units,
        state numbers for one-hot units, real numbers for Gaussian ones.
    method : str
        auto, exact, both (annealing forwards and back), ais, reverse_ais or tempering.
    precision : float
        An estimate may stop when half of its 95 % interval is as small as this, in nats ...
    time_limit : float
        ... and does stop after so many seconds.
    binarize : str or float
        What to do with grey values, as in ``harmonium train``: a threshold, stochastic, none or auto.
    scale : float
        The raw value that means 1.
    seed : int
        Same seed, same numbers, where the precision and not the time ends an estimate.
    say : callable
        Called with a line about how far the estimate has come.

    Raises
    ------
    InputError
        Empty data, values that the visible units do not take, parameters that are not finite, numbers out of range.
    """
    wanted = wanted_of(precision, time_limit)
    check_seed(seed)
    _check_reading(binarize, scale)
    rbm.check_normalisable()
    data = as_dataset(X, scale=float(scale))
    feed = make_feed(data, rbm.visible, binarize=str(binarize), dtype=rbm.W.dtype, device=rbm.W.device)
    rows = torch.arange(len(data))
    mean = feed.mean_statistics(rows, Noise(seed_for(seed, "mean"), dtype=feed.dtype, device=feed.device))
    base = independent_parameters(feed.side, mean, len(rows))
    states = states_of(feed, rows, seed=seed)
    z = log_z(rbm, base=base, states=states, seed=seed, method=method, wanted=wanted, say=say)
    log_p = row_log_likelihoods(rbm, free_energies(rbm, feed, rows, seed=seed), z)
    found = [*doubts(z, wanted), *([grey_doubt(feed)] if feed.grey else [])]
    return LogLikelihood(log_p, score_of_rows(log_p, z), z, tuple(found), binarisation_in_words(feed.rule, feed.scale))


def _check_reading(binarize: Any, scale: Any) -> None:
    """Raise InputError for a rule or a scale that cannot be meant."""
    if isinstance(binarize, bool) or not isinstance(binarize, (str, Real)):
        raise InputError(
            f"binarize must be a threshold from 0 to below 1, or stochastic, none or auto, not {binarize!r}."
        )
    if isinstance(scale, bool) or not isinstance(scale, Real) or not 0 < float(scale) < math.inf:
        raise InputError(f"scale must be a finite number above 0, the raw value that means 1, not {scale!r}.")


def wanted_of(precision: Any, time_limit: Any) -> Wanted:
    """Precision and time limit; raises InputError for numbers that cannot be meant."""
    for name, value in (("precision", precision), ("time_limit", time_limit)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
            raise InputError(f"{name} must be a finite number above 0, not {value!r}.")
    return Wanted(float(precision), float(time_limit))
