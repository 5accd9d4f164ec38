"""Confidence and temperature: laws, simulations with known answers, and the cases at the edge."""

import json
import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from harmonium.errors import InputError
from harmonium.evaluate.calibration import calibration
from harmonium.evaluate.temperature import HIGHEST, LOWEST, calibrate, fit_temperature

rng = np.random.default_rng(3)


def log_softmax(z):
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def drawn(log_p, generator=rng):
    """Labels that these probabilities are true of."""
    p = np.exp(log_p)
    return np.minimum((generator.random((len(p), 1)) > p.cumsum(1)).sum(1), p.shape[1] - 1)


def overconfident(n=400, classes=5, c=1.0):
    z = rng.normal(size=(n, classes)) * 1.5
    return log_softmax(c * z), drawn(log_softmax(z))


# --- temperature ----------------------------------------------------------------------------------------------------


def test_the_temperature_of_scaled_logits_is_scaled():
    log_p, y = overconfident()
    one = fit_temperature(log_p, y)
    for c in (0.3, 2.0, 7.0):
        scaled = fit_temperature(log_softmax(c * log_p), y)
        assert scaled.value == pytest.approx(c * one.value, rel=1e-9)
        assert (scaled.low, scaled.high) == pytest.approx((c * one.low, c * one.high), rel=1e-9)
        assert scaled.after == pytest.approx(one.after, abs=1e-12)


@pytest.mark.parametrize("c", [0.5, 1.0, 4.0])
def test_it_is_the_minimum(c):
    log_p, y = overconfident(c=c)
    found = fit_temperature(log_p, y)

    def loss(beta):
        return -log_softmax(beta * log_p)[np.arange(len(y)), y].mean()

    beta, step = 1 / found.value, 1e-4
    assert loss(beta * (1 + step)) - loss(beta * (1 - step)) == pytest.approx(0, abs=1e-10)  # the gradient
    oracle = minimize_scalar(loss, bounds=(0.01, 20), method="bounded", options={"xatol": 1e-10})
    assert beta == pytest.approx(oracle.x, rel=1e-5)
    assert found.before == pytest.approx(loss(1))
    assert found.after == pytest.approx(loss(beta))
    after = calibrate(log_p, found.value)
    assert -after[np.arange(len(y)), y].mean() == pytest.approx(found.after)
    np.testing.assert_array_equal(after.argmax(1), log_p.argmax(1))


def test_a_calibrated_machine_keeps_its_temperature():
    """The interval misses 1 in 5 of 100 samples: more than 24 of 200 would be a chance of 3e-5, none one of 4e-5."""
    misses = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        log_p = log_softmax(generator.normal(size=(300, 3)) * 2)
        found = fit_temperature(log_p, drawn(log_p, generator))
        misses += not found.low <= 1 <= found.high
    assert 1 <= misses <= 24


def test_rows_without_label_and_missing_classes_change_nothing():
    log_p, y = overconfident()
    y[::3] = -1
    y[y == 2] = -1  # a whole class
    kept = y >= 0
    assert fit_temperature(log_p, y) == fit_temperature(log_p[kept], y[kept])


def test_all_right_keeps_one_and_says_so():
    log_p = log_softmax(rng.normal(size=(50, 4)))
    found = fit_temperature(log_p, log_p.argmax(1))
    assert (found.value, found.after) == (1.0, pytest.approx(found.before))
    assert "all 50 rows are right" in found.doubt
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["high"] is None


def test_all_wrong_and_sure_ends_at_the_highest():
    log_p = log_softmax(10 * rng.normal(size=(50, 4)))
    found = fit_temperature(log_p, log_p.argmin(1))
    assert found.value == HIGHEST
    assert "no better than even guesses" in found.doubt
    assert found.after < found.before
    # wrong, yet with the own class always second: a temperature above 1 is the best
    second = np.argsort(log_p, 1)[:, -2]
    assert 1 < fit_temperature(log_p, second).value < HIGHEST


def test_one_row_nearly_tied_ends_at_the_lowest():
    z = np.array([[1e-4, 0.0]] * 99 + [[0.0, 1e-9]])
    found = fit_temperature(log_softmax(z), np.zeros(100, int))
    assert found.value == LOWEST
    assert "below 0.01" in found.doubt


