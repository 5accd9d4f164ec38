"""A training that a page watches: ``python -m harmonium.app.server_training``, a process of its own.

It reads JSON lines: first the options, then what to do; when its standard input ends, so does it, after a checkpoint.
It answers in JSON lines:

    panel      the page's panel of the machine before its first update, its tensors beside it
    snapshot   the machine as it is now, a few times a second, no matter how fast it learns
    measured   a line of metrics.jsonl, as `harmonium.runs.monitor` has found it
    at         the update that it is at, of how many, and how many a second
    say        what takes long;     end   how it ended, and where the run lies
"""

from __future__ import annotations

import json
import math
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from harmonium.app.layers import rounded_machine
from harmonium.app.pack import Tensors, document, snapshot_of
from harmonium.app.panel import PRETRAINED, RANDOM, Panel, Snapshot, state_from_machines
from harmonium.app.pictures import pictures_of
from harmonium.app.server_options import LiveOptions, live_options
from harmonium.data import Dataset
from harmonium.errors import HarmoniumError, InputError, Interrupted, StoppedError
from harmonium.machine import RBM
from harmonium.runs.folder import RunFolder
from harmonium.runs.monitor import Monitor
from harmonium.runs.train import run_training
from harmonium.training.loop import Observer, TrainState

Tell = Callable[[dict[str, Any]], None]
#: Seconds between snapshots at least, and bytes of them a second at most.
BETWEEN, BYTES_A_SECOND = 0.35, 4e6
#: Seconds of the updates a second that are shown.
_RATE_OVER = 2.0
ABOUT = "As far as it has learned; the slider goes back to the beginning."


class Wishes:
    """What the page wants of the training: set by the process's reader, seen by its observer."""

    def __init__(self, pace: int = 0) -> None:
        self.pace = pace
        self.paused = self.ending = self.leaving = False
        self.changed = threading.Condition()

    def hear(self, wish: dict[str, Any]) -> None:
        """Take up one line."""
        with self.changed:
            match wish:
                case {"do": "pause"}:
                    self.paused = True
                case {"do": "resume"}:
                    self.paused = False
                case {"do": "stop"}:
                    self.paused, self.ending = False, True
                case {"do": "pace", "value": int(pace)}:
                    self.pace = pace
            self.changed.notify_all()

    def leave(self) -> None:
        """Nobody listens any more: end after a checkpoint, by the signal that every run understands."""
        with self.changed:
            self.leaving = True
            self.changed.notify_all()
        signal.raise_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        """So long, or until something is wished."""
        with self.changed:
            if not self.leaving:
                self.changed.wait(seconds)


