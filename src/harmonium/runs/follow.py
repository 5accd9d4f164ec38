"""ln Z of a run's machine wherever it is measured, followed between the measurements and checked now and then.

A population of chains goes along with the training (`harmonium.logz.trajectory`).  Where chains mix as fast as the
machine changes this is accurate and nearly free; where they do not, all of them together fall behind, and nothing that
they show would say so.  So a measurement trusts them only after a check, a fresh annealing from independent units: once
the two have agreed the next checks come after 2, 4 and 8 measurements, and once they have not, at every one.  What the
run reports is then the annealing, and a population that has come apart is not carried any further.

Short annealings of sharp machines end too low all together, which their spread does not show.  So with each check goes
an annealing back from training rows, which rather ends too high, for machines that have learned those; where the two
ways lie apart the truth is taken to be somewhere between:

    ln Z = middle of both,      1.96 standard errors = half of the way from one to the other + those of the first
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from harmonium.intervals import Z_95
from harmonium.logz.ais import ReverseAIS
from harmonium.logz.base import Estimate
from harmonium.logz.bases import independent_base
from harmonium.logz.schedules import even_schedule
from harmonium.logz.trajectory import Follower, Population
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.plan import Plan
from harmonium.training.loop import TrainState

#: The part of the training's own products that going along may take, while a step leads from one visit to the next.
_SHARE = 0.1
#: How to go along; what needs more than a few steps from visit to visit soon comes apart, and is not worth more.
_GOING = Follower(most_steps=4)
_ROWS_A_STEP = 3 * (_GOING.groups + 1) * _GOING.chains  # products with W, each for all chains
_USUAL_STEPS = 60  # of an annealing, for machines with hundreds of hidden units
#: Steps of an annealing at most: as many as the training's length allows between the two.
_LEAST_STEPS, _MOST_STEPS = 200, 500
#: Rows that are annealed back.
_BACK_ROWS = 100
#: Standard error in nats beyond which the chains are no longer followed, and the longest time between two checks.
TOO_WIDE, LONGEST_TRUST = 0.5, 8
#: Standard errors that two estimates which agree may differ by; and those by which annealing back may end higher
#: without a meaning: few, for an error that is stated too wide now and then does no harm.
AGREE, CLOSE = 3.0, 1.0


def updates_between(plan: Plan, rows: int, share: float) -> int:
    """Updates between two visits, so that `rows` products of a row with W each time are a share of the training's."""
    return max(1, math.ceil(rows / (share * _products(plan))))


def affordable_measurements(plan: Plan) -> int:
    """How often a run can be measured by annealings alone for a seventh of its own products: 5 to 20 times."""
    return int(min(max(_affordable_steps(plan) / _USUAL_STEPS, 5), 20))


def _affordable_steps(plan: Plan) -> float:
    """Steps of all annealings that take a seventh of the run's own products."""
    return plan.total * _products(plan) / (7 * _ROWS_A_STEP)


def _products(plan: Plan) -> int:
    """Products of a row with W in one update: the data's moments, the sweeps and the model's moments."""
    config = plan.config
    chains = (config.chains or plan.largest_batch) if config.negative == "pcd" else plan.largest_batch
    return 2 * plan.largest_batch + (2 * config.steps + 2) * chains


