"""Checkpoints: the whole of `TrainState` and of the observers, so that a resumed run ends like an uninterrupted one."""

from __future__ import annotations

import time
from typing import Any

from harmonium.errors import InputError
from harmonium.io import flatten, load_tensors, save_tensors, unflatten
from harmonium.runs.folder import RunFolder
from harmonium.runs.interrupts import Interrupts
from harmonium.runs.monitor import Monitor
from harmonium.runs.trajectory import Snapshots
from harmonium.training.loop import TrainState

_METRICS_EVERY = 1.0  # seconds


def save_checkpoint(folder: RunFolder, state: TrainState, monitor: Monitor, snapshots: Snapshots) -> None:
    """Write the state after ``state.step`` updates, and keep the latest two; measurements are stored with it."""
    tree = {
        "rbm": list(state.rbm.tensors),
        "update": state.update.state_dict(),
        "noise": state.noise.state,
        "negative": state.negative,
        "transforms": state.transforms,
        "average": [] if state.average is None else list(state.average.rbm.tensors),
        "monitor": monitor.state_dict(),
        "snapshots": snapshots.state_dict(),
    }
    tensors: dict[str, Any] = {}
    layout = flatten(tree, tensors)
    save_tensors(folder.checkpoint_path(state.step), "checkpoint", tensors, {"step": state.step, "tree": layout})
    folder.prune()
    snapshots.prune()


def load_checkpoint(folder: RunFolder, state: TrainState, monitor: Monitor, snapshots: Snapshots) -> bool:
    """Bring `state` and the observers of a freshly made plan to the latest checkpoint that is whole.

    Returns False where there is none.  Raises InputError where checkpoints exist but none can be used.
    """
    problem: InputError | None = None
    for path in folder.checkpoints():
        try:
            tensors, description = load_tensors(path, "checkpoint")
        except InputError as error:
            problem = problem or error
            continue
        try:
            _restore(unflatten(description["tree"], tensors), state, monitor, snapshots)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{path} does not belong to this run: {error}; take another copy of the run.") from None
        state.step = description["step"]
        return True
    if problem is not None:
        raise problem
    return False


def _restore(tree: dict[str, Any], state: TrainState, monitor: Monitor, snapshots: Snapshots) -> None:
    for mine, stored in zip(state.rbm.tensors, tree["rbm"], strict=True):
        mine.copy_(stored)
    state.update.load_state_dict(tree["update"])
    state.noise.state = tree["noise"]
    state.negative = {name: t.to(state.noise.device) for name, t in tree["negative"].items()}
    state.transforms = [{k: t.to(state.noise.device) for k, t in d.items()} for d in tree["transforms"]]
    if state.average is not None:
        for mine, stored in zip(state.average.rbm.tensors, tree["average"], strict=True):
            mine.copy_(stored)
    monitor.load_state_dict(tree["monitor"])
    snapshots.load_state_dict(tree["snapshots"], state.rbm)


class Checkpointer:
    """An observer that writes a checkpoint every so many seconds, the metrics after each measurement, and asks the
    training to stop when a signal has come.
    """

    def __init__(
        self, folder: RunFolder, monitor: Monitor, snapshots: Snapshots, every: float, interrupts: Interrupts
    ) -> None:
        self.folder, self.monitor, self.snapshots = folder, monitor, snapshots
        self.every, self.interrupts = every, interrupts
        self._last = self._metrics_last = time.perf_counter()
        self._saved_step = -1
        self._measured = len(monitor.history)

    def __call__(self, state: TrainState) -> bool:
        """Write what is due; True where a signal asks to stop (the caller then writes the last checkpoint)."""
        now = time.perf_counter()
        if len(self.monitor.history) > self._measured and now - self._metrics_last >= _METRICS_EVERY:
            self.write_metrics()
        if now - self._last >= self.every:
            self.save(state)
        return self.interrupts.caught is not None

    def write_metrics(self) -> None:
        """Write metrics.jsonl."""
        self.folder.write_history(self.monitor.history)
        self._measured, self._metrics_last = len(self.monitor.history), time.perf_counter()

    def save(self, state: TrainState) -> None:
        """Write metrics and checkpoint now, unless this step has its own or its numbers are not finite."""
        if self._measured < len(self.monitor.history):
            self.write_metrics()
        if state.step != self._saved_step and all(bool(t.isfinite().all()) for t in state.rbm.tensors):
            save_checkpoint(self.folder, state, self.monitor, self.snapshots)
            self._saved_step = state.step
        self._last = time.perf_counter()
