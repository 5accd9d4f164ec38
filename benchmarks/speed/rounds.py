"""The parent: starts the processes of a case, finds how many updates make a chunk, and goes round and round.

Every round visits all of them, every other one backwards, so that a slow minute of the machine hits all alike and a
steady drift none more than others.  Between its turns a process waits for a line and takes no time.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from speed.cases import Case
from speed.tools import FLOOR, TOOLS
from speed.worker import Order

Say = Callable[[str], None]
_THREAD_VARIABLES = ("OMP", "MKL", "OPENBLAS", "NUMBA", "VECLIB", "BLIS")
#: Seconds that a process may take to prepare, and to answer.
PREPARATION, ANSWER = 600.0, 300.0


#: How the sentence about a tool that is not there ends.
NOT_INSTALLED = "is not installed and was left out."


class WorkerLostError(Exception):
    """A process has ended, or has not answered in time; the message is one sentence."""


@dataclass
class Timed:
    """One tool with so many threads on one case: seconds of an update in each round, peak bytes, the adapter's note."""

    tool: str
    threads: int
    seconds: list[float] = field(default_factory=list)
    memory: int = 0
    note: str = ""


@dataclass
class Measured:
    """One case: what was timed, and who is missing (by tool and threads, with the reason)."""

    case: Case
    timed: list[Timed] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"case": self.case.as_dict(), "timed": [asdict(t) for t in self.timed], "lost": self.lost}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Measured:
        """And back."""
        return cls(Case.from_dict(fields["case"]), [Timed(**t) for t in fields["timed"]], fields["lost"])


@dataclass(frozen=True)
class Pace:
    """How long and how often: seconds of a chunk, and rounds."""

    chunk: float
    rounds: int


class Worker:
    """A process of `speed.worker`, and the updates that make its chunk."""

    def __init__(self, order: Order, program: Sequence[str] = ("-m", "speed.worker")) -> None:
        self.timed = Timed(order.tool, order.threads)
        self.name = f"{TOOLS[order.tool].label}, {order.threads} thread{'s' * (order.threads > 1)}"
        self.updates = 1
        path = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
        environment |= {f"{library}_NUM_THREADS": str(order.threads) for library in _THREAD_VARIABLES}
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            [sys.executable, *program, order.as_json()], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip

    def ready(self) -> None:
        """Wait until it has prepared."""
        self.timed.note = self._answer(PREPARATION)["note"]

    def go(self, updates: int) -> float:
        """Seconds of so many updates."""
        return float(self._ask(f"go {updates}")["seconds"])

    def turn(self) -> None:
        """One chunk of a round."""
        self.timed.seconds.append(self.go(self.updates) / self.updates)

    def end(self) -> None:
        """Ask for its memory, and let it go."""
        self.timed.memory = int(self._ask("memory")["bytes"])
        self.close()

    def close(self) -> None:
        """End the process, whatever it does; a second time does nothing."""
        if not self._errors.closed:
            self._process.kill()
            self._process.communicate()
            self._errors.close()

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except OSError:
            raise WorkerLostError(self._why()) from None
        return self._answer(ANSWER)

    def _answer(self, limit: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(limit, give_up)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if late.is_set():
            raise WorkerLostError(f"{self.name} did not answer for {limit:.0f} seconds and was left out.")
        if not line.endswith("\n"):
            raise WorkerLostError(self._why())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _why(self) -> str:
        """A sentence with the last line that the process wrote."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors.read().splitlines() if line.strip()]
        last = f": {lines[-1][:200]}" if lines else ""
        return f"{self.name} ended with code {code} and was left out{last}"


def measure(case: Case, pace: Pace, rows: str, say: Say) -> Measured:
    """Time all tools of a case, and the products alone."""
    orders = [Order(tool, case, threads, rows) for threads in case.threads for tool in (*case.tools, FLOOR)]
    timed, lost = visited(orders, pace, say)
    return Measured(case, [t for t in timed if t is not None], lost)


def measure_together(cases: Sequence[Case], units: Sequence[int], pace: Pace, say: Say) -> list[Measured]:
    """Time the tools of several cases in the same rounds, in chunks of whole multiples of the units."""
    orders = [Order(tool, case, threads) for case in cases for threads in case.threads for tool in case.tools]
    unit = dict(zip(cases, units, strict=True))
    timed, lost = visited(orders, pace, say, [unit[order.case] for order in orders])
    both = list(zip(orders, timed, strict=True))
    return [Measured(case, [t for o, t in both if o.case == case and t is not None], lost) for case in cases]


def visited(
    orders: Sequence[Order], pace: Pace, say: Say, units: Sequence[int] | None = None
) -> tuple[list[Timed | None], dict[str, str]]:
    """What became of each order, None where it was lost, and why those were."""
    group = Group(orders, say)
    try:
        group.start()
        group.go_round(pace, units or [1] * len(orders))
        return group.ended(), group.lost
    finally:
        group.close()


class Group:
    """Processes that are visited in turns; one that is lost is said, and the others go on."""

    def __init__(self, orders: Sequence[Order], say: Say) -> None:
        self.orders = orders
        self.workers: list[Worker | None] = [None] * len(orders)
        self.lost: dict[str, str] = {}
        self._say = say

    def start(self) -> None:
        """Start those that are installed, and wait until they have prepared.

        The products come first and alone, because they look for the quickest way; then one tool alone, so that what is
        compiled and kept on disk is compiled once; then all others together.
        """
        there = []
        for i, order in enumerate(self.orders):
            tool = TOOLS[order.tool]
            if tool.version:
                there.append(i)
            else:
                self._lose(tool.label, f"{tool.name} {NOT_INSTALLED}")
        floors = [i for i in there if self.orders[i].tool == FLOOR]
        others = [i for i in there if self.orders[i].tool != FLOOR]
        for together in (*([i] for i in floors), others[:1], others[1:]):
            for i in together:
                self.workers[i] = Worker(self.orders[i])
            for i in together:
                self._each(i, Worker.ready)

    def go_round(self, pace: Pace, units: Sequence[int]) -> None:
        """Find each one's chunk, then make the rounds."""
        for i, unit in enumerate(units):
            self._each(i, partial(settle, chunk=pace.chunk, unit=unit))
        places = range(len(self.workers))
        for number in range(pace.rounds):
            for i in places if number % 2 == 0 else reversed(places):
                self._each(i, Worker.turn)

    def ended(self) -> list[Timed | None]:
        """Ask for the memories; then what each has measured, None where it was lost."""
        for i in range(len(self.workers)):
            self._each(i, Worker.end)
        return [None if worker is None else worker.timed for worker in self.workers]

    def close(self) -> None:
        """End all processes."""
        for worker in self.workers:
            if worker is not None:
                worker.close()

    def _each(self, i: int, act: Callable[[Worker], object]) -> None:
        worker = self.workers[i]
        if worker is None:
            return
        try:
            act(worker)
        except WorkerLostError as error:
            self._lose(worker.name, str(error))
            worker.close()
            self.workers[i] = None

    def _lose(self, name: str, why: str) -> None:
        if name not in self.lost:
            self._say(why)
            self.lost[name] = why


def settle(worker: Worker, chunk: float, unit: int = 1) -> None:
    """Warm the process up with growing numbers of updates, until it is known how many make a chunk."""
    updates = unit
    while True:
        seconds = worker.go(updates)
        if seconds >= chunk / 4:
            break
        updates = unit * math.ceil(min(10.0, max(1.5, chunk / 3 / max(seconds, 1e-6))) * updates / unit)
    worker.updates = unit * max(1, round(chunk * updates / seconds / unit))
