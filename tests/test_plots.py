"""The figures, by the data of their artists: what is drawn is what was given."""

import subprocess
import sys
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from harmonium import plots
from harmonium.errors import InputError
from harmonium.plots.learning_curve import spread
from harmonium.plots.tiles import default_columns
from harmonium.plots.weights import dead_units

rng = np.random.default_rng(0)


def history(values, stderr=0.0, key="held_out"):
    return [
        {"step": 10 * i, "epoch": i / 2, "train": v + 1, "train_stderr": stderr, key: v, f"{key}_stderr": stderr}
        for i, v in enumerate(values)
    ]


def picture(ax):
    (image,) = ax.images
    return np.ma.filled(image.get_array().astype(float), np.nan)


def texts(figure):
    return " | ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def line(ax, label):
    (found,) = [line for line in ax.lines if line.get_label() == label]
    return found


# --- the look -------------------------------------------------------------------------------------------------------


def test_importing_the_figures_does_not_import_matplotlib():
    code = "import sys, harmonium.plots; print([name for name in sys.modules if name.startswith('matplotlib')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_no_figure_changes_global_state(tmp_path):
    before = dict(mpl.rcParams)
    W = rng.normal(size=(6, 12))
    plots.save(plots.learning_curve(history([-3.0, -2.0]), baseline=-4.0), tmp_path / "a.png")
    plots.weights(W, (3, 4))
    plots.biases(W[0], W[1])
    plots.hidden_activations(rng.random((5, 3)), [0, 0, 1, 1, 1])
    plots.samples(W, W, (3, 4), title="t", caption="c")
    plots.completions(W, W, W, (3, 4))
    with plots.style():
        assert mpl.rcParams["axes.grid"]
    assert dict(mpl.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_save_writes_the_picture_or_nothing(tmp_path, monkeypatch):
    ax = plots.learning_curve(history([-3.0, -2.0]))
    path = plots.save(ax, tmp_path / "new" / "curve.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert plots.save(ax.figure, tmp_path / "again.png").read_bytes() == path.read_bytes()

    def fail(self, aside, **options):
        aside.write_bytes(b"half")
        raise OSError("disk full")

    before = path.read_bytes()
    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        plots.save(ax, path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["curve.png"]
    with pytest.raises(InputError, match=r"\.png"):
        plots.save(ax, tmp_path / "curve.pdf")


# --- tiles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pad", "above", "beside"), [(1, 1, 1), ((2, 0), 2, 0)])
def test_each_tile_is_its_row_and_all_else_is_padding(pad, above, beside):
    rows = rng.normal(size=(5, 6))
    mosaic = plots.tiles(rows, (2, 3), columns=3, pad=pad)
    left_over = np.ones(mosaic.shape, bool)
    for i, row in enumerate(rows):
        top, left = above + (i // 3) * (2 + above), beside + (i % 3) * (3 + beside)
        np.testing.assert_array_equal(mosaic[top : top + 2, left : left + 3], row.reshape(2, 3))
        left_over[top : top + 2, left : left + 3] = False
    assert np.isnan(mosaic[left_over]).all()
    assert left_over.sum() == mosaic.size - rows.size
    assert (plots.tiles(rows, (2, 3), columns=3, pad=pad, fill=-7.0)[left_over] == -7).all()


def test_default_columns_leave_few_gaps():
    assert [default_columns(n, (8, 8)) for n in (1, 2, 8, 16, 55, 64, 100)] == [1, 2, 4, 4, 11, 8, 10]
    assert default_columns(12, (4, 40)) == 2  # wide images stand in few columns


# --- the learning curve ---------------------------------------------------------------------------------------------


def test_curves_bands_baseline_and_best_point_are_at_their_values():
    values = np.array([-9.0, -6.0, -5.0, -5.5])
    ax = plots.learning_curve(history(values, stderr=0.25), baseline=-8.5, per="image", method="AIS")
    np.testing.assert_array_equal(line(ax, "held-out").get_xydata(), np.column_stack([[0, 10, 20, 30], values]))
    np.testing.assert_array_equal(line(ax, "train").get_ydata(), values + 1)
    for band, middle in zip(ax.collections, (values + 1, values), strict=True):
        corners = band.get_paths()[0].vertices
        for step, value in zip((0, 10, 20, 30), middle, strict=True):
            heights = corners[corners[:, 0] == step, 1]
            half = 0.25 * 1.959964
            np.testing.assert_allclose([heights.min(), heights.max()], [value - half, value + half])
    assert set(line(ax, "independent units").get_ydata()) == {-8.5}
    assert line(ax, "best").get_xydata().tolist() == [[20, -5]]
    assert ax.get_ylabel() == "average log-likelihood (nats per image)"
    assert ax.get_xlabel() == "parameter updates (20 an epoch)"
    words = texts(ax.figure)
    assert "AIS; bands ±1.96 standard errors; best held-out (○) −5.00 ± 0.49 at update 20" in words
    assert "independent units −8.50" in words


def test_exact_values_have_no_band_and_validation_chooses_the_best():
    rows = history([-4.0, -3.0, -3.5])
    for row, value in zip(rows, (-5.0, -4.5, -4.2), strict=True):
        row["validation"] = value
    del rows[1]["held_out"]
    ax = plots.learning_curve(rows, method="exact")
    assert not ax.collections
    assert line(ax, "best").get_xydata().tolist() == [[20, -4.2]]
    assert line(ax, "held-out").get_xdata().tolist() == [0, 20]
    assert "standard errors" not in texts(ax.figure)


def test_a_terrible_opening_is_cut_and_said_so():
    ax = plots.learning_curve(history([-543.0, -100.0, -92.0, -90.0]), baseline=-110.0)
    low, high = ax.get_ylim()
    assert -113 < low < -110
    assert high > -89
    assert "down to −543.00, lies below the axis" in texts(ax.figure)
    late = plots.learning_curve(history([-90.0, -91.0, -543.0]))  # a late collapse is news and stays
    assert late.get_ylim()[0] < -543
    assert "below the axis" not in texts(late.figure)
    whole = plots.learning_curve(history([-543.0, -100.0, -92.0]), ylim=(-600, 0))
    assert whole.get_ylim() == (-600, 0)
    assert "below the axis" not in texts(whole.figure)


def test_a_diverged_measurement_breaks_the_line():
    ax = plots.learning_curve(history([-4.0, float("nan"), float("-inf"), -3.0]))
    np.testing.assert_array_equal(line(ax, "held-out").get_ydata(), [-4.0, np.nan, np.nan, -3.0])
    assert line(ax, "best").get_ydata().tolist() == [-3]


def test_curves_are_drawn_on_the_axes_given_and_on_a_logarithmic_scale():
    ax = Figure().subplots()
    assert plots.learning_curve(history([-4.0, -3.0, -2.5]), ax=ax, log_steps=True) is ax
    assert ax.get_xscale() == "symlog"
    assert ax.get_xlim()[0] == 0


def test_spread_keeps_order_and_gap_and_moves_little():
    heights = [0.5, 0.1, 0.52, 0.51]
    placed = spread(heights, 0.1)
    assert placed[1] == pytest.approx(0.1)
    np.testing.assert_allclose([placed[0], placed[3], placed[2]], [0.41, 0.51, 0.61])
    assert all(b - a >= 0.1 - 1e-12 for a, b in pairwise(sorted(placed)))
    assert spread([0.2, 0.9], 0.1) == pytest.approx([0.2, 0.9])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "empty"),
        ([{"step": 1}], "`train`"),
        ([{"train": 1.0}], "`step`"),
        ([{"step": 2, "train": 1.0}, {"step": 1, "train": 1.0}], "back in time"),
        ([{"step": 2, "train": float("nan")}], "no finite"),
    ],
)
def test_a_history_that_is_none_is_refused(rows, words):
    with pytest.raises(InputError, match=words):
        plots.learning_curve(rows)


# --- weights --------------------------------------------------------------------------------------------------------


def test_weights_share_one_symmetric_limit_and_each_tile_is_its_unit():
    W = rng.normal(size=(6, 12)) + 0.5
    figure = plots.weights(W, (3, 4), columns=3)
    ax = figure.axes[0]
    assert len(ax.images) == 1  # one picture, so one scale
    m = np.quantile(np.abs(W), 0.995)
    assert ax.images[0].get_clim() == pytest.approx((-m, m))
    mosaic = picture(ax)
    assert sorted(mosaic[~np.isnan(mosaic)]) == sorted(W.ravel())
    for name in ax.texts:  # the lower left corner of a name is the upper left corner of its tile
        if name.get_text().isdigit():
            left, top = round(name.get_position()[0] + 0.5), round(name.get_position()[1] + 0.5)
            np.testing.assert_array_equal(mosaic[top : top + 3, left : left + 4].ravel(), W[int(name.get_text())])
    assert [t.get_text() for t in ax.texts][:6] == list("012345")


@pytest.mark.parametrize(
    ("values", "extend"),
    [([-1.0, 1.0], "neither"), ([-1.0, 3.0], "max"), ([-3.0, 1.0], "min"), ([-3.0, 3.0], "both")],
)
def test_the_colour_bar_points_where_weights_are_clipped(values, extend):
    figure = plots.weights([values], (1, 2), limit=2.0)
    image = figure.axes[0].images[0]
    assert image.colorbar.extend == extend
    assert image.get_clim() == (-2, 2)


def test_many_units_are_capped_largest_norm_first():
    W = np.ones((500, 4)) * rng.permutation(np.arange(1, 501))[:, None]
    figure = plots.weights(W, (2, 2))
    names = [int(t.get_text()) for t in figure.axes[0].texts if t.get_text().isdigit()]
    assert names == np.argsort(-W[:, 0]).tolist()[:100]
    assert figure.axes[0].get_title("left") == "100 of 500 units, largest norm first"
    assert "5 of 500" in texts(plots.weights(W, (2, 2), maximum=5, title="mine"))


@pytest.mark.parametrize("units", [1, 8, 16, 55])
def test_all_units_are_drawn_in_their_order_with_their_titles(units):
    W = rng.normal(size=(units, 4))
    names = [f"u{i}" for i in range(units)]
    ax = plots.weights(W, (2, 2), titles=names).axes[0]
    assert [t.get_text() for t in ax.texts] == names
    mosaic = picture(ax)
    assert (~np.isnan(mosaic)).sum() == W.size
    assert ax.get_title("left").startswith(f"{units} hidden unit")


def test_dead_units_are_named():
    W = rng.normal(size=(9, 4))
    W[[2, 5]] *= 1e-4
    assert dead_units(W) == [2, 5]
    assert "2 dead (norm below 1 % of the median): 2, 5" in texts(plots.weights(W, (2, 2)))
    assert "dead" not in texts(plots.weights(W[6:], (2, 2)))
    zero = plots.weights(np.zeros((2, 4)), (2, 2))
    assert "2 dead" in texts(zero)
    assert zero.axes[0].images[0].get_clim() == (-1, 1)


def test_weights_of_a_table_are_a_heat_map():
    W = rng.normal(size=(3, 5)) * [[1], [3], [2]]
    ax = plots.weights(W, (5,), order="norm").axes[0]
    np.testing.assert_array_equal(picture(ax), W[np.argsort(-np.linalg.norm(W, axis=1))])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("visible unit", "hidden unit, by norm")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"W": np.ones(4)}, "W has shape"),
        ({"W": np.ones((0, 4))}, "not empty"),
        ({"W": [[1.0, np.nan, 0, 0]]}, "not finite"),
        ({"W": [["a", "b"]]}, "numbers"),
        ({"shape": (3, 2)}, "shape=\\(3, 2\\)"),
        ({"limit": 0.0}, "limit is 0.0"),
        ({"limit": float("nan")}, "limit is nan"),
        ({"order": "size"}, "'size'"),
        ({"titles": ["a"]}, "titles has 1"),
        ({"columns": 0}, "columns is 0"),
        ({"maximum": 0}, "maximum is 0"),
    ],
)
def test_weights_that_cannot_be_drawn_are_refused_in_one_sentence(arguments, words):
    with pytest.raises(InputError, match=words) as refused:
        plots.weights(**{"W": np.ones((2, 4)), "shape": (2, 2), **arguments})
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)
