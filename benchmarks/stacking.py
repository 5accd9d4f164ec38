"""What stacking machines of one shape is worth: updates a second of R machines as one, beside one after the other.

    python benchmarks/stacking.py            all shapes (below two minutes, one thread)
    python benchmarks/stacking.py --quick    the first two

Each number counts the updates of all machines together, over the speed of a single machine in the same minute; the best
of several rounds that alternate between the sizes, for the processor may be busy with other work.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from harmonium.config import Config
from harmonium.config_from import config_from
from harmonium.data import Dataset
from harmonium.data.arrays import as_dataset
from harmonium.runs.plan import Plan, make_plan
from harmonium.runs.together import as_one, best_together
from harmonium.training.loop import fit

SIZES = (1, 2, 5, 10, 20)
#: Visible × hidden units, gradient, minibatch.
SHAPES: tuple[tuple[str, dict[str, object]], ...] = (
    ("784 × 8, CD-2, 10", {"hidden": "bernoulli:8", "negative": "cd", "steps": 2, "batch_size": 10}),
    ("784 × 8, CD-2, 100", {"hidden": "bernoulli:8", "negative": "cd", "steps": 2, "batch_size": 100}),
    ("784 × 8, CD-2, 500", {"hidden": "bernoulli:8", "negative": "cd", "steps": 2, "batch_size": 500}),
    ("784 × 5, CD-7, 10", {"hidden": "bernoulli:5", "negative": "cd", "steps": 7, "batch_size": 10}),
    ("784 × 55 one-hot, CD-1, 100", {"hidden": "onehot:55", "negative": "cd", "batch_size": 100}),
    ("784 × 100, PCD-1, 100", {"hidden": "bernoulli:100", "batch_size": 100}),
    ("784 × 500, PCD-1, 100", {"hidden": "bernoulli:500", "batch_size": 100}),
    ("64 × 16, PCD-1, 100", {"hidden": "bernoulli:16", "batch_size": 100}),
    ("64 × 16, PCD-1, 10", {"hidden": "bernoulli:16", "batch_size": 10}),
)


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def images(columns: int, rows: int = 6000) -> Dataset:
    """Random black and white rows: speed does not depend on what is learned."""
    return as_dataset((np.random.default_rng(0).random((rows, columns)) < 0.2).astype(np.uint8))


def trainer(config: Config, data: Dataset, machines: int) -> tuple[Plan, Callable[[int], None]]:
    """A function that makes so many more updates of so many machines."""
    plans = [make_plan(config, data)]
    plans += [make_plan(config_from({**config.as_dict(), "seed": r}), data, feed=plans[0].feed) for r in
              range(1, machines)]  # fmt: skip
    state, batches, transforms = as_one(plans)

    def more(updates: int) -> None:
        fit(state, batches, state.step + updates, plans[0].negative, transforms=transforms)

    return plans[0], more


def rates(config: Config, data: Dataset, seconds: float) -> tuple[list[float], int]:
    """Machine-updates a second for each of `SIZES`, and how many harmonium would stack."""
    plan, _ = trainer(config, data, 1)
    runs = [trainer(config, data, machines)[1] for machines in SIZES]
    best = [0.0] * len(SIZES)
    rounds = 8
    for _ in range(rounds + 1):
        for i, (more, machines) in enumerate(zip(runs, SIZES, strict=True)):
            began, updates = time.perf_counter(), 0
            while time.perf_counter() - began < seconds / len(SIZES) / rounds:
                more(4)
                updates += 4
            best[i] = max(best[i], machines * updates / (time.perf_counter() - began))
    return best, best_together(plan)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the first two shapes")
    parser.add_argument("--seconds", type=float, default=8.0, help="for each shape")
    options = parser.parse_args()
    torch.set_num_threads(1)
    say(f"torch {torch.__version__}, {platform.machine()}, one thread")
    say(f"| shape, gradient, minibatch | updates/s alone | {' | '.join(f'× {r}' for r in SIZES[1:])} | default |")
    say("| --- | ---: |" + " ---: |" * len(SIZES))
    for name, shape in SHAPES[: 2 if options.quick else None]:
        columns = int(name.split()[0])
        config = config_from({"data": "array", "epochs": 10_000, "minibatches": 1000, "validation": 0.0, **shape})
        measured, default = rates(config, images(columns), options.seconds)
        gains = " | ".join(f"{rate / measured[0]:.2f}" for rate in measured[1:])
        say(f"| {name} | {measured[0]:.0f} | {gains} | {default} |")


if __name__ == "__main__":
    main()
