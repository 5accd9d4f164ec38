"""The free-energy gap between held-out and training rows: over-fitting seen without ln Z.

    gap = < F(v) >_held-out - < F(v) >_train = L_train - L_held-out        ln Z is the same in both, and cancels

Both averages are over equally many rows (Hinton 2012, section 6).  A gap within its standard error of zero says that
the machine likes new rows as much as its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.evaluate.likelihood import free_energies
from harmonium.feed import Feed
from harmonium.machine import RBM
from harmonium.noise import seed_for


@dataclass(frozen=True)
class Gap:
    """The gap in nats a row, the standard error that the choice of rows brings, and how many rows each side has."""

    value: float
    stderr: float
    rows: int

    @property
    def z(self) -> float:
        """The gap in standard errors; 0 where both are 0."""
        return self.value / self.stderr if self.stderr else math.copysign(math.inf, self.value) if self.value else 0.0


@torch.no_grad()
def free_energy_gap(rbm: RBM, feed: Feed, train: Tensor, held_out: Tensor, *, seed: int = 0) -> Gap:
    """Compare the row numbers `held_out` with equally many of `train`, chosen with the seed.

    Raises InputError where either side has fewer than two rows, or the machine has no distribution.
    """
    count = min(len(train), len(held_out))
    if count < 2:
        raise InputError(
            f"a gap needs at least two rows on either side, not {len(train)} for training and {len(held_out)} held "
            "out; set held_out."
        )
    rbm.check_normalisable()
    sides = []
    for name, rows in (("train", train), ("held-out", held_out)):
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed_for(seed, "gap", name)))
        sides.append(free_energies(rbm, feed, rows[order[:count]].sort().values, seed=seed))
    own, new = sides
    return Gap(float(new.mean() - own.mean()), float(((own.var() + new.var()) / count).sqrt()), count)
