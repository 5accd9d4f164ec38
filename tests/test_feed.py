"""From raw rows to states: what each family makes of each kind of data, against a plain NumPy version."""

import numpy as np
import pytest
import torch

from harmonium.data.arrays import as_dataset
from harmonium.errors import InputError
from harmonium.feed import labelled_side, make_feed, pixel_side
from harmonium.noise import Noise
from harmonium.units import parse_side

rng = np.random.default_rng(3)
BITS = rng.integers(0, 2, (20, 6)).astype(np.uint8)
BYTES = rng.integers(0, 256, (20, 6)).astype(np.uint8)
UNIT = rng.random((20, 6))
SPINS = (2 * BITS.astype(np.int8) - 1).astype(np.int8)
REALS = rng.standard_normal((20, 6))
STATES = rng.integers(0, 4, (20, 6))


def feed_of(X, side, labels=None, **options):
    X = np.asarray(X)
    return make_feed(as_dataset(X, labels), parse_side(side, columns=X.shape[1]), dtype=torch.float64, **options)


def states_of(feed, noise=None):
    return feed.states(torch.arange(len(feed)), noise).numpy()


@pytest.mark.parametrize(
    ("X", "side", "options", "expected", "rule"),
    [
        (BITS, "bernoulli", {}, BITS, "none"),
        (BITS.astype(bool), "bernoulli", {}, BITS, "0.5"),
        (BITS.astype(np.float16), "bernoulli", {}, BITS, "none"),
        (BITS.astype(np.uint16), "bernoulli", {}, BITS, "none"),
        (BITS.astype(np.uint64), "bernoulli", {}, BITS, "none"),
        (BITS.astype(np.longdouble), "bernoulli", {}, BITS, "none"),
        (BITS.astype(">f4"), "bernoulli", {}, BITS, "none"),
        (BITS[::-1], "bernoulli", {}, BITS[::-1], "none"),
        (np.asfortranarray(BITS), "bernoulli", {}, BITS, "none"),
        (BYTES, "bernoulli", {}, BYTES > 127.5, "0.5"),
        (BYTES, "bernoulli", {"binarize": "0.25"}, BYTES > 63.75, "0.25"),
        (BYTES, "bernoulli", {"binarize": "2.5e-1"}, BYTES > 63.75, "0.25"),
        (BYTES, "bernoulli", {"binarize": "none"}, BYTES / 255, "none"),
        (UNIT, "bernoulli", {}, UNIT > 0.5, "0.5"),
        (UNIT, "bernoulli", {"binarize": "none"}, UNIT, "none"),
        (BITS, "ising", {}, SPINS, "0.5"),
        (BITS.astype(bool), "ising", {}, SPINS, "0.5"),
        (BYTES, "ising", {}, np.where(BYTES > 127.5, 1, -1), "0.5"),
        (SPINS, "ising", {}, SPINS, "none"),
        (REALS, "gaussian", {}, REALS, "none"),
        (REALS, "gaussian,variance=2", {}, REALS, "none"),
        (BYTES, "gaussian", {}, BYTES / 255, "none"),
        (BITS.astype(bool), "gaussian", {}, BITS, "none"),
        (SPINS, "interval", {}, SPINS, "none"),
        (UNIT, "interval", {}, UNIT, "none"),
        (STATES / 2 - 1, "multivalued,s=4", {}, STATES / 2 - 1, "none"),
        (STATES, "onehot,q=4", {}, np.eye(4)[STATES].reshape(20, 24), "none"),
        (STATES.astype(np.uint8), "onehot,q=4", {}, np.eye(4)[STATES].reshape(20, 24), "none"),
        (STATES - 1, "onehot,q=3,none=true", {}, np.eye(4)[STATES][..., 1:].reshape(20, 18), "none"),
        (
            np.hstack([BITS, REALS]),
            "bernoulli:6+gaussian:6",
            {},
            np.hstack([BITS, REALS]),
            "none",
        ),
        (
            np.hstack([STATES, REALS]),
            "onehot:6x4+gaussian:6",
            {},
            np.hstack([np.eye(4)[STATES].reshape(20, 24), REALS]),
            "none",
        ),
    ],
)
def test_each_kind_of_data_becomes_each_kind_of_units(X, side, options, expected, rule):
    feed = feed_of(X, side, **options)
    np.testing.assert_allclose(states_of(feed), np.asarray(expected, dtype=float), rtol=0, atol=1e-15)
    assert feed.rule == rule
    mean = feed.side.statistics(torch.from_numpy(states_of(feed))).mean(0)
    torch.testing.assert_close(feed.mean_statistics(torch.arange(20)), mean, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("X", "side", "options", "words"),
    [
        (BYTES / 100, "bernoulli", {}, r"the value 2.04 in row 0, column 0 is not from 0 to 1 to be made black"),
        (SPINS, "bernoulli", {}, "the value -1 in row .* is not from 0 to 1"),
        (SPINS, "ising", {"binarize": "0.5"}, r"the value -1 .* \(or the values -1 and \+1, with binarize=none\)"),
        (BITS, "ising", {"binarize": "none"}, r"the value 0 in row .* outside what ising units take, the values -1"),
        (REALS, "interval", {}, "outside what interval units take, values from -1 to 1"),
        (BYTES * 1.0, "multivalued,s=2", {}, "outside what multivalued units take"),
        (STATES, "onehot,q=3", {}, "the value 3 in row .* outside what onehot units take, whole numbers"),
        (STATES - 1, "onehot,q=4", {}, "the value -1 in row"),
        (STATES + 0.5, "onehot,q=4", {}, "the value .*5 in row"),
        (BYTES, "onehot,q=4", {}, "outside what onehot units take"),
        (np.hstack([BITS, STATES]), "bernoulli:6+onehot:6x2", {}, "column .* outside what onehot units take"),
        (np.hstack([STATES, BITS]), "bernoulli:6+onehot:6x2", {}, "column .* outside what bernoulli units take"),
        (REALS, "gaussian", {"binarize": "0.5"}, "binarize=0.5 is for two-valued units"),
        (BITS, "bernoulli", {"binarize": "1.0"}, "binarize must be a threshold from 0 to below 1"),
        (BITS, "bernoulli", {"binarize": "nan"}, "binarize must be a threshold from 0 to below 1"),
        (BITS, "bernoulli", {"binarize": "often"}, "binarize must be a threshold .* not 'often'"),
        (BITS, "bernoulli:5", {}, "visible=bernoulli:5 has 5 units, but the data have 6 columns"),
        (BITS, "bernoulli", {"labelled": True}, "target is set, but array has no labels"),
    ],
)
def test_values_that_a_family_does_not_take_are_named(X, side, options, words):
    with pytest.raises(InputError, match=words) as caught:
        feed_of(X, side, **options)
    assert str(caught.value).endswith(".")


