"""The bundled search spaces, by name; each is what a TOML file would hold.

``mnist-789`` is Table I of a student report (Bellavia, Belli, Lera and Maida 2025): L, SPINS, POTTS, Gamma, Grad, Nt,
Nepoch, Nmini, Nini and Nfin, in that order.  What the table leaves open is fixed as that report describes its training,
and can be changed on the command line.
"""

from __future__ import annotations

from typing import Any

#: For any data: the options that matter most often, about the program's own defaults.
DEFAULT: dict[str, Any] = {
    "hidden": {"units": "bernoulli", "low": 8, "high": 128, "log": True},
    "optimizer": ["sgd", "rmsprop", "adam"],
    "learning_rate": {"low": 1e-3, "high": 0.3, "log": True},
    "steps": {"low": 1, "high": 10, "log": True},
    "batch_size": {"low": 20, "high": 500, "log": True},
    "l2": {"low": 1e-5, "high": 1e-2, "log": True, "zero": 0.5},
}

MNIST_789: dict[str, Any] = {
    # POTTS: one-hot, or else the kind of the visible units, which is SPINS.  One-hot states beside Ising pixels, which
    # the report's program did not allow, are the same distributions as beside Bernoulli ones.
    "hidden": {"units": ["visible", "onehot"], "low": 3, "high": 10},
    "visible": ["bernoulli", "ising"],
    # Printed as [10^-4, 0], where 0.001, 0.01 and 0.1 are then used: from 10^-4 to the largest of these, or none.
    "l2": {"low": 1e-4, "high": 0.1, "log": True, "zero": 0.2},
    "optimizer": ["sgd", "rmsprop", "adam"],
    "steps": {"low": 1, "high": 15},
    "epochs": {"low": 50, "high": 350},
    "minibatches": {"low": 10, "high": 50},
    "batch_size": {"low": 5, "high": 50},
    "batch_size_final": {"low": "batch_size", "high": 350},
    "classes": "7,8,9",
    "negative": "cd",
    "centre": "no",
    "momentum": 0.0,
    "learning_rate_schedule": "constant",
}

SPACES: dict[str, dict[str, Any]] = {"default": DEFAULT, "mnist-789": MNIST_789}
