"""Where a search is kept when nobody says."""

from __future__ import annotations

from pathlib import Path

from harmonium.errors import HarmoniumError


def fresh_folder(data: str, root: str = "searches") -> Path:
    """An unused path ``root/name-001``, or with the next free number; nothing is made yet."""
    name = Path(data).name.partition(".")[0] or "search"
    for number in range(1, 1_000_000):
        folder = Path(root) / f"{name}-{number:03d}"
        if not folder.exists():
            return folder
    raise HarmoniumError(f"{root} holds too many searches called {name}; choose another --out.")
