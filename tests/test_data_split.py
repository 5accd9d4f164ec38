"""Training and held-out rows: a partition, sorted, in proportion, fixed by the seed."""

import numpy as np
import pytest

from harmonium.data import Dataset, split
from harmonium.errors import InputError


def make(n, y=None, n_train=None):
    X = np.arange(float(n))[:, None]
    return Dataset(X=X, y=y, scale=1.0, shape=(1,), name="made", source="here", n_train=n_train)


def rows(dataset, *args, **kwargs):
    return [np.arange(len(dataset))[part] for part in split(dataset, *args, **kwargs)]


@pytest.mark.parametrize("held_out", ["auto", 0, 0.1, 0.37, 0.999, "0.25", "0"])
@pytest.mark.parametrize("n_train", [None, 30])
@pytest.mark.parametrize("labelled", [False, True])
def test_the_parts_are_a_sorted_partition_of_the_size_asked_for(held_out, n_train, labelled):
    y = np.random.default_rng(1).integers(0, 4, 57) if labelled else None
    dataset = make(57, y, n_train)
    train, test = rows(dataset, held_out, seed=3)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), range(57))
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    expected = {"auto": 27 if n_train else 11, 0.999: 56}.get(held_out)
    assert len(test) == (round(float(held_out) * 57) if expected is None else expected)


def test_auto_is_the_own_test_part_as_views():
    train, test = split(make(10, n_train=7))
    assert (train, test) == (slice(0, 7), slice(7, 10))
    for n_train in (0, 10):  # a choice of classes emptied one part
        assert len(rows(make(10, n_train=n_train))[1]) == 2


def test_each_class_is_in_proportion_to_within_one_row():
    y = np.repeat([0, 1, 5, 9], [500, 301, 77, 3])
    y = np.random.default_rng(0).permutation(y)
    for fraction in (0.1, 0.2, 1 / 3, 0.9):
        _, test = rows(make(len(y), y), fraction, seed=1)
        for label in (0, 1, 5, 9):
            assert abs((y[test] == label).sum() - fraction * (y == label).sum()) < 1 + 1e-9


def test_the_seed_fixes_the_rows():
    y = np.arange(200) % 3
    for dataset in (make(200), make(200, y)):
        np.testing.assert_array_equal(rows(dataset, 0.3, seed=5)[1], rows(dataset, 0.3, seed=5)[1])
        assert not np.array_equal(rows(dataset, 0.3, seed=5)[1], rows(dataset, 0.3, seed=6)[1])


def test_every_row_is_as_likely_to_be_held_out():
    y = np.array([0] * 12 + [1] * 8)
    counts = np.zeros(20)
    for seed in range(2000):
        counts[rows(make(20, y), 0.25, seed=seed)[1]] += 1
    assert np.abs(counts / 2000 - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 2000)


def test_small_sets_keep_a_row_on_either_side():
    for fraction in (0.01, 0.99):
        train, test = rows(make(3), fraction)
        assert min(len(train), len(test)) == 1
    assert [len(part) for part in rows(make(1))] == [1, 0]
    with pytest.raises(InputError, match=r"held_out=0\.5 needs two rows at least, and there is 1"):
        split(make(1), 0.5)


@pytest.mark.parametrize("held_out", [1, -0.1, "abc", "1.0", float("nan"), None, "", 60000])
def test_fractions_that_are_none(held_out):
    with pytest.raises(InputError, match=f"held_out={held_out!r} must be 'auto' or a fraction, at least 0 and below 1"):
        split(make(10), held_out)


def test_a_negative_seed():
    with pytest.raises(InputError, match="seed=-1 must not be negative"):
        split(make(10), 0.5, seed=-1)
