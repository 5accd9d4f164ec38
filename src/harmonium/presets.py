"""Options by name: settings that others have published, as `--preset NAME` and ``hm.train(**hm.preset(NAME))``.

Nothing heavy is imported here.  What a source leaves open is filled in by us and said in `PRESETS` beside it.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from harmonium.errors import InputError


@dataclass(frozen=True)
class Preset:
    """Options of `harmonium.config.Config`, where they come from, and what the source does not say."""

    options: dict[str, Any]
    source: str
    filled_in: str = ""


#: What all machines of the report have in common: every image of 7, 8, 9 is trained on, and the score is theirs.
_SAME = {
    "data": "mnist", "classes": "7,8,9", "binarize": "0.5", "held_out": "0", "validation": 0.0, "patience": 0,
    "negative": "cd", "centre": "no", "learning_rate_schedule": "constant", "momentum": 0.0,
}  # fmt: skip
_REPORT = "Bellavia, Belli, Lera and Maida (2025), Generative capabilities of RBMs on MNIST"
_OPEN = "not stated there: the threshold of the binarisation (0.5) and the kind of the penalty gamma (L2)"
_OPEN_II = f"{_OPEN}, nor the learning rate (0.05, as in Table III)"


def _table(
    hidden: str, gamma: float, steps: int, epochs: int, minibatches: int, first: int, final: int,
    optimizer: str = "rmsprop", **more: Any,
) -> dict[str, Any]:  # fmt: skip
    return {
        **_SAME, "hidden": hidden, "l2": gamma, "steps": steps, "epochs": epochs, "minibatches": minibatches,
        "batch_size": first, "batch_size_final": final, "optimizer": optimizer, "learning_rate": 0.05, **more,
    }  # fmt: skip


_TABLE_II = {
    "0": _table("bernoulli:7", 0.001, 4, 300, 30, 5, 100),
    "1": _table("bernoulli:10", 0.001, 1, 200, 10, 5, 325),
    "2": _table("bernoulli:5", 0.001, 2, 190, 45, 10, 450, "sgd"),
    "3": _table("onehot:10", 0.01, 1, 200, 10, 5, 10),
    "4": _table("bernoulli:10", 0.01, 1, 200, 10, 5, 10),
    "5": _table("bernoulli:10", 0.001, 7, 350, 10, 5, 325),
}
_TABLE_III = {
    "L5": _table("bernoulli:5", 0.001, 7, 400, 100, 3, 20),
    "L8": _table("bernoulli:8", 0.001, 2, 400, 20, 10, 500),
    "L55": _table(
        "onehot:55", 0.1, 1, 450, 50, 10, 300,
        momentum=0.2, momentum_final=0.5, momentum_switch=0.6,
        learning_rate=0.1, learning_rate_final=0.01, learning_rate_schedule="linear",
    ),
}  # fmt: skip

#: Classifiers of all of MNIST; grey values are probabilities, drawn anew each time, which is what keeps these machines
#: from learning the training images by heart.
_CLASSIFIER = {
    "data": "mnist", "target": "label", "objective": "discriminative", "hidden": "bernoulli:500",
    "binarize": "stochastic", "weight_start": "xavier", "bias_start": "zero", "optimizer": "adam",
    "learning_rate": 0.005, "learning_rate_schedule": "linear", "batch_size": 100, "epochs": 17, "validation": 0.0,
    "patience": 0,
}  # fmt: skip
_HYBRID = {
    **_CLASSIFIER, "objective": "hybrid", "generative_weight": 0.02, "negative": "cd", "hidden": "bernoulli:1000",
    "bias_start": "data",
}  # fmt: skip
_OURS = "settings of our own, chosen on the last 10,000 training images, for a machine of Larochelle and Bengio (2008)"

#: A machine whose hidden means tell images apart: many large steps, the first ones with less momentum.
_FEATURES = {
    "data": "mnist", "hidden": "bernoulli:1000", "binarize": "stochastic", "negative": "cd", "centre": "no",
    "learning_rate": 0.2, "momentum": 0.5, "momentum_final": 0.9, "momentum_switch": 0.1, "l2": 0.0001,
    "batch_size": 50, "epochs": 30, "validation": 0.0, "patience": 0,
}  # fmt: skip
_FEATURES_OURS = (
    "settings of our own, chosen by validation images' errors with logistic regression on the hidden means, for the "
    "use that Hinton and Salakhutdinov (2006) make of a machine"
)

#: Machines for the likelihood of all of MNIST: many small steps with persistent chains and a centred gradient, at rates
#: that keep the chains moving, and averaged parameters to take the wandering out.
_DENSITY: dict[str, Any] = {
    "data": "mnist", "binarize": "stochastic", "negative": "pcd", "optimizer": "sgd", "centre": "yes", "momentum": 0.0,
    "learning_rate_schedule": "sqrt", "l2": 0.0001, "validation": 0.0, "patience": 0, "batch_size": 100,
}  # fmt: skip
#: What each machine has of its own.  Of 2,000 units nine settings were tried: with 80 epochs the higher the rate, from
#: 0.07 to 0.6, the better, and at the rate 0.15 more l2 was worse.
_OF_SIZE: dict[str, dict[str, Any]] = {
    "16": {"learning_rate": 0.5, "chains": 500, "epochs": 60, "averaging": 0.0005},
    "25": {"learning_rate": 0.3, "chains": 500, "epochs": 60, "averaging": 0.0005},
    "100": {"learning_rate": 0.5, "chains": 200, "epochs": 200, "averaging": 0.0002},
    "500": {"learning_rate": 0.2, "learning_rate_schedule": "sqrt-linear", "batch_size": 200, "chains": 200,
            "epochs": 230, "averaging": 0.0005},
    "500-long": {"learning_rate": 0.2, "learning_rate_schedule": "sqrt-linear", "batch_size": 200, "chains": 200,
                 "l2": 0.0002, "epochs": 1000, "averaging": 0.0003},
    "2000": {"learning_rate": 0.5, "learning_rate_schedule": "sqrt-linear", "batch_size": 200, "chains": 200,
             "epochs": 160, "averaging": 0.0005},
}  # fmt: skip
_DENSITY_OURS = (
    "settings of our own, chosen by the likelihood of the last 10,000 training images; persistent chains and a falling "
    "rate as in Grosse and Salakhutdinov (2015), the gradient centred as in Montavon and Mueller (2012)"
)

PRESETS: dict[str, Preset] = {
    "mnist-discriminative": Preset(_CLASSIFIER, _OURS),
    "mnist-hybrid": Preset(_HYBRID, _OURS),
    "mnist-features": Preset(_FEATURES, _FEATURES_OURS),
    **{
        f"mnist-{size}": Preset({**_DENSITY, "hidden": f"bernoulli:{size.partition('-')[0]}", **own}, _DENSITY_OURS)
        for size, own in _OF_SIZE.items()
    },
    **{f"mnist-789-{k}": Preset(v, f"{_REPORT}, Table II, model {k}", _OPEN_II) for k, v in _TABLE_II.items()},
    **{f"mnist-789-{k}": Preset(v, f"{_REPORT}, Table III, {k}", _OPEN) for k, v in _TABLE_III.items()},
}


def preset(name: str) -> dict[str, Any]:
    """The options of a preset, to be changed at will.

    Raises
    ------
    InputError
        There is no preset of that name.

    Examples
    --------
    >>> import harmonium as hm
    >>> hm.preset("mnist-789-L8")["hidden"]
    'bernoulli:8'
    """
    if not isinstance(name, str):
        raise InputError(f"name must be that of a preset, not {name!r}; choose from {', '.join(PRESETS)}.")
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(PRESETS)}."
        raise InputError(f"there is no preset {name!r}; {hint}")
    return dict(PRESETS[name].options)
