"""Kullback-Leibler importance estimation: the model is a weighted sample of a reference whose density is known.

    r(v) = exp(-F(v)) / (q(v) C),       C = mean of exp(-F)/q over a sample of q,   so that r has mean 1 under q
    objective = < ln r >_data + const,  gradient = < . >_data - sum_m w_m < . >_(v_m),    w_m ~ exp(-F(v_m)) / q(v_m)

(Sugiyama et al. 2008: the density ratio data/reference, log-linear, nearest in Kullback-Leibler divergence under the
constraint that it is normalised on the reference's sample; for Boltzmann machines Yasuda, Sakurai and Tanaka 2011.)
Here r q is the machine itself, so the constant C is an estimate of Z by importance sampling, and the objective, with
q's entropy term left out, is the mean log-likelihood with that estimate.

The reference is what makes it work.  Independent units with the data's means never meet structured data; here it is

    q(v) = mean over n of p(v | h_n),     h_n ~ p(h | v_n),  v_n the minibatch's rows after steps - 1 sweeps

so the sample is that of CD-k, and the weights correct its bias.  All components enter each weight (the balance
heuristic of Veach and Guibas 1995), and each component gives equally many points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from harmonium.checks import check_whole
from harmonium.gibbs import sample_side, sweep
from harmonium.machine import RBM
from harmonium.moments import Sample, moments
from harmonium.negative.base import Info, State
from harmonium.noise import Noise


@dataclass(frozen=True)
class KLIEP:
    """The reference centred at the minibatch after `steps` half sweeps back and forth, and at least `samples` points.

    Use it where hidden units say little about the visible ones (few or weak couplings): there it is nearly the
    likelihood's gradient, at the price of CD.  Not for large, strongly coupled machines: info["effective_samples"]
    falls to a few, and the gradient is noise.  Any families.
    """

    steps: int = 1
    samples: int = 100

    def __post_init__(self) -> None:
        check_whole("steps", self.steps, 1)
        check_whole("samples", self.samples, 1)

    def init(self, rbm: RBM, noise: Noise) -> State:
        """Nothing persists."""
        return {}

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """Weighted moments of the reference's sample.

        info has ``effective_samples`` = 1 / sum w², ``log_z_kliep``, and ``objective``, the mean log-likelihood in
        nats with that ln Z; it is the objective of this sample of q alone, which is drawn anew in each step.
        """
        v = data.v
        eta_h = rbm.eta_h_from_v(v) if data.eta_h is None else data.eta_h
        centres = sweep(rbm, v, noise, self.steps - 1, eta_h=eta_h)
        eta_centres = eta_h if self.steps == 1 else rbm.eta_h_from_v(centres)
        eta_v = rbm.eta_v_from_h(sample_side(rbm.hidden, eta_centres, noise))  # (N, k_v, V)
        each = math.ceil(self.samples / len(v))
        x = sample_side(rbm.visible, eta_v.repeat(each, 1, 1), noise)  # (M, V), component m mod N
        log_share = v.new_full((len(v),), -math.log(len(v))) if data.weight is None else data.weight.log()
        log_q = log_mixture(rbm, x, eta_v, log_share)
        sample, log_z, effective = importance(rbm, x, log_q - log_share.repeat(each) - math.log(len(v)))
        own = -rbm.free_energy(v, eta_h=eta_h)
        mean = own.mean() if data.weight is None else data.weight @ own
        info = {
            "effective_samples": effective,
            "log_z_kliep": log_z,
            "objective": float(mean) + rbm.visible.log_base - log_z,
        }
        return moments(rbm, sample), state, info


def log_mixture(rbm: RBM, x: Tensor, eta_v: Tensor, log_share: Tensor) -> Tensor:
    """ln of the mixture of visible units in fields eta_v (N, k_v, V) with ln of the shares (N,), at x (M, V): (M,)."""
    side = rbm.visible
    dots = side.statistics(x).flatten(1) @ eta_v.flatten(1).mT  # (M, N)
    return (dots - side.log_partition(eta_v) + log_share).logsumexp(1) - side.own_energy(x) + side.log_base


def importance(rbm: RBM, x: Tensor, log_q: Tensor) -> tuple[Sample, float, float]:
    """The machine as a weighted sample: x (M, V) drawn from a density with logarithms log_q (M,), in nats.

    Returns the sample with weights ~ exp(-F)/q, ln Z as the mean of those ratios, and the effective number of points.
    """
    eta_h = rbm.eta_h_from_v(x)
    log_ratio = rbm.visible.log_base - rbm.free_energy(x, eta_h=eta_h) - log_q
    log_sum = log_ratio.logsumexp(0)
    weight = (log_ratio - log_sum).exp()
    effective = 1 / float(weight.square().sum())
    return Sample(x, weight, eta_h), float(log_sum) - math.log(len(x)), effective
