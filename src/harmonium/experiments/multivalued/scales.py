"""The two sizes of the study, and what it takes for granted about the artificial data.

The paper's own sizes are lost from its text; those below are this study's, chosen so that everything can be enumerated.
"""

from __future__ import annotations

import math

from harmonium.data import load_data
from harmonium.experiments.study import Scale

#: Visible units, hidden units of the machine that makes the data, rows of data.
VISIBLE, GENERATING_HIDDEN, ROWS = 8, 4, 200
#: Hidden units of the machines that learn: as many as the generating one has, and three times as many.
HIDDEN = {"a": 4, "b": 12}
#: The values of s that the paper shows; X_s has s + 1 values.
VALUES = (1.0, 2.0, 4.0, math.inf)
#: Adam's learning rate, and the standard deviation of the generating machine's biases.
RATE, BIAS_SCALE = 0.01, 0.1
#: Sweeps of the chain that each row comes from.
SWEEPS = 200
#: Rows of the 200 that someone who must stop by himself keeps for validation.
VALIDATION = 50

SCALES = {
    "full": Scale("full", {}, comparable=True),
    "quick": Scale("quick", {}, comparable=False),
}


def repeats(scale: Scale) -> int:
    """Generating machines, each with its data."""
    return int(scale.pick(100, 12))


def updates(scale: Scale) -> int:
    """Updates of the parameters in a training."""
    return int(scale.pick(3000, 100))


def facts(scale: Scale) -> dict[str, str]:
    """What the data are, in words."""
    images = load_data(scale.pick("mnist", "digits"))
    height, width = images.shape
    return {
        "artificial data": f"{ROWS} rows of {VISIBLE} spins from each of {repeats(scale)} generating machines with "
        f"{GENERATING_HIDDEN} binary hidden units",
        "images": f"{images.name}, {len(images):,} of {height} × {width} pixels, grey values divided by "
        f"{images.scale:g}",
    }
