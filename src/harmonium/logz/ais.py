"""Annealed importance sampling of ln Z (Neal 2001; Salakhutdinov and Murray 2008), in marginal form.

    p_t(v) ~ exp(-F_t(v)),   F_t the free energy of lerp(base, rbm, t),   0 = t_0 < ... < t_K = 1
    ln w   = sum_k F_{k-1}(v_{k-1}) - F_k(v_{k-1}),   v_k by one sweep that leaves p_k invariant
    E[w]   = Z / Z_base, so that on average ln of the mean weight lies BELOW ln Z

The base is the machine of independent units with the data's base rates: from a uniform base the estimate has been
wrong by tens of nats.  The fields of the interpolated machine are the interpolated fields: no copy of W is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from harmonium.gibbs import sample_side
from harmonium.logz.base import Estimate
from harmonium.machine import RBM
from harmonium.noise import Noise


def reference_schedule() -> list[float]:
    """The 14,500 steps of Salakhutdinov's published code: fine where the machine is nearly itself."""
    pieces = [(0.0, 0.5, 500), (0.5, 0.9, 4000), (0.9, 1.0, 10000)]
    return [lo + (hi - lo) * i / n for lo, hi, n in pieces for i in range(n)] + [1.0]


def even_schedule(steps: int) -> list[float]:
    """steps + 1 evenly spaced temperatures from 0 to 1."""
    return [i / steps for i in range(steps + 1)]


def estimate_from_log_weights(log_w: Tensor, log_z_base: float, method: str, bound: int) -> Estimate:
    """ln Z = ln Z_base + ln mean(w), with the delta method's standard error and the effective sample size.

    log_w (N,).  The logarithm of the mean, never the mean of logarithms, which is biased however many chains run.
    """
    log_w = log_w.double()
    n = len(log_w)
    relative = (log_w - log_w.logsumexp(0) + math.log(n)).exp()  # w / mean(w)
    stderr = float(relative.std() / math.sqrt(n)) if n > 1 else math.inf
    ess = float(n * n / relative.square().sum())
    return Estimate(log_z_base + float(log_w.logsumexp(0)) - math.log(n), stderr, method, bound, ess)


@dataclass(frozen=True)
class AIS:
    """Annealed importance sampling with `chains` chains along `schedule`, from `base` (independent units).

    base is a machine with W = 0 on the same sides, such as ``rbm.decoupled(a)`` with the data's base rates; None
    takes the machine's own visible biases.
    """

    schedule: tuple[float, ...] = tuple(even_schedule(1000))
    chains: int = 256
    base: RBM | None = None

    def __call__(self, rbm: RBM, noise: Noise) -> Estimate:
        """Estimate ln Z; raises InputError where the machine is not normalisable."""
        rbm.check_normalisable()
        base = rbm.decoupled() if self.base is None else self.base.to(dtype=rbm.W.dtype, device=rbm.W.device)
        log_z_base = float(base.log_z_decoupled())
        return estimate_from_log_weights(self.log_weights(rbm, base, noise), log_z_base, "AIS", -1)

    def log_weights(self, rbm: RBM, base: RBM, noise: Noise) -> Tensor:
        """ln w of each chain: (chains,)."""
        visible, hidden = rbm.visible, rbm.hidden
        v = sample_side(visible, base.a.expand(self.chains, -1, -1), noise)
        log_w = torch.zeros(self.chains, dtype=torch.float64, device=v.device)

        def field_h(t: float) -> Tensor:
            return torch.lerp(base.b.expand_as(eta_h), eta_h, t)

        for before, now in zip(self.schedule, self.schedule[1:], strict=False):
            eta_h = rbm.eta_h_from_v(v)
            at_now = field_h(now)
            visible_part = (now - before) * ((rbm.a - base.a) * visible.statistics(v)).sum((-2, -1))
            log_w += visible_part + hidden.log_partition(at_now) - hidden.log_partition(field_h(before))
            h = sample_side(hidden, at_now, noise)
            eta_v = rbm.eta_v_from_h(h)
            v = sample_side(visible, torch.lerp(base.a.expand_as(eta_v), eta_v, now), noise)
        return log_w
