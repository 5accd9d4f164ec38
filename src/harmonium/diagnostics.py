"""Have chains mixed?  What a few scalar series of them say.

    R-hat    spread between chains against the spread within, rank-normalised and split: 1 where all chains agree
    ESS      independent samples that would be worth as much (bulk: ranks instead of values)
    tau      = draws / ESS, the integrated autocorrelation time in sweeps

Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), as computed by ArviZ.  Watched are the free energy and the
projections on the leading singular directions of W, along which modes lie apart; the worst value is reported.  Chains
that have all missed the same mode look mixed: start some from data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harmonium.machine import RBM

#: What chains must reach to be trusted: Vehtari et al. (2021) ask for 1.01 of posterior means, pictures are content
#: with less; and this many effective samples.
MOST_RHAT, LEAST_ESS = 1.05, 100.0
#: Sweeps below which a series says nothing.
LEAST_DRAWS = 8
_DIRECTIONS = 3


@dataclass(frozen=True)
class Mixing:
    """What the series of `chains` chains, `draws` sweeps each, say.

    Attributes
    ----------
    rhat : float
        The largest split R-hat of all series.
    ess : float
        The smallest effective sample size, of all chains together.
    tau : float
        The largest integrated autocorrelation time, in sweeps.
    """

    rhat: float
    ess: float
    tau: float
    chains: int
    draws: int

    def as_dict(self) -> dict[str, float | int | bool | None]:
        """The numbers by name, for JSON; null where one is not finite."""
        numbers = {"rhat": self.rhat, "ess": self.ess, "autocorrelation_time": self.tau}
        shown = {name: x if math.isfinite(x) else None for name, x in numbers.items()}
        return {**shown, "chains": self.chains, "draws": self.draws, "mixed": self.mixed}

    @property
    def mixed(self) -> bool:
        """Whether R-hat and the effective sample size are good enough."""
        return self.rhat <= MOST_RHAT and self.ess >= LEAST_ESS

    @property
    def verdict(self) -> str:
        """One sentence."""
        facts = f"R-hat {self.rhat:.3f}, {self.ess:,.0f} effective samples of {self.chains * self.draws:,}"
        facts += f", autocorrelation time {self.tau:,.1f} sweeps"
        if self.mixed:
            return f"The chains agree: {facts}."
        if self.rhat > MOST_RHAT:
            return f"The chains have not mixed: {facts}; R-hat should stay below {MOST_RHAT}."
        return f"The chains are too short to tell: {facts}; {LEAST_ESS:.0f} are wanted."


class Watched:
    """Scalars of visible states: v (..., V) -> (..., 1 + directions), the free energy in nats first."""

    def __init__(self, rbm: RBM, directions: int = _DIRECTIONS) -> None:
        self.rbm = rbm
        W = rbm.W.detach().double()
        smaller = W.mT @ W if W.shape[1] <= W.shape[0] else W @ W.mT
        _, vectors = torch.linalg.eigh(smaller)
        vectors = vectors[:, -directions:]
        self.directions = (W @ vectors if W.shape[1] <= W.shape[0] else vectors).to(rbm.W.dtype)

    def __call__(self, v: Tensor, *, eta_h: Tensor | None = None) -> Tensor:
        """The scalars; eta_h, where it is known already, saves the product."""
        return torch.cat([self.rbm.free_energy(v, eta_h=eta_h).unsqueeze(-1), v @ self.directions], -1)


def diagnose(series: Tensor) -> Mixing:
    """The worst of several series: (draws, chains, series), `LEAST_DRAWS` draws or more."""
    from arviz_stats.base.array import array_stats  # slow to import

    values = series.double().cpu().numpy().transpose(2, 1, 0)
    draws, chains = series.shape[:2]
    # A series that never moves has no spread to divide by: it says nothing where all chains agree, and all where not
    moving = values.reshape(len(values), -1).std(1) > 1e-12 * (1 + np.abs(values).max((1, 2)))
    if not moving.any():
        return Mixing(1.0, float(draws * chains), 1.0, chains, draws)
    with np.errstate(divide="ignore", invalid="ignore"):
        rhat = np.array([array_stats.rhat(x) for x in values[moving]])
        ess = np.array([array_stats.ess(x) for x in values[moving]])
    worst = float(np.nan_to_num(rhat, nan=math.inf).max())
    worst = worst if worst < 1e6 else math.inf  # chains that do not move at all, but for rounding
    least = float(np.nan_to_num(ess, nan=1.0).min())
    return Mixing(worst, least, draws * chains / least, chains, draws)
