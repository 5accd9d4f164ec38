"""Decisions about recordings from their windows, by brute force and by what must not change them."""

import numpy as np
import pytest
from scipy.special import log_softmax

from harmonium.errors import InputError
from harmonium.voice import recording_log_probabilities as decide

rng = np.random.default_rng(0)
LOG_P = log_softmax(3 * rng.normal(size=(40, 5)), axis=1)
PLACES = np.repeat([0, 1, 2, 3], [1, 20, 12, 7])


@pytest.mark.parametrize("independent", [True, False])
def test_the_product_of_opinions_by_brute_force(independent):
    made = decide(LOG_P, PLACES, independent=independent)
    for i in range(4):
        p = np.exp(LOG_P[PLACES == i])
        product = p.prod(0) if independent else p.prod(0) ** (1 / len(p))
        np.testing.assert_allclose(np.exp(made[i]), product / product.sum(), rtol=1e-10)


def test_bayes_rule_where_windows_are_independent_and_classes_are_as_frequent():
    """Windows with three outcomes: P(class | all windows) follows from the likelihoods of the outcomes."""
    likelihood = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])  # (class, outcome)
    outcomes = np.array([0, 2, 2, 1, 2])
    windows = np.log(likelihood[:, outcomes] / likelihood[:, outcomes].sum(0)).T
    joint = likelihood[:, outcomes].prod(1)
    made = decide(windows, np.zeros(5, int), independent=True)
    np.testing.assert_allclose(np.exp(made[0]), joint / joint.sum(), rtol=1e-12)


def test_the_decision_is_the_same_and_the_mean_is_less_sure():
    surely, mildly = (decide(LOG_P, PLACES, independent=flag) for flag in (True, False))
    np.testing.assert_array_equal(surely.argmax(1), mildly.argmax(1))
    np.testing.assert_allclose(surely[0], mildly[0])  # one window
    assert (surely[1:].max(1) > mildly[1:].max(1)).all()


def test_order_of_windows_repetition_and_one_window():
    order = rng.permutation(40)
    np.testing.assert_allclose(decide(LOG_P[order], PLACES[order]), decide(LOG_P, PLACES), rtol=1e-12)
    np.testing.assert_allclose(decide(np.repeat(LOG_P, 3, 0), np.repeat(PLACES, 3)), decide(LOG_P, PLACES), rtol=1e-12)
    np.testing.assert_allclose(decide(LOG_P, np.arange(40)), LOG_P, atol=1e-12)


def test_very_small_probabilities_and_a_class_ruled_out():
    made = decide(np.array([[0.0, -2000.0], [-3000.0, 0.0]]), [0, 0], independent=True)
    np.testing.assert_allclose(made, [[-1000.0, 0.0]])
    made = decide([[-np.inf, np.log(0.5), np.log(0.5)], [np.log(0.9), np.log(0.06), np.log(0.04)]], [0, 0])
    np.testing.assert_allclose(np.exp(made), [[0, np.sqrt(0.06), np.sqrt(0.04)] / (np.sqrt(0.06) + np.sqrt(0.04))])


@pytest.mark.parametrize(
    ("log_p", "places", "message"),
    [
        (LOG_P, PLACES[:-1], "give .N, C. and N whole numbers"),
        (LOG_P, PLACES * 1.0, "whole numbers"),
        (LOG_P[0], PLACES, "log_p has shape"),
        (LOG_P[:0], PLACES[:0], "log_p has shape"),
        (LOG_P, PLACES - 1, "count recordings from 0"),
        (LOG_P, PLACES * 2, "recording 1 has no window"),
        (-LOG_P, PLACES, "values above 0"),
        (np.full((40, 5), np.nan), PLACES, "holds NaN"),
        ([[-np.inf, 0.0], [0.0, -np.inf]], [0, 0], "the windows of recording 0 rule out every class"),
    ],
)
def test_what_cannot_be_decided(log_p, places, message):
    with pytest.raises(InputError, match=message):
        decide(log_p, places)
