"""What every estimate of ln Z reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from harmonium.machine import RBM
from harmonium.noise import Noise


@dataclass(frozen=True)
class Estimate:
    """ln Z in nats, and how far it can be trusted.

    Attributes
    ----------
    value : float
        ln Z.
    stderr : float
        Its standard error; 0 where it is exact.
    method : str
        Such as ``exact`` or ``AIS``.
    bound : int
        0: unbiased or exact; -1: below ln Z on average (so that likelihoods come out too high); +1: above.
    ess : float
        Effective sample size of the importance weights; infinite where it is exact.
    """

    value: float
    stderr: float
    method: str
    bound: int = 0
    ess: float = float("inf")


class LogZ(Protocol):
    """An estimator of ln Z."""

    def __call__(self, rbm: RBM, noise: Noise) -> Estimate:
        """Estimate ln Z of the machine."""
        ...
