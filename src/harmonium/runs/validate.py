"""One configuration trained from several seeds: in parallel worker processes, and stacked within each.

validation.toml       the options, the number of seeds and the data's fingerprint
seed-00000/           a run folder for each seed, for harmonium evaluate, sample and check; summary.json comes last
validation.json       all scores with their means, intervals and methods
figures/              learning_curve.png, scores.png

Every file is written when its seed has ended, so that what was interrupted goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from harmonium.checks import check_whole
from harmonium.config import IN_MEMORY, Config
from harmonium.config_from import config_from
from harmonium.data import Dataset
from harmonium.errors import DivergedError, Interrupted, StoppedError
from harmonium.io import write_json
from harmonium.runs.idle import refuse_idle
from harmonium.runs.interrupts import Interrupts
from harmonium.runs.plan import make_plan
from harmonium.runs.processes import processors, run_jobs, threads_for
from harmonium.runs.seed_folders import SeedFolders, describe
from harmonium.runs.source import array_data, load_config_data, with_absolute_paths
from harmonium.runs.together import best_together, can_stack
from harmonium.runs.validation import Validation

Say = Callable[[str], None]


def validate(
    data: Any = "digits",
    labels: Any = None,
    *,
    seeds: int = 10,
    workers: int = 0,
    together: int = 0,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
    **options: Any,
) -> Validation:
    """Train a machine from each of several seeds: how good is this configuration, and how much is luck?

    Parameters
    ----------
    data, labels
        As for `harmonium.train`.
    seeds : int
        How many; they are the option ``seed`` (0) and those after it.  Each run is what `harmonium.train` makes of that
        seed, up to the rounding of sums.
    workers : int
        Processes; 0 is one for each processor, as far as there are seeds, and 1 trains in this process.
    together : int
        Machines that are trained as one, at most (`harmonium.stack`); 0 chooses what is quickest, 1 stacks none.
    out : path, optional
        A folder for all files; where it holds this very validation, that goes on.  None keeps none.
    progress : bool
        A line on stderr for each seed.
    **options
        The fields of `harmonium.config.Config`, as for `harmonium.train`.

    Returns
    -------
    Validation
        Scores with means and intervals over seeds, learning curves and machines.

    Raises
    ------
    InputError
        An option or the data cannot be used, or the folder holds something else.  Nothing has been trained.
    DivergedError
        Every seed diverged; where only some did, they are left out of means and counted.
    HarmoniumError
        Something went wrong in a run; the sentence names its seed.
    StoppedError
        A signal came while there was a folder; the same call goes on.
    """
    if isinstance(data, (str, os.PathLike)):
        config = config_from({"data": data, **options, **({} if labels is None else {"labels": labels})})
        dataset = None
    else:
        config = config_from({"data": IN_MEMORY, **options})
        dataset = array_data(data, labels, config)
    refuse_idle(config, options)
    return run_validation(
        config, dataset, seeds=seeds, workers=workers, together=together, out=out,
        say=_to_stderr if progress else lambda line: None,
    )  # fmt: skip


def resume_validation(
    folder: str | os.PathLike[str],
    data: Any = None,
    labels: Any = None,
    *,
    seeds: int | None = None,
    workers: int = 0,
    together: int = 0,
    say: Say = lambda line: None,
) -> Validation:
    """Go on with the validation in a folder, perhaps to more seeds; `data` are given again where they were arrays.

    Raises InputError where the folder holds none, or its data have changed; else as `validate`.
    """
    config, number = SeedFolders(Path(folder)).read()
    dataset = None if data is None else array_data(data, labels, config)
    return run_validation(
        config, dataset, seeds=seeds or number, workers=workers, together=together, out=folder, say=say
    )


def run_validation(
    config: Config,
    dataset: Dataset | None = None,
    *,
    seeds: int = 10,
    workers: int = 0,
    together: int = 0,
    out: str | os.PathLike[str] | None = None,
    say: Say = lambda line: None,
) -> Validation:
    """`validate` for options that have been read."""
    for name, value, low in (("seeds", seeds, 1), ("workers", workers, 0), ("together", together, 0)):
        check_whole(name, value, low)
    data = load_config_data(config) if dataset is None else dataset
    numbers = range(config.seed, config.seed + seeds)
    config = with_absolute_paths(config)
    plan = make_plan(config, data)  # whatever is wrong with the options shows here
    most = min(together or best_together(plan), seeds) if can_stack(config) else 1
    workers = min(workers or processors(), seeds)
    threads = threads_for(workers, config.threads)
    with contextlib.ExitStack() as stack:
        if out is None:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harmonium-")))
        else:
            path = Path(out)
        folders = SeedFolders(path)
        folders.begin(config, data, seeds)
        ended = _Ended(folders, numbers, say)
        left = [seed for seed in numbers if not folders.complete(seed)]
        try:
            with Interrupts(silent=True).listening() if out is not None else contextlib.nullcontext():
                if workers == 1:
                    folders.train(config, data, left, most, ended)
                else:
                    _in_workers(folders, config, data, jobs_of(left, workers, most), workers, threads, ended)
        except Interrupted as error:
            kept = "nothing is kept without out" if out is None else f"go on with: harmonium validate --resume {path}"
            raise StoppedError(
                f"stopped after {len(ended.done)} of {seeds} seeds; {kept}", error.signal_number
            ) from None
        found = folders.collect(config, numbers, keep=out is not None)
        if out is not None:
            from harmonium.plots.over_seeds import draw_validation

            write_json(path / "validation.json", found.as_dict())
            draw_validation(found, path / "figures")
    if found.diverged == seeds:
        first = found.runs[0].summary["reason"]
        raise DivergedError(f"all {seeds} seeds diverged; seed {numbers[0]}: {first}")
    return found


def jobs_of(seeds: Sequence[int], workers: int, most: int) -> list[list[int]]:
    """The seeds in stacks, as even as can be, so that every worker has one while there are any."""
    if not seeds:
        return []
    count = max(math.ceil(len(seeds) / most), min(workers, len(seeds)))
    ends = [round(i * len(seeds) / count) for i in range(count + 1)]
    return [list(seeds[a:b]) for a, b in pairwise(ends)]


def _in_workers(
    folders: SeedFolders, config: Config, data: Dataset, stacks: Sequence[Sequence[int]], workers: int, threads: int,
    ended: Callable[[int], None],
) -> None:  # fmt: skip
    if not stacks:
        return
    with tempfile.TemporaryDirectory(prefix="harmonium-data-") as place:
        describe(Path(place), replace(config, threads=threads) if config.threads else config, data)
        jobs = [{"name": named(stack), "seeds": list(stack)} for stack in stacks]
        arguments = [place, str(folders.path)]
        for answer in run_jobs("harmonium.runs.seed_worker", arguments, jobs, workers, threads):
            if "seed" in answer:
                ended(int(answer["seed"]))


def named(seeds: Sequence[int]) -> str:
    """Such as ``seed 3`` or ``seeds 3 to 7``."""
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"


class _Ended:
    """Says a line for each seed that has ended."""

    def __init__(self, folders: SeedFolders, seeds: Sequence[int], say: Say) -> None:
        self.folders, self.seeds, self.say = folders, seeds, say
        self.done = [seed for seed in seeds if folders.complete(seed)]

    def __call__(self, seed: int) -> None:
        self.done.append(seed)
        summary = self.folders.summary(seed)
        if summary["diverged"]:
            said = summary["reason"]
        else:
            said = ", ".join(f"{part.replace('_', '-')} {_score(row)}" for part, row in summary["scores"].items())
        self.say(f"seed {seed}: {said} ({len(self.done)} of {len(self.seeds)})")


def _score(row: dict[str, Any]) -> str:
    wrong = f"{100 * row['label_error']:.2f} % wrong" if "label_error" in row else ""
    return f"{row['value']:.3f} {wrong}".strip() if "value" in row else wrong


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
