"""What is said in a recording, from what is said about its windows.

    ln P(c | recording)  =  (1 / n) sum_i ln P(c | window i)  -  ln Z,        Z so that the sum over c is 1

The sum without 1 / n takes the n windows for independent: the same decision, with far too much confidence, as
neighbouring windows see the same sound.  The mean is the product of the windows' opinions, each to the power 1 / n
(Hinton 2002, products of experts; Kittler, Hatef, Duin and Matas 1998, the product rule).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError


def recording_log_probabilities(
    log_p: npt.ArrayLike, recording_of_row: npt.ArrayLike, *, independent: bool = False
) -> npt.NDArray[np.float64]:
    """Class log-probabilities of recordings from those of their windows.

    Parameters
    ----------
    log_p : array (N, C)
        ln P(class | window) in nats; minus infinity is allowed.
    recording_of_row : array (N,) of integers
        The recording of each window, from 0 to R - 1, each of which has one window at least.
    independent : bool
        Add the windows' log-probabilities up instead of taking their mean.

    Returns
    -------
    array (R, C)
        ln P(class | recording) in nats; each row's probabilities sum to 1.

    Raises
    ------
    InputError
        Arrays of other shapes, NaN, a recording without windows, or one whose every class is ruled out by a window.
    """
    rows, places = np.asarray(log_p, dtype=np.float64), np.asarray(recording_of_row)
    if rows.ndim != 2 or not rows.size or places.shape != rows.shape[:1] or places.dtype.kind not in "iu":
        raise InputError(
            f"log_p has shape {rows.shape} and recording_of_row {places.shape} of {places.dtype}; give (N, C) and N "
            "whole numbers."
        )
    if np.isnan(rows).any() or (rows > 1e-6).any():
        raise InputError("log_p holds NaN or values above 0; give logarithms of probabilities.")
    if places.min() < 0:
        raise InputError(f"recording_of_row holds {places.min()}; count recordings from 0.")
    counts = np.bincount(places)
    if not counts.all():
        raise InputError(f"recording {int(counts.argmin())} has no window; give at least one of each.")
    total = np.zeros((len(counts), rows.shape[1]))
    np.add.at(total, places, rows)
    if not independent:
        total /= counts[:, None]
    best = total.max(1, keepdims=True)
    if np.isneginf(best).any():
        lost = int(np.isneginf(best[:, 0]).argmax())
        raise InputError(f"the windows of recording {lost} rule out every class; keep their probabilities above 0.")
    total -= best
    normalised: npt.NDArray[np.float64] = total - np.log(np.exp(total).sum(1, keepdims=True))
    return normalised
