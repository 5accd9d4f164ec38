"""The folder for what was downloaded once, and writing to it so that no half-written file is ever seen."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np


def cache_folder() -> Path:
    """``$HARMONIUM_CACHE``, or ``harmonium`` in the platform's cache folder of the user; it need not exist."""
    own = os.environ.get("HARMONIUM_CACHE")
    if own:
        return Path(own).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "harmonium"


def save_aside(path: Path, values: np.ndarray) -> None:
    """Save an array as .npy under another name in the same folder, then rename it: readers see all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, values, allow_pickle=False)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
