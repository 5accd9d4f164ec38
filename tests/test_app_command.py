"""``harmonium app`` as a program: what it says where it cannot serve, and how Ctrl-C ends it."""

import http.client
import json
import re
import signal
import socket
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.runs.folder import RunFolder
from small_runs import IMAGES, LABELS, QUICK, command, no_pictures


def refused(*words):
    done = CliRunner().invoke(main, ["app", *map(str, words), "--no-open", "--quiet"])
    assert done.exit_code == 2, done.output
    assert done.output.count("\n") == 1
    return done.output


@pytest.fixture
def run(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    np.savez(tmp_path / "rows.npz", x=IMAGES, y=LABELS)
    hm.train(tmp_path / "rows.npz", out=tmp_path / "run", **QUICK)
    return tmp_path / "run"


def test_without_what_it_needs_it_says_so(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "starlette", None)
    assert refused(run) == 'harmonium: this needs starlette: pip install "harmonium[app]".\n'


def test_where_it_cannot_serve(run, tmp_path):
    pytest.importorskip("uvicorn")
    assert "holds no run (there is no such folder)" in refused(tmp_path / "nowhere", "--port", "0")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert "is in use already" in refused(run, "--port", other.getsockname()[1])


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_it_and_the_run_can_be_resumed(run, tmp_path):
    pytest.importorskip("uvicorn")
    process = command("app", run, "--port", "0", "--no-open", cwd=tmp_path)
    try:
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", process.stderr.readline())[1])
        one = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        own = {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/json"}
        one.request("POST", "/train", json.dumps({"hidden": 3, "epochs": 9000, "names": False}), own)
        with one.getresponse() as answer:
            assert answer.status == 202
        one.close()
        events = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        events.request("GET", "/events")
        with events.getresponse() as lines:
            while b'"snapshot":{' not in lines.readline():
                pass
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            lines.read()  # to its end: the server lets go
        events.close()
        said = process.communicate(timeout=30)[1]
    finally:
        process.kill()
    assert process.returncode == 130
    assert "go on with: harmonium train --resume runs/digits-001" in said
    assert "Traceback" not in said
    folder = RunFolder(tmp_path / "runs" / "digits-001")
    assert not folder.complete
    stopped = int(re.search(r"stopped at step (\d+)", said)[1])
    assert next(folder.checkpoints()) == folder.checkpoint_path(stopped)
    assert stopped > 0
