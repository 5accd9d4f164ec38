"""Worker processes: fresh ones that read jobs and answer, a JSON line each, and of which none is ever left behind.

A worker is ``python -m MODULE ARGUMENTS``, so that scripts need no ``if __name__ == "__main__"``.  It has a process
group of its own, for Ctrl-C is meant for the process that started it, and ends when its standard input does: when it
is asked to, and when that process is itself killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import harmonium
from harmonium.errors import HarmoniumError, InputError

Job = dict[str, Any]
#: Seconds that workers have to end when they are asked to, before they are killed.
_PATIENCE = 5.0


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_for(workers: int, asked: int = 0) -> int:
    """Threads for each of so many workers, together no more than there are processors.

    Raises InputError where more are asked for.
    """
    most = processors()
    if max(asked, 1) * workers > most:
        raise InputError(
            f"workers={workers} of {max(asked, 1)} threads each are more than the {most} processors here; take fewer."
        )
    return asked or max(1, most // workers)


def run_jobs(
    module: str, arguments: Sequence[str], jobs: Iterable[Job | None], workers: int, threads: int
) -> Iterator[Job]:
    """Hand the jobs to so many workers, and yield what they answer, in the order in which it comes.

    A job is taken from `jobs` when a worker is free for it; None says that there is none as yet, and the workers wait
    for the next answer.  An answer with the key ``done`` ends a job, one with the key ``error`` everything.  Raises
    HarmoniumError with that error, or where a worker dies; all workers have ended when this has.
    """
    waiting = iter(jobs)
    answers: queue.Queue[tuple[int, Job | None]] = queue.Queue()
    crew: list[subprocess.Popen[str]] = []
    busy: dict[int, Job] = {}
    ears: list[threading.Thread] = []

    def employ() -> None:
        while len(busy) < workers and (job := next(waiting, None)) is not None:
            number = next((n for n in range(len(crew)) if n not in busy), len(crew))
            if number == len(crew):
                crew.append(start(module, arguments, threads, stdout=subprocess.PIPE))
                ears.append(threading.Thread(target=_listen, args=(crew[number], number, answers), daemon=True))
                ears[-1].start()
            busy[number] = job
            _tell(crew[number], job)

    try:
        employ()
        while busy:
            try:
                number, answer = answers.get(timeout=1.0)  # not for ever, so that signals are heard everywhere
            except queue.Empty:
                continue
            if answer is None or "error" in answer:
                name = busy[number]["name"] if number in busy else "a worker"
                raise HarmoniumError(f"{name}: {_death(crew[number]) if answer is None else answer['error']}")
            yield answer
            if "done" in answer:
                del busy[number]
                employ()
    finally:
        _stop(crew)
        for ear in ears:
            ear.join(_PATIENCE)


def start(module: str, arguments: Sequence[str], threads: int, *, stdout: int) -> subprocess.Popen[str]:
    """A fresh process of so many threads, to be ended by closing its standard input."""
    source = os.path.dirname(os.path.dirname(os.path.abspath(harmonium.__file__)))
    path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE, stdout=stdout, text=True, env={**os.environ, **limits, "PYTHONPATH": path},
        start_new_session=os.name != "nt",  # Ctrl-C is for the process that started it, which then asks
    )  # fmt: skip


def _listen(process: subprocess.Popen[str], number: int, answers: queue.Queue[tuple[int, Job | None]]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            answers.put((number, json.loads(line)))
    answers.put((number, None))


def _death(process: subprocess.Popen[str]) -> str:
    code = process.wait(_PATIENCE)
    return f"its process was ended by signal {-code}; is there memory enough?" if code < 0 else f"exit code {code}."


def _tell(process: subprocess.Popen[str], job: Job) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # its end is among the answers
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()


def _stop(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Ask all to end, wait a little, and kill those that do not, also where a second signal comes meanwhile."""
    try:
        for process in processes:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        deadline = time.monotonic() + _PATIENCE
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                break
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


# ---- in the worker ------------------------------------------------------------------------------------------------


def serve(work: Callable[[Job, Callable[[Job], None]], None]) -> None:
    """Do the jobs that come on standard input, each with ``work(job, answer)``, until it ends.

    It ends at once then, in the middle of a job too: what a job writes must be written aside and renamed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer

    def answer(value: Job) -> None:
        output.write(json.dumps(value) + "\n")
        output.flush()

    jobs: queue.Queue[Job] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            jobs.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        job = jobs.get()
        try:
            work(job, answer)
        except HarmoniumError as error:
            answer({"error": str(error)})
        except (MemoryError, OSError, RuntimeError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            answer({"error": f"{type(error).__name__}: {' '.join(str(error).split())}"})
        answer({"done": True})
