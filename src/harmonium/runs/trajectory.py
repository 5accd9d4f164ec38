"""Machines that a training has passed through, near enough to each other to exchange states.

    replicas of p and q exchange their states with probability   min(1, exp(x(v_q) - x(v_p))),   x = F_q - F_p
    its mean from chains of p alone:   sum_ij  w_j / N  min(1, exp(x_j - x_i)),   w_j ~ exp(-x_j)

A snapshot is taken where this acceptance with the one before has fallen below `ACCEPTANCE`, so that replicas may walk
along the training's own path, which avoids the sharp transitions of a path in temperature (Bereux, Decelle, Furtlehner,
Rosset and Seoane 2025).  Chains of p, weighted, stand for q because chains that hasten behind q resemble those of p,
and would call any two machines near.  Beyond `MOST_SNAPSHOTS` or `MOST_BYTES` every second snapshot is dropped, and
from then on every second one is taken only.
"""

from __future__ import annotations

from typing import Any

import torch

from harmonium.errors import InputError
from harmonium.gibbs import start_visible, sweep
from harmonium.io import load_model, save_model
from harmonium.ladders import acceptance
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.folder import RunFolder
from harmonium.runs.follow import machine_of, tensors_of, updates_between
from harmonium.runs.plan import Plan
from harmonium.training.loop import TrainState

#: Neighbours exchange a little less often than this: the machine that has crossed it is the one that is stored.
ACCEPTANCE = 0.5
MOST_SNAPSHOTS, MOST_BYTES = 64, 1 << 28
_CHAINS, _SWEEPS = 64, 10  # and the sweeps that bring them from one snapshot to the next
#: The part of the training's own products that this may take, where every look finds a snapshot.
_SHARE = 0.06


class Snapshots:
    """Stores machines on the way, as an observer with chains and noise of its own."""

    def __init__(self, plan: Plan, folder: RunFolder) -> None:
        rbm = plan.state.rbm
        self.folder = folder
        self.total = plan.total
        self.noise = Noise(seed_for(plan.config.seed, "snapshots"), dtype=rbm.W.dtype, device=rbm.W.device)
        self.every = updates_between(plan, 2 * (1 + _SWEEPS) * _CHAINS, _SHARE)
        size = sum(t.numel() * t.element_size() for t in rbm.tensors)
        self.most = max(2, min(MOST_SNAPSHOTS, MOST_BYTES // size))
        self.steps: list[int] = []  # what is stored
        self.last: RBM | None = None  # the last that was far enough from the one before, and its chains
        self.chains = torch.empty(0)
        self.passed, self.stride = 0, 1
        self._before: list[int] = []

    def __call__(self, state: TrainState) -> None:
        """Look at the machine where it is time, and store it where it has gone far enough."""
        rbm = state.scored
        if self.last is None:
            self.chains = start_visible(rbm, _CHAINS, self.noise)
        elif state.step % self.every or acceptance(self.last, rbm, self.chains) >= ACCEPTANCE:
            return
        self.last = rbm.detached()
        self.chains = sweep(rbm, self.chains, self.noise, _SWEEPS)
        if self.passed % self.stride == 0:
            self._store(state)
        self.passed += 1

    def _store(self, state: TrainState) -> None:
        if len(self.steps) >= self.most:
            self.steps = self.steps[::2]
            self.stride *= 2
            if self.passed % self.stride:
                return
        save_model(self.folder.snapshot_path(state.step), state.scored, step=state.step)
        self.steps.append(state.step)

    def prune(self) -> None:
        """Remove what neither this checkpoint nor the one before needs; call it after each."""
        self._remove_all_but({*self.steps, *self._before})
        self._before = self.steps

    def finish(self) -> None:
        """Remove what was dropped, and what an attempt that did not last has left."""
        self._remove_all_but(set(self.steps))

    def _remove_all_but(self, steps: set[int]) -> None:
        for step, path in self.folder.snapshots():
            if step not in steps:
                path.unlink(missing_ok=True)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold; the machines themselves lie in their files."""
        return {
            "noise": self.noise.state,
            "steps": self.steps,
            "last": None if self.last is None else tensors_of(self.last),
            "chains": self.chains,
            "passed": self.passed,
            "stride": self.stride,
        }

    def load_state_dict(self, state: dict[str, Any], like: RBM) -> None:
        """Take up what a checkpoint held; `like` is a machine on the same sides."""
        self.noise.state = state["noise"]
        self.steps = self._before = state["steps"]
        self.last = None if state["last"] is None else machine_of(state["last"], like)
        self.chains = state["chains"].to(like.W.device, copy=True)
        self.passed, self.stride = state["passed"], state["stride"]


def load_trajectory(folder: RunFolder) -> list[RBM]:
    """The machines that a run has passed through, from its first to the one that it has kept.

    Raises InputError where the run has no model yet, or no trajectory.
    """
    if not folder.model_path.is_file():
        raise InputError(
            f"the run in {folder.path} has no model yet; finish it with: harmonium train --resume {folder.path}"
        )
    best = (folder.read_json("summary.json") or {}).get("best_step")
    stored = folder.snapshots()
    if not stored:
        raise InputError(f"the run in {folder.path} has stored no trajectory on its way; train it again to have one.")
    before = [path for step, path in stored if best is None or step < best]
    machines = [load_model(path)[0] for path in [*before, folder.model_path]]
    for path, machine in zip(before, machines, strict=False):
        if (machine.visible, machine.hidden) != (machines[-1].visible, machines[-1].hidden):
            raise InputError(f"{path} is a machine of another kind than the run's; remove it.")
    return machines
