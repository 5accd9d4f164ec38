"""The judge of generated images: distances against brute force, and verdicts on images whose worth is known."""

import functools
import math

import numpy as np
import pytest
from scipy import stats

import harmonium as hm
from harmonium.errors import InputError
from harmonium.evaluate import judge as judge_module
from harmonium.evaluate import nearest as nearest_module
from harmonium.evaluate.generated import judged, variety
from harmonium.evaluate.judge import Judge, _joint_thresholds
from harmonium.evaluate.nearest import nearest
from harmonium.evaluate.proportion import Proportion

REJECTION = 0.05


@functools.cache
def digits():
    """The bundled digits as binary images, in an order that mixes the writers: 1,197 to fit, 600 held out."""
    data = hm.load_data("digits")
    order = np.random.default_rng(0).permutation(len(data))
    X, y = (data.X > 0.5 * data.scale).astype(np.uint8)[order], data.y[order]
    return X[:-600], y[:-600], X[-600:], y[-600:]


@functools.cache
def judge():
    return Judge.fit(*digits(), rejection=REJECTION)


def test_proportions_have_the_intervals_of_an_exact_test():
    for count, of in ((0, 7), (3, 7), (7, 7), (12, 3011)):
        ends = stats.binomtest(count, of).proportion_ci(0.95, method="exact")
        assert (Proportion(count, of).low, Proportion(count, of).high) == pytest.approx((ends.low, ends.high))
    assert math.isnan(Proportion(0, 0).value)
    assert str(Proportion(1, 4)) == "25.0% (0.6% to 80.6%)"


@pytest.mark.parametrize("block", [1, 30, 1 << 20])
def test_nearest_distances_are_those_of_all_pairs(monkeypatch, block):
    monkeypatch.setattr(nearest_module, "BLOCK_ENTRIES", block)
    rng = np.random.default_rng(1)
    x, y = (rng.random((11, 20)) < 0.3).astype(np.float32), (rng.random((7, 20)) < 0.4).astype(np.float32)
    x[2] = y[3]
    x[4] = 0
    for others, itself in ((y, False), (x, True)):
        hamming = (x[:, None] != others).sum(2).astype(float)
        relative = hamming / np.maximum(x.sum(1)[:, None] + others.sum(1), 1)
        if itself:
            np.fill_diagonal(hamming, np.inf)
            np.fill_diagonal(relative, np.inf)
        found = nearest(x, others, itself=itself)
        np.testing.assert_array_equal(found[0], hamming.min(1))
        np.testing.assert_allclose(found[1], relative.min(1), rtol=1e-6)
    assert nearest(y[:1], y[:1], itself=True)[0] == np.inf


def test_thresholds_pass_all_but_the_share():
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=1000), rng.exponential(size=1000)
    (one,) = _joint_thresholds([first], 0.03)
    assert (first > one).sum() == 30
    both = _joint_thresholds([first, second], 0.03)
    assert (first > both[0]).sum() == (second > both[1]).sum()  # one rank for both
    assert 28 <= ((first > both[0]) | (second > both[1])).sum() <= 30
    (tied,) = _joint_thresholds([np.r_[np.zeros(990), np.ones(10)]], 0.005)
    assert tied == 1  # rather none than all of the equal ones


def test_held_out_real_images_are_read_and_seldom_rejected():
    """Thresholds from 200 images: their own error and that of 600 held-out images are 2.2 points of 5 together."""
    found, (_, _, X, y) = judge(), digits()
    assert found.error.value < 0.06
    assert found.error.count == (found.read(X).label != y).sum()
    for share in (found.false_rejection, found.false_grainy):
        assert 0.005 < share.value < REJECTION + 3 * 0.018
        assert share.of == 600
    verdict = judged(found, X, y)
    assert verdict.no_digit == found.false_rejection
    assert verdict.right.count == ((found.read(X).label == y) & ~found.read(X).no_digit).sum()
    assert sum(share.count for share in verdict.shares.values()) + verdict.no_digit.count == 600
    assert sum(share.count for share in verdict.forced.values()) == 600
    assert math.log(10) - 0.02 < verdict.entropy <= math.log(10)
    assert verdict.generated == verdict.real


