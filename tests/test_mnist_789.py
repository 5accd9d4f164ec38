"""The marks on MNIST's 7, 8 and 9: a short form, and the machines of the study itself (slow)."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest
import torch

import harmonium as hm
from harmonium.convert import to_bernoulli, to_ising
from harmonium.experiments import training
from harmonium.experiments.mnist_789 import cap
from harmonium.experiments.mnist_789.scales import SCALES
from harmonium.logz import exact_log_z

DATA = os.environ.get("HARMONIUM_DATA", "")
pytestmark = [
    pytest.mark.mnist,
    pytest.mark.skipif(
        not (Path(DATA) / "mnist").is_dir(),
        reason="set HARMONIUM_DATA to a folder that holds mnist/ with its four files",
    ),
]


def train(**options: object) -> hm.Run:
    return hm.train("mnist", classes="7,8,9", held_out="0", validation=0, patience=0, measure=1, **options)


@functools.cache
def images() -> torch.Tensor:
    return torch.from_numpy(hm.load_data("mnist", classes=[7, 8, 9]).X > 127).double()


def test_the_baseline_is_the_entropy_of_the_pixels() -> None:
    run = train(hidden="bernoulli:2", epochs=1, minibatches=1)
    p = images().mean(0)
    entropy = -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum()
    # a pixel that is never on costs a little more under the imaginary neutral row
    assert run.summary["scores"]["train"]["rows"] == 21076
    assert -float(entropy) - 0.02 < run.summary["scores"]["train"]["baseline"] < -float(entropy)


def test_eight_units_learn_quickly_with_the_exact_gradient() -> None:
    options = {"negative": "exact", "learning_rate": 0.3, "batch_size": 500, "epochs": 12}
    run = train(hidden="bernoulli:8", **options)
    assert run.summary["scores"]["train"]["value"] > -137
    # the same machine in spins gives every image the same probability
    rbm = run.rbm.to(dtype=torch.float64)
    v = images()[:1000]
    spins = to_ising(rbm)
    log_p = -rbm.free_energy(v) - exact_log_z(rbm)
    torch.testing.assert_close(-spins.free_energy(2 * v - 1) - exact_log_z(spins), log_p, rtol=0, atol=1e-9)
    back = to_bernoulli(spins)
    torch.testing.assert_close(-back.free_energy(v) - exact_log_z(back), log_p, rtol=0, atol=1e-9)


def test_em_uses_all_55_states() -> None:
    run = train(hidden="onehot:55", optimizer="em", epochs=20)
    assert run.summary["scores"]["train"]["value"] > -124.2
    share = run.rbm.hidden.mean(run.rbm.eta_h_from_v(images()))[:, 0].mean(0)
    assert float(share.min()) > 1e-3


#: What the study is to reach or surpass on the images that it trains on, nats per image.
MARKS = {"L5": -142.0, "L8": -134.0, "L55": -122.9}


@pytest.mark.slow
@pytest.mark.parametrize("name", MARKS)
def test_every_mark_is_reached(name: str, tmp_path: Path) -> None:
    task = cap.tasks(SCALES["full"])[name]
    found = training.train(tmp_path, {}, **task.arguments)
    assert max(found["train"]) >= MARKS[name]
