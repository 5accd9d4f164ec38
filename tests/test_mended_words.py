"""What is said and drawn where a sentence or a picture once misled: options by their names, counts, trained biases."""

import re

import numpy as np
import pytest

import harmonium as hm
from harmonium import plots
from harmonium.config_from import config_from
from harmonium.errors import InputError
from harmonium.evaluate.temperature import fit_temperature
from harmonium.io import load_model
from harmonium.plots.reliability import ReliabilityCurve
from harmonium.runs.class_pictures import _heading
from harmonium.runs.source import load_config_data
from small_runs import IMAGES, LABELS, QUICK


@pytest.fixture
def table(tmp_path):
    rows = [",".join([*map(str, row.ravel()), "ab"[y]]) for row, y in zip(IMAGES, LABELS, strict=True)]
    (tmp_path / "d.csv").write_text("\n".join([",".join([*(f"p{i}" for i in range(12)), "kind"]), *rows]))
    return tmp_path / "d.csv"


def test_a_sentence_names_the_option_that_was_given(table, tmp_path):
    for options, words in (
        ({"data": table, "target": "species"}, "target='species' is neither a file nor a column of"),
        ({"data": table, "target": "kind", "labels": "species"}, "labels='species' is neither"),
        ({"data": "digits", "target": "species"}, "target='species' is not a file; 'digits' has .* target=label"),
        ({"data": "mnist", "data_path": tmp_path}, "data_path='.*' does not hold MNIST"),
    ):
        with pytest.raises(InputError, match=f"^{words}"):
            load_config_data(config_from(options))
    assert load_config_data(config_from({"data": table, "target": "kind"})).names == ("a", "b")


@pytest.mark.parametrize("options", [{}, {"target": "label"}, {"visible": "interval"}, {"binarize": "none"}])
def test_real_numbers_are_told_the_units_that_take_them(options):
    X = 3 * np.random.default_rng(0).normal(size=(60, 4))
    with pytest.raises(InputError, match=r"set visible=gaussian, which takes real numbers\.$"):
        hm.train(X, LABELS, **{**QUICK, **options})


def test_labels_that_are_all_empty_need_no_renumbering():
    for labels, words in (
        (np.full(60, -1), "has not one label; label rows of more"),
        (np.full(60, ""), "has not one label; label rows of more"),
        (np.where(LABELS == 1, "a", ""), "has one class alone, 'a'; label rows of more"),
        (np.where(LABELS == 1, 1, -1), r"has one class alone, 1 \(-1 means no label: renumber the classes\)"),
    ):
        with pytest.raises(InputError, match=words):
            hm.train(IMAGES, labels, target="label", **QUICK)


def test_the_ends_of_an_interval_are_told_apart_from_what_they_lie_about():
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(80, 3))
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    y = (rng.random((80, 1)) > np.exp(log_p).cumsum(1)).sum(1)
    fit = fit_temperature(1.0 * log_p, y)
    low, high = map(float, re.search(r"interval (\S+) to (\S+)\)", fit.doubt).groups())
    assert low < 1 < high
    assert (low, high) == pytest.approx((fit.low, fit.high), rel=0.005)


def test_the_heading_of_mistakes_says_whether_they_are_all():
    assert _heading(12, "80 held-out rows") == "All 12 mistakes on 80 held-out rows, surest first"
    assert _heading(1, "x") == "The one mistake on x"
    assert _heading(1200, "x") == "The surest of 1,200 mistakes on x"


@pytest.mark.parametrize(("rows", "scale"), [(30, "linear"), (5000, "symlog")])
def test_few_rows_are_counted_and_many_shown_by_their_logarithm(rows, scale):
    sure = np.linspace(0.5, 1, rows)
    figure = plots.reliability([ReliabilityCurve("x", [0.8], [0.8], [0.7], [0.9], sure)], chance=0.5)
    figure.canvas.draw()
    lower = figure.axes[1]
    assert lower.get_yscale() == scale
    shown = [tick for tick in lower.get_yticks() if lower.get_ylim()[0] <= tick <= lower.get_ylim()[1]]
    assert len(shown) >= 3
    assert all(tick == round(tick) for tick in shown)


@pytest.mark.parametrize("objective", ["discriminative", "joint"])
def test_the_biases_drawn_are_those_that_were_trained(objective, tmp_path, monkeypatch):
    drawn = {}

    def biases(visible, hidden, shape=None, *, name="visible"):
        drawn[name] = visible
        return plots.style

    monkeypatch.setattr("harmonium.runs.pictures.plots.biases", biases)
    monkeypatch.setattr("harmonium.runs.pictures.plots.save", lambda figure, path: path)
    hm.train(IMAGES, LABELS, out=tmp_path / "r", target="label", objective=objective, **QUICK)
    a = load_model(tmp_path / "r")[0].a[0].numpy()
    ((name, values),) = drawn.items()
    assert name == ("label" if objective == "discriminative" else "visible")
    np.testing.assert_array_equal(values, a[12:] if objective == "discriminative" else a[:12])