def test_the_class_is_that_of_the_classifier_and_the_margin_is_signed_for_two_classes():
    X, y, held, held_y = digits()
    for classes in ((3, 8), (0, 1, 2)):
        own, other = np.isin(y, classes), np.isin(held_y, classes)
        found = Judge.fit(X[own], y[own], held[other], held_y[other])
        scorer = found._scorer
        z = (held[other] - scorer.mean) @ scorer.components.T
        by_votes = found.classes[scorer.machine.predict(z)]
        assert (found.read(held[other]).label == by_votes).mean() > 0.99  # votes may tie among three
        assert found.error.value < 0.05


def test_noise_is_rejected():
    X, rng = digits()[0], np.random.default_rng(3)
    coins = judged(judge(), rng.random((300, 64)) < 0.5)
    assert coins.no_digit.value > 0.95
    assert coins.clean.value < 0.02
    independent = judged(judge(), rng.random((300, 64)) < X.mean(0))
    assert independent.no_digit.value > 0.8
    assert independent.clean.value < 0.2 < judged(judge(), digits()[2]).clean.value - 0.6
    assert judged(judge(), np.zeros((1, 64))).far.value == 1
    assert judged(judge(), np.ones((1, 64))).far.value == 1


def test_copies_of_the_data_are_found_out():
    verdict = judged(judge(), digits()[0][:200])
    assert verdict.generated.to_real == 0
    assert verdict.generated.copies.value == 1
    assert verdict.real.to_real > 1
    assert verdict.real.copies.value < 0.1
    assert verdict.no_digit.value < REJECTION


def test_one_picture_again_and_again_is_found_out():
    picture = digits()[2][5]
    verdict = judged(judge(), np.tile(picture, (40, 1)), np.full(40, digits()[3][5]))
    assert verdict.generated.to_other == 0
    assert verdict.generated.repeats.value == 1
    assert verdict.entropy == 0
    assert verdict.real.to_other > 2
    assert verdict.real.repeats.of == 40  # as many of either
    assert verdict.right.value == 1


def test_variety_is_brute_force_and_nothing_accepted_has_no_entropy():
    rng = np.random.default_rng(4)
    x, real = rng.integers(0, 2, (9, 12)), rng.integers(0, 2, (30, 12))
    x[3], x[4] = real[7], x[2]
    pairs = (x[:, None] != x).sum(2) + 100 * np.eye(9)
    found = variety(x, real)
    own = (x[:, None] != real).sum(2).min(1)
    assert (found.to_other, found.to_real) == (pairs.min(1).mean(), own.mean())
    assert (found.repeats.count, found.copies.count) == ((pairs.min(1) == 0).sum(), (own == 0).sum())
    assert found.repeats.count >= 2
    assert found.copies.count >= 1
    assert math.isnan(judged(judge(), np.ones((3, 64))).entropy)


def test_a_seed_makes_a_judge(monkeypatch):
    again, other = Judge.fit(*digits(), rejection=REJECTION), Judge.fit(*digits(), seed=1, rejection=REJECTION)
    assert (again.t_far, again.t_unsure, again.t_grainy) == (judge().t_far, judge().t_unsure, judge().t_grainy)
    assert (other.t_unsure, other.t_grainy) != (judge().t_unsure, judge().t_grainy)
    monkeypatch.setattr(judge_module, "LEAST", 700)
    with pytest.raises(InputError, match="too few"):
        Judge.fit(*digits())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": np.full((30, 64), 0.5)}, "other than 0 and 1"),
        ({"images": np.full((30, 64), np.nan)}, "other than 0 and 1"),
        ({"images": [["a"]]}, "numbers"),
        ({"labels": np.zeros(1197, int)}, "1 class"),
        ({"labels": [1, 2]}, "labels is"),
        ({"held_labels": np.zeros(600)}, "whole number"),
        ({"held_images": np.zeros((600, 5))}, "600, 5"),
        ({"rejection": 0.0}, "rejection"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_judged_is_refused(changes, words):
    X, y, held, held_y = digits()
    with pytest.raises(InputError, match=words):
        Judge.fit(**{"images": X, "labels": y, "held_images": held, "held_labels": held_y, **changes})


def test_generated_images_of_another_kind_are_refused():
    with pytest.raises(InputError, match="images has shape"):
        judged(judge(), np.zeros((3, 63)))
    with pytest.raises(InputError, match="other than 0 and 1"):
        judged(judge(), -np.ones((3, 64)))
    with pytest.raises(InputError, match="wanted"):
        judged(judge(), np.zeros((3, 64)), [1])
