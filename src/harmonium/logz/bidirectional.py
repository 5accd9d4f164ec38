"""ln Z from annealings in both directions: the two one-sided estimates, and the one between them.

    below    ln Z_base + ln mean(w_forward)          above    ln Z_base - ln mean(w_reverse)
    between  Bennett's ratio of both sets of weights (`harmonium.logz.bennett`)

The reverse annealings begin with ends of forward ones, resampled by weight and swept on: each goes with the forward
annealing that it descends from.  Forward annealings are dealt into groups, and the standard error is the jackknife's
that leaves out one group with its descendants: where few forward annealings carry all the weight it is as large as it
should be.  Bidirectional Monte Carlo: Grosse, Ghahramani and Adams (2015); the ratio: Bennett (1976), Crooks (2000).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from harmonium.logz.ais import checked_base, estimate_from_log_weights, forward, reverse, settled
from harmonium.logz.base import Estimate
from harmonium.logz.bases import Base
from harmonium.logz.bennett import bennett
from harmonium.logz.resampling import resample
from harmonium.logz.schedules import even_schedule
from harmonium.machine import RBM
from harmonium.noise import Noise

#: Groups of chains, for the jackknife.
GROUPS = 16


def _empty(dtype: torch.dtype) -> Tensor:
    return torch.empty(0, dtype=dtype)


@dataclass
class BothWays:
    """ln w of annealings forwards (N,) and back (M,), and the group that each belongs to; more can be added."""

    base: Base
    schedule: tuple[float, ...]
    forward: Tensor = field(default_factory=lambda: _empty(torch.float64))
    reverse: Tensor = field(default_factory=lambda: _empty(torch.float64))
    forward_group: Tensor = field(default_factory=lambda: _empty(torch.int64))
    reverse_group: Tensor = field(default_factory=lambda: _empty(torch.int64))

    def extend(self, rbm: RBM, chains: int, noise: Noise) -> None:
        """Add `chains` annealings in each direction."""
        v, log_w = forward(self.base, self.schedule, chains, noise)
        index = resample(log_w, noise)
        back = reverse(self.base, self.schedule, settled(self.base, rbm, v[index], len(self.schedule), noise), noise)
        group = torch.arange(chains) % GROUPS
        # All at once, so that an interruption leaves both directions alike
        self.forward, self.reverse, self.forward_group, self.reverse_group = (
            torch.cat([self.forward, log_w.cpu()]),
            torch.cat([self.reverse, back.cpu()]),
            torch.cat([self.forward_group, group]),
            torch.cat([self.reverse_group, group[index.cpu()]]),
        )

    def estimate(self) -> Estimate:
        """The estimate between the two, which are its `sides`; its effective sample size is the smaller of theirs."""
        z = self.base.log_z
        below = estimate_from_log_weights(self.forward, z, "AIS", -1)
        above = estimate_from_log_weights(self.reverse, z, "reverse AIS", 1)
        value, _ = bennett(self.forward, self.reverse)
        return Estimate(
            z + value,
            self._jackknife(),
            "AIS and reverse AIS, BAR",
            0,
            min(below.ess, above.ess),
            freedom=GROUPS - 1,
            sides=(below, above),
        )

    def _jackknife(self) -> float:
        """The standard error; infinite where all reverse annealings descend from one group."""
        without = []
        for group in range(GROUPS):
            rest = self.forward[self.forward_group != group], self.reverse[self.reverse_group != group]
            if min(map(len, rest)) == 0:
                return math.inf
            without.append(bennett(*rest)[0])
        return math.sqrt((GROUPS - 1) * float(torch.tensor(without, dtype=torch.float64).var(correction=0)))


@dataclass(frozen=True)
class Bidirectional:
    """`chains` annealings in each direction; the arguments are those of `harmonium.logz.ais.AIS`."""

    schedule: tuple[float, ...] = even_schedule(500)
    chains: int = 256
    base: RBM | Base | None = None

    def __call__(self, rbm: RBM, noise: Noise) -> Estimate:
        """Estimate ln Z; raises InputError where the machine is not normalisable."""
        works = BothWays(checked_base(rbm, self.base), self.schedule)
        works.extend(rbm, self.chains, noise)
        return works.estimate()
