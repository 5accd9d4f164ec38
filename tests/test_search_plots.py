"""The figures of a search: what is drawn is what was found."""

import matplotlib as mpl
import numpy as np
import pytest

from harmonium.errors import InputError
from harmonium.plots.search_importance import search_importance
from harmonium.plots.search_scores import search_scores
from harmonium.plots.search_settings import Setting, search_settings

SCORES = [-5.0, -3.0, None, -4.0, -2.5, -900.0]
STATES = ["complete", "complete", "diverged", "pruned", "complete", "pruned"]


def line(ax, label):
    (found,) = [one for one in ax.lines if one.get_label() == label]
    return found


def test_scores_stand_at_their_trials_and_the_best_so_far_never_falls():
    ax = search_scores(range(6), SCORES, STATES, sd=[0.5, None, None, None, 0.1, None])
    (bars,) = ax.containers
    assert bars.lines[0].get_xydata().tolist() == [[0, -5], [1, -3], [4, -2.5]]
    best = line(ax, "best so far")
    assert best.get_ydata().tolist() == [-5, -3, -2.5, -2.5]
    assert best.get_xdata().tolist() == [0, 1, 4, 5]
    assert line(ax, "pruned, at what it had reached").get_xydata().tolist() == [[3, -4]]
    out = line(ax, "below, or without a score")
    assert out.get_xdata().tolist() == [2, 5]
    low, high = ax.get_ylim()
    assert low <= out.get_ydata()[0] < -5  # on the axis, and below all that is in scale
    assert high > -2.4
    assert high - low < 10  # what was given up does not squash the rest
    words = [text.get_text() for text in ax.findobj(mpl.text.Text)]
    assert "best: trial 4, −2.50 ± 0.10 (sd of seeds), of 6 trials" in words


def test_each_option_has_its_panel_and_the_best_trial_its_ring():
    options = [
        Setting("l2", [0.0, 1e-3, 1e-2, 1e-1, 1e-2, 1e-3], log=True),
        Setting("optimizer", ["sgd", "adam", "adam", "sgd", "sgd", None]),
        Setting("steps", [1, 2, 3, 4, 5, 6]),
    ]
    figure = search_settings(options, SCORES, STATES)
    assert [ax.get_xlabel() for ax in figure.axes] == ["l2", "optimizer", "steps"]
    for ax in figure.axes:
        complete, ring = [one.get_xydata() for one in ax.lines if one.get_marker() == "o"]
        assert complete[:, 1].tolist() == [-5, -3, -2.5]
        assert ring.tolist() == [complete[2].tolist()]
    l2, words, steps = figure.axes
    x = next(one for one in l2.lines if one.get_marker() == "o").get_xdata()
    assert x[0] < 1e-3  # the exact zero, left of all others
    assert x[1:].tolist() == [1e-3, 1e-2]
    assert l2.get_xticklabels()[0].get_text() == "0"
    assert [tick.get_text() for tick in words.get_xticklabels()] == ["adam", "sgd"]
    x = next(one for one in words.lines if one.get_marker() == "o").get_xdata()
    assert np.rint(x).tolist() == [1, 0, 1]  # spread, but not to a neighbour
    assert sum(len(one.get_xdata()) for one in words.lines if one.get_marker() in "ox|") == 5 + 1  # and the ring
    assert next(one for one in steps.lines if one.get_marker() == "x").get_xydata().tolist() == [[4, -4]]


def test_bars_have_the_lengths_of_the_shares():
    ax = search_importance(["a", "b"], [0.7, 0.3], [(0.5, 0.8), (0.35, 0.4)], [0.2, 0.4], trials=30)
    bars = [patch.get_width() for patch in ax.patches]
    assert bars == [0.7, 0.3]
    assert ax.yaxis_inverted()
    assert [one.get_xdata().tolist() for one in ax.lines if one.get_marker() == "|"][-1] == [0.2, 0.4]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: search_scores([0], [None], ["diverged"]),
        lambda: search_scores([0, 1], [1.0], ["complete"]),
        lambda: search_settings([], [1.0], ["complete"]),
        lambda: search_settings([Setting("a", [1.0, 2.0])], [1.0], ["complete"]),
        lambda: search_settings([Setting("a", [1.0])], [1.0], ["pruned"]),
        lambda: search_importance(["a"], [0.5, 0.5], [(0, 1), (0, 1)], [0.1, 0.1]),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw):
    with pytest.raises(InputError):
        draw()
