"""ln Z to a wanted precision, or as well as a time limit allows; what has been done can be kept and continued.

1. a base: where one side has few units, these alone; else a mixture fitted to states, where there are any, or
   independent units (`harmonium.logz.bases`)
2. its length: steps are doubled as long as that raises the effective samples of a second's work
3. batches of annealings both ways (`harmonium.logz.bidirectional`) until the 95 % interval is narrow enough

The chains that choose the length are not used again, and each batch draws from a stream of its own: where precision
ends an estimate it is the same for the same seed, whether it was interrupted and continued or not.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.logz.ais import checked_base, estimate_from_log_weights, forward
from harmonium.logz.base import Estimate
from harmonium.logz.bases import CollapsedBase, mixture_base
from harmonium.logz.bidirectional import BothWays
from harmonium.logz.schedules import even_schedule
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for

#: Called after each batch with the estimate so far and the seconds spent.
Report = Callable[[Estimate, float], None]

_FIRST_STEPS, _MOST_STEPS = 50, 25_600
_PILOT_CHAINS = 512
#: States that a mixture is fitted to: fewer than the first make a poor one, more than the second no better.
_FEWEST_STATES, MOST_STATES = 200, 2000
#: Products of states with the weights that a mixture may cost, in weights: seconds, where hundreds of units meet.
_PREPARING = 3e8
_SMALLEST_BATCH, _LARGEST_BATCH = 512, 8192
#: Chains of the first batch where the time limit allows no more.
_LEAST_BATCH = 64


@dataclass(frozen=True)
class Wanted:
    """When to stop: half of the 95 % interval at most `precision` nats, or after `seconds`."""

    precision: float = 0.1
    seconds: float = 60.0


class Progressive:
    """ln Z of a machine, better with every call of `run`.

    base (k_v, V) are natural parameters of independent units with the data's base rates; states (N, V) rows of data or
    samples, to fit a mixture to.
    """

    def __init__(self, rbm: RBM, *, base: Tensor | None = None, states: Tensor | None = None, seed: int = 0) -> None:
        began = time.perf_counter()
        self.rbm, self.seed = rbm, seed
        start = None if base is None else rbm.decoupled(base.to(rbm.a))
        self.base = checked_base(rbm, start)
        fitted = states is not None and len(states) >= _FEWEST_STATES and rbm.visible.k == 1
        if states is not None and fitted and not isinstance(self.base, CollapsedBase):
            affordable = max(_FEWEST_STATES, int(_PREPARING / rbm.W.numel()))
            chosen = states[: min(MOST_STATES, affordable)].to(rbm.W)
            self.base = mixture_base(rbm, chosen, self._noise("mixture"), start)
        self.works: BothWays | None = None
        self.batches = 0
        self._seconds_a_chain = 0.0
        self._prepared = time.perf_counter() - began

    def _noise(self, *words: object) -> Noise:
        return Noise(seed_for(self.seed, "log z", *words), dtype=self.rbm.W.dtype, device=self.rbm.W.device)

    def run(self, wanted: Wanted, report: Report = lambda estimate, seconds: None) -> Estimate:
        """Go on until what is wanted is reached, or the time is over, one batch at least."""
        began = time.perf_counter() - self._prepared
        self._prepared = 0.0
        if self.works is None:
            self._choose_length(0.2 * wanted.seconds)
        assert self.works is not None
        before = self.batches
        while True:
            estimate = self.works.estimate() if self.batches else None
            spent = time.perf_counter() - began
            if estimate is not None:
                report(estimate, spent)
                if estimate.half_width <= wanted.precision:
                    return estimate
            chains = self._next_batch(wanted.seconds - spent)
            if estimate is not None and not chains and self.batches > before:
                return estimate
            chains = chains or (_LEAST_BATCH if not self.batches else _SMALLEST_BATCH)
            started = time.perf_counter()
            self.works.extend(self.rbm, chains, self._noise("batch", self.batches))
            self.batches += 1
            self._seconds_a_chain = (time.perf_counter() - started) / chains

    def _next_batch(self, seconds: float) -> int:
        """As many chains as there are, for resampling to have the choice among ever more; or what time allows; or 0."""
        assert self.works is not None
        chains = min(max(len(self.works.forward), _SMALLEST_BATCH), _LARGEST_BATCH)
        while chains * self._seconds_a_chain > seconds:
            chains //= 2
            if chains < (_SMALLEST_BATCH if self.batches else _LEAST_BATCH):
                return 0
        return chains

    def _choose_length(self, seconds: float) -> None:
        """Double the steps while each effective sample becomes cheaper, or there are too few of them to tell."""
        began, best, steps = time.perf_counter(), 0.0, _FIRST_STEPS
        chosen = steps
        while steps <= _MOST_STEPS:
            started = time.perf_counter()
            _, log_w = forward(self.base, even_schedule(steps), _PILOT_CHAINS, self._noise("length", steps))
            now = time.perf_counter()
            share = estimate_from_log_weights(log_w, 0.0, "", -1).ess / _PILOT_CHAINS
            if share / steps >= best:
                best, chosen = share / steps, steps
                # both directions, and the sweeps between them
                self._seconds_a_chain = 2.2 * (now - started) / _PILOT_CHAINS
            if share > 0.5 or (now - began) + 2 * (now - started) > seconds:
                break
            steps *= 2
        self.works = BothWays(self.base, even_schedule(chosen))

    # ---- keeping it -------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on: the weights, and how they came about."""
        if self.works is None:
            return {}
        return {
            "weights": torch.stack([self.works.forward, self.works.reverse]),
            "groups": torch.stack([self.works.forward_group, self.works.reverse_group]),
            "steps": len(self.works.schedule) - 1,
            "batches": self.batches,
            "seconds_a_chain": self._seconds_a_chain,
            "log_z_base": self.base.log_z,
            "machine": _digest(self.rbm),
            "seed": self.seed,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up earlier weights; raises InputError where they come from another machine, other data or seed."""
        same_base = abs(state["log_z_base"] - self.base.log_z) <= 1e-6 * abs(self.base.log_z)
        if state["seed"] != self.seed or not same_base or state.get("machine") != _digest(self.rbm):
            raise InputError(
                "the stored annealings belong to another machine, other data or another seed; leave out continue to "
                "start anew."
            )
        self.works = BothWays(self.base, even_schedule(state["steps"]), *state["weights"], *state["groups"])
        self.batches, self._seconds_a_chain = state["batches"], state["seconds_a_chain"]


def _digest(rbm: RBM) -> str:
    """What tells one machine from another: bases alone may be the same."""
    digest = hashlib.sha256(f"{rbm.visible.spec} {rbm.hidden.spec} {rbm.W.dtype}".encode())
    for tensor in rbm.tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
