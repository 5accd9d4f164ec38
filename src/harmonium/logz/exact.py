"""ln Z and the model's moments exactly, by enumerating the side with fewer states.

    ln Z = logsumexp over the states h of one side of  [ ln base(h) + b·T(h) + A_v(a + W h) ]

Blocks of states pass through a running logsumexp, so memory does not grow with the number of states.  Long sums go the
fast way of `harmonium.logz.split` where that applies: on the processor, the other side of Bernoulli, Ising and one-hot
units, the fields of each spreading over no more than hundreds of nats.  Two Gaussian sides are integrated in closed
form:  ln Z = (V + H)/2 ln 2 pi - ln det(P)/2 + c P^-1 c / 2.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.gibbs import sample_v_from_h
from harmonium.logz.base import Estimate
from harmonium.logz.split import SplitMachine
from harmonium.machine import RBM
from harmonium.moments import Sample, moments
from harmonium.noise import Noise
from harmonium.units import Gaussian

#: Entries of one block of fields; a block of float64 then fits the processor's second cache and memory stays small.
BLOCK_ENTRIES = 1 << 20
#: The same where a block must fill a graphics card.
DEVICE_BLOCK_ENTRIES = 1 << 24
#: Terms (states × units) from which the compiled enumeration is used.  It takes some 5 ms to prepare, as long as half a
#: million terms take the plain way; but the compiler's library takes half a second to import, which a single sum earns
#: back from 8 million terms on, and the steps of a training long before.
LOG_Z_TERMS, MOMENTS_TERMS = 1 << 23, 1 << 21
#: Terms a second of one thread, compiled and plain, and the seconds to import the compiler's library (a 2.5 GHz core).
FAST_RATE, PLAIN_RATE, FAST_START = 8e9, 1e8, 0.7
#: Seconds between two reports of progress.
REPORT_SECONDS = 0.25
#: Progress of a long sum: called with the fraction done.
Progress = Callable[[float], None]
#: Hidden states that are listed one by one for exact sampling.
MOST_STATES = 1 << 20


def smaller_side_hidden(rbm: RBM) -> RBM | None:
    """The machine turned so that the side with fewer states is hidden; None if neither side can be counted."""
    v, h = rbm.visible.n_states, rbm.hidden.n_states
    if v is None and h is None:
        return None
    return rbm if v is None or (h is not None and h <= v) else rbm.mirror()


def enumeration_cost(rbm: RBM) -> float:
    """Log-partition terms that `exact` must compute (states × entries of the other side); infinite if it cannot."""
    if isinstance(rbm.visible, Gaussian) and isinstance(rbm.hidden, Gaussian):
        return float((rbm.visible.n + rbm.hidden.n) ** 2)
    turned = smaller_side_hidden(rbm)
    if turned is None or (turned.hidden.n_states or 0) > 1 << 62:
        return math.inf
    return float(turned.hidden.n_states or 0) * turned.visible.size


def enumeration_seconds(rbm: RBM) -> float:
    """About how long `exact_log_z` will take on this processor, in seconds; infinite if it cannot be done.

    Other devices are taken for the plain way on the processor, which they should beat.
    """
    cost, turned = enumeration_cost(rbm), smaller_side_hidden(rbm)
    threads = torch.get_num_threads()
    if turned is None or math.isinf(cost) or _split(turned, LOG_Z_TERMS) is None:
        return cost / (PLAIN_RATE * threads)
    return FAST_START + cost / (FAST_RATE * threads)


def _blocks(rbm: RBM) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Blocks of hidden states h (B, H), their eta_v (B, k_v, V) and ln of their unnormalised weight (B,)."""
    hidden, count = rbm.hidden, rbm.hidden.n_states or 0
    entries = BLOCK_ENTRIES if rbm.W.device.type == "cpu" else DEVICE_BLOCK_ENTRIES
    block = max(1, entries // max(rbm.visible.size, hidden.size))
    for start in range(0, count, block):
        index = torch.arange(start, min(start + block, count), device=rbm.W.device)
        h = hidden.states(index, like=rbm.W)
        eta_v = rbm.eta_v_from_h(h)
        yield h, eta_v, -rbm.mirror().free_energy(h, eta_h=eta_v)


def exact_log_z(rbm: RBM, *, progress: Progress | None = None) -> float:
    """ln Z in nats, in the precision of the machine's tensors or better (use float64 for a published number).

    progress is called with the fraction done, a few times a second at most, and with 1 at the end.
    Raises InputError where neither side can be enumerated, or the machine is not normalisable.
    """
    rbm.check_normalisable()
    report = _Report(progress)
    if isinstance(rbm.visible, Gaussian) and isinstance(rbm.hidden, Gaussian):
        total = _gaussian_log_z(rbm)
    else:
        turned = _turned(rbm)
        split = _split(turned, LOG_Z_TERMS)
        total = _plain_log_z(turned, report) if split is None else split.log_z(report)
        total += turned.hidden.log_base  # the other side's base measure is within its log-partition
    report(1.0)
    return total


def _split(rbm: RBM, least_terms: float) -> SplitMachine | None:
    """The fast way over the hidden states, where it applies and pays."""
    return SplitMachine.of(rbm) if (rbm.hidden.n_states or 0) * rbm.visible.size >= least_terms else None


def _plain_log_z(rbm: RBM, report: Progress) -> float:
    total, done = -math.inf, 0
    for h, _, log_weight in _blocks(rbm):
        total = _log_add(total, float(log_weight.logsumexp(0)))
        report((done := done + len(h)) / (rbm.hidden.n_states or 1))
    return total


def exact_moments(rbm: RBM, *, progress: Progress | None = None) -> tuple[float, RBM]:
    """ln Z in nats and the model's moments, in one pass over the states of the smaller side.

    progress as in `exact_log_z`.  Raises InputError where neither side can be enumerated, or the machine has no
    distribution.
    """
    rbm.check_normalisable()
    return unchecked_moments(rbm, progress=progress)


def unchecked_moments(rbm: RBM, *, progress: Progress | None = None) -> tuple[float, RBM]:
    """The same for a training, which finds out itself where a parameter is no number: so are the moments then."""
    turned = _turned(rbm)
    report = _Report(progress)
    split = _split(turned, MOMENTS_TERMS)
    log_z, sums = _plain_moments(turned, report) if split is None else split.moments(report)
    report(1.0)
    result = (sums if turned is rbm else sums.mirror()).to(dtype=rbm.W.dtype)
    return log_z + turned.hidden.log_base, replace(result, visible=rbm.visible, hidden=rbm.hidden)


def _plain_moments(rbm: RBM, report: Progress) -> tuple[float, RBM]:
    mirrored = rbm.mirror()
    total, sums, done = -math.inf, None, 0
    for h, eta_v, log_weight in _blocks(rbm):
        x = float(log_weight.logsumexp(0))
        block = moments(mirrored, Sample(h, (log_weight - x).exp(), eta_v))
        total = _log_add(total, x)
        share = math.exp(x - total)
        sums = block if sums is None else sums.map(lambda s, m, share=share: torch.lerp(s, m, share), block)
        report((done := done + len(h)) / (rbm.hidden.n_states or 1))
    assert sums is not None
    return total, sums.mirror()


def sample_v_exactly(rbm: RBM, number: int, noise: Noise) -> Tensor:
    """Independent samples of p(v), (number, V): h from its exact distribution, then v ~ p(v | h).

    Raises InputError where the hidden side has no countable states, or more than `MOST_STATES`.
    """
    if (rbm.hidden.n_states or math.inf) > MOST_STATES:
        raise InputError(f"{rbm.hidden.spec} has no states that could be listed for exact sampling; use Gibbs sweeps.")
    log_weight = torch.cat([block for _, _, block in _blocks(rbm)]).double()
    passed = log_weight.softmax(0).cumsum(0)
    u = noise.uniform(number).double() * passed[-1]  # rounding must not leave room behind the last state
    index = torch.searchsorted(passed, u, right=True)
    return sample_v_from_h(rbm, rbm.hidden.states(index, like=rbm.W), noise)


def exact_estimate(rbm: RBM, noise: Noise | None = None) -> Estimate:
    """ln Z by enumeration, in float64; `noise` is not used."""
    return Estimate(exact_log_z(rbm.to(dtype=torch.float64)), 0.0, "exact")


class _Report:
    """Tells the fraction done, not more often than a person could read, and 1 once."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.last, self.ended = progress, time.monotonic(), False

    def __call__(self, fraction: float) -> None:
        now = time.monotonic()
        if self.progress is not None and not self.ended and (fraction == 1 or now - self.last >= REPORT_SECONDS):
            self.last, self.ended = now, fraction == 1
            self.progress(fraction)


def _log_add(x: float, y: float) -> float:
    """ln(e^x + e^y)."""
    return max(x, y) + math.log1p(math.exp(-abs(x - y)))


def _turned(rbm: RBM) -> RBM:
    turned = smaller_side_hidden(rbm)
    if turned is not None and math.isinf(enumeration_cost(rbm)):
        raise InputError(
            f"{turned.hidden.spec} has more than 2^62 states, too many to enumerate; "
            "ask for an estimated partition function (both) instead of the exact one."
        )
    if turned is None:
        raise InputError(
            f"neither {rbm.visible.spec} nor {rbm.hidden.spec} can be enumerated; "
            "ask for an estimated partition function (ais) instead of the exact one."
        )
    return turned


def _gaussian_log_z(rbm: RBM) -> float:
    """The integral of exp(c x - x P x / 2) over x = (v, h)."""
    pv, ph = rbm.visible.precision(rbm.a), rbm.hidden.precision(rbm.b)
    P = torch.cat([torch.cat([pv.diag(), -rbm.W], 1), torch.cat([-rbm.W.mT, ph.diag()], 1)])
    c = torch.cat([rbm.a[0], rbm.b[0]])
    factor = torch.linalg.cholesky(P)
    y = torch.linalg.solve_triangular(factor, c.unsqueeze(1), upper=False)
    return float(0.5 * len(c) * math.log(2 * math.pi) - factor.diagonal().log().sum() + 0.5 * y.square().sum())
