"""A worker of `harmonium.runs.validate`: ``python -m harmonium.runs.seed_worker DATA FOLDER``, see `processes`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from harmonium.runs.processes import Job, serve
from harmonium.runs.seed_folders import SeedFolders, described


def main(place: str, folder: str) -> None:
    """Train the seeds that each job names, as one."""
    config, data = described(Path(place))
    folders = SeedFolders(Path(folder))

    def work(job: Job, answer: Callable[[Job], None]) -> None:
        seeds = job["seeds"]
        folders.train(config, data, seeds, len(seeds), lambda seed: answer({"seed": seed}))

    serve(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
