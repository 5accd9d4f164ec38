"""The work behind a study: pure functions of JSON arguments, run in parallel processes, done once and kept on disk.

A task's folder ``work/NAME-KEY`` holds what its function wrote and, last of all, ``result.json``; KEY is a digest of
the function, its arguments, the keys of the tasks that it needs and the version of this program.  So a study that is
interrupted, extended or run for one figure alone finds again whatever it has computed before.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import harmonium
from harmonium.errors import HarmoniumError
from harmonium.runs.processes import Job, run_jobs

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Task:
    """A piece of work.

    Attributes
    ----------
    name : str
        A few words for people, without spaces.
    function : str
        ``package.module:function``, called as ``function(folder, needs, **arguments)`` in a process of its own: the
        folder takes its files, `needs` maps names to finished tasks, and what it returns must fit into JSON.
    arguments : mapping
        JSON values.
    needs : mapping of str to Task
        What must be done before.
    seconds : float
        What it takes about, on one core: the longest begin first.
    """

    name: str
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    needs: Mapping[str, Task] = field(default_factory=dict)
    seconds: float = 1.0

    @cached_property
    def key(self) -> str:
        """The digest of all that determines the result."""
        needs = {name: task.key for name, task in self.needs.items()}
        whole = [self.function, dict(self.arguments), needs, harmonium.__version__]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def folder_name(self) -> str:
        """The name and the key."""
        return f"{self.name}-{self.key}"

    def folder(self, work: Path) -> Path:
        """Where its files are, or will be."""
        return work / self.folder_name


@dataclass(frozen=True)
class Done:
    """A finished task: what it returned, its files, and what it took on one core."""

    value: dict[str, Any]
    folder: Path
    seconds: float


def done(task: Task, work: Path) -> Done | None:
    """The result of a task, or None where it has none yet."""
    return kept(task.folder(work))


def kept(folder: Path) -> Done | None:
    """The result in a task's folder, or None where there is none."""
    try:
        record = json.loads((folder / "result.json").read_text())
    except (OSError, ValueError):
        return None
    return Done(record["value"], folder, record["seconds"])


def ordered(tasks: Iterable[Task]) -> list[Task]:
    """The tasks and all that they need, each once, needs first."""
    found: dict[str, Task] = {}

    def visit(task: Task) -> None:
        if task.key not in found:
            for need in task.needs.values():
                visit(need)
            found[task.key] = task

    for task in tasks:
        visit(task)
    return list(found.values())


def execute(tasks: Iterable[Task], work: Path, workers: int, threads: int, say: Say) -> None:
    """Do what has not been done: `workers` processes of `threads` threads each.

    Raises HarmoniumError, after everything that could still be done, with the sentence of each task that failed; or at
    once where a process died.  What is finished stays, whatever ends the rest.
    """
    work.mkdir(parents=True, exist_ok=True)
    waiting = {task.folder_name: task for task in ordered(tasks) if done(task, work) is None}
    if not waiting:
        return
    board = _Board(list(waiting.values()), workers, say)
    failures: dict[str, str] = {}

    def jobs() -> Iterator[Job | None]:
        left = list(waiting.values())
        while left:
            ready = [task for task in left if all(done(need, work) is not None for need in task.needs.values())]
            if not ready:  # what is needed is under way, or has failed
                yield None
                continue
            longest = max(ready, key=lambda task: task.seconds)
            left.remove(longest)
            needs = {name: need.folder_name for name, need in longest.needs.items()}
            yield {
                "name": longest.name, "folder": longest.folder_name, "function": longest.function,
                "arguments": dict(longest.arguments), "needs": needs,
            }  # fmt: skip

    try:
        for answer in run_jobs("harmonium.experiments.worker", [str(work)], jobs(), workers, threads):
            if "failed" in answer:
                name = waiting[answer["folder"]].name
                failures[name] = answer["failed"]
                say(f"{name} failed: {answer['failed']}")
            elif "seconds" in answer:
                board.finished(waiting[answer["folder"]], answer["seconds"])
    finally:
        for aside in work.glob(".*.part"):
            if not _alive(int(aside.name.split(".")[-2])):  # another command may be at work in the same folder
                shutil.rmtree(aside, ignore_errors=True)
    if failures:
        sentences = " ".join(f"{name}: {reason}" for name, reason in failures.items())
        raise HarmoniumError(f"{len(failures)} of the tasks failed, the others are kept. {sentences}")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


class _Board:
    """Says how far the work is, and about how long it will take: by the tasks' own estimates, corrected as they end."""

    def __init__(self, tasks: list[Task], workers: int, say: Say) -> None:
        self.number, self.ended, self.workers, self.say = len(tasks), 0, workers, say
        self.left = sum(task.seconds for task in tasks)
        self.expected = self.taken = 0.0
        say(f"{len(tasks)} tasks on {workers} process{'es' * (workers > 1)}, about {_minutes(self.left / workers)}")

    def finished(self, task: Task, seconds: float) -> None:
        """One more."""
        self.ended += 1
        self.left -= task.seconds
        self.expected += task.seconds
        self.taken += seconds
        left = self.left * self.taken / max(self.expected, 1e-9) / self.workers
        more = f", about {_minutes(left)} left" if self.ended < self.number else ""
        self.say(f"[{self.ended}/{self.number}] {task.name}: {seconds:.0f} s{more}")


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
