"""Ways to the ln Z of a finished machine: two for each, as unlike each other as there are.

    exact    enumeration of the hidden states
    both     annealing of the hidden units alone, forwards and back (`harmonium.logz.progressive`)
    ais      annealing forwards from the data's base rates:      ln Z from below on average, so that ln p is flattered
    raise    annealing back from test rows v (`harmonium.logz.raise_`):     r(v) <= ln p_ann(v) on average
             ln Z = < -F(v) + ln base(v) - r(v) >:      from above, as a rule

p_ann, what annealings draw, becomes the machine's p as steps grow.  For rows that come from p itself < ln p_ann > is
below < ln p > (Kullback and Leibler 1951), and so is the bound; for rows that annealings would draw more readily than
the machine it need not be.  Salakhutdinov and Murray (2008) anneal forwards, Burda, Grosse and Salakhutdinov (2015)
back.  Both ways take the temperatures that pilot annealings have found (`harmonium.logz.schedules`); they share no
chain and no start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from harmonium.evaluate.likelihood import doubts, log_z
from harmonium.logz import AIS, Estimate
from harmonium.logz.bases import independent_base
from harmonium.logz.progressive import Wanted
from harmonium.logz.raise_ import raise_log_likelihood
from harmonium.logz.schedules import AdaptiveSchedule
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.inputs import Inputs
from harmonium.runs.summary import training_states

#: What each way may take: steps and chains of annealings, rows that they begin at, and precision and seconds of both;
#: and what an annealing takes for each machine of a curve.
EFFORTS: dict[str, dict[str, dict[str, Any]]] = {
    "full": {
        "both": {"precision": 0.02, "seconds": 120.0},
        "ais": {"steps": 20_000, "chains": 200},
        "raise": {"steps": 20_000, "chains": 5, "rows": 100},
        "curve": {"steps": 4000, "chains": 100},
    },
    "quick": {
        "both": {"precision": 0.02, "seconds": 2.0},
        "ais": {"steps": 500, "chains": 200},
        "raise": {"steps": 500, "chains": 5, "rows": 50},
        "curve": {"steps": 200, "chains": 100},
    },
}


@dataclass(frozen=True)
class Way:
    """How it is called, and what the report says of it."""

    name: str
    words: str
    find: Callable[..., Estimate]


def ln_z(way: str, rbm: RBM, inputs: Inputs, v: Tensor, effort: Mapping[str, Any]) -> Estimate:
    """ln Z of the machine in nats; v (N, V) are the test images as states, `effort` one of `EFFORTS`.

    Raises InputError where the machine has no distribution, or cannot be enumerated where that is the way.
    """
    found = WAYS[way].find(rbm, inputs, v, **effort.get(way, {}))
    return replace(found, doubts=tuple(doubts(found)))


def _exact(rbm: RBM, inputs: Inputs, v: Tensor) -> Estimate:
    return log_z(rbm, base=None, seed=0, method="exact")


def _both(rbm: RBM, inputs: Inputs, v: Tensor, *, precision: float, seconds: float) -> Estimate:
    return log_z(
        rbm, base=inputs.base, states=training_states(inputs), seed=inputs.config.seed, method="both",
        wanted=Wanted(precision, seconds),
    )  # fmt: skip


def _ais(rbm: RBM, inputs: Inputs, v: Tensor, *, steps: int, chains: int) -> Estimate:
    start = rbm.decoupled(inputs.base.to(rbm.a))
    noise = _noise(rbm, inputs, "ais")
    schedule = AdaptiveSchedule(start, rbm, noise)(steps)
    return AIS(schedule, chains, independent_base(rbm, start))(rbm, noise)


def _raise(rbm: RBM, inputs: Inputs, v: Tensor, *, steps: int, chains: int, rows: int) -> Estimate:
    """From `rows` of the states, evenly spread over them; the error is that of a mean over rows."""
    start = rbm.decoupled(inputs.base.to(rbm.a))
    noise = _noise(rbm, inputs, "raise")
    schedule = AdaptiveSchedule(start, rbm, noise)(steps)
    chosen = v[torch.linspace(0, len(v) - 1, min(rows, len(v))).round().long()].double()
    bound = raise_log_likelihood(rbm, chosen, schedule, noise, chains=chains, base=independent_base(rbm, start))
    gap = rbm.visible.log_base - rbm.to(dtype=torch.float64).free_energy(chosen) - bound
    n = len(gap)
    return Estimate(float(gap.mean()), float(gap.std() / math.sqrt(n)), "RAISE", 1, freedom=n - 1)


def _noise(rbm: RBM, inputs: Inputs, way: str) -> Noise:
    return Noise(seed_for(inputs.config.seed, "records", way), dtype=rbm.W.dtype, device=rbm.W.device)


WAYS: dict[str, Way] = {
    "exact": Way("exact", "ln Z by enumeration of the hidden states", _exact),
    "both": Way("annealing both ways", "ln Z by annealing the hidden units forwards and back", _both),
    "ais": Way(
        "AIS", "ln Z by annealing forwards from the data's base rates, which on average flatters the machine", _ais
    ),
    "raise": Way(
        "RAISE",
        "ln Z by annealing back from test images, a bound on the likelihood of what such annealings draw; as a rule it "
        "does not flatter",
        _raise,
    ),
}
