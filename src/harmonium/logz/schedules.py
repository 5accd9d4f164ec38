"""Temperatures of an annealing, t_0 = 0 to t_K = 1.

    even        t_k = k / K
    reference   finer and finer towards 1, 14,500 steps (Salakhutdinov and Murray 2008)
    adaptive    int_0^{t_k} s(t) dt = (k / K) int_0^1 s(t) dt,    s(t)² = Var_t[dF_t/dt]

The adaptive one gives every step the same variance of ln w, which minimises the variance of their sum where the
chains keep up (thermodynamic length: Crooks 2007; Grosse, Maddison and Salakhutdinov 2013).  s is measured by pilot
annealings, each along the schedule that the one before has found.
"""

from __future__ import annotations

import numpy as np
import torch

from harmonium.gibbs import sample_side
from harmonium.logz.annealing import anneal
from harmonium.machine import RBM
from harmonium.noise import Noise

#: Steps of the pilot annealings, and their chains.
PILOT_STEPS, PILOT_CHAINS = (50, 100, 200), 64
#: Share of the steps that is spread evenly, whatever the pilots say: what they have not seen is not left out.
_EVEN_SHARE = 0.1


def even_schedule(steps: int) -> tuple[float, ...]:
    """steps + 1 evenly spaced temperatures from 0 to 1."""
    return tuple(i / steps for i in range(steps + 1))


def reference_schedule() -> tuple[float, ...]:
    """The 14,500 steps of Salakhutdinov's published code: fine where the machine is nearly itself."""
    pieces = [(0.0, 0.5, 500), (0.5, 0.9, 4000), (0.9, 1.0, 10000)]
    return (*(lo + (hi - lo) * i / n for lo, hi, n in pieces for i in range(n)), 1.0)


class AdaptiveSchedule:
    """Schedules of any length for the annealing from `base` (independent units) to `rbm`, from one set of pilots."""

    def __init__(self, base: RBM, rbm: RBM, noise: Noise) -> None:
        self._t, self._length = np.array([0.0, 1.0]), np.array([0.0, 1.0])
        for steps in PILOT_STEPS:
            schedule = self(steps)
            gains = torch.empty(steps, PILOT_CHAINS, dtype=torch.float64, device=rbm.W.device)

            def watch(k: int, gain: torch.Tensor, gains: torch.Tensor = gains) -> None:
                gains[k] = gain

            v = sample_side(rbm.visible, base.a.expand(PILOT_CHAINS, -1, -1), noise)
            anneal(base, rbm, v, schedule, noise, watch=watch)
            self._measured(np.array(schedule), gains.std(1).cpu().numpy())

    def _measured(self, t: np.ndarray, deviation: np.ndarray) -> None:
        """Take the deviation of each step's ln w, which is s dt, as the length of the step."""
        length = np.concatenate([[0.0], np.cumsum(deviation)])
        self._t = t
        if np.isfinite(length[-1]) and length[-1] > 0:
            self._length = (1 - _EVEN_SHARE) * length / length[-1] + _EVEN_SHARE * t
        else:  # a machine of independent units, or one whose weights have no variance
            self._length = t

    def __call__(self, steps: int) -> tuple[float, ...]:
        """steps + 1 temperatures from 0 to 1, strictly rising."""
        inner = np.interp(np.arange(1, steps) / steps, self._length, self._t)
        return (0.0, *(float(t) for t in inner), 1.0)
