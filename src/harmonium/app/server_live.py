"""The one training behind the page: its process, and what pages that come late must be told of it.

Events are numbered.  A page asks for all after the last one that it has; a snapshot that the slider has dropped in the
meantime is not told any more.  The slider has room for `MOST` positions: when they are taken every second one goes, and
from then on every second snapshot stays, every fourth, ...; the first and the latest are there always.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from harmonium.app.server_options import LiveOptions
from harmonium.errors import HarmoniumError
from harmonium.runs.processes import processors, start

MODULE = "harmonium.app.server_training"
#: Positions of the slider; even, so that of one more the last is among every second one.
MOST = 40
#: Seconds that a training has for its checkpoint when the server ends.
PATIENCE = 15.0


class BusyError(HarmoniumError):
    """A training is under way already, or none is."""


@dataclass
class Slider:
    """Which snapshots a training leaves on its slider: their steps, each with the number of its event."""

    stride: int = 1
    passed: int = 0
    kept: list[tuple[int, int]] = field(default_factory=list)  # (step, number)
    latest: tuple[int, int] | None = None  # where it is not among them

    def add(self, step: int, number: int) -> list[int]:
        """One more; returns the numbers of events that are gone."""
        gone = [] if self.latest is None else [self.latest[1]]
        self.latest = None
        if self.kept and self.kept[-1][0] == step:
            gone.append(self.kept.pop()[1])
            self.kept.append((step, number))
            return gone
        stays = self.passed % self.stride == 0
        self.passed += 1
        if not stays:
            self.latest = (step, number)
            return gone
        self.kept.append((step, number))
        if len(self.kept) > MOST:
            gone += [own for _, own in self.kept[1::2]]
            self.kept = self.kept[::2]
            self.stride *= 2
        return gone

    @property
    def steps(self) -> list[int]:
        """Where the slider stands, first to last; 0 is the panel's own."""
        return [0, *(step for step, _ in self.kept), *([] if self.latest is None else [self.latest[0]])]


class Live:
    """At most one training at a time."""

    def __init__(self) -> None:
        self.boot = secrets.token_hex(4)  # events of another server are no events of this one
        self.closed = False
        self._lock = threading.RLock()
        self._number = 0
        self._runs = 0
        self._events: dict[int, dict[str, Any]] = {}
        self._process: subprocess.Popen[str] | None = None
        self._ready: subprocess.Popen[str] | None = None  # the next one, which has its libraries loaded
        self._slider = Slider()
        self._folder: str | None = None
        self._at: int | None = None  # the number of the event that says where it is
        self._ear: threading.Thread | None = None

    # ---- what pages ask for -----------------------------------------------------------------------------------

    @property
    def training(self) -> bool:
        """Whether a training is under way."""
        with self._lock:
            return self._process is not None

    def prepare(self) -> None:
        """Have a process ready that waits for options: loading its libraries takes seconds."""
        with self._lock:
            if self._ready is None or self._ready.poll() is not None:
                self._dismiss()
                self._ready = start(MODULE, [], processors(), stdout=subprocess.PIPE)

    def _dismiss(self) -> None:
        """The process that was kept ready is not needed: it has done nothing yet."""
        if self._ready is not None:
            self._ready.kill()
            self._ready.communicate()  # closes both its ends
            self._ready = None

    def train(self, options: LiveOptions) -> None:
        """Start one; raises InputError for options of no run, BusyError where one is under way."""
        options.config()
        with self._lock:
            if self.closed:
                raise BusyError("the server is ending; start it again.")
            if self._process is not None:
                raise BusyError("a training is under way already; stop it first, or wait for its end.")
            self._runs += 1
            self._events.clear()
            self._slider, self._folder, self._at = Slider(), None, None
            self.prepare()
            self._process, self._ready = self._ready, None
            assert self._process is not None
            self._say({"begun": asdict(options)})
            self._tell(asdict(options))
            self._ear = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
            self._ear.start()

    def wish(self, what: str, value: int = 0) -> None:
        """pause, resume, stop (score what there is), or pace; raises BusyError where nothing is under way."""
        with self._lock:
            if self._process is None:
                raise BusyError("no training is under way; start one.")
            self._tell({"do": what, "value": value})

    def leave(self) -> None:
        """End the training after a checkpoint, without scores; raises BusyError where nothing is under way."""
        with self._lock:
            if self._process is None or self._process.stdin is None:
                raise BusyError("no training is under way; start one.")
            with contextlib.suppress(BrokenPipeError, ValueError):
                self._process.stdin.close()

    def since(self, number: int) -> list[tuple[int, dict[str, Any]]]:
        """The events after that number, in order."""
        with self._lock:
            if number >= self._number:
                return []
            return [(own, event) for own, event in self._events.items() if own > number]

    def close(self) -> str:
        """End the training that is under way, after its checkpoint; returns its last words, if there was one."""
        with self._lock:
            self.closed = True
            process, ear = self._process, self._ear
            self._dismiss()
        if process is None or ear is None:
            return ""
        with contextlib.suppress(BusyError):
            self.leave()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        ear.join(PATIENCE)
        with self._lock:
            return next((event["end"]["words"] for event in reversed(self._events.values()) if "end" in event), "")

    # ---- what the training says -------------------------------------------------------------------------------

    def _tell(self, value: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):  # it has ended, and its end is on its way
            self._process.stdin.write(json.dumps(value) + "\n")
            self._process.stdin.flush()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        ended = False
        with process.stdout as lines:
            for line in lines:
                with self._lock:
                    event = json.loads(line)
                    ended = ended or "end" in event
                    self._hear(event)
        process.wait()
        with self._lock:
            if not ended:
                where = f"; go on with: harmonium train --resume {self._folder}" if self._folder else "."
                words = f"the training's process has ended (exit code {process.returncode}){where}"
                self._say({"end": {"how": "failed", "words": words, "folder": self._folder}})
            self._process = None
            if not self.closed:
                self.prepare()
        with contextlib.suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()

    def _hear(self, event: dict[str, Any]) -> None:
        if "folder" in event:
            self._folder = event["folder"]
        elif "snapshot" in event:
            for number in self._slider.add(event["snapshot"]["step"], self._number + 1):
                self._events.pop(number, None)
            self._say({**event, "steps": self._slider.steps})
        elif "at" in event:
            if self._at is not None:
                self._events.pop(self._at, None)
            self._at = self._say(event)
        else:
            self._say(event)

    def _say(self, event: dict[str, Any]) -> int:
        self._number += 1
        self._events[self._number] = {"run": f"{self.boot}-{self._runs}", **event}
        return self._number
