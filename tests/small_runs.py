"""Tiny data and quick runs, shared by the tests of runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

import harmonium as hm

SOURCE = Path(hm.__file__).parents[1]
rng = np.random.default_rng(0)
#: Two noisy patterns of 3 × 4 pixels, with the pattern's number as the label.
LABELS = np.arange(60) % 2
IMAGES = ((np.arange(12).reshape(3, 4) % 2 == LABELS[:, None, None]) ^ (rng.random((60, 3, 4)) < 0.1)).astype(np.uint8)
QUICK = {"hidden": "bernoulli:3", "epochs": 2, "minibatches": 6, "batch_size": 10, "measure": 4}


def no_pictures(monkeypatch):
    """Leave out the drawing, which takes longer than everything else here."""
    monkeypatch.setattr("harmonium.runs.train.draw", lambda *a, **k: [])


def same(first, second):
    """Whether two machines have the very same parameters, bit for bit."""
    return all(torch.equal(x, y) for x, y in zip(first.tensors, second.tensors, strict=True))


def scores(history):
    """A history without what a clock says."""
    return [{key: value for key, value in record.items() if key != "seconds"} for record in history]


def command(*words, **options):
    """Start the command line in a process of its own; `cwd` and others as in subprocess.Popen."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
    return subprocess.Popen(
        [sys.executable, "-m", "harmonium.cli", *map(str, words)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip
