"""Ctrl-C and SIGTERM: outside training they end the run at once, during training after the step in progress."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harmonium.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """What has come while `listening`: `caught` is the signal's number.

    While `patient` the first signal is only noted, and the second raises Interrupted; otherwise each raises it.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self.caught: int | None = None
        self.patient = False
        self.silent = silent

    def __call__(self, number: int, frame: FrameType | None = None) -> None:
        """The handler."""
        again, self.caught = self.caught is not None, number
        if again or not self.patient:
            raise Interrupted(number)
        if not self.silent:
            with contextlib.suppress(OSError):  # not through sys.stderr, which may be in the middle of a line
                os.write(2, "\nstopping after this step, to write a checkpoint …\n".encode())

    @contextmanager
    def listening(self) -> Iterator[Interrupts]:
        """Take both signals, and give them back at the end; signals that are ignored stay so."""
        if threading.current_thread() is not threading.main_thread():
            yield self  # only the main thread may set handlers
            return
        before = {n: h for n in _SIGNALS if (h := signal.getsignal(n)) not in (signal.SIG_IGN, None)}
        for number in before:
            signal.signal(number, self)
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
