"""One tool on one case, in a process of its own: prepares, then waits for orders on its standard input.

    go N        make N updates; answers with their seconds
    memory      answers with the bytes that training has taken at its peak
    quit        ends

An answer is a line of JSON on standard output; what tools print goes to standard error.  Memory is the peak of the
resident set above what it was when the tool had just trained a tiny machine: all imported and compiled, nothing held.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from speed.cases import Case
from speed.rows import Rows
from speed.tools import TOOLS, Training

_FIRST_UPDATES = 3


@dataclass(frozen=True)
class Order:
    """What a process is to measure."""

    tool: str
    case: Case
    threads: int
    rows: str = ""

    def as_json(self) -> str:
        """For the command line."""
        return json.dumps({"tool": self.tool, "case": self.case.as_dict(), "threads": self.threads, "rows": self.rows})

    @classmethod
    def from_json(cls, text: str) -> Order:
        """And back."""
        fields = json.loads(text)
        return cls(**{**fields, "case": Case.from_dict(fields["case"])})


def prepare(order: Order) -> tuple[Training, int]:
    """The training, and the resident bytes before there was anything of it."""
    tool = TOOLS[order.tool]
    adapter = tool.load()
    tiny = order.case.tiny()
    training: Training | None = adapter(tiny, Rows.of(tiny), tool.variant)
    _set_threads(order.threads)  # now that the libraries are loaded
    assert training is not None
    training.more(_FIRST_UPDATES)
    training = None
    gc.collect()
    idle = reset_peak()
    training = adapter(order.case, Rows.of(order.case, order.rows), tool.variant)
    training.more(_FIRST_UPDATES)
    return training, idle


def _set_threads(threads: int) -> None:
    """The environment has said it to all libraries; torch alone may still change its mind, and is told again."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def serve(order: Order, orders: Iterable[str], answers: TextIO) -> None:
    """Answer until there are no more orders, or the last one."""

    def answer(**fields: Any) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    training, idle = prepare(order)
    answer(note=training.note)
    for line in orders:
        word, *rest = line.split()
        if word == "go":
            began = time.perf_counter()
            training.more(int(rest[0]))
            answer(seconds=time.perf_counter() - began)
        elif word == "memory":
            answer(bytes=max(0, peak() - idle))
        else:
            return


def reset_peak() -> int:
    """Forget the peak, where the system can; the resident bytes now, or else the peak so far."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    """The largest resident set in bytes, since the process began or the last reset."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would begin with that of the parent
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main() -> None:
    """Serve the order on the command line."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a tool prints is no answer
    serve(Order.from_json(sys.argv[1]), sys.stdin, answers)


if __name__ == "__main__":
    main()
