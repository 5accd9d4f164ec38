"""Worker processes: every job done once, errors with their job's name, and none left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harmonium.errors import HarmoniumError, InputError
from harmonium.runs.processes import run_jobs, threads_for
from small_runs import SOURCE

HERE = str(Path(__file__).parent)


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", HERE)


def squares(count):
    return [{"name": f"job {x}", "do": "square", "x": x} for x in range(count)]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids, seconds=20.0):
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(alive, pids))


@pytest.mark.parametrize(("jobs", "workers"), [(1, 3), (7, 2)])
def test_every_job_is_done_once_by_as_many_workers_as_there_is_work_for(jobs, workers):
    answers = list(run_jobs("small_worker", [], squares(jobs), workers, 3))
    assert sorted(a["square"] for a in answers if "square" in a) == [x**2 for x in range(jobs)]
    pids = {a["pid"] for a in answers if "pid" in a}
    assert len(pids) == min(jobs, workers)
    assert {a["threads"] for a in answers if "threads" in a} == {"3"}
    assert gone(pids)


@pytest.mark.parametrize(
    ("do", "sentence"),
    [
        ("refuse", "^job 9: x cannot be used; take another\\.$"),
        ("fail", "^job 9: RuntimeError: two lines$"),
        ("die", "^job 9: its process was ended by signal 9; is there memory enough"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_ends_the_others(do, sentence):
    pids = []
    jobs = [{"name": "job 8", "do": "sleep"}, {"name": "job 9", "do": do}]
    with pytest.raises(HarmoniumError, match=sentence):
        pids.extend(a["pid"] for a in run_jobs("small_worker", [], jobs, 2, 1) if "pid" in a)
    assert gone(pids)


def test_a_worker_that_cannot_start_is_named():
    with pytest.raises(HarmoniumError, match=r"^job 0: exit code 1\.$"):
        list(run_jobs("no_such_module_here", [], squares(1), 1, 1))


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs /proc")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["INT", "TERM", "KILL"])
def test_none_outlives_the_process_that_started_it(sent):
    code = (
        "from harmonium.runs.processes import run_jobs\n"
        "jobs = [{'name': str(i), 'do': 'sleep'} for i in range(2)]\n"
        "for a in run_jobs('small_worker', [], jobs, 2, 1): print(a['pid'], flush=True)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), HERE])}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        pids = [int(process.stdout.readline()) for _ in range(2)]
        assert all(map(alive, pids))
        process.send_signal(sent)
        process.wait(20)
    assert gone(pids)


def test_threads_are_shared_and_too_many_are_refused(monkeypatch):
    monkeypatch.setattr("harmonium.runs.processes.processors", lambda: 8)
    assert [threads_for(workers) for workers in (1, 2, 3, 8)] == [8, 4, 2, 1]
    assert threads_for(4, 2) == 2
    for workers, asked in ((4, 3), (9, 0)):
        with pytest.raises(InputError, match="more than the 8 processors"):
            threads_for(workers, asked)
