"""The study: an Optuna study in a journal file, from which workers take the trials that are still to be done.

A trial has a number from 0 to `trials` - 1 that is not Optuna's: where a worker dies, the trial of that number is tried
anew with the very same options.  With the random sampler these are a function of (seed, number, option) alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harmonium.errors import HarmoniumError, InputError
from harmonium.noise import seed_for
from harmonium.tuning.presence import Presence
from harmonium.tuning.settings import Settings

NEEDED = "harmonium search needs Optuna: pip install 'harmonium[search]'"
#: Trials that run to their end before any is pruned, and the part of the training (%) that is never pruned.
FIRST_UNPRUNED, WARM_UP = 10, 25
#: Deaths of its worker after which a trial is not tried again: its machine may be what kills them.
MOST_DEATHS = 3
_JOURNAL, _NAME = "study.journal", "search"
#: What a trial came to; those of `COUNTED` are not done again.
COUNTED = ("complete", "pruned", "diverged", "not possible", "failed")


def import_optuna() -> Any:
    """Optuna, silenced; raises HarmoniumError that says how to install it."""
    try:
        import optuna
    except ImportError:
        raise HarmoniumError(NEEDED) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


class SharedStudy:
    """The study in a folder, as one process sees it."""

    def __init__(self, folder: Path, presence: Presence | None = None) -> None:
        optuna = self.optuna = import_optuna()
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        self.presence = Presence(folder) if presence is None else presence
        journal = folder / _JOURNAL
        self._lock = JournalFileOpenLock(str(folder / "next"))  # for taking a trial: longer than for one line
        lock = JournalFileOpenLock(str(journal))
        with _holding(lock):
            _mend(journal)
        try:
            storage = JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))
            with _holding(self._lock):
                self.study = optuna.create_study(
                    storage=storage, study_name=_NAME, direction="maximize", load_if_exists=True
                )
        except (ValueError, KeyError):
            raise InputError(f"{journal} is damaged; begin the search anew in another folder.") from None

    # ---- taking one -------------------------------------------------------------------------------------------

    def take(self, settings: Settings) -> Any | None:
        """The next trial to run, an `optuna.trial.Trial` that is this worker's own; None where none is left."""
        with _holding(self._lock):
            self.give_up_lost()
            number = self._next(settings.trials)
            if number is None:
                return None
            self.study.sampler = self._sampler(settings, number)
            self.study.pruner = self._pruner(settings)
            trial = self.study.ask()
            trial.set_user_attr("worker", self.presence.me)
            trial.set_user_attr("number", number)
            return trial

    def _next(self, trials: int) -> int | None:
        """The lowest number that is neither done nor under way."""
        taken = {number for number, attempts in self.attempts().items() if self._is_taken(attempts)}
        return next((number for number in range(trials) if number not in taken), None)

    def _is_taken(self, attempts: list[Any]) -> bool:
        return any(state_of(a) in (*COUNTED, "running") for a in attempts) or deaths(attempts) >= MOST_DEATHS

    def _sampler(self, settings: Settings, number: int) -> Any:
        if settings.sampler == "tpe":
            seed = seed_for(settings.seed, "search", "tpe", number) % 2**32
            return self.optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        from harmonium.tuning.sampler import BySeedAndNumber

        return BySeedAndNumber(settings.seed, number)

    def _pruner(self, settings: Settings) -> Any:
        """The median rule: halving is cheaper, but stops more runs whose learning rate has not yet fallen."""
        pruners = self.optuna.pruners
        if not settings.prune:
            return pruners.NopPruner()
        return pruners.MedianPruner(n_startup_trials=FIRST_UNPRUNED, n_warmup_steps=WARM_UP)

    # ---- what there is ----------------------------------------------------------------------------------------

    def attempts(self) -> dict[int, list[Any]]:
        """All attempts at each number, first to last."""
        found: dict[int, list[Any]] = {}
        for trial in self.study.get_trials(deepcopy=False):
            number = trial.user_attrs.get("number")
            if number is not None:
                found.setdefault(number, []).append(trial)
        return dict(sorted(found.items()))

    def running(self) -> list[Any]:
        """The attempts under way."""
        return list(self.study.get_trials(deepcopy=False, states=(self.optuna.trial.TrialState.RUNNING,)))

    # ---- ending one -------------------------------------------------------------------------------------------

    def end(self, trial: Any, state: str, *, value: float | None = None, **attributes: Any) -> bool:
        """Say what a trial came to; False where somebody has given it up meanwhile, and it is another's."""
        states = self.optuna.trial.TrialState
        own = {"complete": states.COMPLETE, "pruned": states.PRUNED}.get(state, states.FAIL)
        try:
            for name, content in {"state": state, **attributes}.items():
                trial.set_user_attr(name, content)
            self.study.tell(trial.number, values=value if own == states.COMPLETE else None, state=own)
        except (ValueError, RuntimeError):  # it is finished, says Optuna
            return False
        return True

    def give_up(self, attempt: Any, reason: str, *, state: str = "lost") -> None:
        """End an attempt of a worker that is gone."""
        self.end(self.optuna.trial.Trial(self.study, attempt._trial_id), state, reason=reason)

    def give_up_lost(self) -> None:
        """End the attempts of all workers that are gone."""
        for attempt in self.running():
            worker = attempt.user_attrs.get("worker")
            if worker is None or "number" not in attempt.user_attrs or not self.presence.alive(worker):
                self.give_up(attempt, "its worker was killed")
                if worker is not None:
                    self.presence.forget(worker)


def state_of(attempt: Any) -> str:
    """What an attempt came to in words; "running" where it has not."""
    if attempt.state.name in ("RUNNING", "WAITING"):
        return "running"
    return str(attempt.user_attrs.get("state", "lost"))


def deaths(attempts: list[Any]) -> int:
    """How many attempts have ended with their worker."""
    return sum(state_of(attempt) == "lost" for attempt in attempts)


@contextmanager
def _holding(lock: Any) -> Iterator[None]:
    lock.acquire()
    try:
        yield
    finally:
        with contextlib.suppress(RuntimeError):  # broken open by another, who waited too long
            lock.release()


def _mend(journal: Path) -> None:
    """Cut off a last line that a power cut left half-written: everything after it would be unreadable."""
    if not journal.exists():
        return
    with open(journal, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        keep = size
        while keep:
            file.seek(keep - 1)
            if file.read(1) == b"\n":
                break
            keep -= 1
        if keep < size:
            file.truncate(keep)
