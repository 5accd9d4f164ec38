"""Annealed importance sampling of ln Z (Neal 2001; Salakhutdinov and Murray 2008), in marginal form, and its reverse.

    forward   v ~ base,     annealed to the machine:   E[w] = Z / Z_base          ln Z from below
    reverse   v ~ machine,  annealed back to the base: E[w] = Z_base / Z          ln Z from above

on average: the logarithm of a mean lies below the mean's (Jensen).  Together they hold ln Z between them, as long as
the reverse begins with samples of the machine (Grosse, Ghahramani and Adams 2015, "Sandwiching the marginal
likelihood"; Burda, Grosse and Salakhutdinov 2015).  Such samples are the ends of annealings, resampled by their
weights, after some Gibbs sweeps; or a caller's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from harmonium.logz.base import Estimate
from harmonium.logz.bases import Base, collapsed_base, independent_base
from harmonium.logz.resampling import resample
from harmonium.logz.schedules import even_schedule
from harmonium.machine import RBM
from harmonium.noise import Noise


def estimate_from_log_weights(log_w: Tensor, log_z_base: float, method: str, bound: int) -> Estimate:
    """ln Z = ln Z_base + ln mean(w) where bound is -1, and ln Z_base - ln mean(w) where it is +1.

    With the delta method's standard error and the effective sample size of log_w (N,).  The logarithm of the mean,
    never the mean of logarithms, which is biased however many chains run.
    """
    log_w = log_w.double()
    n = len(log_w)
    relative = (log_w - log_w.logsumexp(0) + math.log(n)).exp()  # w / mean(w)
    stderr = float(relative.std() / math.sqrt(n)) if n > 1 else math.inf
    ess = float(n * n / relative.square().sum())
    return Estimate(log_z_base - bound * (float(log_w.logsumexp(0)) - math.log(n)), stderr, method, bound, ess)


@dataclass(frozen=True)
class AIS:
    """Annealed importance sampling with `chains` chains along `schedule`, from `base`.

    base is a `Base`, or a machine with W = 0 on the same sides, such as ``rbm.decoupled(a)`` with the data's base
    rates; None takes the machine's own visible biases.  Do not start from uniform visible states: such estimates have
    been wrong by tens of nats.  Where one side has few units it is annealed alone (`harmonium.logz.bases`), and of a
    machine only that side's fields are read; ``independent_base(rbm, base)`` insists on block Gibbs sweeps.
    """

    schedule: tuple[float, ...] = even_schedule(1000)
    chains: int = 256
    base: RBM | Base | None = None

    def __call__(self, rbm: RBM, noise: Noise) -> Estimate:
        """Estimate ln Z; raises InputError where the machine is not normalisable."""
        base = checked_base(rbm, self.base)
        _, log_w = forward(base, self.schedule, self.chains, noise)
        return estimate_from_log_weights(log_w, base.log_z, "AIS", -1)


@dataclass(frozen=True)
class ReverseAIS:
    """Annealing from samples of the machine back to `base`; the arguments are those of `AIS`.

    `states` (N, V) are samples of the machine to begin with; None makes them by annealing forwards.
    """

    schedule: tuple[float, ...] = even_schedule(1000)
    chains: int = 256
    base: RBM | Base | None = None
    states: Tensor | None = None

    def __call__(self, rbm: RBM, noise: Noise) -> Estimate:
        """Estimate ln Z; raises InputError where the machine is not normalisable."""
        base = checked_base(rbm, self.base)
        v = self.states
        if v is None:
            v, log_w = forward(base, self.schedule, self.chains, noise)
            v = settled(base, rbm, v[resample(log_w, noise)], len(self.schedule), noise)
        return estimate_from_log_weights(reverse(base, self.schedule, v, noise), base.log_z, "reverse AIS", 1)


def checked_base(rbm: RBM, base: RBM | Base | None) -> Base:
    """The base to begin from, the best that needs no states; raises InputError where there is no ln Z to find."""
    rbm.check_normalisable()
    return base if isinstance(base, Base) else collapsed_base(rbm, base) or independent_base(rbm, base)


def forward(base: Base, schedule: Sequence[float], chains: int, noise: Noise) -> tuple[Tensor, Tensor]:
    """The ends (chains, V) and ln w (chains,) of annealings from the base to the machine."""
    return base.forward(schedule, chains, noise)


def reverse(base: Base, schedule: Sequence[float], v: Tensor, noise: Noise) -> Tensor:
    """ln w (N,) of annealings from samples v (N, V) of the machine back to the base."""
    return base.reverse(schedule, v, noise)


def settled(base: Base, rbm: RBM, v: Tensor, steps: int, noise: Noise) -> Tensor:
    """Resampled ends v (N, V) of annealings of so many steps, swept on until copies of one chain have parted."""
    return base.settled(rbm, v, max(10, steps // 10), noise)
