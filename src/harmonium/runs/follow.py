"""ln Z of a run's machine wherever it is measured, followed between the measurements and checked now and then.

A population of chains goes along with the training (`harmonium.logz.trajectory`).  Where chains mix as fast as the
machine changes this is accurate and nearly free; where they do not, all of them together fall behind, and nothing that
they show would say so.  So a measurement trusts them only after a check, a fresh annealing from independent units: once
the two have agreed the next checks come after 2, 4 and 8 measurements, and once they have not, at every one.  What the
run reports is then the annealing, and a population that has come apart is not carried any further.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from harmonium.logz.base import Estimate
from harmonium.logz.trajectory import Follower, Population
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.plan import Plan
from harmonium.training.loop import TrainState

#: The part of the training's own products that going along may take, while a step leads from one visit to the next.
_SHARE = 0.1
#: Both ways to move; what needs more than a few steps from visit to visit soon comes apart, and is not worth more.
_ANNEALING, _GOING = Follower(most_steps=200), Follower(most_steps=4)
_ROWS_A_STEP = 3 * (_GOING.groups + 1) * _GOING.chains  # products with W, each for all chains
_USUAL_STEPS = 60  # of an annealing, for machines with hundreds of hidden units
#: Standard error in nats beyond which the chains are no longer followed, and the longest time between two checks.
TOO_WIDE, LONGEST_TRUST = 0.5, 8
#: Standard errors that two estimates which agree may differ by.
AGREE = 3.0


def updates_between(plan: Plan, rows: int, share: float) -> int:
    """Updates between two visits, so that `rows` products of a row with W each time are a share of the training's."""
    return max(1, math.ceil(rows / (share * _products(plan))))


def affordable_measurements(plan: Plan) -> int:
    """How often a run can be measured by annealings alone for a seventh of its own products: 5 to 20 times."""
    one_annealing = _ROWS_A_STEP * _USUAL_STEPS
    return int(min(max(plan.total * _products(plan) / (7 * one_annealing), 5), 20))


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
        self.population: Population | None = None
        self.trust = 0  # measurements between checks, once the last check was passed
        self.since_check = 0

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
            return followed
        fresh = _ANNEALING.init(rbm, rbm.decoupled(self.base), self.noise)
        annealed = fresh.estimate("annealing")
        self.since_check = 0
        if followed is not None and _agree(followed, annealed):
            self.trust = min(2 * self.trust or 1, LONGEST_TRUST)
            if followed.stderr <= annealed.stderr:
                return followed
        else:
            self.trust = 0
        self.population = fresh
        return annealed

    def _advance(self, rbm: RBM) -> None:
        if self.population is not None:
            self.population = _GOING.advance(self.population, rbm, self.noise)
            if not self.population.estimate().stderr <= TOO_WIDE:
                self.population = None

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        p = self.population
        chains = None if p is None else {"machine": tensors_of(p.machine), "v": p.v, "w": p.log_w, "z": p.log_z}
        return {"noise": self.noise.state, "trust": self.trust, "since_check": self.since_check, "population": chains}

    def load_state_dict(self, state: dict[str, Any], like: RBM) -> None:
        """Take up what a checkpoint held; `like` is a machine on the same sides."""
        self.noise.state = state["noise"]
        self.trust, self.since_check = state["trust"], state["since_check"]
        self.population = None
        if (p := state["population"]) is not None:
            machine = machine_of(p["machine"], like)
            v, log_w, log_z = (p[name].to(like.W.device, copy=True) for name in ("v", "w", "z"))
            self.population = Population(machine, v, log_w, log_z)


def _agree(x: Estimate, y: Estimate) -> bool:
    return abs(x.value - y.value) <= AGREE * math.hypot(x.stderr, y.stderr)


def tensors_of(rbm: RBM) -> list[Tensor]:
    """A machine for a checkpoint: W turned as it lies in memory, for another order would round differently."""
    return [rbm.W.mT, rbm.a, rbm.b]


def machine_of(tensors: list[Tensor], like: RBM) -> RBM:
    """The machine on the sides of `like` that `tensors_of` took apart; copied, for a file's tensors lie unaligned."""
    W, a, b = (tensor.to(like.W, copy=True) for tensor in tensors)
    return RBM(like.visible, like.hidden, W.mT, a, b)
