"""The command: measure every case and curve, keep what is measured, print the tables or write the page."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from speed import page
from speed.cases import CURVES, FULL, OWN, QUICK, QUICK_CURVES, Case
from speed.rounds import Measured, Pace, measure, measure_together
from speed.rows import write_mnist

PACE, QUICK_PACE = Pace(0.5, 5), Pace(0.25, 3)
#: The curves have many points, each of which needs less care.
CURVE_ROUNDS = 5


def say(line: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()


class Kept:
    """What has been measured, in a file if one is given, so that a run that was ended goes on where it was."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.found: dict[str, Any] = json.loads(path.read_text()) if path is not None and path.is_file() else {}
        self.used: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.found

    def add(self, name: str, measured: list[Measured], seconds: float) -> None:
        """Keep it under a name."""
        from harmonium.io import write_json

        self.found[name] = {"seconds": seconds, "measured": [m.as_dict() for m in measured]}
        if self.path is not None:
            write_json(self.path, self.found)

    def measured(self, name: str) -> list[Measured]:
        """What is kept under a name."""
        self.used.add(name)
        return [Measured.from_dict(fields) for fields in self.found[name]["measured"]]

    @property
    def seconds(self) -> float:
        """All that it took, of what has been asked for."""
        return sum(self.found[name]["seconds"] for name in self.used)


def run(quick: bool, kept: Kept, command: str) -> page.Results:
    """Measure what is not kept yet."""
    pace = QUICK_PACE if quick else PACE
    less = Pace(pace.chunk / 2, min(pace.rounds, CURVE_ROUNDS))
    cases, curves = (QUICK, QUICK_CURVES) if quick else ((*FULL, *OWN), CURVES)

    def once(name: str, pace: Pace, measured: Callable[[], list[Measured]]) -> list[Measured]:
        key = f"{name}; {pace.rounds} rounds of {pace.chunk:g} s"
        if key not in kept:
            say(name)
            began = time.perf_counter()
            kept.add(key, measured(), time.perf_counter() - began)
        return kept.measured(key)

    with tempfile.TemporaryDirectory() as folder:
        rows = write_mnist(Path(folder))

        def alone(case: Case) -> list[Measured]:
            return [measure(case, pace, rows, say)]

        on_cases = [once(case.name, pace, partial(alone, case))[0] for case in cases]
        on_curves = []
        for curve in curves:
            points = curve.cases()
            units = [point.rows // point.batch if curve.whole else 1 for point in points]
            name = f"cost against {curve.name}"
            on_curves.append((curve, once(name, less, partial(measure_together, points, units, less, say))))
    return page.Results(on_cases, on_curves, pace, bool(rows), kept.seconds, command)


def main() -> None:
    """Measure, then print or write."""
    parser = argparse.ArgumentParser(
        prog="python benchmarks/speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two machines, few rounds: below two minutes")
    parser.add_argument("--out", type=Path, metavar="PAGE", help="write this page, figures beside it, such as "
                        "docs/benchmarks.md")  # fmt: skip
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep the times here (JSON), and measure only what "
                        "is not there yet")  # fmt: skip
    arguments = parser.parse_args()
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.5:
        say(f"the machine is busy (load {os.getloadavg()[0]:.1f}); times are worth little until it is quiet")
    command = "python benchmarks/speed" + " --quick" * arguments.quick
    results = run(arguments.quick, Kept(arguments.keep), command)
    if arguments.out:
        page.write(results, arguments.out)
    sys.stdout.write(page.printed(results))


if __name__ == "__main__":
    main()
