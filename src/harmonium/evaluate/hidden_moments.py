"""What hidden units do on data: the mean of each within each class, and how they go together.

    activation    < E[h_j | v] >_class  ±  its standard error over the rows
    covariance    Cov(h) = Cov_v(E[h | v]) + E_v[Cov(h | v)]                       (law of total covariance)

The units are independent given v, so that the second term is found unit by unit: on the diagonal, and within the block
of a one-hot unit, from the mean probability of each of its levels.  Under the machine's own distribution the same holds
with v ~ p(v); where the hidden states can be listed, p(h) itself is summed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from harmonium.checks import checked_states
from harmonium.errors import InputError
from harmonium.evaluate.hidden_states import class_numbers, discrete_hidden
from harmonium.logz.exact import BLOCK_ENTRIES, MOST_STATES, exact_log_z, smaller_side_hidden
from harmonium.machine import RBM
from harmonium.units import parts_of

#: Of a unit's squared reach: a variance below it is rounding, and the unit a constant.
NOTHING = 1e-13


@dataclass(frozen=True, eq=False)
class ClassActivation:
    """Mean activations by class.

    Attributes
    ----------
    classes, rows : tuple of C int
        The labels, and how many rows have each.
    mean, stderr : Tensor (C, H)
        Of E[h | v] over the rows of the class; the error is NaN for a class of one row.
    """

    classes: tuple[int, ...]
    rows: tuple[int, ...]
    mean: Tensor
    stderr: Tensor


@torch.no_grad()
def activation_by_class(rbm: RBM, v: Tensor, labels: Any) -> ClassActivation:
    """The mean activation of each hidden unit over the rows v (N, V) of each class, labels (N,).

    Raises InputError for rows that are no states of the machine, and for labels of another length.
    """
    if labels is None:
        raise InputError("labels is None; give the class of each row.")
    v, rbm = checked_states(rbm, v), rbm.to(dtype=torch.float64)
    classes, own = class_numbers(labels, v)
    h = torch.cat([rbm.hidden.mean(rbm.eta_h_from_v(block))[:, 0] for block in _row_blocks(rbm, v)])
    count = torch.bincount(own, minlength=len(classes)).unsqueeze(1).double()
    mean = h.new_zeros(len(classes), h.shape[1]).index_add_(0, own, h) / count
    spread = torch.zeros_like(mean).index_add_(0, own, (h - mean[own]).square())
    return ClassActivation(classes, tuple(count[:, 0].long().tolist()), mean, (spread / (count - 1) / count).sqrt())


@torch.no_grad()
def hidden_correlation(rbm: RBM, v: Tensor) -> Tensor:
    """The correlations of the hidden entries under data v (N, V) and p(h | v): (H, H), NaN beside a constant entry.

    Raises InputError for hidden units that cannot be counted, and rows that are no states of the machine.
    """
    discrete_hidden(rbm)
    v, rbm = checked_states(rbm, v), rbm.to(dtype=torch.float64)
    return _correlation(_over_rows(rbm, [(block, None) for block in _row_blocks(rbm, v)], len(v)))


@torch.no_grad()
def model_hidden_correlation(rbm: RBM, samples: Tensor | None = None) -> Tensor:
    """The same under the machine's own distribution: exact, or from its samples (M, V) where they are given.

    Raises InputError for hidden units that cannot be counted, and where there are no samples of a machine of which
    both sides have more than `MOST_STATES` states.
    """
    discrete_hidden(rbm)
    if samples is not None:
        return hidden_correlation(rbm, checked_states(rbm, samples, "samples"))
    rbm = rbm.to(dtype=torch.float64)
    turned = smaller_side_hidden(rbm)
    assert turned is not None
    if (turned.hidden.n_states or 0) > MOST_STATES:
        raise InputError(
            f"{rbm.visible.spec} and {rbm.hidden.spec} both have more than {MOST_STATES:,} states; give samples of the "
            "machine."
        )
    if turned is rbm:
        return _correlation(_over_states(rbm))
    return _correlation(_over_rows(rbm, list(_all_states(turned)), 1))


#: Mean (H,), covariance (H, H) and reach (H,) of the hidden entries.
_Moments = tuple[Tensor, Tensor, Tensor]


def _row_blocks(rbm: RBM, v: Tensor) -> tuple[Tensor, ...]:
    return v.split(max(1, BLOCK_ENTRIES // max(v.shape[1], rbm.hidden.size * rbm.hidden.k)))


def _all_states(turned: RBM) -> Iterator[tuple[Tensor, Tensor]]:
    """All states of the hidden side and their probabilities, in blocks."""
    side, log_z, mirrored = turned.hidden, exact_log_z(turned), turned.mirror()
    step, count = max(1, BLOCK_ENTRIES // max(turned.W.shape)), side.n_states or 0
    for start in range(0, count, step):
        x = side.states(torch.arange(start, min(start + step, count), device=turned.W.device), like=turned.W)
        yield x, (side.log_base - mirrored.free_energy(x) - log_z).exp()


def _over_states(rbm: RBM) -> _Moments:
    """Two passes over p(h): the mean, then the spread about it."""
    mean = torch.stack([p @ h for h, p in _all_states(rbm)]).sum(0)
    covariance, low, high = torch.zeros(len(mean), len(mean)).to(mean), mean, mean
    for h, p in _all_states(rbm):
        d = h - mean
        covariance += (p.unsqueeze(1) * d).mT @ d
        low, high = torch.minimum(low, h.amin(0)), torch.maximum(high, h.amax(0))
    return mean, covariance, high - low


def _over_rows(rbm: RBM, rows: list[tuple[Tensor, Tensor | None]], total: int) -> _Moments:
    """The law of total covariance over blocks of rows with weights that sum to `total` (None: 1 each)."""
    side = rbm.hidden
    H = side.size
    weighted = [(x, x.new_ones(len(x)) / total if w is None else w / total) for x, w in rows]
    mean = torch.stack([w @ side.mean(rbm.eta_h_from_v(x))[:, 0] for x, w in weighted]).sum(0)
    covariance, levels = torch.zeros(H, H).to(mean), _Levels(rbm)
    for x, w in weighted:
        eta = rbm.eta_h_from_v(x)
        d = side.mean(eta)[:, 0] - mean
        covariance += (w.unsqueeze(1) * d).mT @ d
        levels.add(eta, w)
    levels.fill_(covariance, mean)
    return mean, covariance, levels.reach


class _Levels:
    """The mean probability of each level of each unit, and the covariances within units that follow from it."""

    def __init__(self, rbm: RBM) -> None:
        self.tables, self.p = [], []
        self.units = parts_of(rbm.hidden)
        for part in self.units:
            one = replace(cast(Any, part), n=1)
            table = one.states(torch.arange(one.n_states, device=rbm.W.device), like=rbm.W)  # (L, width)
            self.tables.append(table)
            self.p.append(table.new_zeros(part.n, len(table)))
        reaches = (t.amax(0) - t.amin(0) for t in self.tables)
        self.reach = torch.cat([own.repeat(unit.n) for own, unit in zip(reaches, self.units, strict=True)])

    def add(self, eta: Tensor, weight: Tensor) -> None:
        """Add the rows of eta (B, k, H) with weights (B,)."""
        pieces = eta.split([part.size for part in self.units], 2)
        for part, states, p, own in zip(self.units, self.tables, self.p, pieces, strict=True):
            # the statistics of the states of one unit beside each other, as are its parameters
            one = replace(cast(Any, part), n=1)
            table = one.statistics(states).flatten(1)  # (L, k width)
            fields = own[:, : part.k].unflatten(2, (part.n, -1)).transpose(1, 2).flatten(2)  # (B, n, k width)
            for rows, w in zip(*(x.split(max(1, len(own) // len(table))) for x in (fields, weight)), strict=True):
                p += torch.einsum("b,bnl->nl", w, (rows @ table.mT).softmax(-1))

    def fill_(self, covariance: Tensor, mean: Tensor) -> None:
        """Write  sum_l p_l (t_l - m)(t_l - m)'  into the block of each unit."""
        at = 0
        for part, table, p in zip(self.units, self.tables, self.p, strict=True):
            width = table.shape[1]
            d = table - mean[at : at + part.size].unflatten(0, (part.n, 1, width))  # (n, L, width)
            own = torch.einsum("nl,nlx,nly->nxy", p, d, d)
            place = at + torch.arange(part.size, device=p.device).unflatten(0, (part.n, width))
            covariance[place.unsqueeze(2), place.unsqueeze(1)] = own
            at += part.size


def _correlation(moments: _Moments) -> Tensor:
    _, covariance, reach = moments
    variance = covariance.diagonal()
    scale = torch.where(variance > NOTHING * reach.square(), variance, torch.nan).rsqrt()
    result = (covariance * scale.unsqueeze(1) * scale).clamp(-1, 1)
    result.diagonal()[scale.isfinite()] = 1.0
    return result
