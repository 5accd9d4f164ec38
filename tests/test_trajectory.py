"""Runs that are followed: what they report, which machine they keep, and the machines that they pass through."""

import itertools

import numpy as np
import pytest
import torch

import harmonium as hm
from harmonium.config_from import config_from
from harmonium.data import split
from harmonium.data.arrays import as_dataset
from harmonium.data.dataset import Dataset
from harmonium.errors import InputError
from harmonium.feed import make_feed
from harmonium.ladders import acceptance
from harmonium.logz import exact_log_z
from harmonium.logz.exact import sample_v_exactly
from harmonium.noise import Noise
from harmonium.runs.folder import RunFolder
from harmonium.runs.follow import Following
from harmonium.runs.judged import LIKELIHOOD
from harmonium.runs.monitor import Monitor
from harmonium.runs.plan import make_plan
from harmonium.runs.selection import Selection
from harmonium.runs.trajectory import load_trajectory
from harmonium.units import Bernoulli, Ising
from laws.hard_machines import two_far_modes
from laws.sides import machine, nodes
from small_runs import IMAGES, LABELS, QUICK, no_pictures, same, scores

LONG = {**QUICK, "epochs": 50, "measure": 30, "optimizer": "adam", "momentum": 0.0}


@pytest.fixture
def followed(monkeypatch):
    """Machines that could be enumerated are followed all the same, at every second update."""
    no_pictures(monkeypatch)
    monkeypatch.setattr("harmonium.runs.monitor.EXACT_COST_RUNNING", 0)
    monkeypatch.setattr("harmonium.runs.follow._SHARE", 13.0)


@pytest.fixture
def truths(monkeypatch):
    """The exact ln Z at every measurement of the runs that follow."""
    found, real = [], Monitor.measure

    def measure(self, state):
        found.append(exact_log_z(state.rbm.to(dtype=torch.float64)))
        return real(self, state)

    monkeypatch.setattr(Monitor, "measure", measure)
    return found


@pytest.mark.parametrize("hidden", ["bernoulli:6", "multivalued:4,s=2", "onehot:2x4"])
def test_the_band_covers_the_truth_at_every_measurement(hidden, followed, truths):
    """31 values of 4.5 Student errors with 15 degrees of freedom: below 2e-3 a run where they were independent."""
    run = hm.train(IMAGES, **{**LONG, "hidden": hidden})
    assert {record["method"] for record in run.history} == {"trajectory", "annealing"}
    for record, truth in zip(run.history, truths, strict=True):
        assert record["train_stderr"] < 0.5
        assert abs(record["log_z"] - truth) < 4.5 * record["train_stderr"] + 1e-4


def test_chains_that_have_fallen_behind_are_not_believed(followed, truths, monkeypatch):
    real = Following._advance

    def behind(self, rbm):
        real(self, rbm)
        if self.population is not None:
            self.population.log_z.sub_(0.5)

    monkeypatch.setattr(Following, "_advance", behind)
    run = hm.train(IMAGES, **LONG)
    assert {record["method"] for record in run.history} == {"annealing"}
    assert all(abs(r["log_z"] - truth) < 0.3 for r, truth in zip(run.history, truths, strict=True))


@pytest.mark.parametrize("seed", range(8))
def test_a_mode_that_annealing_overlooks_and_rows_are_in_widens_the_error(seed):
    """Of its states three quarters are where annealings from its own biases hardly come; rows come from everywhere.

    ln Z is then ln 4 too low with a small error.  Each interval holds the truth with a probability of 0.95, or more.
    """
    rbm = two_far_modes(dtype=torch.float32)
    rows = sample_v_exactly(rbm, 400, Noise(seed)).numpy()
    options = {"data": "array", "visible": "ising", "hidden": "ising:8", "binarize": "none", "seed": seed}
    following = Following(make_plan(config_from(options), as_dataset(rows)))
    following.base = rbm.a
    truth = exact_log_z(rbm.to(dtype=torch.float64))
    found, found_apart = following.measure(rbm), following.apart
    assert abs(found.value - truth) < 3 * found.stderr
    assert found.stderr < 1.0
    earlier = following.state_dict()
    del earlier["apart"]  # as a checkpoint of an earlier version has it
    following.load_state_dict(earlier, rbm)
    following.load_state_dict(earlier | {"apart": found_apart}, rbm)
    again = following.measure(rbm)  # of chains that are trusted since
    assert abs(again.value - truth) < 3 * again.stderr


