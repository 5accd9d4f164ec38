"""Does the machine make data like its own?  Moments of the data beside those of the model.

    means        < v_i >                          of every visible entry
    covariances  < v_i v_j > - < v_i > < v_j >    of entries of different units
    hidden       < E[h_j | v] >                   of every hidden entry

    z = (data - model) / sqrt(s² / N + s_m² / M + (r / N)²)

N rows and M independent model samples, with the spreads s of each; M is infinite where the model's moments are exact.
r is the reach of an entry (for a product, of both): one row more or less is then never a finding, however rare the
event.  z is standard normal, or narrower, for rows that the machine has not been trained on and that it fits.
On training rows the three differences are the gradient of the likelihood itself, but for the covariances.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from harmonium.checks import checked_states
from harmonium.errors import InputError
from harmonium.gibbs import sample_side
from harmonium.logz.exact import BLOCK_ENTRIES, exact_log_z, smaller_side_hidden
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.units import UnitFamily, parts_of

#: Multiplications for the model's exact covariances: seconds.
EXACT_COST = 2e10
#: Entries whose covariances are compared at most, evenly spaced; 1000 make half a million pairs.
MOST_ENTRIES = 1000


@dataclass(frozen=True, eq=False)
class Agreement:
    """One kind of moments: arrays (n,) of the data's, the model's, and their difference in standard errors."""

    data: Tensor
    model: Tensor
    stderr: Tensor

    @property
    def z(self) -> Tensor:
        """(data - model) / stderr; 0 where both are 0."""
        difference = self.data - self.model
        return torch.where(difference == 0, 0.0, difference / self.stderr)

    @property
    def rms(self) -> float:
        """The root of the mean squared difference."""
        return _rms(self.data - self.model)

    @property
    def rms_noise(self) -> float:
        """What the sampling errors alone would make of it."""
        return _rms(self.stderr)

    @property
    def slope(self) -> float:
        """Of the least-squares line of the model's moments over the data's; below 1: too weak.  NaN if all agree."""
        d = self.data - self.data.mean()
        return float((d @ (self.model - self.model.mean())) / (d @ d)) if float(d @ d) else math.nan

    @property
    def r2(self) -> float:
        """1 - sum (data - model)² / sum (data - mean)²: the data's variation that the model has; 1 is all of it."""
        d = self.data - self.data.mean()
        return float(1 - (self.data - self.model).square().sum() / (d @ d)) if float(d @ d) else math.nan

    def worst(self, count: int = 5) -> Tensor:
        """The numbers of the entries with the largest |z|, the worst first."""
        return self.z.abs().argsort(descending=True, stable=True)[:count]


def _rms(x: Tensor) -> float:
    return float(x.square().mean().sqrt()) if x.numel() else math.nan


@dataclass(frozen=True, eq=False)
class Fidelity:
    """Data against model.

    Attributes
    ----------
    means, covariances, hidden : Agreement
        Of (V,) visible entries, of the (P,) `pairs`, and of (H,) hidden entries.
    pairs : Tensor (2, P)
        The two entries of each covariance.
    rows : int
        Data rows.
    samples : float
        Independent samples of the model; infinite where its moments are exact.
    """

    means: Agreement
    covariances: Agreement
    hidden: Agreement
    pairs: Tensor
    rows: int
    samples: float


@dataclass(frozen=True, eq=False)
class _Moments:
    """First moments of visible (V,) and hidden (H,) entries and covariances (C, C) of chosen entries, each with the
    variance that one sample of it has; `samples` is how many were averaged."""

    means: tuple[Tensor, Tensor]
    covariances: tuple[Tensor, Tensor]
    hidden: tuple[Tensor, Tensor]
    samples: float


#: States v (n, V) and E[h | v] (n, H), which say how far one sample spreads; v̄ and h̄ of the same shapes, which are
#: averaged (E[v | h] and h where h is enumerated); and weights (n,) that sum to one over all blocks.
_Block = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


@torch.no_grad()
def fidelity(rbm: RBM, v: Tensor, samples: Tensor | None = None, *, seed: int = 0) -> Fidelity:
    """Compare data rows v (N, V) with the machine.

    Parameters
    ----------
    rbm : RBM
    v : Tensor (N, V)
        Visible states.
    samples : Tensor (M, V), optional
        Independent samples of the machine, such as the ends of chains; None enumerates the machine.
    seed : int
        Of the samples that tell the spread of an enumerated machine.

    Raises
    ------
    InputError
        Fewer than two rows, rows of the wrong width, a machine without a distribution, or no samples of one that
        cannot be enumerated.
    """
    v, rbm = checked_states(rbm, v), rbm.to(dtype=torch.float64)
    if len(v) < 2:
        raise InputError("v has one row, and moments need at least two; give more.")
    if samples is None and not can_enumerate(rbm):
        raise InputError(f"{rbm.visible.spec} with {rbm.hidden.spec} is too large to enumerate; give samples of it.")
    entries = chosen_entries(rbm.visible.size).to(v.device)
    data = _moments(lambda: _sampled(rbm, v), entries, len(v))
    if samples is None:
        model = _moments(lambda: _enumerated(rbm, seed), entries, math.inf)
    else:
        samples = checked_states(rbm, samples, "samples")
        model = _moments(lambda: _sampled(rbm, samples), entries, len(samples))
    unit, reach = units_and_reach(rbm.visible, v)
    upper = torch.triu_indices(len(entries), len(entries), 1, device=v.device)
    upper = upper[:, unit[entries[upper[0]]] != unit[entries[upper[1]]]]
    pairs = entries[upper]  # (2, P)
    reach_h = units_and_reach(rbm.hidden, _hidden_means(rbm, v))[1]

    def agreement(name: str, reach: Tensor, chosen: Any = ...) -> Agreement:
        (own, own_variance), (other, other_variance) = getattr(data, name), getattr(model, name)
        variance = own_variance / len(v) + other_variance / model.samples
        stderr = (variance[chosen].clamp_min(0) + (reach / len(v)).square()).sqrt()
        return Agreement(own[chosen], other[chosen], stderr)

    return Fidelity(
        means=agreement("means", reach),
        covariances=agreement("covariances", reach[pairs].prod(0), tuple(upper)),
        hidden=agreement("hidden", reach_h),
        pairs=pairs,
        rows=len(v),
        samples=model.samples,
    )


