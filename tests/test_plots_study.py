"""The figures of a study of small machines, by the data of their artists."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from harmonium import plots
from harmonium.errors import InputError
from harmonium.plots.hidden_states import REST
from harmonium.plots.style import BLUE, CYCLE, VERMILION
from test_plots import line, picture, rng, texts

# --- hidden states --------------------------------------------------------------------------------------------------


def heights(ax):
    return [bar.get_height() for bar in ax.patches]


def test_few_states_are_all_drawn_in_their_order_on_one_scale():
    shares = np.array([[0.1, 0.2, 0.7, 0.0], [0.4, 0.3, 0.1, 0.2]])
    figure = plots.hidden_states(shares, ["00", "01", "10", "11"], [7, 9], notes=["a", "b"], title="T", caption="c")
    assert len(figure.axes) == 2
    for ax, row, name, note in zip(figure.axes, shares, "79", "ab", strict=True):
        np.testing.assert_allclose(heights(ax), row)
        assert (ax.get_title("left"), ax.get_title("right")) == (name, note)
        assert ax.get_ylim() == figure.axes[0].get_ylim()
    assert figure.axes[0].get_ylim()[1] > 0.7
    assert [t.get_text() for t in figure.axes[1].get_xticklabels()] == ["00", "01", "10", "11"]
    assert (figure.get_suptitle(), figure.get_supxlabel()) == ("T", "c")


def test_of_many_states_the_most_frequent_stand_before_the_rest():
    shares = np.array([[0.05, 0.3, 0.05, 0.2, 0.1], [0.25, 0.1, 0.0, 0.4, 0.05]])  # 0.3 and 0.2 are on no state given
    figure = plots.hidden_states(shares, list("abcde"), ["x", "y"], most=3)
    assert [t.get_text() for t in figure.axes[1].get_xticklabels()] == ["d", "b", "a", REST]
    np.testing.assert_allclose(heights(figure.axes[0]), [0.2, 0.3, 0.05, 0.45])
    np.testing.assert_allclose(heights(figure.axes[1]), [0.4, 0.1, 0.25, 0.25])
    assert to_hex(figure.axes[0].patches[-1].get_facecolor()) != to_hex(figure.axes[0].patches[0].get_facecolor())
    alone = plots.hidden_states(shares[0], list("abcde"))
    np.testing.assert_allclose(heights(alone.axes[0]), [*shares[0], 0.3])


def test_names_that_have_no_room_are_turned_and_then_thinned():
    few = plots.hidden_states(np.full(4, 0.25), list("abcd")).axes[0]
    assert few.get_xticklabels()[0].get_rotation() == 0
    long = plots.hidden_states(np.full(32, 1 / 32), [f"{i:05b}" for i in range(32)]).axes[0]
    assert {t.get_rotation() for t in long.get_xticklabels()} == {90}
    assert len(long.get_xticks()) == 32
    many = plots.hidden_states(np.full(128, 1 / 128), list(map(str, range(128))), most=200).axes[0]
    assert len(many.patches) == 128
    assert [int(t.get_text()) for t in many.get_xticklabels()] == many.get_xticks().tolist()
    assert 30 < len(many.get_xticks()) < 64


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shares": [[0.5, -0.1]]}, "probabilities"),
        ({"shares": [[0.9, 0.2]]}, "probabilities"),
        ({"names": ["a"]}, "names has 1"),
        ({"classes": ["a", "b"]}, "classes has 2"),
        ({"notes": []}, "notes has 0"),
        ({"most": 0}, "most is 0"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        plots.hidden_states(**{"shares": [[0.5, 0.5]], "names": ["a", "b"], **arguments})


# --- activity by class ----------------------------------------------------------------------------------------------


def test_activity_has_a_panel_a_class_with_error_bars():
    mean, stderr = np.array([[0.2, 0.9], [0.5, 0.1]]), np.array([[0.1, 0.05], [np.nan, 0.2]])
    figure = plots.class_activity(mean, [7, 8], stderr, limits=(0, 1))
    for ax, row, error in zip(figure.axes, mean, np.nan_to_num(stderr), strict=True):
        np.testing.assert_allclose(heights(ax), row)
        assert ax.get_ylim() == (0, 1)
        for (x, segment), middle, e in zip(enumerate(ax.collections[0].get_segments()), row, error, strict=True):
            np.testing.assert_allclose(segment, [[x, middle - 1.96 * e], [x, middle + 1.96 * e]], atol=1e-5)
    assert [ax.get_title("left") for ax in figure.axes] == ["7", "8"]
    assert figure.axes[0].get_xticks().tolist() == [0, 1]
    assert not plots.class_activity(mean, [7, 8]).axes[0].collections


def test_activity_of_spins_and_of_many_units():
    figure = plots.class_activity([[-0.5, 0.2]], ["a"])
    low, high = figure.axes[0].get_ylim()
    assert low == -high < -0.5
    many = rng.random((2, 100))
    (steps,) = plots.class_activity(many, [0, 1]).axes[1].patches
    np.testing.assert_array_equal(steps.get_data()[0], many[1])
    with pytest.raises(InputError, match="3 classes"):
        plots.class_activity(many, [0, 1, 2])
    with pytest.raises(InputError, match="stderr"):
        plots.class_activity(many, [0, 1], many[:, :5])


# --- correlations ---------------------------------------------------------------------------------------------------


def test_correlations_share_a_scale_from_minus_one_to_one():
    first = np.array([[1, -0.3, 0.6], [-0.3, 1, 0], [0.6, 0, 1]])
    second = np.array([[1, np.nan, 0.25], [np.nan] * 3, [0.25, np.nan, 1]])
    figure = plots.hidden_correlation({"data": first, "machine": second}, title="T")
    left, right = figure.axes[:2]
    np.testing.assert_array_equal(picture(left), first)
    np.testing.assert_array_equal(picture(right), second)
    assert left.images[0].get_clim() == right.images[0].get_clim() == (-1, 1)
    assert left.images[0].get_cmap().name == right.images[0].get_cmap().name == "RdBu_r"
    written = {t.get_position(): t.get_text() for t in left.texts if "largest" not in t.get_text()}
    assert written == {(1, 0): "−.30", (0, 1): "−.30", (2, 0): ".60", (0, 2): ".60", (2, 1): ".00", (1, 2): ".00"}
    assert "largest of two units: 0.60 (0, 2)" in texts(figure)
    assert "largest of two units: 0.25 (0, 2)" in texts(figure)
    large = plots.hidden_correlation({"data": np.eye(30)})
    assert not [t for t in large.axes[0].texts if "largest" not in t.get_text()]


def test_what_is_no_correlation_is_refused():
    for matrices, words in (
        ({}, "0 entries"),
        (dict.fromkeys("abcd", np.eye(2)), "4 entries"),
        ({"a": np.ones((2, 3))}, "square"),
        ({"a": 2 * np.eye(2)}, "from -1 to 1"),
    ):
        with pytest.raises(InputError, match=words):
            plots.hidden_correlation(matrices)


# --- parameters -----------------------------------------------------------------------------------------------------


def test_the_bias_stands_before_the_weights_on_their_scale():
    W, a, b = rng.normal(size=(5, 12)), np.full(12, -9.0), np.array([0.25, -1.5, 3, 120.4, 0])
    a[5] = 9.0
    figure = plots.parameters(W, a, b, (3, 4), columns=3, title="T")
    ax = figure.axes[0]
    assert len(ax.images) == 1
    m = np.quantile(np.abs(W), 0.995)
    assert ax.images[0].get_clim() == pytest.approx((-m, m))
    assert ax.images[0].colorbar.extend == "both"
    names = ax.texts[:6]  # behind them, the subtitle
    assert [t.get_text() for t in names] == ["visible bias", "0: 0.2", "1: −1.5", "2: 3.0", "3: 120", "4: 0.0"]
    mosaic = picture(ax)
    for name, row in zip(names, [a, *W], strict=True):
        left, top = round(name.get_position()[0] + 0.5), round(name.get_position()[1] + 0.5)
        np.testing.assert_array_equal(mosaic[top : top + 3, left : left + 4].ravel(), row)
    fixed = plots.parameters(W, a, b, (3, 4), limit=20.0).axes[0].images[0]
    assert fixed.get_clim() == (-20, 20)
    assert fixed.colorbar.extend == "neither"


def test_of_too_many_units_those_of_the_largest_norms_follow_the_bias():
    W = np.arange(1, 7)[:, None] * np.ones((6, 4))
    figure = plots.parameters(W, np.zeros(4), np.arange(6), (2, 2), maximum=2)
    assert [t.get_text() for t in figure.axes[0].texts][:3] == ["visible bias", "5: 5.0", "4: 4.0"]
    assert "largest 2 of 6 hidden units" in texts(figure)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"hidden_bias": [1.0]}, "1 hidden"),
        ({"visible_bias": [1.0]}, "1 visible"),
        ({"shape": (4,)}, "height, width"),
        ({"shape": (3, 3)}, "does not hold"),
        ({"limit": 0.0}, "limit is"),
        ({"maximum": 0}, "maximum is"),
    ],
)
def test_parameters_that_do_not_belong_together_are_refused(arguments, words):
    whole = {"W": np.ones((2, 4)), "visible_bias": np.ones(4), "hidden_bias": np.ones(2), "shape": (2, 2)}
    with pytest.raises(InputError, match=words):
        plots.parameters(**{**whole, **arguments})


# --- generated images -----------------------------------------------------------------------------------------------


def test_each_chain_is_a_row_that_begins_with_the_given_image_in_red():
    start, made, noise = rng.random((2, 6)), rng.random((2, 3, 6)), rng.random((2, 3, 6))
    groups = [plots.Chains("plain", made, start), plots.Chains("from noise", noise)]
    figure = plots.generated(groups, (1, 10, 1000), (2, 3), title="T", caption="c")
    left, right = figure.axes
    black, red = left.images
    ink, given = (np.ma.filled(image.get_array().astype(float), np.nan) for image in (black, red))
    (other,) = right.images
    dark = np.ma.filled(other.get_array().astype(float), np.nan)
    for chain in range(2):
        rows = slice(1 + 3 * chain, 3 + 3 * chain)
        np.testing.assert_array_equal(given[rows, 1:4].ravel(), start[chain])
        assert np.isnan(ink[rows, 1:4]).all()
        assert np.isnan(dark[rows, 1:4]).all()
        for step in range(3):
            columns = slice(5 + 4 * step, 8 + 4 * step)
            np.testing.assert_array_equal(ink[rows, columns].ravel(), made[chain, step])
            np.testing.assert_array_equal(dark[rows, columns].ravel(), noise[chain, step])
    assert np.isfinite(given).sum() == start.size  # nothing else is red
    full = red.cmap(red.norm(1.0))
    assert full[0] > 0.7 > 0.2 > max(full[1:3])
    assert black.cmap(black.norm(1.0))[:3] == (0, 0, 0)
    assert [t.get_text() for t in left.get_xticklabels()] == ["data", "1", "10", "1,000"]
    assert [t.get_text() for t in right.get_xticklabels()] == ["", "1", "10", "1,000"]
    np.testing.assert_allclose(left.get_xticks(), [2, 6, 10, 14])
    assert [ax.get_title("left") for ax in (left, right)] == ["plain", "from noise"]


def test_groups_without_given_images_have_no_column_for_them():
    (ax,) = plots.generated([plots.Chains("from noise", rng.random((2, 3, 6)))], (1, 2, 3), (2, 3)).axes
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "2", "3"]
    figure = plots.generated([plots.Chains(str(i), rng.random((1, 1, 4))) for i in range(3)], (5,), (2, 2), across=2)
    assert [ax.get_title("left") for ax in figure.axes] == ["0", "1", "2", ""]
    assert not figure.axes[3].axison


def test_chains_that_do_not_fit_are_refused():
    images = np.zeros((2, 3, 6))
    for groups, sweeps, shape, words in (
        ([], (1, 2, 3), (2, 3), "empty"),
        ([plots.Chains("a", images)], (1, 2), (2, 3), "chains, 2, pixels"),
        ([plots.Chains("a", images[0])], (1, 2, 3), (2, 3), "chains, 3, pixels"),
        ([plots.Chains("a", images)], (1, 2, 3), (2, 4), "does not hold"),
        ([plots.Chains("a", images, np.zeros((1, 6)))], (1, 2, 3), (2, 3), "start of group 'a'"),
        ([plots.Chains("a", images * np.nan)], (1, 2, 3), (2, 3), "not finite"),
    ):
        with pytest.raises(InputError, match=words):
            plots.generated(groups, sweeps, shape)


# --- scores and curves over seeds -----------------------------------------------------------------------------------


def test_scores_are_mean_and_deviation_with_every_seed_and_the_mark():
    models = [
        plots.ModelScores("L5", [-144.0, -142.0, -146.0], [-143.0, -141.0], -150.0),
        plots.ModelScores("L8", [-134.0], None, -147.0, 1.0),
    ]
    ax = plots.score_bars(models, mark_name="the report", baseline=-184.0)
    dots = [artist.get_ydata().tolist() for artist in ax.lines if artist.get_marker() == "o"]
    assert dots == [[-144, -142, -146], [-134], [-143, -141]]
    middles = [(artist.get_ydata()[0], to_hex(artist.get_color())) for artist in ax.lines if artist.get_marker() == "_"]
    bars = [(c.get_label(), c.lines[0].get_ydata()[0], c.lines[2]) for c in ax.containers]
    assert [value for _, value, _ in bars] == [-144, -134, -142, -150, -147]
    assert {name for name, *_ in bars if not name.startswith("_")} == {"training", "held-out", "the report"}
    ends = bars[0][2][0].get_segments()[0][:, 1]
    np.testing.assert_allclose(ends, [-146, -142])
    np.testing.assert_allclose(bars[2][2][0].get_segments()[0][:, 1], -142 + np.sqrt(2) * np.array([-1, 1]))
    np.testing.assert_allclose(bars[4][2][0].get_segments()[0][:, 1], [-148, -146])
    assert bars[1][2] == ()  # one seed has no deviation
    assert (-144, BLUE.lower()) in middles
    assert (-142, VERMILION.lower()) in middles
    marks = [artist for artist in ax.lines if artist.get_marker() == "D"]
    assert {m.get_markerfacecolor() for m in marks} == {"white"}
    train, held = (c.lines[0].get_xdata()[0] for c in (ax.containers[0], ax.containers[2]))
    assert train < marks[0].get_xdata()[0] == 0 < held
    assert set(line(ax, "independent units").get_ydata()) == {-184}
    alone = plots.score_bars([plots.ModelScores("a", [1.0, 2.0])])
    assert alone.containers[0].lines[0].get_xdata()[0] == 0
    assert [t.get_text() for t in ax.get_xticklabels()] == ["L5", "L8"]


def test_curves_are_the_mean_over_seeds_with_a_band():
    x = [0, 10, 100]
    train = np.array([[-9.0, -6.0, -5.0], [-7.0, -5.0, np.nan]])
    models = [plots.ModelCurves("a", x, train, train[:1] - 1), plots.ModelCurves("b", x, train[:1] + 3)]
    ax = plots.learning_bands(models, baseline=-8.0)
    np.testing.assert_allclose(line(ax, "a, train").get_xydata(), np.column_stack([x, [-8, -5.5, -5]]))
    np.testing.assert_allclose(line(ax, "a, held-out").get_ydata(), train[0] - 1)
    assert (line(ax, "a, train").get_linestyle(), line(ax, "a, held-out").get_linestyle()) == ("-", "--")
    assert [line(ax, name).get_color() for name in ("a, train", "a, held-out", "b, train")] == [
        *CYCLE[:1] * 2,
        CYCLE[1],
    ]
    (band,) = ax.collections  # one seed has none
    corners = band.get_paths()[0].vertices
    for at, low, high in ((0, -8 - 2**0.5, -8 + 2**0.5), (10, -5.5 - 0.5**0.5, -5.5 + 0.5**0.5), (100, -5, -5)):
        own = corners[corners[:, 0] == at, 1]
        np.testing.assert_allclose([own.min(), own.max()], [low, high])
    assert "a −5.0" in texts(ax.figure)
    assert "b −2.0" in texts(ax.figure)
    assert plots.learning_bands(models, log_x=True).get_xscale() == "symlog"
    assert plots.learning_bands(models, ylim=(-6, 0)).get_ylim() == (-6, 0)


def test_scores_and_curves_that_cannot_be_drawn_are_refused():
    with pytest.raises(InputError, match="empty"):
        plots.score_bars([])
    with pytest.raises(InputError, match="train of 'a'"):
        plots.score_bars([plots.ModelScores("a", [np.nan])])
    with pytest.raises(InputError, match="empty"):
        plots.learning_bands([])
    with pytest.raises(InputError, match="does not rise"):
        plots.learning_bands([plots.ModelCurves("a", [0, 0], [[1, 2]])])
    with pytest.raises(InputError, match="3 measurements for 2"):
        plots.learning_bands([plots.ModelCurves("a", [0, 1], [[1, 2, 3]])])