def test_a_run_that_is_followed_ends_like_one_that_is_not(followed, tmp_path, monkeypatch):
    first = hm.train(IMAGES, out=tmp_path / "a", **LONG)
    often = hm.train(IMAGES, **{**LONG, "measure": 300})
    monkeypatch.setattr("harmonium.runs.monitor.EXACT_COST_RUNNING", 1e9)
    exact = hm.train(IMAGES, **LONG)
    assert {record["method"] for record in exact.history} == {"exact"}
    assert same(first.rbm, exact.rbm)
    assert same(first.rbm, often.rbm)


def test_machines_that_leap_are_annealed_and_of_those_that_predict_labels_ln_z_is_not_taken(followed, monkeypatch):
    monkeypatch.setattr("harmonium.evaluate.likelihood.EXACT_COST_RUNNING", 0)
    for objective in ("discriminative", "hybrid"):
        run = hm.train(IMAGES, LABELS, target="label", objective=objective, **QUICK)
        assert "log_z" not in run.history[-1]
        assert "log_z" not in run.summary
    leaping = {"hidden": "bernoulli:3", "optimizer": "lbfgs", "negative": "exact", "epochs": 2, "measure": 2}
    assert hm.train(IMAGES, **leaping).history[-1]["method"] == "AIS"


# ---- the machine that is kept --------------------------------------------------------------------------------------


