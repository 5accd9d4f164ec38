"""Compiled loops, and what is kept of them on disk.

Numba keeps what it has compiled beside the file that it stands in, and compiles anew when this file has changed; but
loops take constants and functions from other files, too.  What was made for tiles of another width writes where it must
not, so all of it goes when any file of the folder has changed.  Where the folder cannot be written nothing is kept in
it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

_STAMP = "sources.txt"


def drop_outdated(folder: Path) -> None:
    """Remove compiled loops from a folder of sources, unless the sources are those of the last call."""
    kept = folder / "__pycache__"
    with suppress(OSError):
        files = sorted((file.name, file.stat()) for file in folder.glob("*.py"))
        stamp = "\n".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in files)
        if (kept / _STAMP).exists() and (kept / _STAMP).read_text() == stamp:
            return
        for pattern in ("*.nbi", "*.nbc"):
            for old in kept.glob(pattern):
                old.unlink(missing_ok=True)
        kept.mkdir(exist_ok=True)
        (kept / _STAMP).write_text(stamp)


drop_outdated(Path(__file__).parent)


def compiled(function: Function) -> Function:
    """Numba's njit, without the interpreter's lock and with a cache on disk where one can be written."""
    # sums may be reordered (else they could not be vectorised); infinities and signs keep their meaning
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract", "reassoc", "nsz"}, "error_model": "numpy"}
    try:
        return cast(Function, njit(cache=True, **options)(function))
    except RuntimeError:  # nowhere to write the cache: each process compiles anew
        return cast(Function, njit(**options)(function))
