"""One temperature that makes class probabilities as sure as they should be (Guo, Pleiss, Sun and Weinberger 2017).

    p_T(y | x) = softmax(ln P(y | x) / T)_y        β = 1 / T

    f(β)   = mean of [ ln sum_c exp(β z_c) - β z_y ],      z = ln P(y | x)             convex in β
    f'(β)  = mean of [ E_p(z) - z_y ]
    f''(β) = mean of Var_p(z)

The order of the classes stays, so the error stays; only how sure the machine is changes. f' rises from f'(0), where all
classes are equally likely, and Newton's steps are kept between two β where it has different signs.

No T > 0 is the best where every row is right (T -> 0 is always better, on these rows), and T -> infinity where the
machine is worse than even guesses. The first keeps T = 1, as nothing says how sure is too sure; the second stops at
`HIGHEST`, where probabilities are nearly even.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from harmonium.errors import InputError
from harmonium.evaluate.classification import Floats, checked_log_p, labelled_rows
from harmonium.intervals import Z_95

LOWEST, HIGHEST = 0.01, 100.0


@dataclass(frozen=True)
class Temperature:
    """The temperature of least mean -ln P on some rows.

    Attributes
    ----------
    value : float
        T; above 1 the machine was too sure, below 1 not sure enough.
    low, high : float
        Its 95 % interval (of 1 / T, by the spread of the gradient over rows); NaN where T is at a bound or kept at 1.
    rows : int
        The rows that it was fitted on.
    before, after : float
        Mean -ln P(own class | x) of these rows without and with it, in nats.
    doubt : str
        Why no T is the best, or this one not told from 1, in one sentence; empty where neither holds.
    """

    value: float
    low: float
    high: float
    rows: int
    before: float
    after: float
    doubt: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what is not finite is null."""
        found = {name: getattr(self, name) for name in ("value", "low", "high", "rows", "before", "after", "doubt")}
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in found.items()}


def fit_temperature(log_p: Any, y: Any) -> Temperature:
    """Fit T on labelled rows, which must not be those that the machine was trained on.

    Parameters
    ----------
    log_p : array (N, C)
        ln P(y | x), in nats.
    y : array (N,) of integers
        Codes; -1 for rows without a label, which are left out.

    Raises
    ------
    InputError
        As `harmonium.evaluate.classification.classify`, or an own class that was held to be impossible.
    """
    z, codes, rows = labelled_rows(log_p, y)
    own = z[np.arange(len(z)), codes]
    if np.isneginf(own).any():
        row = int(rows[np.argmax(np.isneginf(own))])
        raise InputError(f"log_p holds the own class of row {row} to be impossible, which no temperature mends.")
    before = float(-own.mean())

    def found(value: float, low: float, high: float, doubt: str = "") -> Temperature:
        return Temperature(value, low, high, len(z), before, _loss(z, own, 1 / value), doubt)

    if (own == z.max(1)).all():
        return found(
            1.0, math.nan, math.nan,
            f"all {len(z)} rows are right, so no temperature is too low; it stays 1.",
        )  # fmt: skip
    if _derivatives(z, own, 1 / HIGHEST)[0].mean() >= 0:
        return found(
            HIGHEST, math.nan, math.nan,
            f"the machine is no better than even guesses on {len(z)} rows; the temperature stops at {HIGHEST:g}.",
        )  # fmt: skip
    if _derivatives(z, own, 1 / LOWEST)[0].mean() <= 0:
        return found(
            LOWEST, math.nan, math.nan, f"the best temperature is below {LOWEST:g}, where it stops."
        )  # fmt: skip
    beta = _root(z, own)
    slope, curvature = _derivatives(z, own, beta)
    error = math.sqrt(float(slope.var()) / len(z)) / float(curvature.mean())
    low, high = 1 / (beta + Z_95 * error), 1 / (beta - Z_95 * error) if beta > Z_95 * error else math.inf
    doubt = f"{len(z)} rows do not tell it from 1 (95 % interval {low:.3g} to {high:.3g})."
    return found(1 / beta, low, high, doubt if low <= 1 <= high else "")


def calibrate(log_p: Any, temperature: float) -> Floats:
    """ln P at another temperature: log_softmax(log_p / T) of an array (N, C), in nats.

    Raises InputError where T is not a positive number.
    """
    if not (isinstance(temperature, (int, float)) and 0 < temperature < math.inf):
        raise InputError(f"temperature must be a positive number, not {temperature!r}.")
    return _log_softmax(checked_log_p(log_p) / temperature)


def _root(z: Floats, own: Floats) -> float:
    """The β where f' is 0, between 1 / HIGHEST and 1 / LOWEST: Newton's steps, or half ways where these lead out."""
    low, high, beta = 1 / HIGHEST, 1 / LOWEST, 1.0
    for _ in range(200):
        slopes, curvatures = _derivatives(z, own, beta)
        slope, curvature = float(slopes.mean()), float(curvatures.mean())
        low, high = (beta, high) if slope < 0 else (low, beta)
        step = slope / curvature if curvature > 0 else math.inf
        new = beta - step
        if not low < new < high:
            new = math.sqrt(low * high)
        if slope == 0 or abs(new - beta) <= 1e-13 * beta:
            return new if slope else beta
        beta = new
    return beta


def _derivatives(z: Floats, own: Floats, beta: float) -> tuple[Floats, Floats]:
    """E_p(z) - z_y and Var_p(z) of each row: (N,) each."""
    p = np.exp(_log_softmax(beta * z))
    finite = np.where(np.isneginf(z), 0.0, z)  # of probability 0 at every temperature
    mean = (p * finite).sum(1)
    return mean - own, (p * (finite - mean[:, None]) ** 2).sum(1)


def _loss(z: Floats, own: Floats, beta: float) -> float:
    top = beta * z.max(1)
    return float((top + np.log(np.exp(beta * z - top[:, None]).sum(1)) - beta * own).mean())


def _log_softmax(z: Floats) -> Floats:
    shifted = z - z.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
