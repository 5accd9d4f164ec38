"""What products of bfloat16 numbers do to a likelihood: the same trainings in float32 and in bfloat16, seed by seed.

    python benchmarks/precision.py                          print the table (some minutes, one thread)
    python benchmarks/precision.py --out docs/precision.md  write the page

ln p of held-out rows is exact, so that a difference is that of the machines.  Differences are paired by seeds; their
interval is Student's.  MNIST is left out where it is not at hand.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import harmonium as hm
from harmonium.data.mnist import at_hand
from harmonium.experiments.statistics import Interval, mean, paired
from harmonium.kernels.bfloat16 import has_units


@dataclass(frozen=True)
class Case:
    """A training, by its name and options, and how many seeds of it."""

    name: str
    options: dict[str, Any]
    seeds: int


_SAME = {"validation": 0.0, "patience": 0, "measure": 1, "threads": 1}
CASES = (
    Case("digits, 64 × 12, minibatches of 600",
         {"data": "digits", "hidden": "bernoulli:12", "batch_size": 600, "epochs": 150, "learning_rate": 0.2, **_SAME},
         10),
    *(Case(f"MNIST, 784 × {units}, 15 epochs of the preset mnist-{units}",
           {**hm.preset(f"mnist-{units}"), "epochs": 15, **_SAME}, 5) for units in (16, 25)),
)  # fmt: skip


def scores(case: Case) -> tuple[np.ndarray, float]:
    """Exact ln p of held-out rows in float32 and bfloat16, (seeds, 2), in nats; and how much longer bfloat16 took."""
    found, took = [], np.zeros(2)
    for seed in range(case.seeds):
        runs = [
            hm.train(precision=precision, seed=seed, out=None, **case.options) for precision in ("float32", "bfloat16")
        ]
        found.append([run.summary["scores"]["held_out"]["value"] for run in runs])
        took += [run.summary["seconds"] - run.summary["seconds_measuring"] for run in runs]
    return np.array(found), float(took[1] / took[0])


def row(case: Case) -> str:
    """A line of the table."""
    values, factor = scores(case)
    columns = [mean(values[:, i].tolist()) for i in (0, 1)]
    difference: Interval = paired(values[:, 1], values[:, 0])[0]
    cells = [str(case.seeds), *(f"{one.value:.3f}" for one in columns)]
    cells += [f"{difference.value:+.3f} ± {difference.half_width:.3f}", f"{factor:.2f}"]
    return f"| {case.name} | {' | '.join(cells).replace('-', '−')} |"


def page() -> str:
    """The page, in Markdown."""
    units = "has" if has_units(torch.device("cpu")) else "does not have"
    cases = [case for case in CASES if case.options["data"] != "mnist" or at_hand()]
    lines = [
        "# Products of bfloat16 numbers",
        "",
        "`--precision bfloat16` keeps parameters, random numbers and sums in float32 and rounds what enters a matrix "
        "product to eight significant bits. It is the default (`auto`) for contrastive divergence and persistent "
        "chains between units of countable states, where the processor (AMX) or the GPU (compute capability 8 and "
        "above) has units for such products; on others they take longer, and `auto` is float32. Of Bernoulli units on "
        "both sides a processor multiplies nothing: rows are added, in float32, and nothing is rounded.",
        "",
        "**Table 1.** Exact log-likelihood of the held-out rows in nats, mean over seeds; differences paired by seeds, "
        "with their 95 % interval.",
        "",
        "| machine | seeds | float32 | bfloat16 | bfloat16 less float32 | time, times that of float32 |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(row(case) for case in cases),
        "",
        f"Written by `python benchmarks/precision.py`: torch {torch.__version__}, one thread of a processor that "
        f"{units} units for it.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="PAGE", help="write this page, such as docs/precision.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    text = page()
    if options.out:
        Path(options.out).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
