"""The search: settings and a folder, workers that run the trials, and the result.

`search` is what ``harmonium search`` and Python both call; a search that stands in the folder already goes on.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from harmonium.config import IN_MEMORY
from harmonium.config_from import config_from
from harmonium.data import Dataset
from harmonium.errors import HarmoniumError, InputError, StoppedError
from harmonium.runs.interrupts import Interrupts
from harmonium.runs.source import array_data, load_config_data
from harmonium.tuning.figures import draw
from harmonium.tuning.result import Search, in_words, records, result, write_result
from harmonium.tuning.settings import (
    Settings,
    check_count,
    check_same,
    checked_workers,
    exists,
    load_search_data,
    make_settings,
    read_settings,
    store_data,
)
from harmonium.tuning.space import make_space, read_space
from harmonium.tuning.study import COUNTED, SharedStudy, import_optuna
from harmonium.tuning.worker import start_worker, threads_for, work, worker_of

Say = Callable[[str], None]
#: Seconds between looks at the workers, for them to end when asked, and how often dead ones are replaced.
_LOOK_EVERY, _PATIENCE, _MOST_STARTS = 0.3, 30.0, 20


def search(
    data: Any = "digits",
    space: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    labels: Any = None,
    *,
    trials: int = 50,
    seeds: int = 1,
    workers: int = 1,
    sampler: str = "random",
    prune: bool = True,
    out: str | os.PathLike[str] | None = None,
    say: Say = lambda text: None,
    **options: Any,
) -> Search:
    """Search for the options that train the best machine on `data`, judged by the validation rows.

    Parameters
    ----------
    data : str, path, array or Dataset
        As for `harmonium.train`.
    space : str, path or mapping, optional
        A TOML file, a bundled space by name (``mnist-789``, ``default``), or what such a file would hold: a list of
        values, or ``{"low": ..., "high": ...}`` with perhaps ``log`` and ``zero``, for each searched option.
    labels : array (N,), optional
        Labels of an array.
    trials : int
        Trials to finish, those of an earlier search in the same folder included.
    seeds : int
        Trainings in a trial, with different seeds; their mean validation score is the trial's.
    workers : int
        Processes; 0 is one for each processor.
    sampler : "random" or "tpe"
        How options are chosen: independently of all scores, or by Optuna's tree-structured Parzen estimator
        (Bergstra, Bardenet, Bengio and Kégl 2011) where scores were good.
    prune : bool
        Give up trials that are below the median of the finished ones (from the eleventh trial on).
    out : path, optional
        A folder for the search's files; where it holds this very search, that goes on.  None keeps no files.
    say : callable
        Is told a line for each trial.
    **options
        Fields of `harmonium.config.Config` with one value for all trials.

    Returns
    -------
    Search

    Raises
    ------
    InputError
        An option, the space or the data cannot be used, or the folder holds another search.
    HarmoniumError
        Optuna is not installed.
    StoppedError
        A signal came; finished trials are kept where there is a folder.
    """
    import_optuna()
    if not isinstance(prune, bool):
        raise InputError(f"prune must be True or False, not {prune!r}.")
    fixed: dict[str, Any] = {
        **options,
        **({"labels": labels} if isinstance(data, (str, os.PathLike)) and labels else {}),
    }
    in_memory = not isinstance(data, (str, os.PathLike))
    fixed["data"] = IN_MEMORY if in_memory else data
    raw, bundled = read_space(space)
    made = make_space(raw, fixed, bundled=bundled)
    config = config_from(made.fixed)
    dataset = array_data(data, labels, config) if in_memory else load_config_data(config)
    settings = make_settings(made, dataset, trials=trials, seeds=seeds, sampler=sampler, prune=prune)
    workers = checked_workers(workers, settings)
    with ExitStack() as stack:
        if out is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harmonium-search-")))
        else:
            folder = _folder(out)
        if exists(folder):
            check_same(settings, read_settings(folder), folder)
        if in_memory:
            store_data(folder, dataset)
        settings.write(folder)
        return _run(folder, settings, dataset, workers, say, keep=out is not None)


def resume_search(
    folder: str | os.PathLike[str],
    *,
    trials: int | None = None,
    workers: int = 1,
    say: Say = lambda text: None,
) -> Search:
    """Go on with the search in a folder, to `trials` trials in all; also beside other workers, on other machines too.

    Raises InputError where the folder holds no search or its data have changed; else as `search`.
    """
    import_optuna()
    settings, path = read_settings(folder), Path(folder)
    dataset = load_search_data(path, settings)
    workers = checked_workers(workers, settings)
    if trials is not None and trials != settings.trials:
        check_count("trials", trials, 1_000_000)
        settings = replace(settings, trials=trials)
        settings.write(path)
    return _run(path, settings, dataset, workers, say, keep=True)


def _folder(out: str | os.PathLike[str]) -> Path:
    folder = Path(out)
    if not str(out) or (folder.exists() and not folder.is_dir()):
        raise InputError(f"out={str(out)!r} is not a folder; give the path of one.")
    if folder.is_dir() and not exists(folder) and any(folder.iterdir()):
        raise InputError(f"out={folder} holds other files, and no search; choose another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarmoniumError(f"the folder {folder} cannot be made: {error.strerror}; choose another.") from None
    return folder


def _run(folder: Path, settings: Settings, data: Dataset, workers: int, say: Say, *, keep: bool) -> Search:
    study, interrupts, news = SharedStudy(folder), Interrupts(silent=True), _News(settings, say)
    news(study, quiet=True)
    with interrupts.listening():
        interrupts.patient = True
        if workers == 1:
            work(folder, data=data, stopping=lambda: interrupts.caught is not None, after=news)
        else:
            _Crew(folder, study, workers, interrupts, news).run()
        interrupts.patient = False
        found = result(study, settings, folder if keep else None)
        if keep:
            write_result(found, folder)
    if interrupts.caught is not None:
        done = sum(r.state in COUNTED for r in found.trials)
        go_on = f"; go on with: harmonium search --resume {folder}" if keep else ""
        raise StoppedError(f"stopped after {done} of {settings.trials} trials{go_on}", interrupts.caught)
    if keep:
        draw(found, folder / "figures")
    return found


class _Crew:
    """Several workers at once, and what happens when one dies or all are to stop."""

    def __init__(self, folder: Path, study: SharedStudy, workers: int, interrupts: Interrupts, news: _News) -> None:
        self.folder, self.study, self.workers = folder, study, workers
        self.interrupts, self.news = interrupts, news
        self.processes: list[subprocess.Popen[str]] = []
        self.starts = 0

    def run(self) -> None:
        """Until no trial is left, or a signal comes."""
        threads = threads_for(self.workers)
        try:
            for _ in range(self.workers):
                self._start(threads)
            while self.processes and self.interrupts.caught is None:
                time.sleep(_LOOK_EVERY)
                self.news(self.study)
                for process in list(self.processes):
                    if process.poll() is not None:
                        self._ended(process, threads)
        finally:
            self._stop()
            self.news(self.study)

    def _start(self, threads: int) -> None:
        self.starts += 1
        self.processes.append(start_worker(self.folder, threads))

    def _ended(self, process: subprocess.Popen[str], threads: int) -> None:
        """Give up what a dead worker was at, and put another in its place."""
        self.processes.remove(process)
        if process.stdin is not None:
            process.stdin.close()
        if process.returncode == 0:
            return
        self._give_up(process)
        if process.returncode > 0:  # it has said why itself
            raise HarmoniumError(f"a worker ended with exit code {process.returncode}; what it wrote stands above.")
        if self.starts - self.workers >= _MOST_STARTS:
            raise HarmoniumError(f"workers were killed {_MOST_STARTS} times; is there memory enough?")
        self._start(threads)

    def _give_up(self, process: subprocess.Popen[str]) -> None:
        for attempt in self.study.running():
            worker = attempt.user_attrs.get("worker", "")
            if worker_of(process) in worker and worker.startswith(self.study.presence.host):
                self.study.give_up(attempt, "its worker was killed")
                self.study.presence.forget(worker)

    def _stop(self) -> None:
        """Ask all to end, wait, and kill those that do not."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.close()
        deadline = time.monotonic() + _PATIENCE
        try:
            for process in self.processes:
                process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:  # also after a second Ctrl-C
            for process in self.processes:
                if process.poll() is None:
                    process.kill()
                    process.wait()
                    self._give_up(process)
            self.processes.clear()


class _News:
    """A line for each trial that has ended since the last look."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self.settings, self.say = settings, say
        self.told: set[int] = set()
        self.began = time.monotonic()
        self.new = 0

    def __call__(self, study: SharedStudy, *, quiet: bool = False) -> None:
        trials = [r for r in records(study) if r.state in COUNTED]
        best = max((r.score for r in trials if r.state == "complete" and r.score is not None), default=None)
        for record in (r for r in trials if r.number not in self.told):
            self.told.add(record.number)
            if quiet:
                continue
            self.new += 1
            left = max(0, self.settings.trials - len(self.told))
            seconds = left * (time.monotonic() - self.began) / self.new
            said = record.state if record.score is None else f"{record.score:.3f}"
            said += f" ± {record.sd:.2g}" if record.sd is not None else ""
            said += f" ({record.state})" if record.state == "pruned" else ""
            shown = "" if best is None else f"; best {best:.3f}"
            self.say(
                f"trial {record.number}: {said}{shown}; {len(self.told)} of {self.settings.trials} done, "
                f"about {_duration(seconds)} left; {in_words(record.options)}"
            )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
