"""The two sizes of the study: the document's digits, and a short form on the digits that come with scikit-learn."""

from __future__ import annotations

from typing import Any

from harmonium.config_from import config_from
from harmonium.experiments.study import Scale
from harmonium.experiments.training import data_of
from harmonium.presets import preset

#: Every image is trained on and scored, as the document does; or only the training part, and the rest is held out.
EVERY, SPLIT = {"held_out": "0"}, {"held_out": "auto"}
#: Nothing is kept for validation: the settings are given, and the last machine counts.
PLAIN = {"validation": 0.0, "patience": 0}

_SAME = {"classes": "7,8,9", "binarize": "0.5"}
SCALES = {
    "full": Scale("full", {"data": "mnist", **_SAME}, comparable=True),
    "quick": Scale("quick", {"data": "digits", **_SAME}, comparable=False),
}


def settings(scale: Scale, name: str, **changes: Any) -> dict[str, Any]:
    """The options of a machine of the document at this scale, with changes.

    The short form trains a fortieth of the epochs, on minibatches that fit its few images.
    """
    options = {**preset(f"mnist-789-{name}"), **scale.data}
    if scale.quick:
        options["epochs"] = max(5, options["epochs"] // 40)
        options["batch_size_final"] = min(options["batch_size_final"], 100)
    return {**options, **changes}


def facts(scale: Scale) -> dict[str, str]:
    """What the data are, in words."""
    images = data_of(config_from(scale.data))
    shape = " × ".join(map(str, images.shape))
    parts = ""
    if images.n_train is not None:
        parts = f" ({images.n_train:,} of its training part, {len(images) - images.n_train:,} of its test part)"
    top = {"mnist": 255, "digits": 16}[scale.data["data"]]
    return {
        "data": f"{scale.data['data']}, {len(images):,} images of 7, 8 and 9, {shape} pixels{parts}",
        "binarisation": f"a pixel is 1 where its grey value is above {top / 2:g} of {top}",
    }
