"""How long exact ln Z and exact moments take: 784 Bernoulli units against 2^L hidden states.

    python benchmarks/enumeration.py            2^12, 2^16, 2^20 and 2^25 states (a few minutes)
    python benchmarks/enumeration.py --quick    2^20 only
    python benchmarks/enumeration.py --long     2^30 too

Times are the best of several runs, after compilation; `terms` are states × visible units a second.  The difference is
relative, from the log domain in float64, where that takes less than a minute.  The cold time compiles into a new cache
in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import torch

from harmonium.logz import exact
from harmonium.machine import RBM
from harmonium.units import Bernoulli

VISIBLE = 784
PLAIN_STATES = 1 << 16

COLD = """
import time, torch
from harmonium.logz.exact import exact_log_z, exact_moments
from harmonium.machine import zeros
from harmonium.units import Bernoulli
rbm, start = zeros(Bernoulli(784), Bernoulli(14)), time.perf_counter()
exact_log_z(rbm)
middle = time.perf_counter()
exact_moments(rbm)
print(middle - start, time.perf_counter() - middle)
"""


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def machine(hidden: int, scale: float = 0.3) -> RBM:
    """Random weights of the size that training reaches, biases of mostly black pixels."""
    generator = torch.Generator().manual_seed(hidden)
    W, b = (torch.randn(n, hidden, generator=generator, dtype=torch.float64) for n in (VISIBLE, 1))
    a = torch.randn(1, VISIBLE, generator=generator, dtype=torch.float64) - 2
    return RBM(Bernoulli(VISIBLE), Bernoulli(hidden), scale * W, a, b)


def best(work: Callable[[], object], seconds: float, most: int = 7) -> float:
    """The shortest of as many runs as the seconds allow, at least one."""
    times: list[float] = []
    while not times or (sum(times) + min(times) < seconds and len(times) < most):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def cold() -> tuple[list[float], list[float]]:
    """Seconds of the first ln Z and the first moments (2^14 states): with an empty cache, and with a full one."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        runs = [
            subprocess.run([sys.executable, "-c", COLD], env=environment, check=True, capture_output=True, text=True)
            for _ in range(2)
        ]
    first, second = ([float(x) for x in run.stdout.split()] for run in runs)
    return first, second


def row(hidden: int, moments: bool, seconds: float) -> str:
    """One line of the table."""
    rbm, terms, times = machine(hidden), 2.0**hidden * VISIBLE, []
    every = torch.get_num_threads()
    for ask in (exact.exact_log_z, exact.exact_moments) if moments else (exact.exact_log_z,):
        for threads in sorted({1, every}):
            torch.set_num_threads(threads)
            times.append(best(lambda ask=ask: ask(rbm), seconds))
    torch.set_num_threads(every)
    difference = ""
    if 1 << hidden <= PLAIN_STATES:
        start = time.perf_counter()
        plain = exact._plain_log_z(rbm, lambda _: None)
        plain_seconds = time.perf_counter() - start
        difference = f"{abs(exact.exact_log_z(rbm) / plain - 1):.0e} ({plain_seconds:.2g} s)"
    times_text = [f"{x:.3g}" for x in times] + ["—"] * (2 * len({1, every}) - len(times))
    rate = terms / min(times[: len({1, every})])
    return " | ".join([f"2^{hidden}", *times_text, f"{rate:.2g}", difference or "—"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2^20 states only")
    parser.add_argument("--long", action="store_true", help="2^30 states too")
    options = parser.parse_args()
    threads = torch.get_num_threads()
    say(f"{platform.processor() or platform.machine()}, {threads} threads, torch {torch.__version__}\n")
    if not options.quick:
        empty, full = cold()
        say(f"first ln Z {empty[0]:.1f} s, first moments {empty[1]:.1f} s more (compiling, once per installation);")
        say(f"in a new process after that {full[0]:.2f} s and {full[1]:.2f} s more (2^14 states)\n")
    columns = [f"{what}, {n} threads (s)" for what in ("ln Z", "moments") for n in sorted({1, threads})]
    say(" | ".join(["states", *columns, "terms/s", "from the log domain (its seconds)"]))
    for hidden in (20,) if options.quick else (12, 16, 20, 25, 30)[: 5 if options.long else 4]:
        exact.exact_moments(machine(14))
        say(row(hidden, hidden <= 25, 8 if hidden < 25 else 25))


if __name__ == "__main__":
    main()
