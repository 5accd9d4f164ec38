"""Backpropagation and network files: what is learned, kept, reproduced and refused."""

import copy
import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from harmonium.deep.files import built, described, load_network, save_network
from harmonium.deep.finetune import (
    RATES,
    Settings,
    classification,
    fields_of,
    fine_tune,
    own_epochs,
    reconstructing,
    scores,
    searched_rate,
    updates_of,
)
from harmonium.deep.stack import Stack
from harmonium.deep.unroll import autoencoder, classifier
from harmonium.errors import DivergedError, InputError
from harmonium.noise import Noise
from harmonium.start import first_machine
from harmonium.units import Bernoulli, Gaussian, Ising, Multivalued, OneHot, Sparse

GENERATOR = torch.Generator().manual_seed(0)
X = (torch.rand(400, 6, generator=GENERATOR) < 0.5).float()
Y = (X[:, 0] + X[:, 1] == 1).long()  # not linear in the inputs
TRAIN, VALIDATION = torch.arange(300), torch.arange(300, 400)


def stack_of(*sides, seed=0):
    noise = Noise(seed)
    pairs = pairwise(sides)
    return Stack(tuple(first_machine(v, h, noise, weight_start="xavier") for v, h in pairs))


def task(train=TRAIN, validation=VALIDATION):
    return classification(lambda rows: X[rows], Y, train, validation)


def test_a_classifier_learns_what_no_linear_one_can():
    network = classifier(stack_of(Bernoulli(6), Ising(20)), 2)
    history = fine_tune(network, task(), Settings(epochs=60, batch_size=20, learning_rate=0.02))
    loss, error = scores(network, task(), VALIDATION)
    assert float(error.mean()) == 0
    assert [record["epoch"] for record in history] == list(range(61))
    assert history[0]["validation_loss"] == pytest.approx(np.log(2), abs=1e-6)
    best = min(history, key=lambda r: r["validation_error"] + 1e-3 * r["validation_loss"])
    assert float(loss.mean()) == pytest.approx(best["validation_loss"], abs=1e-7)  # the best epoch is kept


def test_the_average_loss_of_an_epoch_is_that_of_its_rows():
    """With a rate of nothing the network stays, and the epoch's average is that of all rows."""
    network = classifier(stack_of(Bernoulli(6), Ising(20)), 2)
    nn.init.normal_(network[-1].weight, generator=torch.Generator().manual_seed(3))
    before = copy.deepcopy(network.state_dict())
    _, record = fine_tune(network, task(), Settings(epochs=1, batch_size=70, learning_rate=1e-30))
    loss, error = scores(network, task(), TRAIN)
    assert record["train_loss"] == pytest.approx(float(loss.mean()), abs=1e-6)
    assert record["train_error"] == pytest.approx(float(error.mean()), abs=1e-6)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_seed_decides_and_the_global_stream_is_left_alone():
    def run(seed):
        network = classifier(stack_of(Bernoulli(6), Ising(8)), 2, dropout=(0.2, 0.5))
        fine_tune(network, task(), Settings(epochs=3, learning_rate=0.01, seed=seed))
        return torch.cat([p.flatten() for p in network.parameters()])

    torch.manual_seed(5)
    stream = torch.get_rng_state()
    first = run(1)
    assert torch.equal(torch.get_rng_state(), stream)
    assert torch.equal(first, run(1))
    assert not torch.equal(first, run(2))


def test_no_validation_rows_keep_the_last_epoch_and_patience_ends():
    network = classifier(stack_of(Bernoulli(6), Ising(8)), 2)
    history = fine_tune(network, task(validation=torch.arange(0)), Settings(epochs=4, learning_rate=0.01))
    assert len(history) == 5
    assert not any("validation_loss" in record for record in history)
    worse = classification(lambda rows: X[rows], torch.where(torch.arange(400) < 300, Y, 1 - Y), TRAIN, VALIDATION)
    network = classifier(stack_of(Bernoulli(6), Ising(20)), 2)
    settings = Settings(epochs=100, batch_size=20, learning_rate=0.02, patience=5)
    assert len(fine_tune(network, worse, settings)) < 60


