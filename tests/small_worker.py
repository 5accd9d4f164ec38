"""A worker for the tests of worker processes: it squares numbers, sleeps, fails and dies as it is told."""

import os
import signal
import time

from harmonium.errors import InputError
from harmonium.runs.processes import serve


def work(job, answer):
    answer({"pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]})
    match job["do"]:
        case "square":
            print("not an answer")  # noqa: T201  libraries print
            time.sleep(0.02)
            answer({"square": job["x"] ** 2})
        case "sleep":
            time.sleep(600)
        case "refuse":
            raise InputError("x cannot be used; take another.")
        case "fail":
            raise RuntimeError("two\nlines")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    serve(work)
