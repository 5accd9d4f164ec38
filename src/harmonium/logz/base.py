"""What every estimate of ln Z reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from harmonium.intervals import student_95
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
    freedom : float
        Degrees of freedom of `stderr`, where it comes from few groups.
    sides : tuple of Estimate
        The estimates, biased to opposite sides, that this one was made from.
    doubts : tuple of str
        What the estimator itself has seen that speaks against it, a sentence each.
    """

    value: float
    stderr: float
    method: str
    bound: int = 0
    ess: float = float("inf")
    freedom: float = float("inf")
    sides: tuple[Estimate, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval, in nats: about 1.96 standard errors, more where freedom is small."""
        return student_95(self.freedom) * self.stderr if self.stderr else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of ln Z."""
        return self.value - self.half_width, self.value + self.half_width


class LogZ(Protocol):
    """An estimator of ln Z."""

    def __call__(self, rbm: RBM, noise: Noise) -> Estimate:
        """Estimate ln Z of the machine."""
        ...
