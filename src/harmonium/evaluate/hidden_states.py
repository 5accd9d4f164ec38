"""Which hidden states a machine uses on data: the distribution of p(h | v) over rows, its entropy, its use.

    q(h) = < p(h | v) >_data                        S = - sum_h q ln q                  nats; bits are S / ln 2
    exp(S)                                          the effective number of states

Few states are summed exactly:  ln p(h | v) = eta(v)·T(h) - A(eta(v)) + ln base.  Many are counted among M samples.
The entropy of counts is too low, by about (K - 1) / 2M where K states can occur (Miller 1955); of K only those seen are
known, so that the correction falls short too where many states were seen once.  Their share of the samples estimates
the probability of all states not seen (Good 1953).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from harmonium.checks import check_seed, check_whole, checked_states
from harmonium.errors import InputError
from harmonium.evaluate.activity import UNUSED_SHARE
from harmonium.gibbs import sample_side
from harmonium.logz.exact import BLOCK_ENTRIES
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.units import OneHot, UnitFamily, parts_of

#: Hidden states up to which they are all listed.
MOST_LISTED = 1 << 12
#: Units up to which a state is named by the digits of all of them.
MOST_DIGITS = 12


@dataclass(frozen=True)
class Entropy:
    """The entropy of a distribution, in nats: as it is, or as counted and with the Miller-Madow correction.

    Attributes
    ----------
    plug_in : float
        - sum q ln q of the probabilities, or of the shares that were counted.
    correction : float
        (K - 1) / 2M for K states among M samples (Miller 1955); 0 where the probabilities are exact.
    unseen : float
        The share of probability on states that the samples miss, estimated by that of the states seen once
        (Good 1953); 0 where exact.  Above a few per cent the entropy is a lower bound and no more.
    """

    plug_in: float
    correction: float = 0.0
    unseen: float = 0.0

    @property
    def nats(self) -> float:
        """The best value: plug-in and correction."""
        return self.plug_in + self.correction

    @property
    def bits(self) -> float:
        """The same in bits."""
        return self.nats / math.log(2)

    @property
    def effective(self) -> float:
        """The number of equally likely states of that entropy."""
        return math.exp(self.nats)


@dataclass(frozen=True, eq=False)
class HiddenStates:
    """The hidden states that data call up.

    Attributes
    ----------
    states : Tensor (S, H)
        All states in the side's order, or those that were counted most often, the most frequent first.
    levels : Tensor (S, n) of int64
        The number of each unit's state: 0 and 1 for binary units.
    p : Tensor (S,)
        Their probabilities (shares of the samples) over all rows, float64.
    classes, by_class : tuple of C int, Tensor (C, S)
        The labels, and the probabilities among the rows of each; empty without labels.
    entropy, class_entropy : Entropy, tuple of C Entropy
        Over all states, listed or not.
    in_use : int
        States that are expected for at least one row (N q(h) >= 1), or that were drawn at least once.
    rows, draws : int
        Rows of data, and samples that were counted; draws = 0 says that everything is exact.
    """

    states: Tensor
    levels: Tensor
    p: Tensor
    classes: tuple[int, ...]
    by_class: Tensor
    entropy: Entropy
    class_entropy: tuple[Entropy, ...]
    in_use: int
    rows: int
    draws: int

    @property
    def names(self) -> list[str]:
        """Each state in short: its bits (digits), unit 0 first; the number of a single unit's state; else its rank."""
        rows = self.levels.tolist()
        if self.levels.shape[1] == 1:
            return [str(row[0]) for row in rows]
        if self.levels.shape[1] <= MOST_DIGITS and int(self.levels.max()) <= 9:
            return ["".join(map(str, row)) for row in rows]
        order = self.p.argsort(descending=True, stable=True).argsort(stable=True)
        return [f"#{rank + 1}" for rank in order.tolist()]


