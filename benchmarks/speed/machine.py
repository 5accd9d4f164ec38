"""What it was measured on: processor, cores, memory, system, versions."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from speed.tools import TOOLS


def processor() -> str:
    """The processor's name as the system tells it."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = named[0].partition(":")[2].strip() if named else name
    return " ".join(name.split())


def memory() -> int:
    """Bytes of main memory, 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Of every tool's package, empty where it is not installed."""
    found = {tool.package: tool.version for tool in TOOLS.values()}
    import numpy

    return {"Python": platform.python_version(), "numpy": numpy.__version__, **found}


def description() -> dict[str, str]:
    """The facts at the head of a page."""
    import torch

    there = ", ".join(f"{name} {number}" for name, number in versions().items() if number)
    return {
        "processor": f"{processor()}, {cores()} cores, vectors {torch.backends.cpu.get_cpu_capability()}",
        "memory": f"{memory() / 2**30:.0f} GiB" if memory() else "unknown",
        "system": f"{platform.system()}, {platform.machine()}",
        "versions": there,
    }