def many(n, seed=0):
    """Images like `IMAGES`, of which a machine with many units learns the noise by heart."""
    rng = np.random.default_rng(seed)
    return (np.tile(IMAGES[:2], (n // 2, 1, 1)) ^ (rng.random((n, 3, 4)) < 0.2)).astype(np.uint8)


OVER_FITTING = {
    "hidden": "bernoulli:8", "epochs": 60, "minibatches": 6, "batch_size": 0, "measure": 40, "optimizer": "adam",
    "negative": "exact", "learning_rate": 0.1, "validation": 0.3,
}  # fmt: skip


def test_the_validation_rows_choose_and_the_held_out_rows_have_no_say(monkeypatch):
    no_pictures(monkeypatch)
    images = many(80, 3)
    run = hm.train(images, **OVER_FITTING)
    values = [record["validation"] for record in run.history]
    best = int(np.argmax(values))
    assert 0 < best < len(values) - 5
    assert run.summary["best_step"] == run.history[best]["step"]
    assert run.summary["best_validation"] == run.summary["scores"]["validation"]["value"] == max(values)
    assert run.summary["steps"] < 360  # and the rest was saved
    held_out = [record["held_out"] for record in run.history]
    assert int(np.argmax(held_out)) != best  # or else nothing could be noticed below
    other = images.copy()
    _, rows = split(as_dataset(images))
    other[rows] = 1 - other[rows]
    changed = hm.train(other, **OVER_FITTING)
    assert same(changed.rbm, run.rbm)
    assert changed.summary["best_step"] == run.summary["best_step"]
    assert changed.summary["scores"]["held_out"] != run.summary["scores"]["held_out"]
    last = hm.train(images, **{**OVER_FITTING, "patience": 0})
    assert last.summary["steps"] == 360
    assert same(last.rbm, run.rbm)
    everything = hm.train(images, **{**OVER_FITTING, "validation": 0})
    assert everything.summary["best_step"] == everything.summary["steps"] == 360
    assert "validation" not in everything.summary["scores"]
    assert "best on the validation" not in str(everything)


def test_a_tenth_of_the_rows_is_set_aside_where_that_is_enough():
    def rows(n, **options):
        return hm.train(many(n), **{**QUICK, "epochs": 1, "held_out": 0, **options}).summary["scores"]

    assert "validation" not in rows(290)
    assert rows(300)["validation"]["rows"] == 30
    assert rows(300)["train"]["rows"] == 270
    assert rows(60, patience=2)["validation"]["rows"] == 6
    assert "validation" not in rows(300, validation=0)


def judged(values, stderr=0.0, patience=3):
    """A selection that has seen machines with these scores on two hundred rows, and the number that it looked at."""
    X = np.random.default_rng(0).integers(0, 2, (200, 4)).astype(np.uint8)
    feed = make_feed(Dataset(X, None, 1.0, (4,), "x", "x"), Bernoulli(4))
    selection = Selection(feed, torch.arange(200), patience, LIKELIHOOD, 0)
    for step, value in enumerate(values):
        rbm = machine(Bernoulli(4), Ising(2), 0.01, step)
        selection.judge(rbm, step, {"validation": value, "validation_stderr": stderr})
        if selection.spent:
            break
    return selection, step


def test_only_what_is_worse_beyond_its_error_wears_out_patience():
    falling = [-5.0, -4.0, *(-4.5 - 0.1 * i for i in range(20))]
    selection, step = judged(falling)
    assert (selection.best_step, step) == (1, 4)
    assert same(selection.machine(machine(Bernoulli(4), Ising(2), 0.01, 7)), machine(Bernoulli(4), Ising(2), 0.01, 1))
    assert judged(falling, stderr=1.0)[1] == 21  # noise, and not a loss
    assert judged(falling, patience=0)[1] == 21
    plateau = [-4.0, *([-4.5, -4.5, -4.0] * 7)]
    assert judged(plateau)[1] == 21
    assert judged([-4.0 + 0.01 * i for i in range(22)])[0].best_step == 21


# ---- the machines on the way ---------------------------------------------------------------------------------------


def test_acceptance_is_the_mean_over_both_machines():
    """Against the sum over all pairs of states."""
    p, q = machine(Bernoulli(3), Ising(3), 1.5, 0), machine(Bernoulli(3), Ising(3), 1.5, 1)
    v, _ = nodes(Bernoulli(3))
    log_p, log_q = (-rbm.free_energy(v) - exact_log_z(rbm) for rbm in (p, q))
    here = (log_p[:, None] + log_q).exp()
    there = (log_p + log_q[:, None]).exp()
    expected = float(torch.minimum(here, there).sum())
    found = acceptance(p, q, sample_v_exactly(p, 5000, Noise(0, dtype=torch.float64)))
    assert expected < 0.8
    assert found == pytest.approx(expected, abs=0.015)  # six times what fifty other seeds differ by
    assert acceptance(p, p, v) == pytest.approx(1, abs=1e-12)


def test_a_run_leaves_machines_that_exchange_states(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    monkeypatch.setattr("harmonium.runs.trajectory._SHARE", 10.0)
    options = {**LONG, "epochs": 200, "learning_rate": 0.005, "validation": 0.2, "hidden": "bernoulli:8", "patience": 0}
    run = hm.train(IMAGES, out=tmp_path / "r", **options)
    folder = RunFolder(tmp_path / "r")
    machines = load_trajectory(folder)
    assert len(machines) > 4
    assert same(machines[-1], run.rbm)
    steps = [step for step, _ in folder.snapshots()]
    assert steps[0] == 0
    assert run.summary["best_step"] < run.summary["steps"]  # later ones are left out
    assert len(machines) == sum(step < run.summary["best_step"] for step in steps) + 1
    noise = Noise(0)
    rates = [acceptance(p, q, sample_v_exactly(p, 2000, noise)) for p, q in itertools.pairwise(machines)]
    assert min(rates) > 0.2
    assert max(rates[:-1]) < 0.85  # and none too many

    monkeypatch.setattr("harmonium.runs.trajectory.MOST_SNAPSHOTS", 4)
    few = hm.train(IMAGES, out=tmp_path / "few", **options)
    assert same(few.rbm, run.rbm)
    kept = [step for step, _ in RunFolder(tmp_path / "few").snapshots()]
    assert 2 <= len(kept) <= 4
    assert kept == steps[:: steps.index(kept[1])]  # every second, fourth or eighth of those above
    hm.train(IMAGES, out=tmp_path / "r", overwrite=True, **QUICK)
    assert [step for step, _ in folder.snapshots()] == [0]


def test_a_run_without_a_trajectory_says_so(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    hm.train(IMAGES, out=tmp_path / "r", **QUICK)
    folder = RunFolder(tmp_path / "r")
    for _, path in folder.snapshots():
        path.unlink()
    with pytest.raises(InputError, match=r"the run in .* has stored no trajectory on its way; train it again"):
        load_trajectory(folder)
    folder.model_path.unlink()
    with pytest.raises(InputError, match=r"has no model yet; finish it with: harmonium train --resume"):
        load_trajectory(folder)


def test_scores_are_the_same_however_often_a_followed_run_was_begun(followed):
    first, second = (hm.train(IMAGES, **LONG) for _ in range(2))
    assert scores(first.history) == scores(second.history)
