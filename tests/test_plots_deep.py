"""Lines of images and curves of fine-tuning: what is drawn is what was given."""

import numpy as np
import pytest

from harmonium import plots
from harmonium.errors import InputError

RNG = np.random.default_rng(0)


def test_each_line_shows_its_own_rows_in_order():
    lines = {name: RNG.random((5, 6)) for name in ("data", "random", "trained", "tuned")}
    figure = plots.image_lines(lines, (2, 3), maximum=4, title="t", caption="c", limits=(0, 1))
    ax = figure.axes[0]
    mosaic = np.asarray(ax.images[-1].get_array())
    for i, rows in enumerate(lines.values()):
        for j in range(4):
            top, left = 1 + 3 * i, 1 + 4 * j
            np.testing.assert_allclose(mosaic[top : top + 2, left : left + 3], rows[j].reshape(2, 3))
    assert [label.get_text() for label in ax.get_yticklabels()] == list(lines)
    assert all(1 + 3 * i <= y <= 3 + 3 * i for i, y in enumerate(ax.get_yticks()))


def test_rows_that_are_no_images_become_heat_maps():
    lines = {name: RNG.random((5, 6)) for name in ("data", "made")}
    figure = plots.image_lines(lines, None)
    found = [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]
    for drawn, rows in zip(found, lines.values(), strict=True):
        np.testing.assert_allclose(drawn, rows)


@pytest.mark.parametrize(
    ("lines", "more", "sentence"),
    [
        ({}, {}, "lines is empty"),
        ({"a": np.zeros((2, 6)), "b": np.zeros((3, 6))}, {}, r"b is \(3, 6\) and a \(2, 6\)"),
        ({"a": np.zeros((2, 6))}, {"maximum": 0}, "maximum is 0"),
        ({"a": np.zeros((2, 6))}, {"shape": (5, 5)}, "shape"),
    ],
)
def test_wrong_lines_are_one_sentence(lines, more, sentence):
    with pytest.raises(InputError, match=sentence):
        plots.image_lines(lines, more.pop("shape", (2, 3)), **more)


def test_curves_of_fine_tuning_are_the_records():
    history = [{"epoch": 0, "validation_loss": 2.3, "validation_error": 0.9}]
    history += [
        {"epoch": e, "train_loss": 1 / e, "train_error": 0.5 / e - 0.05, "validation_loss": 1.5 / e,
         "validation_error": 0.6 / e} for e in range(1, 11)
    ]  # fmt: skip
    figure = plots.epochs(history, {"loss": ("loss, nats", 1.0), "error": ("wrong, %", 100.0)}, kept=7)
    for ax, (name, factor) in zip(figure.axes, (("loss", 1), ("error", 100)), strict=True):
        curves = {line.get_label(): line for line in ax.lines}
        for part in ("train", "validation"):
            wanted = [(r["epoch"], factor * r[f"{part}_{name}"]) for r in history if f"{part}_{name}" in r]
            np.testing.assert_allclose(
                np.column_stack(curves[f"{part} rows".replace("train ", "training ")].get_data()), wanted
            )
        assert curves["kept: epoch 7"].get_xdata()[0] == 7
        low, _ = ax.get_ylim()
        assert low <= min(line.get_ydata().min() for name, line in curves.items() if "rows" in name)  # zero has a place
    with pytest.raises(InputError, match="no record of the history has 'bits'"):
        plots.epochs(history, {"bits": ("bits", 1.0)})