def chosen_entries(size: int) -> Tensor:
    """The entries whose covariances are compared: all, or `MOST_ENTRIES` evenly spaced."""
    return torch.arange(size) if size <= MOST_ENTRIES else torch.linspace(0, size - 1, MOST_ENTRIES).round().long()


def can_enumerate(rbm: RBM) -> bool:
    """Whether all moments of the machine are a matter of seconds."""
    turned = smaller_side_hidden(rbm)
    states = math.inf if turned is None else float(turned.hidden.n_states or 0)
    return states * (min(rbm.visible.size, MOST_ENTRIES) ** 2 + rbm.W.numel()) <= EXACT_COST


def _hidden_means(rbm: RBM, v: Tensor) -> Tensor:
    return rbm.hidden.mean(rbm.eta_h_from_v(v))[..., 0, :]


def _sampled(rbm: RBM, v: Tensor) -> Iterator[_Block]:
    """Equally likely states."""
    for block in v.split(max(1, BLOCK_ENTRIES // max(v.shape[1], rbm.hidden.size))):
        h = _hidden_means(rbm, block)
        yield block, h, block, h, v.new_full((len(block),), 1 / len(v))


def _enumerated(rbm: RBM, seed: int) -> Iterator[_Block]:
    """All states of the side with fewer, with their probabilities."""
    turned = smaller_side_hidden(rbm)
    assert turned is not None
    noise = Noise(seed_for(seed, "fidelity"), dtype=rbm.W.dtype, device=rbm.W.device)
    side, log_z = turned.hidden, exact_log_z(rbm)
    step, count = max(1, BLOCK_ENTRIES // max(rbm.W.shape)), side.n_states or 0
    for start in range(0, count, step):
        states = side.states(torch.arange(start, min(start + step, count), device=rbm.W.device), like=rbm.W)
        weight = (side.log_base - turned.mirror().free_energy(states) - log_z).exp()
        if turned is not rbm:
            h = _hidden_means(rbm, states)
            yield states, h, states, h, weight
        else:
            eta_v = rbm.eta_v_from_h(states)
            v = sample_side(rbm.visible, eta_v, noise)
            yield v, _hidden_means(rbm, v), rbm.visible.mean(eta_v)[..., 0, :], states, weight


def _moments(blocks: Callable[[], Iterator[_Block]], entries: Tensor, samples: float) -> _Moments:
    """Two passes over the same blocks: the means, then the spread about them."""
    mean_v, mean_h = (
        torch.stack(list(sums)).sum(0) for sums in zip(*((w @ v, w @ h) for _, _, v, h, w in blocks()), strict=True)
    )
    centre = mean_v[entries]
    variance_v, variance_h = torch.zeros_like(mean_v), torch.zeros_like(mean_h)
    products = centre.new_zeros(len(centre), len(centre))
    squares = torch.zeros_like(products)
    for v, h, v_bar, _, weight in blocks():
        spread = (v - mean_v).square()
        variance_v += weight @ spread
        variance_h += weight @ (h - mean_h).square()
        d, d2 = v_bar[:, entries] - centre, spread[:, entries]
        products += (weight.unsqueeze(1) * d).mT @ d
        squares += (weight.unsqueeze(1) * d2).mT @ d2
    return _Moments((mean_v, variance_v), (products, squares - products.square()), (mean_h, variance_h), samples)


def units_and_reach(side: UnitFamily, x: Tensor) -> tuple[Tensor, Tensor]:
    """The unit that each entry belongs to, and the reach of its values: (size,) each.

    The reach is the greatest less the least value; of unbounded units the greatest distance from the mean in x.
    """
    units, reaches, at, number = [], [], 0, 0
    for part in parts_of(side):
        width = part.size // part.n
        units.append(torch.arange(part.n, device=x.device).repeat_interleave(width) + number)
        own = x[:, at : at + part.size]
        if part.levels is not None:
            one = replace(cast(Any, part), n=1)
            states = one.states(torch.arange(one.n_states, device=x.device), like=x)
            reaches.append((states.amax(0) - states.amin(0)).repeat(part.n))
        elif bool(part.precision(part.neutral(x)).isinf().all()):
            reaches.append(x.new_full((part.size,), 2.0))
        else:
            reaches.append((own - own.mean(0)).abs().amax(0))
        at, number = at + part.size, number + part.n
    return torch.cat(units), torch.cat(reaches)