def test_stochastic_rows_are_drawn_with_the_grey_value_as_probability():
    feed = feed_of(np.repeat(BYTES, 500, 0), "ising", binarize="stochastic")
    x = states_of(feed, Noise(1, dtype=torch.float64))
    assert set(np.unique(x)) == {-1.0, 1.0}
    mean = (x.reshape(20, 500, 6).mean(1) + 1) / 2
    assert np.abs(mean - BYTES / 255).max() < 0.1  # over four standard deviations
    np.testing.assert_array_equal(x, states_of(feed, Noise(1, dtype=torch.float64)))
    with pytest.raises(InputError, match="needs a stream of noise"):
        states_of(feed)


def test_labels_stand_last_and_alone():
    labels = np.arange(20) % 3
    for side in ("bernoulli", "bernoulli:2+gaussian:4"):
        feed = feed_of(BITS, side, labels, labelled=True)
        x = states_of(feed)
        np.testing.assert_array_equal(x[:, :6], BITS)
        np.testing.assert_array_equal(x[:, 6:], np.eye(3)[labels])
        assert feed.pixels == parse_side(side, columns=6)
        assert parse_side(feed.side.spec) == feed.side  # a stored machine is found again
    feed = feed_of(BITS, "bernoulli", labels + 7, labelled=True, classes=(8, 3, 7, 9, 2))  # any order, some unseen
    np.testing.assert_array_equal(states_of(feed)[:, 6:], np.eye(5)[[[2, 0, 3][x] for x in labels]])
    with pytest.raises(InputError, match=r"the label 2 in row 2 of array is none of the classes .*, 0, 1;"):
        feed_of(BITS, "bernoulli", labels, labelled=True, classes=(0, 1))


