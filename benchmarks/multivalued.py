"""How exact and how quick multivalued units are: phi_s, psi_s and the samplers, one thread.

    python benchmarks/multivalued.py            print the tables
    python benchmarks/multivalued.py --write    put them into docs/formulas.md, between its two marks

Errors are those of the log-partition phi_s and the mean psi_s, in units in the last place of the true value, the worst
over fields from ±1e-30 to ±1e6 and 0, against 60 digits.  Times are the best of several runs over 2^16 elements, as
ratios to torch.tanh; they differ from machine to machine.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mpmath as mp
import torch

from harmonium.kernels.fused_units import fused_means
from harmonium.kernels.langevin import psi
from harmonium.noise import Noise
from harmonium.units import Interval, Ising, Multivalued, Sparse, UnitFamily
from harmonium.units.multivalued import phi

VALUES_OF_S = (1, 2, 3, 4, 8, 32, 1000, math.inf)
DTYPES = (torch.float32, torch.float64)
PER_DECADE, ELEMENTS = 40, 1 << 16
FORMULAS = Path(__file__).parents[1] / "docs" / "formulas.md"
BEGIN, END = "<!-- benchmarks/multivalued.py -->", "<!-- end of benchmarks/multivalued.py -->"


def fields() -> torch.Tensor:
    """Both signs of 0 and of numbers evenly spaced in their logarithms, densely between 1e-3 and 100."""
    wide = torch.logspace(-30, 6, 36 * PER_DECADE // 4 + 1, dtype=torch.float64)
    dense = torch.logspace(-3, 2, 5 * PER_DECADE * 4 + 1, dtype=torch.float64)
    x = torch.cat([torch.zeros(1, dtype=torch.float64), wide, dense])
    return torch.cat([x, -x])


def truth(x: float, s: float) -> tuple[mp.mpf, mp.mpf]:
    """phi_s and psi_s from exponentials of -|x| in many digits."""
    if x == 0:
        return mp.log(2), mp.mpf(0)
    t, sign = mp.mpf(abs(x)), mp.sign(x)
    if math.isinf(s):
        return t + mp.log(-mp.expm1(-2 * t) / t), sign * (mp.coth(t) - 1 / t)
    n, m = mp.mpf(s + 1) / s, mp.mpf(s)
    value = t + mp.log(2 / (m + 1)) + mp.log(mp.expm1(-2 * n * t) / mp.expm1(-2 * t / m))
    return value, sign * (n * mp.coth(n * t) - mp.coth(t / m) / m)


def worst(got: torch.Tensor, want: list[mp.mpf]) -> float:
    """The largest error, in units in the last place of the true value."""
    bits = {torch.float32: 23, torch.float64: 52}[got.dtype]
    errors = [
        abs(mp.mpf(g) - w) / mp.mpf(2) ** (mp.floor(mp.log(abs(w), 2)) - bits)
        for g, w in zip(got.tolist(), want, strict=True)
        if w != 0
    ]
    return float(max(errors))


def best(work: Callable[[], object], runs: int = 40) -> float:
    """Seconds of the quickest run."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def errors_table() -> list[str]:
    """A row for each s."""
    rows = [
        "| s | φ_s, float32 | ψ_s, float32 | ψ_s of many units at once, float32 | φ_s, float64 | ψ_s, float64 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    with mp.workdps(120):
        for s in VALUES_OF_S:
            cells = []
            for dtype in DTYPES:
                x = fields().to(dtype)
                value, mean = zip(*(truth(f, s) for f in x.tolist()), strict=True)
                cells += [f"{worst(phi(x, s), list(value)):.1f}", f"{worst(psi(x, s), list(mean)):.1f}"]
                if dtype == torch.float32:
                    compiled = fused_means(x, "interval" if math.isinf(s) else "multivalued", s)
                    cells.append(f"{worst(compiled, list(mean)):.1f}")
            rows.append(f"| {'∞' if math.isinf(s) else s} | {' | '.join(cells)} |")
    return rows


def times_table() -> list[str]:
    """A row for each family."""
    noise = Noise(1)
    rows, n = ["| units | A | mean | sample |", "| --- | --- | --- | --- |"], 256
    field = 2 * noise.normal(ELEMENTS // n, n)
    u = noise.uniform(ELEMENTS // n, n).clone()
    sides: list[UnitFamily] = [Ising(n), Multivalued(n, 4), Multivalued(n, 1000), Interval(n)]
    for side in [*sides, Sparse(n, 4), Sparse(n, math.inf)]:
        eta = side.neutral(field).expand(len(field), -1, -1).clone()
        eta[:, 0] = field
        jobs = (lambda: side.log_partition(eta), lambda: side.mean(eta), lambda: side.sample(eta, u))  # noqa: B023
        cells = []
        for job in jobs:
            tanh = best(field.tanh)
            cells.append(f"{best(job) / tanh:.1f}")
        rows.append(f"| `{side.spec.replace(f':{n}', '')}` | {' | '.join(cells)} |")
    return rows


def main() -> None:
    """Print the tables, or write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/formulas.md")
    write = parser.parse_args().write
    torch.set_num_threads(1)
    lines = [
        "Worst error in units in the last place, over fields from ±1e-30 to ±1e6 and 0:",
        "",
        *errors_table(),
        "",
        "Time of an element, as a multiple of `torch.tanh` in float32 on one thread:",
        "",
        *times_table(),
    ]
    text = "\n".join(lines)
    if not write:
        sys.stdout.write(text + "\n")
        return
    page = FORMULAS.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    if not rest or END not in rest:
        sys.exit(f"{FORMULAS} has no place for the tables; put the lines {BEGIN} and {END} into it.")
    after = rest.partition(END)[2]
    FORMULAS.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
