"""What the sections of docs/likelihood.md share: how much of everything, and machines whose ln Z is known."""

from __future__ import annotations

import runpy
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

import harmonium as hm
from harmonium.logz import exact_log_z
from harmonium.logz.schedules import even_schedule, reference_schedule
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.runs.inputs import Inputs
from harmonium.runs.reopen import reopen

ROOT = Path(__file__).parents[2]
PAGE, FIGURES = ROOT / "docs" / "likelihood.md", ROOT / "docs" / "figures"
HARD_MACHINES = runpy.run_path(str(ROOT / "tests" / "laws" / "hard_machines.py"))


@dataclass(frozen=True)
class Effort:
    """How much of everything: the full form and the short one."""

    enumerated: tuple[int, ...] = (20, 25)
    epochs: int = 0
    temperatures: tuple[int, ...] = (10, 30, 100, 300, 1000)
    weights: int = 12_800
    sweeps: int = 4000
    seeds: int = 10
    ladders: int = 4
    updates: int = 6000
    seconds: float = 60.0
    classical: tuple[float, ...] = reference_schedule()


QUICK = Effort((20,), 1, (30, 100), 1600, 500, 4, 2, 800, 4.0, even_schedule(200))


@dataclass(frozen=True, eq=False)
class Trained:
    """A machine trained on data, and its exact ln Z."""

    rbm: RBM
    inputs: Inputs
    log_z: float

    @classmethod
    def of(cls, data: str, hidden: str, epochs: int) -> Trained:
        """Train with the defaults; `epochs` above 0 makes it shorter."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run"
            hm.train(data, hidden=hidden, out=path, threads=torch.get_num_threads(), epochs=epochs)
            opened = reopen(path)
            rbm = opened.rbm
            return cls(rbm, opened.inputs(), exact(rbm))

    @property
    def rates(self) -> RBM:
        """Independent units with the data's base rates."""
        return self.rbm.decoupled(self.inputs.base.to(self.rbm.a))


def exact(rbm: RBM) -> float:
    """ln Z by enumeration in float64."""
    return exact_log_z(rbm.to(dtype=torch.float64))


def stream(rbm: RBM, *words: object) -> Noise:
    """Random numbers of the machine's precision."""
    return Noise(seed_for("likelihoods", *words), dtype=rbm.W.dtype)


def say(line: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
