"""ln Z and the model's moments exactly, by enumerating the side with fewer states.

    ln Z = logsumexp over the states h of one side of  [ ln base(h) + b·T(h) + A_v(a + W h) ]

Blocks of states pass through a running logsumexp, so memory does not grow with the number of states.  Two Gaussian
sides are integrated in closed form:  ln Z = (V + H)/2 ln 2 pi - ln det(P)/2 + c P^-1 c / 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.gibbs import sample_v_from_h
from harmonium.kernels import split_exponential
from harmonium.logz.base import Estimate
from harmonium.machine import RBM
from harmonium.moments import Sample, moments
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Gaussian, Ising

#: Entries of one block of fields; a block of float64 then fits the processor's second cache and memory stays small.
BLOCK_ENTRIES = 1 << 20
#: Low states of the split enumeration; their factors for 784 units then stay in the processor's caches.
LOW_STATES = 1024
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


def _blocks(rbm: RBM) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Blocks of hidden states h (B, H), their eta_v (B, k_v, V) and ln of their unnormalised weight (B,)."""
    hidden, count = rbm.hidden, rbm.hidden.n_states or 0
    block = max(1, BLOCK_ENTRIES // max(rbm.visible.size, hidden.size))
    for start in range(0, count, block):
        index = torch.arange(start, min(start + block, count), device=rbm.W.device)
        h = hidden.states(index, like=rbm.W)
        eta_v = rbm.eta_v_from_h(h)
        yield h, eta_v, -rbm.mirror().free_energy(h, eta_h=eta_v)


def exact_log_z(rbm: RBM) -> float:
    """ln Z in nats, in the precision of the machine's tensors (use float64 for a published number).

    Raises InputError where neither side can be enumerated, or the machine is not normalisable.
    """
    rbm.check_normalisable()
    if isinstance(rbm.visible, Gaussian) and isinstance(rbm.hidden, Gaussian):
        return _gaussian_log_z(rbm)
    turned = _turned(rbm)
    fast = _split_log_z(turned)
    if fast is not None:
        return fast + turned.hidden.log_base
    total = -math.inf
    for _, _, log_weight in _blocks(turned):
        total = math.log1p(math.exp(-abs(total - (x := float(log_weight.logsumexp(0)))))) + max(total, x)
    return total + turned.hidden.log_base  # the other side's base measure is within its log-partition


def _split_log_z(rbm: RBM) -> float | None:
    """ln Z over the hidden states by `harmonium.kernels.split_exponential`; None where it does not apply.

    softplus(x) is the log-partition of a {0, 1} unit, softplus(2 x) - x that of a {-1, +1} unit.
    """
    slope = {Bernoulli: 1.0, Ising: 2.0}.get(type(rbm.visible))
    levels = rbm.hidden.levels
    if slope is None or levels is None or math.prod(levels) < 4 * LOW_STATES:
        return None
    low_count = 1
    for level in reversed(levels):  # low digits are whole units, so that fields add
        if low_count >= LOW_STATES:
            break
        low_count *= level
    like, hidden = rbm.W, rbm.hidden
    low = hidden.states(torch.arange(low_count, device=like.device), like=like)
    low_field = (low - low[:1]) @ rbm.W.mT  # what the low digits add to the state with all of them 0
    low_own = (low - low[:1]) @ rbm.b[0]
    total = -math.inf
    step = low_count * max(1, BLOCK_ENTRIES // rbm.visible.size)
    for start in range(0, math.prod(levels), step):
        stop = min(start + step, math.prod(levels))
        high = hidden.states(torch.arange(start, stop, low_count, device=like.device), like=like)
        high_field, high_own = rbm.eta_v_from_h(high)[:, 0], high @ rbm.b[0]
        linear = slope - 1.0
        fields = slope * high_field, slope * low_field
        if not split_exponential.fits(*fields):
            return None
        x = split_exponential.log_sum(
            *fields, high_own - linear * high_field.sum(-1), low_own - linear * low_field.sum(-1)
        )
        total = math.log1p(math.exp(-abs(total - x))) + max(total, x)
    return total


def exact_moments(rbm: RBM) -> tuple[float, RBM]:
    """ln Z in nats and the model's moments, in one pass over the states of the smaller side.

    Raises InputError where neither side can be enumerated.
    """
    turned = _turned(rbm)
    mirrored = turned.mirror()
    total, sums = -math.inf, None
    for h, eta_v, log_weight in _blocks(turned):
        x = float(log_weight.logsumexp(0))
        block = moments(mirrored, Sample(h, (log_weight - x).exp(), eta_v))
        new = math.log1p(math.exp(-abs(total - x))) + max(total, x)
        share = math.exp(x - new)
        sums = block if sums is None else sums.map(lambda s, m, share=share: torch.lerp(s, m, share), block)
        total = new
    assert sums is not None
    result = sums if turned is not rbm else sums.mirror()
    return total + turned.hidden.log_base, replace(result, visible=rbm.visible, hidden=rbm.hidden)


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


def _turned(rbm: RBM) -> RBM:
    turned = smaller_side_hidden(rbm)
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
