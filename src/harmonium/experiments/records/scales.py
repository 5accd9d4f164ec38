"""The two sizes of the study: which machines, from how many seeds, and how well each is measured.

full     the presets mnist-16 to mnist-2000 on all 60,000 training images, scored on the 10,000 test images
quick    a few hidden units and epochs on the digits that come with scikit-learn
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harmonium.config_from import config_from
from harmonium.experiments.study import Scale
from harmonium.experiments.training import data_of
from harmonium.noise import Noise, seed_for
from harmonium.presets import preset
from harmonium.runs.inputs import Inputs
from harmonium.runs.inputs import open_inputs as _open_inputs

SCALES = {
    "full": Scale("full", {"data": "mnist", "binarize": "stochastic"}, comparable=True),
    "quick": Scale("quick", {"data": "digits", "binarize": "stochastic", "held_out": "0.2"}, comparable=False),
}


@dataclass(frozen=True)
class Size:
    """A machine of the study.

    Attributes
    ----------
    units : int
        Hidden units.
    ways : (str, str)
        The two ways to its ln Z (`harmonium.experiments.records.ways`).
    on_the_way : str
        The way to the ln Z of the machines that a training passes through.
    seeds, quick_seeds : int
        Trainings.
    points : int
        How many machines of a training are on its curve.
    quick_units : int
        Hidden units of the short form.
    seconds : float
        What one training takes about on one core.
    variant : str
        What tells it from another machine with as many units, in words.
    """

    units: int
    ways: tuple[str, str]
    on_the_way: str
    seeds: int
    points: int
    quick_units: int
    seconds: float
    quick_seeds: int = 1
    variant: str = ""


#: Enumeration where it takes seconds, with an estimate to check it; two unlike estimates for larger machines.
_SMALL, _LARGE = ("exact", "both"), ("ais", "raise")
#: By the name of the preset, less its beginning.
SIZES: dict[str, Size] = {
    "16": Size(16, _SMALL, "exact", 3, 24, 4, 60, quick_seeds=2),
    "25": Size(25, _SMALL, "ais", 3, 24, 6, 70),
    "100": Size(100, _LARGE, "ais", 3, 24, 12, 220),
    "500": Size(500, _LARGE, "ais", 2, 24, 20, 300),
    "500-long": Size(500, _LARGE, "ais", 2, 24, 20, 1400, variant=", longer"),
    "2000": Size(2000, _LARGE, "ais", 1, 12, 30, 600),
}
#: What the short form has of its own; its few images make smaller minibatches.
_QUICK: dict[str, Any] = {"epochs": 100, "batch_size": 100, "chains": 100, "averaging": 0.01}
#: Points of a curve there.
QUICK_POINTS = 6
#: The draw of the test images: the same for every machine.
TEST_SEED = 0


def seeds(scale: Scale, size: str) -> range:
    """The seeds of the machines of this size."""
    return range(scale.pick(SIZES[size].seeds, SIZES[size].quick_seeds))


def hidden_units(scale: Scale, size: str) -> int:
    """Hidden units of the machine that stands for so many."""
    return int(scale.pick(SIZES[size].units, SIZES[size].quick_units))


def options(scale: Scale, size: str, seed: int) -> dict[str, Any]:
    """The options of one training."""
    found = {**preset(f"mnist-{size}"), "measure": 1, **scale.data, "seed": seed}
    return found | ({**_QUICK, "hidden": f"bernoulli:{hidden_units(scale, size)}"} if scale.quick else {})


def open_inputs(given: dict[str, Any]) -> Inputs:
    """The images as a machine of these options sees them."""
    config = config_from(given)
    return _open_inputs(config, data_of(config))


def drawn_noise(number: int = 0, of: str = "test images") -> Noise:
    """What the test images are drawn with: number 0 is the test set, the others tell what a draw is worth."""
    return Noise(seed_for("records", of, TEST_SEED, number))


def facts(scale: Scale) -> dict[str, str]:
    """What the data are, in words."""
    inputs = open_inputs(options(scale, next(iter(SIZES)), 0))
    shape = " × ".join(map(str, inputs.data.shape))
    return {
        "data": f"{inputs.data.name}, {len(inputs.rows.train):,} training and {len(inputs.rows.held_out):,} test "
        f"images of {shape} pixels",
        "binarisation": f"grey value / {inputs.feed.scale:g} is the probability of a 1; training images drawn anew "
        f"each time, test images once, with seed {TEST_SEED}",
    }
