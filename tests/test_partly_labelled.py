"""Runs on data of which some rows have no label: what is learned, scored and chosen by."""

import numpy as np
import pytest
import torch

import harmonium as hm
from harmonium.data import Dataset
from harmonium.errors import InputError
from harmonium.evaluate.likelihood import free_energies
from harmonium.feed import make_feed
from harmonium.units import Bernoulli, OneHot, Product
from laws.sides import brute_log_z, machine, nodes

RNG = np.random.default_rng(0)
X = np.tile(RNG.integers(0, 2, (2, 6)), (150, 1)) ^ (RNG.random((300, 6)) < 0.1)
Y = np.tile([0, 1], 150)
QUICK = {"hidden": "bernoulli:3", "epochs": 2, "minibatches": 10, "measure": 2, "target": "label"}


def few(count):
    y = np.full(300, -1)
    y[:count] = Y[:count]
    return y


def test_the_score_of_a_row_without_a_label_is_the_probability_of_its_inputs():
    rbm = machine(Product(Bernoulli(3), OneHot(1, 3)), Bernoulli(2), 1.5)
    x = nodes(Bernoulli(3))[0].numpy()
    y = np.array([0, 1, 2, -1, -1, -1, -1, -1])
    feed = make_feed(Dataset(x, y, 1.0, (3,), "x", "x"), Bernoulli(3), labelled=True, dtype=torch.float64)
    log_p = -free_energies(rbm, feed, torch.arange(8)) - brute_log_z(rbm)
    states = nodes(rbm.visible)[0]
    each = -rbm.free_energy(states) - brute_log_z(rbm)
    for i, (row, label) in enumerate(zip(torch.from_numpy(x), y, strict=True)):
        mine = (states[:, :3] == row).all(1) & (bool(label < 0) | (states[:, 3:].argmax(1) == label))
        torch.testing.assert_close(log_p[i], each[mine].logsumexp(0))


@pytest.mark.parametrize("objective", ["discriminative", "hybrid"])
def test_labels_so_few_that_samples_of_rows_have_none_are_no_divergence(objective, monkeypatch):
    monkeypatch.setattr("harmonium.runs.monitor.RUNNING_ROWS", (5, 5))
    run = hm.train(X, few(4), objective=objective, held_out="0", validation=0.5, **QUICK)
    assert all("train_log_p_label" in record for record in run.history)
    assert run.summary["best_step"] == 0 or run.summary["scores"]["validation"]["labelled_rows"] > 0
    alone = hm.train(X, few(4), objective=objective, held_out="0", validation=0.02, **QUICK)
    assert alone.summary["best_step"] == alone.summary["steps"]  # no validation row can judge
    assert "best_validation" not in alone.summary


def test_a_line_search_is_refused_where_the_objective_is_not_known():
    with pytest.raises(InputError, match=r"some rows have no label.*use another optimizer"):
        hm.train(X, few(100), objective="joint", optimizer="lbfgs", negative="exact", hidden="bernoulli:3",
                 epochs=2, target="label")  # fmt: skip
