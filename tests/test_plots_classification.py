"""The figures of a classifier, by the data of their artists."""

import numpy as np
import pytest

from harmonium import plots
from harmonium.errors import InputError
from harmonium.plots.mistakes import mistake
from harmonium.plots.reliability import ReliabilityCurve
from test_plots import picture, rng, texts

COUNTS = np.array([[90, 6, 4], [0, 50, 0], [5, 1, 4]])


def test_mistakes_are_shaded_by_their_share_and_the_diagonal_is_not():
    ax = plots.confusion(COUNTS, ["a", "b", "c"], title="T")
    shares = 100 * COUNTS / COUNTS.sum(1, keepdims=True)
    off = np.where(np.eye(3) == 1, np.nan, shares)
    np.testing.assert_array_equal(picture(ax), off)
    assert ax.images[0].get_clim() == (0, 50)
    cells = {tuple(map(round, t.get_position())): t.get_text() for t in ax.texts if "%" in t.get_text()}
    assert cells[(1, 0)] == "6\n6.0 %"  # own class a, said b
    assert (cells[(0, 0)], cells[(1, 1)]) == ("90\n90.0 %", "50\n100 %")
    assert (2, 1) not in cells  # nothing is written for nothing
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b", "c"]
    for words in ("90.0 %", "100 %", "40.0 %", "class said", "own class", "up to 50.0 % of a class"):
        assert words in texts(ax.figure)


@pytest.mark.parametrize("size", [1, 2, 13, 30])
def test_confusions_of_any_number_of_classes_are_drawn(size, tmp_path):
    counts = np.diag(np.full(size, 7)) + (rng.random((size, size)) < 0.05)
    counts[0] = 0  # a class without rows
    ax = plots.confusion(counts, [f"class {i}" for i in range(size)])
    assert len([t for t in ax.texts if t.get_text()[:1].isdigit()]) == np.count_nonzero(counts)
    assert "–" in texts(ax.figure)
    assert plots.save(ax, tmp_path / "c.png").stat().st_size > 1000  # with no warning of a layout that fails


def test_confusions_without_mistakes_and_faults():
    assert plots.confusion(np.eye(2), "ab").images[0].get_clim() == (0, 1)
    for counts, classes in ((np.ones((2, 3)), "ab"), (np.eye(2), "abc"), (-np.eye(2), "ab"), (np.eye(41), range(41))):
        with pytest.raises(InputError, match="counts has shape"):
            plots.confusion(counts, classes)


def test_each_mistake_is_drawn_with_its_words():
    images = rng.random((5, 6))
    figure = plots.mistakes(images, [4, 1, 2, 3, 4], [9, 7, 7, 8, 1], [0.87, 0.5, 0.4, 0.3, 0.2], (2, 3), maximum=4)
    drawn = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title("center") for ax in drawn][:2] == ["true 4, said 9, 87 %", "true 1, said 7, 50 %"]
    assert len(drawn) == 4
    for ax, image in zip(drawn, images, strict=False):
        np.testing.assert_array_equal(picture(ax), image.reshape(2, 3))
        assert ax.images[0].get_clim() == (images[:4].min(), images[:4].max())


def test_the_words_of_a_mistake():
    assert mistake(0, 1, 0.9949) == "true 0, said 1, 99 %"
    assert mistake(0, 1, 0.998) == "true 0, said 1, 99.8 %"
    assert mistake(0, 1, 1.0) == "true 0, said 1, >99.9 %"
    assert mistake("Iris-versicolor", "Iris-virginica", 0.6) == "true Iris-versicolor\nsaid Iris-virginica\n60 %"


def test_no_picture_of_what_is_none():
    assert plots.mistakes(np.empty((0, 6)), [], [], [], (2, 3)) is None
    assert plots.mistakes(np.ones((1, 6)), [0], [1], [0.5], (6,)) is None
    assert plots.mistakes(np.ones((1, 6)), [0], [1], [0.5], None) is None
    with pytest.raises(InputError, match="have 1, 2, 1 and 1 rows"):
        plots.mistakes(np.ones((1, 6)), [0, 1], [1], [0.5], (2, 3))
    with pytest.raises(InputError, match="maximum is 0"):
        plots.mistakes(np.ones((1, 6)), [0], [1], [0.5], (2, 3), maximum=0)


def curve(name="as trained", **changes):
    values = {"confidence": [0.35, 0.8], "right": [0.3, 0.6], "low": [0.1, 0.5], "high": [0.6, 0.7], "each": [0.3, 0.8]}
    return ReliabilityCurve(name, **{**values, **changes})


def test_reliability_shows_shares_intervals_and_rows():
    figure = plots.reliability([curve(), curve("temperature 2", right=[0.36, 0.7])], chance=0.1, title="T")
    upper, lower = figure.axes
    first, second = upper.containers
    np.testing.assert_allclose(first[0].get_xydata(), [[0.35, 0.3], [0.8, 0.6]])
    np.testing.assert_allclose(second[0].get_xydata(), [[0.35, 0.36], [0.8, 0.7]])
    np.testing.assert_allclose(first[2][0].get_segments(), [[[0.35, 0.1], [0.35, 0.6]], [[0.8, 0.5], [0.8, 0.7]]])
    for steps in lower.patches:
        assert steps.get_data().values.sum() == 2
    assert "as trained" in texts(figure)
    assert "temperature 2" in texts(figure)
    assert upper.get_xlim()[0] < 0.3
    for wrong, words in (
        ([], "0 entries"), ([curve()] * 3, "3 entries"), ([curve(low=[0.1])], "2, 2, 1 and 2 bins"),
        ([curve(right=[0.1, 1.2])], "right holds values outside 0 to 1"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            plots.reliability(wrong)