def test_the_classes_are_the_labels_that_occur_and_rows_without_one_have_none():
    labels = np.array([9, 4, -1, 7] * 5)
    feed = feed_of(BITS, "bernoulli", labels, labelled=True)
    assert feed.classes == (4, 7, 9)
    assert feed.partly_labelled
    want = np.array([[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 1, 0]] * 5)
    np.testing.assert_array_equal(states_of(feed)[:, 6:], want)
    for few, words in ((labels * 0 + 5, "one class alone, 5"), (labels * 0 - 1, "not one label")):
        with pytest.raises(InputError, match=words):
            feed_of(BITS, "bernoulli", few, labelled=True)
    with pytest.raises(InputError, match=r"one class alone, 1 .-1 means no label: renumber"):
        feed_of(BITS, "bernoulli", np.array([-1, 1] * 10), labelled=True)


def test_a_label_is_taken_off_again():
    for pixels in (parse_side("bernoulli:3"), parse_side("bernoulli:3+ising:2"), parse_side("onehot:2x3")):
        assert pixel_side(labelled_side(pixels, 4), True) == pixels
        assert pixel_side(pixels, False) == pixels


def test_data_stay_as_they_are():
    for X in (UNIT.copy(), BYTES.copy(), np.float32(UNIT)):
        before = X.copy()
        X.flags.writeable = False
        for binarize in ("0.5", "none", "stochastic"):
            states_of(feed_of(X, "bernoulli", binarize=binarize), Noise(0, dtype=torch.float64))
        np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[1.0, np.nan]], "data holds one value that is not finite: nan in row 0, column 1"),
        ([[1.0, np.inf]], "not finite: inf in row 0"),
        ([1.0, 2.0], r"data has shape \(2,\); give one row a sample"),
        ([[1], [1, 2]], "data cannot be read as an array"),
        ([["a"]], "data holds values of type"),
        ([[1j]], "data holds values of type complex128"),
        (np.zeros((0, 3)), "data is empty"),
        (None, r"data has shape \(\)"),
    ],
)
def test_arrays_that_are_no_data(values, words):
    with pytest.raises(InputError, match=words):
        as_dataset(values)


def test_only_gaussian_columns_of_another_scale_are_unscaled():
    from harmonium.config_from import config_from
    from harmonium.data import Dataset
    from harmonium.runs.inputs import open_inputs

    near = np.random.default_rng(0).normal(size=(200, 2))
    pixels = np.ones((200, 1))
    for visible, columns, wanted in (
        ("gaussian", near, False),
        ("gaussian", 5 * near, True),
        ("gaussian", near + 3, True),
        ("gaussian,variance=1", near + 3, True),
        ("bernoulli:1+gaussian:2", np.hstack([pixels, near]), False),
        ("bernoulli:1+gaussian:2", np.hstack([pixels, 5 * near]), True),
        ("bernoulli", pixels, False),
    ):
        data = Dataset(columns, None, 1.0, columns.shape[1:], "array", "memory")
        assert open_inputs(config_from({"visible": visible}), data).unscaled is wanted, visible
