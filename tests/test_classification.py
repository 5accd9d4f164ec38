"""Confusions, errors and confident mistakes, against scikit-learn and by hand."""

import json
import math

import numpy as np
import pytest
from sklearn import metrics

from harmonium.errors import InputError
from harmonium.evaluate.classification import Confusion, classify

rng = np.random.default_rng(5)


def log_softmax(z):
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def made(n=300, classes=4, missing=0.2):
    log_p = log_softmax(rng.normal(size=(n, classes)) * 2)
    y = rng.integers(0, classes, n)
    y[rng.random(n) < missing] = -1
    return log_p, y


def test_against_scikit_learn():
    log_p, y = made()
    found, kept = classify(log_p, y), y >= 0
    own, said = y[kept], log_p[kept].argmax(1)
    np.testing.assert_array_equal(found.confusion, metrics.confusion_matrix(own, said))
    np.testing.assert_allclose([r.value for r in found.recall], metrics.recall_score(own, said, average=None))
    np.testing.assert_allclose([p.value for p in found.precision], metrics.precision_score(own, said, average=None))
    assert found.error.value == pytest.approx(1 - metrics.accuracy_score(own, said))
    assert found.log_p == pytest.approx(-metrics.log_loss(own, np.exp(log_p[kept]), labels=range(4)))
    assert found.unlabelled == (~kept).sum()
    each = log_p[kept, own]
    assert found.log_p_error == pytest.approx(1.959964 * each.std(ddof=1) / math.sqrt(len(each)))


def test_mistakes_are_all_there_the_most_confident_first():
    log_p, y = made()
    found = classify(log_p, y)
    assert sorted(found.wrong) == np.flatnonzero((y >= 0) & (log_p.argmax(1) != y)).tolist()
    np.testing.assert_array_equal(found.own, y[found.wrong])
    np.testing.assert_array_equal(found.said, log_p[found.wrong].argmax(1))
    np.testing.assert_allclose(found.confidence, np.exp(log_p[found.wrong, found.said]))
    assert (np.diff(found.confidence) <= 0).all()


def test_the_commonest_confusions():
    log_p = np.log(np.where(np.eye(3)[[1, 1, 1, 0, 2, 2, 0, 1]] == 1, 0.9, 0.05))
    y = np.array([0, 0, 2, 1, 2, 2, 0, -1])
    found = classify(log_p, y)
    np.testing.assert_array_equal(found.confusion, [[1, 2, 0], [1, 0, 0], [0, 1, 2]])
    assert found.top_confusions() == [Confusion(0, 1, 2, 3), Confusion(1, 0, 1, 1), Confusion(2, 1, 1, 3)]
    assert len(found.top_confusions(1)) == 1
    text = json.dumps(found.as_dict(["a", "b", "c"]), allow_nan=False)
    assert json.loads(text)["top_confusions"][0] == {"own": "a", "said": "b", "count": 2, "of": 3}


def test_ties_go_to_the_first_class_and_classes_may_be_missing():
    found = classify(np.full((2, 3), -math.log(3)), [0, 1])
    np.testing.assert_array_equal(found.confusion, [[1, 0, 0], [1, 0, 0], [0, 0, 0]])
    assert (found.recall[2].of, found.precision[1].of) == (0, 0)
    assert found.as_dict("abc")["recall"][2]["value"] is None
    certain = classify(np.array([[0.0, -np.inf], [0.0, -np.inf]]), [0, 1])
    assert (certain.log_p, certain.confidence.tolist()) == (-math.inf, [1.0])
    assert certain.as_dict("ab")["log_p_label"] is None


def test_all_right_has_an_interval_of_its_own():
    found = classify(np.log(np.full((100, 2), 0.5)), np.zeros(100, int))
    assert (found.error.count, found.error.low) == (0, 0.0)
    assert found.error.high == pytest.approx(1 - 0.025 ** (1 / 100))
    assert len(found.wrong) == 0
    assert found.top_confusions() == []


@pytest.mark.parametrize(
    ("log_p", "y", "words"),
    [
        ([[0.0, 1.0]], [0], "row 0 do not sum to 1"),
        ([[-0.5, math.nan]], [0], "row 0 do not sum to 1"),
        ([[0.0], [0.0]], [0], "one whole number for each of 2 rows"),
        ([[0.0]], [0.0], "one whole number"),
        ([[0.0]], [1], "y holds 1, but there are classes 0 to 0"),
        ([[0.0]], [-2], "y holds -2"),
        ([[0.0]], [-1], "no label at all"),
        ([0.0], [0], "shape"),
        (np.empty((0, 3)), np.empty(0, int), "not empty"),
        ([["a"]], [0], "does not hold numbers"),
    ],
)
def test_faults(log_p, y, words):
    with pytest.raises(InputError, match=words):
        classify(log_p, y)