def test_impossible_classes():
    log_p = np.log(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]))
    three = np.column_stack([log_p, np.full(3, -np.inf)])
    y = np.array([0, 1, 1])
    assert fit_temperature(three, y).value == pytest.approx(fit_temperature(log_p, y).value, rel=1e-12)
    np.testing.assert_allclose(calibrate(three, 3.0)[:, :2], calibrate(log_p, 3.0))
    with pytest.raises(InputError, match="own class of row 2 to be impossible"):
        fit_temperature(three, [0, 1, 2])
    for wrong in (0.0, -1.0, math.nan, math.inf, "1"):
        with pytest.raises(InputError, match="temperature must be a positive number"):
            calibrate(log_p, wrong)


# --- reliability ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "strategy"), [("width", "uniform"), ("mass", "quantile")])
def test_bins_against_scikit_learn(kind, strategy):
    log_p, y = overconfident(n=1000)
    found = calibration(log_p, y, bins=10, kind=kind)
    confidence, right = np.exp(log_p).max(1), log_p.argmax(1) == y
    share, mean = calibration_curve(right, confidence, n_bins=10, strategy=strategy)
    tolerance = 1e-12 if kind == "width" else 0.011  # quantiles interpolate: an edge may move by a row
    np.testing.assert_allclose([b.right.value for b in found.bins], share, atol=tolerance)
    np.testing.assert_allclose([b.confidence for b in found.bins], mean, atol=tolerance)
    gaps = [b.right.of / 1000 * abs(b.right.value - b.confidence) for b in found.bins]
    assert found.ece == pytest.approx(sum(gaps))
    assert sum(b.right.of for b in found.bins) == 1000
    assert found.right.count == right.sum()


def test_the_brier_score_of_two_classes_is_twice_that_of_one():
    log_p, y = overconfident(classes=2)
    assert calibration(log_p, y).brier == pytest.approx(2 * brier_score_loss(y, np.exp(log_p[:, 1])))


def test_a_calibrated_machine_raises_a_false_alarm_in_5_of_100():
    """More than 14 of 100 would be a chance of 2e-4, none one of 6e-3: the seeds are fixed."""
    alarms = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        log_p = log_softmax(generator.normal(size=(200, 3)) * 2)
        alarms += not calibration(log_p, drawn(log_p, generator), seed=seed).calibrated
    assert 1 <= alarms <= 14


@pytest.mark.parametrize("excess", [0.0, 0.03, 0.2])
def test_the_interval_holds_the_true_error(excess):
    """At least 50 of 60 times; fewer would be a chance of 2e-4 for the 95 % that are meant."""
    levels = np.array([0.5, 0.6, 0.7, 0.8, 0.9]) + 0.05
    held = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        confidence = levels[generator.integers(0, 5, 500)]
        right = generator.random(500) < confidence - excess
        log_p = np.log(np.column_stack([confidence, 1 - confidence]))
        found = calibration(log_p, np.where(right, 0, 1), bins=10, kind="width", seed=seed)
        held += found.low <= excess <= found.high
    assert held >= 50


def test_all_right_all_wrong_and_single_rows():
    sure = np.log(np.tile([0.9, 0.1], (40, 1)))
    right, wrong = calibration(sure, np.zeros(40, int)), calibration(sure, np.ones(40, int))
    assert (right.ece, wrong.ece) == pytest.approx((0.1, 0.9))
    assert (right.brier, wrong.brier) == pytest.approx((0.02, 1.62))
    assert not wrong.calibrated
    assert len(calibration(sure[:1], [0]).bins) == 1
    certain = np.array([[0.0, -np.inf]] * 5)
    assert (calibration(certain, [0] * 5, kind="width").ece, calibration(certain, [1] * 5).ece) == (0, 1)


def test_same_seed_same_interval_and_faults():
    log_p, y = overconfident(c=4.0)
    assert calibration(log_p, y, seed=1) == calibration(log_p, y, seed=1)
    assert calibration(log_p, y, seed=1).low != calibration(log_p, y, seed=2).low
    json.dumps(calibration(log_p, y).as_dict(), allow_nan=False)
    with pytest.raises(InputError, match="kind must be mass or width, not 'even'"):
        calibration(log_p, y, kind="even")
    with pytest.raises(InputError, match="bins must be a whole number from 1 on, not 0"):
        calibration(log_p, y, bins=0)
