"""The TAP (second order Plefka) expansion: magnetisations that solve their own equations, without sampling.

    ln Z = extremum over m of  sum over units [A(eta) - eta m] + a·m_v + b·m_h + m_v W m_h + 1/2 sum_ij W_ij² c_i c_j
    eta_i = a_i + sum_j W_ij m_j + 1/2 (dc_i / dm_i) sum_j W_ij² c_j,       m = A'(eta),  c = A''(eta), dc/dm = A'''/A''

(Plefka 1982; Georges and Yedidia 1991; Gabrié, Tramel and Krzakala 2015; for general units Tramel et al. 2018.)  m is a
unit's mean and c its variance in the bare field eta.  At a solution the derivatives of ln Z are the model's moments,

    < v > = m_v,    < h > = m_h,    < v_i h_j > = m_i m_j + W_ij c_i c_j,

with errors of the third order in W.  The bare fields are iterated, so nothing has to be inverted:
eta <- (1 - damping) eta + damping (the right-hand side), hidden and visible units in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from harmonium.checks import check_whole
from harmonium.errors import InputError
from harmonium.gibbs import start_visible
from harmonium.machine import RBM
from harmonium.moments import Sample
from harmonium.negative.base import Info, State
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Interval, Ising, Multivalued, UnitFamily, parts_of

_BOUNDED = (Bernoulli, Ising, Multivalued, Interval)


@dataclass(frozen=True)
class TAP:
    """At most `iterations` steps of the equations an update, from the `chains` solutions of the update before.

    Use it for weak to moderate couplings (the start of a training, physics), where it is deterministic, fast and
    nearly exact.  Not for strong couplings: solutions come apart from the machine's modes, or stop converging
    (info["tap_change"], the last change of a field, then stays large).  Each chain keeps a solution of its own, and
    all count alike, whatever their free energies.

    Raises InputError for units other than Bernoulli, Ising, multivalued and interval ones.
    """

    iterations: int = 20
    chains: int = 100
    damping: float = 0.5
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        check_whole("iterations", self.iterations, 1)
        check_whole("chains", self.chains, 1)
        if not 0 < self.damping <= 1:
            raise InputError(f"damping must lie above 0 and be at most 1, not {self.damping!r}.")

    def check(self, rbm: RBM) -> None:
        """Raise InputError where the expansion is not known for these units."""
        for side in (rbm.visible, rbm.hidden):
            if not all(isinstance(part, _BOUNDED) for part in parts_of(side)):
                raise InputError(
                    f"tap knows bernoulli, ising, multivalued and interval units, not {side.spec}; use cd or pcd."
                )

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Bare fields of random states: those that each side would have if the other were so."""
        self.check(rbm)
        eta_h = rbm.eta_h_from_v(start_visible(rbm, self.chains, noise))[:, 0]
        return {"eta_v": rbm.eta_v_from_h(rbm.hidden.mean(eta_h.unsqueeze(1))[:, 0])[:, 0], "eta_h": eta_h}

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """Moments of the solutions, on average.

        info has ``log_z_tap`` (the mean over the solutions), ``tap_change`` and ``objective``, the mean log-likelihood
        in nats with that ln Z: its gradient is the returned one where the solutions have converged.
        """
        self.check(rbm)
        eta_v, eta_h, change = solve(rbm, state["eta_v"], state["eta_h"], self)
        log_z = float(log_z_tap(rbm, eta_v, eta_h).mean())
        own = -rbm.free_energy(data.v, eta_h=data.eta_h)
        mean = own.mean() if data.weight is None else data.weight @ own
        objective = float(mean) + rbm.visible.log_base - log_z
        info = {"log_z_tap": log_z, "tap_change": change, "objective": objective}
        return tap_moments(rbm, eta_v, eta_h), {"eta_v": eta_v, "eta_h": eta_h}, info


def solve(rbm: RBM, eta_v: Tensor, eta_h: Tensor, how: TAP) -> tuple[Tensor, Tensor, float]:
    """Bare fields eta_v (R, V) and eta_h (R, H) after iterating the equations, and the largest last change."""
    squared = rbm.W.square()
    _, c_h, slope_h = cumulants(rbm.hidden, eta_h)
    m_v, c_v, slope_v = cumulants(rbm.visible, eta_v)
    change = 0.0
    for _ in range(how.iterations):
        new_h = rbm.b[0] + m_v @ rbm.W + slope_h / 2 * (c_v @ squared)
        new_h = torch.lerp(eta_h, new_h, how.damping)
        m_h, c_h, slope_h = cumulants(rbm.hidden, new_h)
        new_v = rbm.a[0] + m_h @ rbm.W.mT + slope_v / 2 * (c_h @ squared.mT)
        new_v = torch.lerp(eta_v, new_v, how.damping)
        m_v, c_v, slope_v = cumulants(rbm.visible, new_v)
        change = max(float((new_v - eta_v).abs().max()), float((new_h - eta_h).abs().max()))
        eta_v, eta_h = new_v, new_h
        if change < how.tolerance:
            break
    return eta_v, eta_h, change


def log_z_tap(rbm: RBM, eta_v: Tensor, eta_h: Tensor) -> Tensor:
    """ln Z of the expansion at bare fields eta_v (R, V) and eta_h (R, H), in nats: (R,); stationary at solutions."""
    m_v, c_v, _ = cumulants(rbm.visible, eta_v)
    m_h, c_h, _ = cumulants(rbm.hidden, eta_h)
    entropy = rbm.visible.log_partition(eta_v.unsqueeze(1)) - (eta_v * m_v).sum(1)
    entropy = entropy + rbm.hidden.log_partition(eta_h.unsqueeze(1)) - (eta_h * m_h).sum(1)
    first = m_v @ rbm.a[0] + m_h @ rbm.b[0] + ((m_v @ rbm.W) * m_h).sum(1)
    return entropy + first + ((c_v @ rbm.W.square()) * c_h).sum(1) / 2


def tap_moments(rbm: RBM, eta_v: Tensor, eta_h: Tensor) -> RBM:
    """The derivatives of `log_z_tap` at solutions, averaged over them, in the places of W, a and b."""
    m_v, c_v, _ = cumulants(rbm.visible, eta_v)
    m_h, c_h, _ = cumulants(rbm.hidden, eta_h)
    W = (m_v.mT @ m_h + rbm.W * (c_v.mT @ c_h)) / len(eta_v)
    return replace(rbm, W=W, a=m_v.mean(0, keepdim=True), b=m_h.mean(0, keepdim=True))


def cumulants(side: UnitFamily, eta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """m = A'(eta), c = A''(eta) and dc/dm = A'''/A'' of one-dimensional units in fields eta: (R, n) each."""
    if isinstance(side, Bernoulli):
        m = eta.sigmoid()
        return m, m * (-eta).sigmoid(), 1 - 2 * m
    if isinstance(side, Ising):
        m = eta.tanh()
        return m, eta.cosh().reciprocal().square(), -2 * m
    with torch.enable_grad():  # in float64: far out, c is what is left of a difference
        field = eta.detach().double().requires_grad_()
        m = side.mean(field.unsqueeze(-2)).squeeze(-2)
        (c,) = torch.autograd.grad(m.sum(), field, create_graph=True)
        (third,) = torch.autograd.grad(c.sum(), field)
    m, c = m.detach(), c.detach().clamp_min(0)
    # |x - m| is at most 2 on [-1, 1], so |E(x - m)³| is at most 2 c: a bound that rounding must not pass
    slope = (third / c.clamp_min(torch.finfo(c.dtype).tiny)).clamp(-2, 2)
    return m.to(eta), c.to(eta), slope.to(eta)
