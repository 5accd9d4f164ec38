"""Who is at work: each worker touches a file of its own now and then, so that the trials of a dead one are found.

A worker on this machine is gone when its process is; one elsewhere when its file is older than `GONE_AFTER`, by the
clock of the file system, which all machines share.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Seconds between touches, and until a worker that has not touched its file is taken for dead.
TOUCH_EVERY, GONE_AFTER = 15.0, 300.0


class Presence:
    """The workers of a search; `me` is the name of this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "workers"
        host = re.sub(r"[^A-Za-z0-9._]", "_", socket.gethostname())[:60]
        self.host = host
        self.me = f"{host}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Be at work inside the `with` block."""
        self.folder.mkdir(exist_ok=True)
        own, ended = self.folder / self.me, threading.Event()
        own.touch()

        def touch() -> None:
            while not ended.wait(TOUCH_EVERY):
                with contextlib.suppress(OSError):
                    own.touch()

        thread = threading.Thread(target=touch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            own.unlink(missing_ok=True)

    def alive(self, name: str) -> bool:
        """Whether that worker may still be at work."""
        if name == self.me:
            return True
        try:
            age = self._now() - (self.folder / name).stat().st_mtime
        except OSError:
            return False
        host, _, rest = name.rpartition("-")[0].rpartition("-")
        if host == self.host and not _process_exists(int(rest)):
            return False
        return age < GONE_AFTER

    def forget(self, name: str) -> None:
        """Remove the file of a worker that is gone."""
        with contextlib.suppress(OSError):
            (self.folder / name).unlink(missing_ok=True)

    def _now(self) -> float:
        """The time where the folder lies."""
        probe = self.folder / f".{self.me}"
        probe.touch()
        now = probe.stat().st_mtime
        probe.unlink(missing_ok=True)
        return now


def _process_exists(pid: int) -> bool:
    if os.name == "nt":  # asking would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether the process has ended but its parent has not asked how; known on Linux alone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False