@torch.no_grad()
def hidden_state_distribution(
    rbm: RBM, v: Tensor, labels: Any = None, *, draws: int = 200_000, most: int = 256, seed: int = 0
) -> HiddenStates:
    """The distribution of the hidden states over data rows v (N, V), exact up to `MOST_LISTED` states.

    Parameters
    ----------
    rbm : RBM
        With a discrete hidden side.
    v : Tensor (N, V)
        Visible states.
    labels : array (N,) of int, optional
        Classes, for the distribution within each.
    draws : int
        Where there are many states: samples to count, at least one a row and equally many of each, rounded up.
    most : int
        Where there are many states: how many of the most frequent ones to list.
    seed : int
        Of the samples.

    Raises
    ------
    InputError
        A hidden side whose states cannot be counted, rows that are no states of the machine, or labels of another
        length.
    """
    check_whole("draws", draws, 1)
    check_whole("most", most, 1)
    check_seed(seed)
    side = discrete_hidden(rbm)
    v, rbm = checked_states(rbm, v), rbm.to(dtype=torch.float64)
    classes, own = class_numbers(labels, v)
    if (side.n_states or 0) <= MOST_LISTED:
        return _listed(rbm, v, classes, own)
    return _counted(rbm, v, classes, own, max(1, -(-draws // len(v))), most, seed)


def entropy_of(p: Tensor) -> Entropy:
    """The entropy of exact probabilities (S,)."""
    return Entropy(float(-torch.xlogy(p, p).sum()))


def counted_entropy(counts: Tensor) -> Entropy:
    """The entropy of counts (S,), with the Miller-Madow correction; zeros may be among them."""
    total = float(counts.sum())
    plug_in = entropy_of(counts.double() / total).plug_in
    seen, once = int((counts > 0).sum()), int((counts == 1).sum())
    return Entropy(plug_in, (seen - 1) / (2 * total), once / total)


@dataclass(frozen=True, eq=False)
class OneHotUse:
    """How the states of one-hot units share the data.

    Attributes
    ----------
    share, wins : Tensor (H,)
        E[h] over the rows, and for how many rows a state is the most probable one of its unit.
    winners, used : int
        States that win a row or more, and states with more than 1 % of an even share 1 / q.
    """

    share: Tensor
    wins: Tensor
    winners: int
    used: int


@torch.no_grad()
def one_hot_use(rbm: RBM, v: Tensor) -> OneHotUse:
    """Count the states in use of one-hot hidden units, over data rows v (N, V); a none state is not counted.

    Raises InputError where the hidden side is not one-hot, or the rows are no states of the machine.
    """
    side = rbm.hidden
    if not isinstance(side, OneHot):
        raise InputError(f"one_hot_use counts states of one-hot hidden units, but these are {side.spec}.")
    v, rbm = checked_states(rbm, v), rbm.to(dtype=torch.float64)
    share, wins = v.new_zeros(side.size), torch.zeros(side.n, side.q + 1, dtype=torch.int64, device=v.device)
    for block in v.split(max(1, BLOCK_ENTRIES // max(side.size, v.shape[1]))):
        p = side.mean(rbm.eta_h_from_v(block))[:, 0]
        share += p.sum(0) / len(v)
        p = p.unflatten(1, (side.n, side.q))
        none = (1 - p.sum(-1, keepdim=True)) if side.none else torch.full_like(p[..., :1], -1.0)
        best = torch.cat([p, none], -1).argmax(-1)  # (rows, n); the place behind the last state is none
        wins.scatter_add_(1, best.mT, torch.ones_like(best.mT))
    own = wins[:, : side.q].flatten()
    return OneHotUse(share, own, int((own > 0).sum()), int((share > UNUSED_SHARE / side.q).sum()))


def discrete_hidden(rbm: RBM) -> UnitFamily:
    """The hidden side; InputError where its states cannot be counted."""
    if rbm.hidden.levels is None:
        raise InputError(
            f"the states of {rbm.hidden.spec} cannot be counted; take a machine with discrete hidden units."
        )
    return rbm.hidden


def class_numbers(labels: Any, v: Tensor) -> tuple[tuple[int, ...], Tensor]:
    """The C classes and the place (N,) of each row's among them; of no labels, no classes and zeros."""
    if labels is None:
        return (), torch.zeros(len(v), dtype=torch.int64, device=v.device)
    values = np.asarray(labels.cpu() if isinstance(labels, Tensor) else labels)
    if values.shape != (len(v),) or not np.issubdtype(values.dtype, np.integer):
        raise InputError(
            f"labels is {values.dtype} of shape {values.shape} for {len(v)} rows; give a whole number a row."
        )
    classes, place = np.unique(values, return_inverse=True)
    return tuple(int(c) for c in classes), torch.from_numpy(place).to(v.device)


def levels_of(side: UnitFamily, x: Tensor) -> Tensor:
    """The number of each unit's state: (N, size) -> (N, n), in the order in which `side.states` counts."""
    columns, at = [], 0
    for part in parts_of(side):
        one = replace(cast(Any, part), n=1)
        values = one.decode(one.states(torch.arange(one.n_states, device=x.device), like=x))[:, 0]  # ascending
        own = part.decode(x[:, at : at + part.size]).contiguous()
        columns.append(torch.bucketize(own, (values[1:] + values[:-1]) / 2))
        at += part.size
    return torch.cat(columns, 1)


def _listed(rbm: RBM, v: Tensor, classes: tuple[int, ...], own: Tensor) -> HiddenStates:
    """Every state; rows in blocks."""
    side = rbm.hidden
    states = side.states(torch.arange(side.n_states or 0, device=v.device), like=rbm.W)
    T = side.statistics(states).flatten(1).mT  # (k H, S)
    sums = v.new_zeros(max(1, len(classes)), len(states))
    size = max(1, BLOCK_ENTRIES // max(len(states), v.shape[1]))
    for rows, place in zip(v.split(size), own.split(size), strict=True):
        log_p = rbm.eta_h_from_v(rows).flatten(1) @ T - side.own_energy(states)
        sums.index_add_(0, place, log_p.softmax(1))
    p = sums.sum(0) / len(v)
    by_class = sums / sums.sum(1, keepdim=True) if classes else sums[:0]
    return HiddenStates(
        states, levels_of(side, states), p, classes, by_class, entropy_of(p), tuple(map(entropy_of, by_class)),
        int((p * len(v) >= 1 - 1e-9).sum()), len(v), 0,
    )  # fmt: skip


def _counted(
    rbm: RBM, v: Tensor, classes: tuple[int, ...], own: Tensor, each: int, most: int, seed: int
) -> HiddenStates:
    """The states among `each` samples a row, told apart by the bytes of their levels."""
    side = rbm.hidden
    noise = Noise(seed_for(seed, "hidden states"), dtype=v.dtype, device=v.device)
    kind = np.uint8 if max(side.levels or ()) <= 256 else np.uint32
    drawn = []
    for rows in v.split(max(1, BLOCK_ENTRIES // max(each * side.k * side.size, v.shape[1]))):
        eta = rbm.eta_h_from_v(rows)
        h = sample_side(side, eta.unsqueeze(1).expand(-1, each, -1, -1), noise)  # (rows, each, H)
        drawn.append(levels_of(side, h.flatten(0, 1)).cpu().numpy().astype(kind))
    levels = np.ascontiguousarray(np.concatenate(drawn))  # (N each, n)
    words = levels.view(np.dtype((np.void, levels.itemsize * side.n)))[:, 0]
    _, first, place, counts = np.unique(words, return_index=True, return_inverse=True, return_counts=True)
    C = max(1, len(classes))
    cells = own.repeat_interleave(each).cpu().numpy() * len(counts) + place
    table = torch.from_numpy(np.bincount(cells, minlength=C * len(counts)).reshape(C, len(counts)))
    order = np.lexsort((first, -counts))[:most]
    chosen = torch.from_numpy(levels[first[order]].astype(np.int64))
    shares = table[:, order].double() / table.sum(1, keepdim=True)
    return HiddenStates(
        _states_of(side, chosen.to(v.device)), chosen, torch.from_numpy(counts[order] / len(levels)), classes,
        shares[: len(classes)], counted_entropy(torch.from_numpy(counts)),
        tuple(counted_entropy(row) for row in table[: len(classes)]), len(counts), len(v), len(levels),
    )  # fmt: skip


def _states_of(side: UnitFamily, levels: Tensor) -> Tensor:
    """The inverse of `levels_of`, in float64."""
    columns, at = [], 0
    for part in parts_of(side):
        one = replace(cast(Any, part), n=1)
        like = torch.empty(0, dtype=torch.float64, device=levels.device)
        table = one.states(torch.arange(one.n_states, device=levels.device), like=like)  # (levels, width)
        columns.append(table[levels[:, at : at + part.n]].flatten(1))
        at += part.n
    return torch.cat(columns, 1)
