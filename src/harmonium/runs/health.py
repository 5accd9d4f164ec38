"""Watching over a run: after each measurement the cheap checks, and one line to the reader for each new finding.

It reads the state and draws from a stream of its own, so a watched run ends with the very same parameters.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch

from harmonium.evaluate.activity import hidden_units
from harmonium.evaluate.health import Finding, lagging_chains, over_fitting, stability
from harmonium.gibbs import sample_v_from_h
from harmonium.noise import Noise, seed_for
from harmonium.runs.monitor import Monitor
from harmonium.training.loop import TrainState

#: Rows on which activations are looked at, and chains that are followed: enough to see a fault, and cheap.
_ROWS, _CHAINS = 300, 100
#: Units and chains are judged from here on, as a fraction of the run: small random weights are no fault.  Units are
#: judged after each further tenth, chains half way and at the end.
_SETTLED, _EACH = 0.5, 0.1
#: Further sweeps of the chains, one for so many updates of the run; and the most of them.
_UPDATES_A_SWEEP, _MOST_SWEEPS = 100, 100


class HealthWatch:
    """An observer of the training loop, to stand behind its `Monitor`.

    Attributes
    ----------
    findings : dict
        What the latest checks found, by kind.
    """

    def __init__(self, monitor: Monitor, say: Callable[[str], None] = lambda text: None) -> None:
        self.monitor = monitor
        self.say = say
        self.findings: dict[str, Finding] = {}
        self._said: set[str] = set()
        self._seen = len(monitor.history)
        self._units_due = self._chains_due = _SETTLED

    def __call__(self, state: TrainState) -> None:
        """Check where a measurement has been made since the last call."""
        if len(self.monitor.history) == self._seen:
            return
        began = time.perf_counter()
        self._seen = len(self.monitor.history)
        self._look(state)
        self.monitor.seconds_measuring += time.perf_counter() - began

    def _look(self, state: TrainState) -> None:
        """The checks that are due."""
        done = state.step / self.monitor.plan.total
        found = self._curve()
        for kinds, due, look in (
            (("idle-units", "frozen-units", "duplicate-units"), done >= self._units_due, self._units),
            (("lagging-chains",), done >= self._chains_due, self._chains),
        ):
            found += look(state) if due else [self.findings[kind] for kind in kinds if kind in self.findings]
        if done >= self._units_due:
            self._units_due = min(done + _EACH, 1.0) if done < 1 else math.inf
        if done >= self._chains_due:
            self._chains_due = 1.0 if done < 1 else math.inf
        self.findings = {finding.kind: finding for finding in found}
        for kind, finding in self.findings.items():
            if kind not in self._said:
                self._said.add(kind)
                self.say(f"update {state.step}: {finding}")

    def _curve(self) -> list[Finding]:
        if self.monitor.plan.config.by_labels:  # the likelihood is not what is learned
            return []
        return [*stability(self.monitor.history), *over_fitting(self.monitor.history)]

    def _units(self, state: TrainState) -> list[Finding]:
        plan, rbm = self.monitor.plan, state.scored
        chosen = torch.linspace(0, len(plan.rows.train) - 1, min(_ROWS, len(plan.rows.train))).round().long()
        noise = Noise(seed_for(plan.config.seed, "health", state.step), dtype=plan.feed.dtype, device=plan.feed.device)
        v = plan.feed.states(plan.rows.train[chosen], noise)
        return hidden_units(rbm, rbm.hidden.mean(rbm.eta_h_from_v(v))[..., 0, :].double())

    def _chains(self, state: TrainState) -> list[Finding]:
        plan = self.monitor.plan
        h = state.negative.get("h")
        sweeps = min(plan.total // _UPDATES_A_SWEEP, _MOST_SWEEPS)
        if plan.config.negative != "pcd" or h is None or len(h) < 2 or not sweeps:
            return []
        noise = Noise(seed_for(plan.config.seed, "chains", state.step), dtype=h.dtype, device=h.device)
        v = sample_v_from_h(state.rbm, h[:_CHAINS], noise)  # as they would go on
        return lagging_chains(state.rbm, v, noise, sweeps)
