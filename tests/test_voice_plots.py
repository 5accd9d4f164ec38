"""The figure of spectrograms, by the data of its artists."""

import matplotlib as mpl
import numpy as np
import pytest

from harmonium import plots
from harmonium.errors import InputError
from harmonium.plots.spectrograms import spectrograms

rng = np.random.default_rng(0)
CENTRES = np.geomspace(100, 3800, 12)
INPUT = [rng.uniform(-60, 0, (12, length)) for length in (30, 41)]
MADE = [one + rng.normal(0, 3, one.shape) for one in INPUT]


def draw(**options):
    return spectrograms({"input": INPUT, "machine": MADE, "network": MADE}, ["a", "b"], CENTRES, 0.01, **options)


def test_each_cell_is_the_spectrogram_that_was_given_on_one_scale():
    figure = draw()
    drawn = [ax for ax in figure.axes if ax.images]
    assert len(drawn) == 6
    low, high = min(map(np.min, INPUT)), max(map(np.max, INPUT))
    for i, ax in enumerate(drawn):
        (image,) = ax.images
        np.testing.assert_array_equal(image.get_array(), (INPUT if i % 3 == 0 else MADE)[i // 3])
        assert image.get_clim() == (low, high)
        assert image.origin == "lower"  # the lowest band at the foot
        assert image.get_extent() == pytest.approx([-0.005, (image.get_array().shape[1] - 0.5) * 0.01, -0.5, 11.5])
        assert ax.get_xlim() == pytest.approx((0, 0.41))  # all on one scale of time
    assert [ax.get_title("left") for ax in drawn[:3]] == ["input", "machine", "network"]
    words = [text.get_text() for text in figure.findobj(mpl.text.Text)]
    assert {"a", "b", "seconds", "dB"} <= set(words)


def test_kilohertz_stand_where_the_bands_have_them():
    ax = draw().axes[0]
    words = [text.get_text() for text in ax.get_yticklabels()]
    assert words == ["2 kHz", "1", "0.5", "0.25", "0.125"]  # 4 kHz is above the highest band
    for place, word in zip(ax.get_yticks(), words, strict=True):
        left = int(place)
        at = CENTRES[left] + (place - left) * (CENTRES[left + 1] - CENTRES[left])
        assert at == pytest.approx(1000 * float(word.split()[0]), rel=1e-6)
    mel = 700 * (10 ** (np.linspace(150, 2100, 40) / 2595) - 1)  # crowded below 1 kHz
    places = spectrograms({"input": [np.eye(40)]}, ["a"], mel, 0.01).axes[0].get_yticks()
    assert (np.diff(places) < -0.11 * 40).all()


@pytest.mark.parametrize("rows", [1, 2, 6])
def test_figures_of_any_number_of_rows_are_saved(tmp_path, rows):
    names = [f"seven, jackson {i}" for i in range(rows)]
    figure = spectrograms(
        {"input": [INPUT[0]] * rows, "made": [MADE[0]] * rows}, names, CENTRES, 0.01,
        title="What a machine makes of digits", caption="one sweep",
    )  # fmt: skip
    assert plots.save(figure, tmp_path / "s.png").stat().st_size > 5000  # with no warning of a layout that fails


def test_limits_and_values_beyond_them():
    figure = draw(limits=(-40.0, -10.0), unit="dB below the loudest")
    assert all(ax.images[0].get_clim() == (-40, -10) for ax in figure.axes if ax.images)
    flat = spectrograms({"input": [np.zeros((12, 5))]}, ["a"], CENTRES, 0.01)
    assert flat.axes[0].images[0].get_clim() == (0, 1)


@pytest.mark.parametrize(
    ("columns", "names", "centres", "hop", "message"),
    [
        ({}, ["a"], CENTRES, 0.01, "columns or names is empty"),
        ({"input": []}, [], CENTRES, 0.01, "columns or names is empty"),
        ({"input": INPUT}, ["a"], CENTRES, 0.01, "'input' has 2 spectrograms for 1 names"),
        ({"input": INPUT, "made": MADE[:1]}, ["a", "b"], CENTRES, 0.01, "'made' has 1 spectrograms for 2 names"),
        ({"input": INPUT}, ["a", "b"], CENTRES[:-1], 0.01, r"shape \(12, 30\); give \(11 bands, frames\)"),
        ({"input": INPUT}, ["a", "b"], CENTRES[::-1], 0.01, "frequencies must be two or more, rising"),
        ({"input": INPUT}, ["a", "b"], CENTRES, 0.0, "hop is 0.0"),
        ({"input": [INPUT[0] * np.nan]}, ["a"], CENTRES, 0.01, "spectrogram 0 of 'input' holds values"),
    ],
)
def test_what_cannot_be_drawn(columns, names, centres, hop, message):
    with pytest.raises(InputError, match=message):
        spectrograms(columns, names, centres, hop)
