"""Faults: killed, interrupted, terminated, out of disk; nothing is lost, and the run can be continued."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from harmonium.errors import HarmoniumError, Interrupted
from harmonium.runs.folder import RunFolder
from harmonium.runs.interrupts import Interrupts
from harmonium.runs.resume import resume
from small_runs import IMAGES, command, no_pictures, scores

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX systems")
#: About a second of training: long enough to be hit, and the end is quick.
OPTIONS = [
    "d.npy", "--hidden", "bernoulli:3", "--epochs", "250", "--minibatches", "8", "--batch-size", "20",
    "--measure", "8", "--optimizer", "adam", "--momentum", "0.5",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with data and an uninterrupted run."""
    path = tmp_path_factory.mktemp("faults")
    np.save(path / "d.npy", IMAGES)
    with command("train", *OPTIONS, "--out", "whole", "-q", cwd=path) as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return path


def wait_for(happened, process, seconds=60):
    until = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.002)


def latest(run):
    path = next(RunFolder(run).checkpoints(), None)
    return int(path.stem.removeprefix("step-")) if path else -1


def finish(folder, name, monkeypatch):
    """Resume, and compare with the uninterrupted run."""
    no_pictures(monkeypatch)
    resume(folder / name)
    assert (folder / name / "model.safetensors").read_bytes() == (folder / "whole/model.safetensors").read_bytes()
    ours, theirs = (RunFolder(folder / run).read_history() for run in (name, "whole"))
    assert scores(ours) == scores(theirs)
    assert not list((folder / name).rglob(".*"))


def test_killed_three_times_it_still_ends_the_same(folder, monkeypatch):
    for first in (True, False, False):
        words = [*OPTIONS, "--out", "killed", "--checkpoint-every", "0.05"] if first else ["--resume", "killed"]
        before = latest(folder / "killed")
        process = command("train", *words, cwd=folder)
        wait_for(lambda before=before: latest(folder / "killed") > max(before, 0), process)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not (folder / "killed/summary.json").exists()
    # the options differ in how often to store, which the model file says too
    config = (folder / "killed/config.toml").read_text()
    (folder / "killed/config.toml").write_text(config.replace("checkpoint_every = 0.05", "checkpoint_every = 30.0"))
    finish(folder, "killed", monkeypatch)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_training_stops_after_a_checkpoint(number, code, folder, monkeypatch):
    name = f"signal-{code}"
    process = command("train", *OPTIONS, "--out", name, cwd=folder)
    wait_for(lambda: (folder / name / "metrics.jsonl").is_file(), process)
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert out == ""
    step = latest(folder / name)
    if 0 < step < 2000:
        assert f"harmonium: stopped at step {step} of 2000; go on with: harmonium train --resume {name}" in err
    assert "Traceback" not in err
    finish(folder, name, monkeypatch)


@pytest.mark.parametrize("moment", ["importing", "drawing"])
def test_a_signal_outside_training_stops_at_once(moment, folder, monkeypatch):
    name, number, code = moment, *((signal.SIGINT, 130) if moment == "importing" else (signal.SIGTERM, 143))
    process = command("train", *OPTIONS, "--out", name, cwd=folder)
    if moment == "importing":
        maps = Path(f"/proc/{process.pid}/maps")
        if not maps.exists():
            pytest.skip("no /proc to see the imports in")
        wait_for(lambda: "libtorch" in maps.read_text(), process)
    else:
        wait_for(lambda: (folder / name / "model.safetensors").exists(), process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, ""), err
    assert "harmonium: stopped" in err
    assert "Traceback" not in err
    if moment == "importing":
        assert not (folder / name).exists()
    else:
        assert f"harmonium train --resume {name}" in err
        finish(folder, name, monkeypatch)


def test_a_second_signal_does_not_wait():
    interrupts = Interrupts(silent=True)
    interrupts.patient = True
    interrupts(signal.SIGINT)
    assert interrupts.caught == signal.SIGINT
    with pytest.raises(Interrupted):
        interrupts(signal.SIGTERM)


def test_handlers_are_given_back_and_ignored_signals_stay_ignored():
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Interrupts().listening() as interrupts:
            assert signal.getsignal(signal.SIGINT) is interrupts
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is before
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_a_full_disk_ends_the_run_in_one_sentence(folder, monkeypatch):
    """Files may not grow beyond 2 kB: the options fit, the first checkpoint does not."""
    resource = pytest.importorskip("resource")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

    with command("train", *OPTIONS, "--out", "full", "-q", cwd=folder, preexec_fn=limit) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, ""), err
    assert err.startswith("harmonium: full/")
    assert "cannot be written: File too large; choose another folder." in err
    assert err.count("\n") == 1
    assert not list((folder / "full").rglob(".*"))
    finish(folder, "full", monkeypatch)


def test_a_disk_that_fills_up_while_training_keeps_what_there_was(folder, monkeypatch):
    run = folder / "filling"
    process = command("train", *OPTIONS, "--out", "filling", cwd=folder)
    wait_for(lambda: latest(run) >= 0, process)
    process.kill()
    process.communicate()
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and not path.name.startswith(".")}
    count, real = [0], os.fsync

    def full(handle):
        count[0] += 1
        if count[0] > 1:  # environment.json is written, the rest is not
            raise OSError(28, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(HarmoniumError, match="cannot be written: No space left on device; free some space"):
            resume(run)
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    after[run / "environment.json"] = before[run / "environment.json"]  # says what command resumed it
    assert after == before
    finish(folder, "filling", monkeypatch)


def test_a_reader_that_goes_away_is_no_traceback(folder):
    with command("evaluate", "whole", cwd=folder) as process:
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=60)
    assert "Traceback" not in err


@pytest.mark.parametrize("damage", [lambda text: text[:-40], lambda text: text + '{"a":', lambda text: text + "7\n"])
def test_a_damaged_history_is_one_sentence(folder, tmp_path, damage):
    run = tmp_path / "run"
    shutil.copytree(folder / "whole", run)
    file = run / "metrics.jsonl"
    file.write_text(damage(file.read_text()))
    for arguments in (["check", str(run)], ["train", "--resume", str(run)]):
        with command(*arguments, cwd=folder) as process:
            _, err = process.communicate(timeout=120)
        assert process.returncode == 2
        assert "metrics.jsonl, line" in err
        assert "is damaged" in err
        assert "Traceback" not in err
    file.unlink()
    assert RunFolder.existing(run).read_history() == []


def test_a_run_whose_scores_are_damaged_is_scored_anew(folder, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(folder / "whole", run)
    want = (run / "summary.json").read_text()
    (run / "summary.json").write_text("{")
    with command("train", "--resume", str(run), "-q", cwd=folder) as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads((run / "summary.json").read_text())["scores"] == json.loads(want)["scores"]
