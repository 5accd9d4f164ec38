"""Runs that cannot be planned, and runs that diverge: one sentence each, and nothing is lost."""

import json

import numpy as np
import pytest

import harmonium as hm
from harmonium.errors import DivergedError, InputError
from harmonium.runs.folder import RunFolder
from small_runs import IMAGES, LABELS, QUICK, no_pictures, same


@pytest.fixture
def quick(monkeypatch):
    no_pictures(monkeypatch)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden": "bernouli:3"}, "hidden='bernouli:3' cannot be used: unknown unit family .* did you mean"),
        ({"hidden": "bernoulli"}, "must say how many units"),
        ({"hidden": "bernoulli:0"}, "hidden='bernoulli:0'"),
        ({"hidden": "bernoulli:99999999999999"}, "makes 1.2e.15 weights.*choose fewer"),
        ({"hidden": "bernoulli:" + "9" * 5000}, "hidden is 5010 letters long"),
        ({"hidden": "multivalued:2,s=" + "9" * 500}, r"hidden='multivalued:2,s=9+\.\.\.' cannot be used: .* or inf"),
        ({"visible": "gaussian,variance=nan"}, "visible='gaussian,variance=nan' cannot be used: variance"),
        ({"optimizer": "adm"}, "unknown optimizer 'adm'.*did you mean 'adam'"),
        ({"optimizer": "sparseadam"}, "optimizer=sparseadam is for sparse gradients"),
        ({"optimizer": "lbfgs", "batch_size": 0}, "lbfgs needs the exact gradient, not negative=pcd"),
        ({"optimizer": "lbfgs", "negative": "exact"}, "takes all 48 rows at once, not batch_size=10"),
        ({"optimizer": "em", "batch_size": 0}, "em needs one one-hot hidden unit"),
        ({"negative": "cdd"}, "unknown negative 'cdd': choose from cd"),
        ({"negative": "exact", "hidden": "interval:3", "visible": "interval"}, "interval:3 has none; use cd or pcd"),
        ({"held_out": "nan"}, "held_out='nan' must be 'auto' or a fraction"),
        ({"validation": 0.001}, "validation=0.001 of 48 training rows makes 0 rows to watch"),
        ({"patience": 1, "validation": 0.0}, "patience is set, but validation is 0"),
        ({"epochs": 10_000_000, "minibatches": 1000}, "updates, more than"),
        ({"learning_rate_final": 0.1, "learning_rate_schedule": "sqrt"}, "goes with learning_rate_schedule=linear"),
        ({"data_path": "x"}, "data_path='x' goes with data from files"),
        ({"classes": "0,x"}, "classes=0,x must be whole numbers, such as 7,8,9"),
        ({"classes": "5"}, "has no rows of class 5"),
        ({"device": "meta"}, "device='meta' is not available here; use cpu or auto"),
        ({"weight_scale": 1e300}, "weight_scale=1e.300 is too large here: W holds"),
        ({"hidden": "gaussian:4,variance=1", "visible": "gaussian,variance=1", "weight_scale": 9.0},
         "weight_scale=9 is too large here: the machine is not normalisable"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_said_in_a_sentence(options, words):
    with pytest.raises(InputError, match=words) as caught:
        hm.train(IMAGES, LABELS, **{**QUICK, **options})
    assert str(caught.value)[-1] in ".?"
    assert "\n" not in str(caught.value)


def test_an_enumeration_that_would_never_end_is_refused_with_its_time():
    wide = np.tile(IMAGES.reshape(60, 12), 9)
    for hidden, long in (("bernoulli:32", "about 0.64 hours"), ("bernoulli:90", "more than a year")):
        with pytest.raises(InputError, match=f"negative=exact would take {long} an update"):
            hm.train(wide, **{**QUICK, "hidden": hidden, "negative": "exact"})


def test_divergence_names_the_step_and_keeps_the_last_good_checkpoint(tmp_path, quick):
    options = {**QUICK, "visible": "gaussian", "hidden": "gaussian:3", "learning_rate": 1e3}
    with pytest.raises(DivergedError, match=r"diverged (by|at) step \d+: .*last good checkpoint is .*step-0") as caught:
        hm.train(IMAGES, out=tmp_path / "run", **options)
    assert caught.value.exit_code == 3
    folder = RunFolder(tmp_path / "run")
    kept = next(folder.checkpoints())
    assert str(kept) in str(caught.value)
    assert folder.read_history()[0]["step"] == 0
    assert not folder.model_path.exists()
    assert not folder.complete


def test_an_absurd_likelihood_counts_as_divergence(tmp_path, quick):
    with pytest.raises(DivergedError, match=r"by step \d+: the log-likelihood has fallen to -.*; lower the learning"):
        hm.train(IMAGES, out=tmp_path / "run", **{**QUICK, "learning_rate": 1e4})
    with pytest.raises(DivergedError, match=r"at step \d+: a parameter is no longer finite"):
        hm.train(IMAGES, **{**QUICK, "learning_rate": 1e30, "momentum": 0.99, "l2": 0.1, "measure": 1, "epochs": 9})
    history = (tmp_path / "run" / "metrics.jsonl").read_text()
    assert all(json.loads(line, parse_constant=pytest.fail) for line in history.splitlines())


def test_a_pair_of_gaussian_sides_that_stops_being_normalisable_has_diverged(monkeypatch):
    grow = {"visible": "gaussian,variance=1", "hidden": "gaussian:2,variance=1", "learning_rate": 3.0, "steps": 1}
    with pytest.raises(DivergedError, match=r"not normalisable|no longer finite"):
        hm.train(IMAGES, **{**QUICK, **grow, "measure": 12})


def test_measuring_the_clamped_gradient_never_counts_as_divergence(monkeypatch):
    monkeypatch.setattr("harmonium.runs.monitor.DIVERGED_FACTOR", -100.0)  # any joint likelihood looks absurd
    options = {**QUICK, "learning_rate": 0.5, "target": "label", "epochs": 8}
    run = hm.train(IMAGES, LABELS, objective="discriminative", optimizer="sgd", patience=50, **options)
    assert run.history[-1]["train_log_p_label"] > run.history[0]["train_log_p_label"] + 0.1
    assert run.summary["best_validation"] == max(r["validation_log_p_label"] for r in run.history)
    with pytest.raises(DivergedError):
        hm.train(IMAGES, LABELS, objective="joint", **options)


def test_a_likelihood_near_zero_is_not_taken_for_divergence():
    constant = np.ones((50, 6))
    assert len(hm.train(constant, **QUICK).history) == 5


@pytest.mark.usefixtures("quick")
def test_columns_of_another_scale_are_told_the_mend():
    far = np.random.default_rng(0).normal(50, 20, (60, 4))
    with pytest.raises(DivergedError, match="bring the columns to mean 0 and variance 1"):
        hm.train(far, **{**QUICK, "visible": "gaussian"})


def test_expectation_maximisation_refuses_a_negative_phase():
    with pytest.raises(InputError, match="negative=cd does nothing; leave it out"):
        hm.train(IMAGES, hidden="onehot:3", optimizer="em", negative="cd")


def test_optimizers_are_known_in_capitals_too():
    small = {"epochs": 1, "measure": 1}
    runs = [hm.train(IMAGES, hidden="bernoulli:2", negative="exact", optimizer=o, **small) for o in ("LBFGS", "lbfgs")]
    assert same(runs[0].rbm, runs[1].rbm)
