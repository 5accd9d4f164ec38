"""The progress bar: step, rate, time left and the running log-likelihood.

In a terminal or a notebook it is a bar; elsewhere one plain line every few seconds.  It writes to stderr: results go
to stdout.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

from harmonium.intervals import Z_95
from harmonium.runs.monitor import Monitor
from harmonium.training.loop import TrainState

_REFRESH, _PLAIN_LINE = 0.1, 10.0
_BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{rate_fmt}, {remaining} left]{postfix}"


def _knows_size() -> bool:
    """Whether the terminal says how large it is: some say 0, and a bar in no columns or rows is not to be seen."""
    try:
        return min(os.get_terminal_size(2)) > 0
    except OSError:
        return False


class Bar:
    """How far something of `total` steps has come; words follow the numbers."""

    def __init__(self, total: int, start: int = 0, unit: str = "step") -> None:
        from tqdm.auto import tqdm

        self.total, self.unit = total, unit
        self.plain = not (sys.stderr.isatty() or "ipykernel" in sys.modules)
        self._bar: Any = None
        if not self.plain:
            width = shutil.get_terminal_size().columns
            self._bar = tqdm(
                total=total, initial=start, unit=f" {unit}s", smoothing=0.1, bar_format=_BAR,
                dynamic_ncols=_knows_size(), ncols=width, nrows=24,
            )  # fmt: skip
        self._last = self._began = time.perf_counter()
        self._first = start

    def show(self, step: int, words: Callable[[], str]) -> None:
        """Refresh a few times a second."""
        now = time.perf_counter()
        if now - self._last < (_PLAIN_LINE if self.plain else _REFRESH) and step < self.total:
            return
        self._last = now
        if self._bar is None:
            rate = (step - self._first) / max(now - self._began, 1e-9)
            left = (self.total - step) / max(rate, 1e-9)
            unit = self.unit
            pace = f"{rate:.0f} {unit}s/s" if rate >= 1 else f"{1 / max(rate, 1e-9):.1f} s/{unit}"
            sys.stderr.write(f"{unit} {step}/{self.total}, {pace}, {left:.0f} s left, {words()}\n")
            return
        self._bar.set_postfix_str(words(), refresh=False)
        self._bar.update(step - self._bar.n)

    def say(self, text: str) -> None:
        """A line above the bar."""
        if self._bar is None:
            sys.stderr.write(f"{text}\n")
        else:
            self._bar.write(text, file=sys.stderr)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()


class Progress(Bar):
    """An observer that shows where training stands."""

    def __init__(self, monitor: Monitor, start: int) -> None:
        super().__init__(monitor.plan.total, start)
        self.monitor = monitor

    def __call__(self, state: TrainState) -> None:
        """Refresh a few times a second."""
        self.show(state.step, self.score)

    def score(self) -> str:
        """The last measurement in a few words."""
        if not self.monitor.history:
            return "not yet measured"
        last = self.monitor.history[-1]
        if self.monitor.plan.config.by_labels:
            part = "validation" if "validation_label_error" in last else "train"
            return f"{part} ln P(label) {last[f'{part}_log_p_label']:.3f} nats, {last[f'{part}_label_error']:.2%} wrong"
        about = "" if last["train_stderr"] == 0 else f" ± {Z_95 * last['train_stderr']:.1g}"
        return f"ln p {last['train']:.2f}{about} nats"