def test_the_searched_rate_has_the_lowest_validation_loss():
    network = classifier(stack_of(Bernoulli(6), Ising(8)), 2)
    settings = Settings(epochs=30, batch_size=30)
    found = searched_rate(network, task(), settings)
    losses = {}
    for rate in RATES:
        trial = copy.deepcopy(network)
        # 500 updates are more than the 30 epochs of 10 that there are
        losses[rate] = fine_tune(trial, task(), Settings(epochs=30, batch_size=30, learning_rate=rate))[-1]
    assert found == min(RATES, key=lambda rate: losses[rate]["validation_loss"])
    assert fine_tune(network, task(), settings)[0]["learning_rate"] == found
    assert updates_of(task(), 70) == 5
    assert own_epochs(task(), 70) == 600


def test_divergence_is_one_sentence():
    network = classifier(stack_of(Bernoulli(6), Gaussian(8, 1.0)), 2)
    with pytest.raises(DivergedError, match=r"diverged in epoch \d+: .*lower the learning rate"):
        fine_tune(network, task(), Settings(epochs=50, learning_rate=1e25))


def test_an_autoencoder_learns_to_give_back():
    stack = stack_of(Bernoulli(6), Bernoulli(12), Gaussian(3, 1.0))
    network = autoencoder(stack)
    goal = reconstructing(lambda rows: X[rows], Bernoulli(6), TRAIN, VALIDATION)
    history = fine_tune(fields_of(network), goal, Settings(epochs=60, batch_size=20, learning_rate=0.01))
    with torch.no_grad():
        own = float((network(X[VALIDATION]) - X[VALIDATION]).square().sum(1).mean())
    assert own < 0.5 * history[0]["validation_error"]
    assert own == pytest.approx(min(r["validation_error"] for r in history), rel=0.05)


@pytest.mark.parametrize(
    "hidden", [Bernoulli(4), Ising(4), OneHot(1, 3), OneHot(2, 3), Multivalued(4, 3), Gaussian(4), Sparse(4, 3)],
    ids=lambda side: side.spec,
)  # fmt: skip
def test_files_bring_back_the_very_network(hidden, tmp_path):
    stack = stack_of(Gaussian(5), hidden, Bernoulli(3))
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(1))
    for number, network in enumerate((autoencoder(stack), classifier(stack, 3, dropout=(0.1, 0.5)))):
        path = tmp_path / f"{number}.safetensors"
        save_network(path, network.eval(), task="classifier", classes=["a", "b", "c"])
        again, description = load_network(path)
        assert torch.equal(again(x), network(x))
        assert described(again) == described(network)
        assert description["classes"] == ["a", "b", "c"]
        assert json.loads(json.dumps(described(network))) == described(network)


def test_files_that_are_none_are_refused(tmp_path):
    path = tmp_path / "n.safetensors"
    with pytest.raises(InputError, match="there is no file"):
        load_network(path)
    save_network(path, nn.Sequential(nn.Linear(2, 3), nn.Sigmoid()))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_network(path)
    for modules in ("sigmoid", [{"linear": [2, 4]}, "sigmoid"], [{"linear": [-1, 3]}], [{"load": "os"}], ["eval"], {}):
        from harmonium.io import save_tensors

        tensors = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid()).state_dict()
        save_tensors(path, "network", tensors, {"modules": modules})
        with pytest.raises(InputError, match="is not a complete network"):
            load_network(path)
    with pytest.raises(InputError, match="takes no Conv1d"):
        save_network(path, nn.Sequential(nn.Conv1d(1, 1, 1)))
    with pytest.raises(ValueError, match="no module is called"):
        built({"linear": [1, 2], "dropout": 1})
