"""The figures of hidden units and of samples, by the data of their artists."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from harmonium import plots
from harmonium.errors import InputError
from harmonium.plots.hidden_activations import by_preference, count_use, evenly_spaced
from harmonium.plots.image_lines import UNKNOWN
from test_plots import picture, rng, texts

# --- biases ---------------------------------------------------------------------------------------------------------


def test_biases_are_an_image_about_zero_and_bars():
    visible, hidden = rng.normal(size=6) - 1, rng.normal(size=4)
    left, right = plots.biases(visible, hidden, (2, 3)).axes[:2]
    np.testing.assert_array_equal(picture(left), visible.reshape(2, 3))
    m = np.abs(visible).max()
    assert left.images[0].get_clim() == (-m, m)
    np.testing.assert_allclose([bar.get_height() for bar in right.patches], hidden)


def test_biases_of_a_table_are_bars_or_steps():
    visible, hidden = rng.normal(size=5), rng.normal(size=200)
    left, right = plots.biases(visible, hidden).axes
    np.testing.assert_allclose([bar.get_height() for bar in left.patches], visible)
    (steps,) = right.patches
    values, edges, base = steps.get_data()
    np.testing.assert_array_equal(values, hidden)
    assert (edges[0], edges[-1], base) == (-0.5, 199.5, 0)
    with pytest.raises(InputError, match="flat vector"):
        plots.biases(np.ones((2, 2)), hidden)
    with pytest.raises(InputError, match="shape"):
        plots.biases(visible, hidden, (2, 2))


def test_states_of_a_one_hot_unit_are_judged_by_an_even_share():
    means = np.tile([0.6, 0.3998, 0.0002, 0.0], (10, 1))
    figure = plots.hidden_activations(means, states=4)
    heat, histogram = figure.axes[:2]
    assert heat.images[0].get_clim() == pytest.approx((0, 0.6))
    assert histogram.get_xlim() == pytest.approx((0, 0.6))
    assert "even share): 2" in texts(figure)


# --- hidden activations ---------------------------------------------------------------------------------------------


def test_class_means_are_drawn_by_the_class_each_unit_prefers():
    means = np.array([[0.9, 0.1, 0.2], [0.7, 0.1, 0.0], [0.2, 1.0, 0.4]])
    left = plots.hidden_activations(means, ["a", "a", "b"]).axes[0]
    by_class = np.array([[0.8, 0.1, 0.1], [0.2, 1.0, 0.4]])
    np.testing.assert_allclose(picture(left), by_class[:, [0, 1, 2]])
    assert [t.get_text() for t in left.get_yticklabels()] == ["a", "b"]
    assert by_preference(np.array([[0.1, 0.9, 0.0, 0.6], [0.3, 0.2, 1.0, 0.1]])).tolist() == [1, 3, 2, 0]


@pytest.mark.parametrize("limits", [(0.0, 1.0), (-1.0, 1.0)])
def test_dead_and_saturated_units_are_counted_within_the_limits(limits):
    share = np.tile([0.002, 0.5, 0.999, 0.995, 0.2], (7, 1))
    means = limits[0] + share * (limits[1] - limits[0])
    use = count_use(means, limits)
    assert (use.dead.tolist(), use.saturated.tolist()) == ([0], [2, 3])
    figure = plots.hidden_activations(means, limits=limits)
    assert "dead (<1 %): 1, saturated (>99 %): 2" in texts(figure)
    left, right = figure.axes[:2]
    assert left.images[0].get_clim() == limits
    assert sum(bar.get_height() for bar in right.patches) == 5
    assert right.get_xlim() == limits


def test_rows_without_labels_are_spread_over_the_data():
    means = np.linspace(0, 1, 1000)[:, None] * [1.0, 0.5]
    left = plots.hidden_activations(means).axes[0]
    np.testing.assert_array_equal(picture(left), evenly_spaced(means, 200))
    assert picture(left)[[0, -1]].tolist() == means[[0, -1]].tolist()
    assert len(picture(left)) == 200
    np.testing.assert_array_equal(evenly_spaced(means[:9], 200), means[:9])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"limits": (0.0, 0.5)}, "limits are"),
        ({"limits": (1.0, 0.0)}, "limits are"),
        ({"labels": [1, 2]}, "one label a row"),
        ({"maximum": 0}, "maximum is 0"),
    ],
)
def test_activations_that_cannot_be_drawn_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        plots.hidden_activations(**{"mean_h": np.eye(3), **arguments})


# --- samples --------------------------------------------------------------------------------------------------------


def test_data_and_samples_share_grid_and_scale():
    data, generated = rng.random((9, 6)), 2 * rng.random((7, 6))
    figure = plots.samples(data, generated, (2, 3), maximum=5, columns=3, title="T", caption="1,000 Gibbs sweeps")
    left, right = figure.axes
    np.testing.assert_array_equal(picture(left), plots.tiles(data[:5], (2, 3), 3))
    np.testing.assert_array_equal(picture(right), plots.tiles(generated[:5], (2, 3), 3))
    low, high = min(data[:5].min(), generated[:5].min()), max(data[:5].max(), generated[:5].max())
    assert left.images[0].get_clim() == right.images[0].get_clim() == (low, high)
    assert (left.get_title("left"), right.get_title("left")) == ("data", "samples")
    assert (figure.get_suptitle(), figure.get_supxlabel()) == ("T", "1,000 Gibbs sweeps")
    fixed = plots.samples(data, generated, (2, 3), limits=(0.0, 1.0)).axes[1]
    assert fixed.images[0].get_clim() == (0, 1)


def test_samples_of_a_table_are_heat_maps():
    data = rng.random((4, 6))
    left, right = plots.samples(data, 1 - data, None).axes[:2]
    np.testing.assert_array_equal(picture(left), data)
    np.testing.assert_array_equal(picture(right), 1 - data)


def test_samples_without_data_stand_alone():
    generated = rng.random((7, 6))
    (ax,) = plots.samples(None, generated, (2, 3), columns=3).axes
    np.testing.assert_array_equal(picture(ax), plots.tiles(generated, (2, 3), 3))
    assert ax.get_title("left") == "samples"
    assert ax.images[0].get_clim() == (generated.min(), generated.max())
    heat = plots.samples(None, generated, None).axes[0]
    np.testing.assert_array_equal(picture(heat), generated)


def test_completions_tell_open_pixels_from_padding():
    original, completed = rng.random((3, 6)), rng.random((3, 6))
    clamped = original.copy()
    clamped[:, 3:] = np.nan
    ax = plots.completions(original, clamped, completed, (2, 3)).axes[0]
    mosaic, image = picture(ax), ax.images[0]
    for line, rows in enumerate((original, clamped, completed)):
        for i, row in enumerate(rows):
            tile = mosaic[1 + 3 * line : 3 + 3 * line, 1 + 4 * i : 4 + 4 * i]
            np.testing.assert_array_equal(tile, row.reshape(2, 3))
    assert np.isnan(mosaic).sum() == 9  # the open pixels alone
    assert mosaic[0, 0] < image.get_clim()[0]
    assert to_hex(image.cmap.get_bad()) == UNKNOWN.lower()
    assert to_hex(image.cmap.get_under()) != UNKNOWN.lower()
    middles = ax.get_yticks()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["original", "clamped", "completed"]
    np.testing.assert_allclose(middles, [1.5, 4.5, 7.5])  # the line between the two pixel rows of each


def test_completions_of_a_table_are_three_heat_maps():
    original = rng.random((3, 6))
    clamped = np.where(np.arange(6) < 2, original, np.nan)
    drawn = [picture(ax) for ax in plots.completions(original, clamped, 1 - original, None).axes]
    for found, wanted in zip(drawn, (original, clamped, 1 - original), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_samples_that_do_not_belong_together_are_refused():
    with pytest.raises(InputError, match="generated has 4 entries a row and data 6"):
        plots.samples(np.ones((2, 6)), np.ones((2, 4)), None)
    with pytest.raises(InputError, match="maximum is 0"):
        plots.samples(np.ones((2, 6)), np.ones((2, 6)), None, maximum=0)
    with pytest.raises(InputError, match="columns is 0"):
        plots.samples(np.ones((2, 6)), np.ones((2, 6)), (2, 3), columns=0)
    with pytest.raises(InputError, match="as many of each"):
        plots.completions(np.ones((2, 6)), np.ones((2, 6)), np.ones((1, 6)), None)
    with pytest.raises(InputError, match="completed holds values that are not finite"):
        plots.completions(np.ones((2, 6)), np.ones((2, 6)), np.full((2, 6), np.nan), None)
