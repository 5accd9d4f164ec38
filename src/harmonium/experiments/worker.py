"""A process that does tasks: ``python -m harmonium.experiments.worker WORK``, see `tasks` and `runs.processes`."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import harmonium
from harmonium.errors import HarmoniumError
from harmonium.experiments.tasks import kept
from harmonium.io import write_json
from harmonium.runs.processes import Job, serve


def main(work: Path) -> None:
    """Do the tasks that come, each into a folder aside that is then moved into place."""

    def perform(job: Job, answer: Callable[[Job], None]) -> None:
        try:
            answer({"folder": job["folder"], "seconds": do(job, work)})
        except HarmoniumError as error:
            answer({"folder": job["folder"], "failed": str(error)})

    serve(perform)


def do(job: Job, work: Path) -> float:
    """One task; the seconds it took."""
    began = time.perf_counter()
    final = work / job["folder"]
    aside = work / f".{final.name}.{os.getpid()}.part"
    aside.mkdir()
    try:
        module, _, name = job["function"].partition(":")
        needs = {need: kept(work / folder) for need, folder in job["needs"].items()}
        value = getattr(importlib.import_module(module), name)(aside, needs, **job["arguments"])
        seconds = time.perf_counter() - began
        record = {key: job[key] for key in ("name", "function", "arguments", "needs")}
        write_json(
            aside / "result.json", {**record, "seconds": seconds, "version": harmonium.__version__, "value": value}
        )
        shutil.rmtree(final, ignore_errors=True)  # one without its result.json
        os.replace(aside, final)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return seconds


if __name__ == "__main__":
    main(Path(sys.argv[1]))