class Following:
    """The population that goes along with a run, as an observer; it draws from a stream of its own."""

    def __init__(self, plan: Plan) -> None:
        rbm = plan.state.rbm
        self.base = plan.base.to(rbm.a)
        self.noise = Noise(seed_for(plan.config.seed, "follow"), dtype=rbm.W.dtype, device=rbm.W.device)
        self.every = updates_between(plan, _ROWS_A_STEP, _SHARE)
        each = _affordable_steps(plan) / (plan.config.measure or affordable_measurements(plan))
        self.annealing = Follower(most_steps=int(min(max(each, _LEAST_STEPS), _MOST_STEPS)))
        self.population: Population | None = None
        self.trust = 0  # measurements between checks, once the last check was passed
        self.since_check = 0
        self.apart = 0.0  # what annealing back ended higher by at the last check, where that says something
        self.feed, rows = plan.feed, plan.feed.with_label(plan.rows.train)
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed_for(plan.config.seed, "back")))
        self.rows = rows[order[:_BACK_ROWS]]

    def __call__(self, state: TrainState) -> None:
        """Go along, where it is time; raises InputError where the machine has no distribution any more."""
        if state.step % self.every == 0:
            self._advance(state.scored)

    def measure(self, rbm: RBM) -> Estimate:
        """ln Z of the machine as it is now; errors as above."""
        self._advance(rbm)
        followed = None if self.population is None else self.population.estimate()
        if followed is not None and self.since_check < self.trust:
            self.since_check += 1
            return _with_doubt(followed, self.apart)
        fresh = self.annealing.init(rbm, rbm.decoupled(self.base), self.noise)
        annealed = fresh.estimate("annealing")
        self.since_check, chosen = 0, annealed
        if followed is not None and _agree(followed, annealed):
            self.trust = min(2 * self.trust or 1, LONGEST_TRUST)
            if followed.stderr <= annealed.stderr:
                chosen = followed
        else:
            self.trust = 0
        if chosen is annealed:
            self.population = fresh
        back = self._back(rbm)
        gap = 0.0 if back is None else back.value - chosen.value
        self.apart = gap if back is not None and gap > CLOSE * math.hypot(chosen.stderr, back.stderr) else 0.0
        return _with_doubt(chosen, self.apart)

    def _back(self, rbm: RBM) -> Estimate | None:
        """ln Z by annealing back from rows, swept on at first; None without rows that are whole."""
        if not len(self.rows):
            return None
        base = independent_base(rbm, rbm.decoupled(self.base))
        steps = self.annealing.most_steps
        v = base.settled(rbm, self.feed.states(self.rows, self.noise), steps // 10, self.noise)
        return ReverseAIS(even_schedule(steps), base=base, states=v)(rbm, self.noise)

    def _advance(self, rbm: RBM) -> None:
        if self.population is not None:
            self.population = _GOING.advance(self.population, rbm, self.noise)
            if not self.population.estimate().stderr <= TOO_WIDE:
                self.population = None

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        p = self.population
        chains = None if p is None else {"machine": tensors_of(p.machine), "v": p.v, "w": p.log_w, "z": p.log_z}
        numbers = {"trust": self.trust, "since_check": self.since_check, "apart": self.apart}
        return {"noise": self.noise.state, "population": chains, **numbers}

    def load_state_dict(self, state: dict[str, Any], like: RBM) -> None:
        """Take up what a checkpoint held; `like` is a machine on the same sides."""
        self.noise.state = state["noise"]
        self.trust, self.since_check, self.apart = state["trust"], state["since_check"], state.get("apart", 0.0)
        self.population = None
        if (p := state["population"]) is not None:
            machine = machine_of(p["machine"], like)
            v, log_w, log_z = (p[name].to(like.W.device, copy=True) for name in ("v", "w", "z"))
            self.population = Population(machine, v, log_w, log_z)


def _with_doubt(x: Estimate, apart: float) -> Estimate:
    """The middle between x and what lies so far apart from it, with an error that reaches both."""
    return replace(x, value=x.value + apart / 2, stderr=x.stderr + apart / 2 / Z_95)


def _agree(x: Estimate, y: Estimate) -> bool:
    return abs(x.value - y.value) <= AGREE * math.hypot(x.stderr, y.stderr)


def tensors_of(rbm: RBM) -> list[Tensor]:
    """A machine for a checkpoint: W turned as it lies in memory, for another order would round differently."""
    return [rbm.W.mT, rbm.a, rbm.b]


def machine_of(tensors: list[Tensor], like: RBM) -> RBM:
    """The machine on the sides of `like` that `tensors_of` took apart; copied, for a file's tensors lie unaligned."""
    W, a, b = (tensor.to(like.W, copy=True) for tensor in tensors)
    return RBM(like.visible, like.hidden, W.mT, a, b)
