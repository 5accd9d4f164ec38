"""Workers: as many as one likes give the trials of one; deaths and Ctrl-C cost the trial under way and nothing else."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import harmonium as hm
from harmonium.errors import StoppedError
from harmonium.tuning import presence as presence_module
from harmonium.tuning.presence import Presence
from harmonium.tuning.search import resume_search
from harmonium.tuning.settings import read_settings
from harmonium.tuning.study import SharedStudy, deaths, state_of
from small_runs import IMAGES, LABELS, command

pytest.importorskip("optuna")
FIXED = {"epochs": 2, "minibatches": 8, "batch_size": 10, "measure": 2, "validation": 0.3, "hidden": "bernoulli:2"}
SPACE = {"learning_rate": {"low": 0.01, "high": 0.3, "log": True}, "steps": [1, 2]}
LONG = ["--epochs=20000", "--minibatches=1000", "--validation=0.3", "--hidden=bernoulli:2"]


#: Workers that are told to stop by a pipe, and looked for by their process: as on Linux and macOS.
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of another kind")


@pytest.fixture(autouse=True)
def _no_pictures_and_two_processors(monkeypatch):
    monkeypatch.setattr("harmonium.tuning.search.draw", lambda *a: [])
    monkeypatch.setattr("harmonium.tuning.settings.processors", lambda: 2)


def known(search):
    return [(r.number, r.options, r.scores, r.state) for r in search.trials]


def wait_for(condition, seconds=60.0):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)
    return found


def at_work(folder, number):
    """The processes of workers that have a trial under way, once there are so many."""

    def look():
        if not (folder / "search.toml").is_file() or not (folder / "study.journal").is_file():
            return None
        found = [a.user_attrs.get("worker") for a in SharedStudy(folder).running() if "options" in a.user_attrs]
        return found if len(found) == number else None

    return [int(worker.rsplit("-", 2)[1]) for worker in wait_for(look)]


def gone(pid):
    return not presence_module._process_exists(pid)


def begin(folder, *words):
    """A search whose every trial takes hours, in a process of its own."""
    np.save(folder / "d.npy", IMAGES)
    (folder / "s.toml").write_text("learning_rate = {low = 0.001, high = 0.01}\n")
    return command("search", "d.npy", "--space", "s.toml", "--trials", "4", "--out", "s", *LONG, *words, cwd=folder)


def test_two_workers_give_the_trials_of_one(tmp_path):
    one = hm.search(IMAGES, SPACE, LABELS, trials=5, prune=False, **FIXED)
    two = hm.search(IMAGES, SPACE, LABELS, trials=5, prune=False, workers=2, out=tmp_path / "s", **FIXED)
    assert known(one) == known(two)
    attempts = SharedStudy(tmp_path / "s").attempts()
    assert all(len(tries) == 1 for tries in attempts.values())
    assert not list((tmp_path / "s" / "workers").iterdir())


def test_ctrl_c_ends_in_order_and_leaves_nobody_behind(tmp_path):
    with begin(tmp_path) as process:
        at_work(tmp_path / "s", 1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("harmonium: stopped after 0 of 4 trials; go on with: harmonium search --resume s\n"), err
    ((attempt,),) = SharedStudy(tmp_path / "s").attempts().values()
    assert state_of(attempt) == "stopped"
    assert (tmp_path / "s" / "trials.csv").read_text().count("stopped") == 1


def test_a_killed_worker_costs_its_trial_which_is_done_anew(tmp_path):
    if (os.cpu_count() or 1) < 2:
        pytest.skip("two workers want two processors")
    with begin(tmp_path, "--workers", "2") as process:
        pids = at_work(tmp_path / "s", 2)
        os.kill(pids[0], signal.SIGKILL)

        def replaced():
            running = SharedStudy(tmp_path / "s").running()
            own = [int(a.user_attrs["worker"].rsplit("-", 2)[1]) for a in running if "options" in a.user_attrs]
            return own if len(own) == 2 and pids[0] not in own else None

        second = wait_for(replaced)
        tries = SharedStudy(tmp_path / "s").attempts()
        assert sorted(tries) == [0, 1]  # no number is skipped
        (twice,) = [attempts for attempts in tries.values() if len(attempts) == 2]
        assert deaths(twice) == 1
        assert twice[0].user_attrs["options"] == twice[1].user_attrs["options"]
        process.kill()  # and now the search itself: its workers must not stay
        process.communicate(timeout=30)
        wait_for(lambda: all(gone(pid) for pid in second))
    assert not SharedStudy(tmp_path / "s").running()  # they have said so themselves


def test_what_a_dead_worker_left_running_is_done_at_resume(tmp_path):
    stopped = hm.search(IMAGES, SPACE, LABELS, trials=3, prune=False, out=tmp_path / "s", **FIXED)
    settings = read_settings(tmp_path / "s")
    dead = Presence(tmp_path / "s")
    dead.me = f"{dead.host}-{2**22 + 1}-abc"  # no such process
    dead.folder.mkdir(exist_ok=True)
    (dead.folder / dead.me).touch()
    study = SharedStudy(tmp_path / "s", dead)
    trial = study.take(replace(settings, trials=4))
    assert trial.user_attrs["number"] == 3
    drawn = settings.made.draw(trial)
    assert study.take(replace(settings, trials=4)) is None  # its own eyes hold it for alive
    found = resume_search(tmp_path / "s", trials=4)
    assert [r.state for r in found.trials] == ["complete"] * 4
    assert found.trials[3].options == drawn
    assert known(found)[:3] == known(stopped)
    assert not list(dead.folder.iterdir())


def test_a_trial_that_kills_its_workers_is_not_tried_for_ever(tmp_path):
    hm.search(IMAGES, SPACE, LABELS, trials=1, prune=False, out=tmp_path / "s", **FIXED)
    settings = replace(read_settings(tmp_path / "s"), trials=2)
    study = SharedStudy(tmp_path / "s")
    for _ in range(3):
        study.take(settings)
        study.give_up(study.running()[0], "its worker was killed")
    assert study.take(settings) is None
    found = resume_search(tmp_path / "s", trials=2)
    assert [(r.state, r.reason) for r in found.trials][1] == ("failed", "its worker was killed 3 times")


def test_a_worker_elsewhere_is_gone_when_it_has_long_been_silent(tmp_path):
    here = Presence(tmp_path)
    with here.shown():
        other = here.folder / "elsewhere-1-abc"
        other.touch()
        assert here.alive(other.name)
        os.utime(other, (time.time() - 2 * presence_module.GONE_AFTER,) * 2)
        assert not here.alive(other.name)
        assert not here.alive("elsewhere-2-abc")
        assert here.alive(here.me)
    assert not Path(here.folder / here.me).exists()


def test_a_line_that_a_power_cut_left_half_written_is_cut_off(tmp_path):
    hm.search(IMAGES, SPACE, LABELS, trials=2, prune=False, out=tmp_path / "s", **FIXED)
    with open(tmp_path / "s" / "study.journal", "ab") as file:
        file.write(b'{"op_code":4,"worker')
    found = resume_search(tmp_path / "s", trials=3)
    assert known(found) == known(hm.search(IMAGES, SPACE, LABELS, trials=3, prune=False, **FIXED))


def test_a_second_ctrl_c_is_not_needed_in_python_either(tmp_path):
    def interrupt(line):
        if line.startswith("trial 1:"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(StoppedError, match="stopped after 2 of 5 trials; go on with: harmonium search --resume"):
        hm.search(IMAGES, SPACE, LABELS, trials=5, prune=False, out=tmp_path / "s", say=interrupt, **FIXED)
    whole = resume_search(tmp_path / "s")
    assert known(whole) == known(hm.search(IMAGES, SPACE, LABELS, trials=5, prune=False, **FIXED))
