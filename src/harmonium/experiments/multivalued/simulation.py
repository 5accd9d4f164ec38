"""Machines that make data and machines that learn from them, a hundred at a time, with exact scores.

    KLD = sum_v p(v) [ln p(v) - ln q(v)],      L = sum_v n(v)/N ln q(v)          over all 2^V states v

p is the generating machine and q the one that learns; n(v) counts the rows of data equal to v.  Repeat number r has
its own generating machine, rows, first weights and random numbers, whatever is trained on it: what is compared differs
in nothing but what is compared, and the tests are paired.  Training is done in single precision, as everywhere in this
program, and the scores are taken in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from harmonium.experiments.multivalued.dropout import DroppedCD
from harmonium.experiments.multivalued.scales import BIAS_SCALE, GENERATING_HIDDEN, RATE, ROWS, SWEEPS, VISIBLE
from harmonium.experiments.multivalued.step import ScaledUpdate
from harmonium.experiments.tasks import Done
from harmonium.gibbs import start_visible, sweep
from harmonium.machine import RBM, zeros
from harmonium.negative import CD, Negative
from harmonium.noise import Noise, Streams, seed_for
from harmonium.stack import stacked, unstacked
from harmonium.start import xavier_weights
from harmonium.training.loop import TrainState, fit
from harmonium.training.transforms import make_transforms
from harmonium.units import Ising, multivalued_units

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """What a task has measured.

    Attributes
    ----------
    updates : array (T,)
        After how many updates.
    kld, train : array (R, T)
        The divergence from the generating machine and the average log-likelihood of the rows trained on, in nats.
    validation : array (R, T)
        The average log-likelihood of the validation rows, in nats; NaN where there are none.
    """

    updates: Floats
    kld: Floats
    train: Floats
    validation: Floats


def read_curves(done: Done) -> Curves:
    """The curves that `learn` has kept."""
    found = load_file(done.folder / "curves.safetensors")
    return Curves(*(found[name].double().numpy() for name in ("updates", "kld", "train", "validation")))


def generating_machine(repeat: int) -> tuple[RBM, Noise]:
    """The machine behind the data of a repeat, and the stream that goes on to draw them."""
    noise = Noise(seed_for("multivalued", "generating", repeat), dtype=torch.float64)
    rbm = zeros(Ising(VISIBLE), Ising(GENERATING_HIDDEN), dtype=torch.float64)
    W = xavier_weights(rbm.visible, rbm.hidden, noise)
    a, b = (BIAS_SCALE * noise.normal(1, size) for size in (VISIBLE, GENERATING_HIDDEN))
    return replace(rbm, W=W, a=a, b=b), noise


def draw(repeats: int, first: int = 0) -> tuple[RBM, Tensor]:
    """The generating machines of so many repeats as one, and their rows (R, N, V): a Gibbs chain of its own each."""
    machines, streams = zip(*(generating_machine(first + i) for i in range(repeats)), strict=True)
    rbm, noise = stacked(machines), Streams(streams)
    start = start_visible(rbm.decoupled(torch.zeros_like(rbm.a)), ROWS, noise)
    return rbm, sweep(rbm, start, noise, SWEEPS)


def all_states() -> Tensor:
    """The states of the visible side, in the order of their numbers: (2^V, V)."""
    return Ising(VISIBLE).states(torch.arange(2**VISIBLE), like=torch.empty(0, dtype=torch.float64))


def log_probabilities(rbm: RBM, keep: float = 1.0) -> Tensor:
    """ln p(v) of every visible state, by enumeration, in nats: (R, 2^V).

    With `keep` below 1 it is that of the renormalised geometric mean of the machines that dropout leaves, each hidden
    unit being there with that probability: its log-partition then counts for the fraction `keep`.
    """
    v = all_states()
    own = rbm.visible.dot(rbm.a.unsqueeze(1), v.expand(rbm.machines, -1, -1))
    score = own + keep * rbm.hidden.log_partition(rbm.eta_h_from_v(v))
    return score - score.logsumexp(-1, keepdim=True)


def frequencies(rows: Tensor) -> Tensor:
    """The share of the rows (R, N, V) in each visible state: (R, 2^V)."""
    weights = 2 ** torch.arange(VISIBLE - 1, -1, -1)
    number = ((rows > 0) * weights).sum(-1)
    counts = torch.zeros(len(rows), 2**VISIBLE, dtype=torch.float64)
    return counts.scatter_add_(1, number, torch.ones(number.shape, dtype=torch.float64)) / rows.shape[1]


def divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """The Kullback-Leibler divergence of q from p in nats, from ln p and ln q of all states: (R, S) -> (R,)."""
    return (log_p.exp() * (log_p - log_q)).sum(-1)


def distance_left(rbm: RBM, sweeps: int = SWEEPS) -> float:
    """The largest total variation distance between the rows' distribution and the machine's, over all repeats.

    By the transition matrix p(v'|v) = sum_h p(v'|h) p(h|v) of a sweep, from the even start.
    """
    largest = 0.0
    v, h = all_states(), Ising(GENERATING_HIDDEN).states(torch.arange(2**GENERATING_HIDDEN), like=all_states())
    for one in unstacked(rbm):
        to_h = (one.eta_h_from_v(v)[:, 0] @ h.T).softmax(-1)
        to_v = (one.eta_v_from_h(h)[:, 0] @ v.T).softmax(-1)
        p = torch.full((len(v),), 1 / len(v), dtype=torch.float64)
        for _ in range(sweeps):
            p = (p @ to_h) @ to_v
        exact = log_probabilities(stacked([one]))[0].exp()
        largest = max(largest, float((p - exact).abs().sum() / 2))
    return largest


def make_worlds(folder: Path, needs: Mapping[str, Done], *, repeats: int, first: int) -> dict[str, Any]:
    """The task of drawing the data; ``worlds.safetensors`` holds the rows and ln p of all states."""
    rbm, rows = draw(repeats, first)
    log_p = log_probabilities(rbm)
    save_file({"rows": rows.to(torch.int8), "log_p": log_p}, folder / "worlds.safetensors")
    entropy = -(log_p.exp() * log_p).sum(-1)
    return {
        "distance_left": distance_left(rbm),
        "entropy": entropy.tolist(),
        "log_p_rows": (frequencies(rows) * log_p).sum(-1).tolist(),
    }


def measured_at(updates: int) -> list[int]:
    """About sixty numbers of updates, evenly and logarithmically spread."""
    even = np.linspace(0, updates, 21)
    return sorted({0, *np.geomspace(1, updates, 48).round().astype(int).tolist(), *even.round().astype(int).tolist()})


def learn(
    folder: Path,
    needs: Mapping[str, Done],
    *,
    hidden: int,
    s: float | str,
    repeats: int,
    first: int,
    updates: int,
    weight_factor: float = 1.0,
    rate_factor: float = 1.0,
    l2: float = 0.0,
    keep: float = 1.0,
    validation: int = 0,
) -> dict[str, Any]:
    """Train a machine for each repeat, all as one, and keep ``curves.safetensors``; see `train`."""
    worlds = load_file(needs["worlds"].folder / "worlds.safetensors")
    rows, log_p = worlds["rows"][:repeats].float(), worlds["log_p"][:repeats]
    curves = train(
        rows, log_p, hidden=hidden, s=float(s), first=first, updates=updates, weight_factor=weight_factor,
        rate_factor=rate_factor, l2=l2, keep=keep, validation=validation,
    )  # fmt: skip
    names = ("updates", "kld", "train", "validation")
    save_file({n: torch.from_numpy(np.ascontiguousarray(getattr(curves, n))) for n in names},
              folder / "curves.safetensors")  # fmt: skip
    return {"kld_at_the_end": float(curves.kld[:, -1].mean()), "train_at_the_end": float(curves.train[:, -1].mean())}


def first_machines(hidden: int, s: float, repeats: int, first: int, factor: float = 1.0) -> tuple[RBM, Streams]:
    """Machines with Xavier weights (times a factor) and no biases, and the streams that go on to train them."""
    streams = [Noise(seed_for("multivalued", "learning", first + i)) for i in range(repeats)]
    like = zeros(Ising(VISIBLE), multivalued_units(hidden, s))
    machines = [replace(like, W=factor * xavier_weights(like.visible, like.hidden, noise)) for noise in streams]
    return stacked(machines), Streams(streams)


def train(
    rows: Tensor,
    log_p: Tensor,
    *,
    hidden: int,
    s: float,
    first: int,
    updates: int,
    weight_factor: float = 1.0,
    rate_factor: float = 1.0,
    l2: float = 0.0,
    keep: float = 1.0,
    validation: int = 0,
) -> Curves:
    """CD-1 with the full batch and Adam.

    Parameters
    ----------
    rows : Tensor (R, N, V)
        Data of each repeat.
    log_p : Tensor (R, 2^V)
        ln p of all states under the generating machines.
    hidden, s
        The hidden units and their values.
    first : int
        The number of the first repeat, which decides first weights and random numbers.
    updates : int
        How many.
    weight_factor, rate_factor : float
        What the first weights, and the steps of weights and hidden biases, are multiplied by.
    l2 : float
        The strength of the penalty (l2/2) sum W².
    keep : float
        The probability that a hidden unit is there; below 1 this is dropout.
    validation : int
        So many of the rows, the last ones, are not trained on.
    """
    rbm, noise = first_machines(hidden, s, len(rows), first, weight_factor)
    used = rows.shape[1] - validation
    data = rows[:, :used].contiguous()
    share = frequencies(data)
    share_validation = frequencies(rows[:, used:]) if validation else torch.full_like(share, math.nan)
    when = measured_at(updates)
    records: list[Tensor] = []

    def look(state: TrainState) -> None:
        if state.step in when:
            log_q = log_probabilities(state.rbm.to(dtype=torch.float64), keep)
            scores = (divergence(log_p, log_q), (share * log_q).sum(-1), (share_validation * log_q).sum(-1))
            records.append(torch.stack(scores))

    state = TrainState(ScaledUpdate(rbm, RATE, rate_factor), noise)
    negative: Negative = CD(1) if keep == 1 else DroppedCD(keep)
    with torch.no_grad():
        look(state)
        fit(state, lambda step, noise: data, updates, negative, transforms=make_transforms(l2=l2), observers=[look])
    kld, train, validated = torch.stack(records, -1).numpy()
    return Curves(np.asarray(when, float), kld, train, validated)