class Watched:
    """An observer that tells what the training does, and does what is wished."""

    def __init__(self, monitor: Monitor, wishes: Wishes, tell: Tell, name: str) -> None:
        self.monitor, self.wishes, self.tell = monitor, wishes, tell
        plan = monitor.plan
        rbm = plan.state.rbm
        self.told = 0  # measurements
        self.last = -1.0  # when the last snapshot was sent
        self.between = max(BETWEEN, 2 * rbm.W.numel() * 4 / 3 / BYTES_A_SECOND)
        self.due = 0.0  # when the next update may be, at the pace that is wished
        self.marks: deque[tuple[float, int]] = deque()
        self.end_after = -1
        tell({"panel": live_panel(monitor, name), "total": plan.total, "name": name})

    def __call__(self, state: TrainState) -> bool:
        """After each update: tell, wait, and True where it is to end."""
        self._measured()
        now = time.perf_counter()
        ends = self._ended(state)
        last = ends or self.monitor.patience_spent or state.step >= self.monitor.plan.total
        if last or now - self.last >= self.between:
            self._show(state, now)
        if last:
            return ends
        if self.wishes.paused and not self.wishes.leaving:
            self._pause(state)
        self._keep_pace()
        return False

    def _measured(self) -> None:
        for record in self.monitor.history[self.told :]:
            numbers = {name: x for name, x in record.items() if isinstance(x, (int, float)) and math.isfinite(x)}
            self.tell({"measured": numbers})
        self.told = len(self.monitor.history)

    def _show(self, state: TrainState, now: float, *, paused: bool = False) -> None:
        self.last = now
        while self.marks and now - self.marks[0][0] > _RATE_OVER:
            self.marks.popleft()
        rate = (state.step - self.marks[0][1]) / (now - self.marks[0][0]) if self.marks else None
        self.marks.append((now, state.step))
        tensors = Tensors()
        snapshot = snapshot_of(Snapshot(state.step, rounded_machine(state.scored)), tensors)
        self.tell({"snapshot": snapshot, "tensors": tensors.packed})
        self.tell({"at": {"step": state.step, "rate": rate, "paused": paused}})

    def _pause(self, state: TrainState) -> None:
        self._show(state, time.perf_counter(), paused=True)
        while self.wishes.paused and not self.wishes.leaving:
            self.wishes.wait(1.0)
        self.marks.clear()
        self.due = 0.0
        self._show(state, time.perf_counter())

    def _keep_pace(self) -> None:
        while (pace := self.wishes.pace) and not (self.wishes.leaving or self.wishes.paused or self.wishes.ending):
            left = self.due - time.perf_counter()
            if left <= 0:
                self.due = max(self.due, time.perf_counter() - 1 / pace) + 1 / pace
                return
            self.wishes.wait(min(left, 1 / pace))

    def _ended(self, state: TrainState) -> bool:
        """Whether it was asked to end, once the machine that it ends with has been measured."""
        if not self.wishes.ending:
            return False
        if self.monitor.history and self.monitor.history[-1]["step"] == state.step:
            return True
        self.monitor.steps |= {state.step + 1}
        return False


def live_panel(monitor: Monitor, name: str) -> dict[str, Any]:
    """The panel of a training that begins, as `pack.document` makes it, tensors beside it."""
    plan = monitor.plan
    first: list[tuple[int, RBM]] = [(plan.state.step, plan.state.rbm)]
    states = (state_from_machines(RANDOM, first), state_from_machines(PRETRAINED, first, ABOUT))
    panel = Panel(name, pictures_of(plan, f"data={plan.config.data}"), plan.feed.classes, states)
    packed = document([panel])
    return {**packed["panels"][0], "tensors": packed["tensors"]}


def work(options: LiveOptions, wishes: Wishes, tell: Tell) -> None:
    """Train as asked, into a fresh run folder, and tell how it ended."""
    folders: list[RunFolder] = []

    def claim(data: Dataset) -> RunFolder:
        folders.append(RunFolder.fresh(data.name))
        tell({"folder": str(folders[-1].path)})
        return folders[-1]

    def watch(monitor: Monitor) -> Observer:
        return Watched(monitor, wishes, tell, folders[-1].path.name)

    def end(how: str, words: str) -> None:
        tell({"end": {"how": how, "words": words, "folder": str(folders[-1].path) if folders else None}})

    try:
        run = run_training(options.config(), claim, say=lambda line: tell({"say": line}), watch=watch)
    except StoppedError as error:
        end("stopped", str(error))
    except Interrupted:
        end("stopped", "stopped before the first update.")
    except InputError as error:
        end("refused", str(error))
    except HarmoniumError as error:
        end("failed", str(error))
    except (MemoryError, OSError, RuntimeError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        end("failed", f"{type(error).__name__}: {' '.join(str(error).split())}")
    else:
        end("done", f"{run.folder} holds the run: {run.summary['steps']:,} updates, the best after "
            f"{run.summary['best_step']:,}.")  # fmt: skip


def main() -> None:
    """What the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    asked = sys.stdin.readline()
    if not asked:
        return  # it was kept ready for nothing
    options = live_options(json.loads(asked))
    wishes = Wishes(options.pace)

    def tell(value: dict[str, Any]) -> None:
        try:
            output.write(json.dumps(value, separators=(",", ":")) + "\n")
            output.flush()
        except (BrokenPipeError, ValueError):
            pass  # nobody listens; standard input ends too, and then all of this

    def read() -> None:
        for line in sys.stdin:
            wishes.hear(json.loads(line))
        wishes.leave()

    threading.Thread(target=read, daemon=True).start()
    work(options, wishes, tell)


if __name__ == "__main__":
    main()
