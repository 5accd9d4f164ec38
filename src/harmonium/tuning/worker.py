"""A worker: takes one trial after another until none is left, or it is asked to stop.

The workers of one machine are processes of their own, ``python -m harmonium.tuning.worker FOLDER``, started fresh and
not forked.  Each ends when its standard input does: when the search that started it asks for it, and when that search
is itself killed, so that none is left behind.  The trial under way is then given up, within one update.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harmonium.data import Dataset
from harmonium.errors import HarmoniumError
from harmonium.runs.processes import processors, start
from harmonium.tuning.presence import Presence
from harmonium.tuning.settings import fix_held_out, load_search_data, read_settings
from harmonium.tuning.study import SharedStudy
from harmonium.tuning.trial import Stopping, run_trial


def work(
    folder: Path,
    *,
    data: Dataset | None = None,
    stopping: Stopping = lambda: False,
    after: Callable[[SharedStudy], None] = lambda study: None,
) -> None:
    """Run trials until none is left or `stopping`; `after` is called at the end of each."""
    settings = read_settings(folder)
    if data is None:
        data = load_search_data(folder, settings)
    data, held_out = fix_held_out(data, settings.config)
    study = SharedStudy(folder)
    with study.presence.shown():
        while not stopping():
            settings = read_settings(folder)  # more trials may have been asked for
            trial = study.take(settings)
            if trial is None:
                return
            run_trial(study, trial, settings, data, held_out, stopping)
            after(study)


def start_worker(folder: Path, threads: int) -> subprocess.Popen[str]:
    """A worker in a process of its own; it stops when its standard input is closed."""
    return start("harmonium.tuning.worker", [str(folder)], threads, stdout=subprocess.DEVNULL)


def worker_of(process: subprocess.Popen[str]) -> str:
    """The beginning of the names of that process's workers."""
    return f"-{process.pid}-"


def threads_for(workers: int) -> int:
    """Threads for each of so many workers: together no more than there are processors."""
    allowed = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    fair = max(1, processors() // workers)
    return min(fair, int(allowed)) if allowed.isdigit() and int(allowed) > 0 else fair


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Set when standard input ends, or at SIGTERM."""
    asked = threading.Event()

    def wait_for_the_end() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 1024):
                pass
        asked.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda number, frame: asked.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield asked


def main(folder: str) -> int:
    """What a worker's process does; returns its exit code."""
    with _asked_to_stop() as asked:
        try:
            work(Path(folder), stopping=asked.is_set)
        except HarmoniumError as error:
            sys.stderr.write(f"harmonium: {error}\n")
            return error.exit_code
    return 0


__all__ = ["Presence", "main", "start_worker", "threads_for", "work", "worker_of"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
