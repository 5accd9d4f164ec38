"""Every option of a training run, once: the fields of `Config` are the Python arguments, the TOML keys and the
command line's options.  This module imports nothing heavy, so that ``--help`` is quick.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_type_hints

from harmonium.errors import InputError
from harmonium.options import checked, option

SCHEDULES = ("auto", "constant", "linear", "sqrt")
#: Optimisers that take whole steps of their own, with no rate, momentum or centring to choose.
FULL_BATCH = ("lbfgs", "em")
#: The value of `data` where the data were given in memory, and no file can bring them back.
IN_MEMORY = "array"


@dataclass(frozen=True)
class Config:
    """The options of one training run; the help texts are the fields' documentation (``harmonium train --help``)."""

    data: str = option(
        "digits",
        "A data set by name (digits, mnist), a file (.npy, .npz, .csv, idx) or a folder of PNG images.",
        "Data",
    )
    data_path: str = option(
        "", "Where the files of a named data set are.", "Data", shown="$HARMONIUM_DATA, the cache, the network"
    )
    classes: str = option("", "Keep only the rows with these labels, such as 7,8,9.", "Data", shown="all")
    labels: str = option(
        "",
        "A file of labels, or the name of the label column (CSV) or array (.npz).",
        "Data",
        shown="the data's own, if any",
    )
    scale: float = option(
        0.0,
        "The raw value that means 1, such as 255 for grey bytes.",
        "Data",
        shown="guessed from the values",
        above=0,
        special=0,
        means="guessed",
    )
    binarize: str = option(
        "auto",
        "How grey becomes black and white: a threshold such as 0.5, stochastic (grey is a probability, drawn anew "
        "each time), or none.",
        "Data",
        shown="0.5 for grey images and two-valued units, else none",
    )
    held_out: str = option(
        "auto",
        "Fraction of the rows kept for the final score, never trained on.",
        "Data",
        shown="the data's own test part, else 0.2",
    )
    validation: float = option(
        -1.0,
        "Fraction of the training rows set aside to choose the best machine and the end of the training; with 0 all "
        "rows train, and the last machine is kept.",
        "Data",
        shown="0.1, or 0 where that would be too few rows to judge by",
        low=0,
        below=1,
        special=-1,
        means="a tenth, where that is rows enough",
    )

    visible: str = option(
        "auto",
        "Kind of the visible units: bernoulli, ising, gaussian, onehot,q=21, multivalued,s=4 or interval; or parts "
        "with their numbers, joined by +, such as bernoulli:10+gaussian:3.",
        "Machine",
        shown="bernoulli",
    )
    hidden: str = option(
        "bernoulli:16",
        "Hidden units and their number, such as bernoulli:64, ising:8, onehot:55, multivalued:20,s=4, gaussian:10.",
        "Machine",
    )
    with_labels: bool = option(
        False, "Give the machine the labels too, as one one-hot visible unit: it can then classify.", "Machine"
    )

    negative: str = option(
        "pcd",
        "What stands for the machine's own distribution in the gradient: cd (short chains from the data), pcd "
        "(chains that live on), exact (all states; small machines), clamped (learns to predict labels).",
        "Training",
    )
    steps: int = option(1, "Gibbs sweeps in each update (the k of CD-k).", "Training", low=1)
    chains: int = option(
        0,
        "Persistent chains of pcd.",
        "Training",
        shown="as many as the largest minibatch has rows",
        low=0,
        high=10_000_000,
    )
    optimizer: str = option(
        "sgd",
        "sgd, rmsprop, adam, adamax or another class of torch.optim; lbfgs (exact gradient, all rows at once); em "
        "(one one-hot hidden unit).",
        "Training",
    )
    learning_rate: float = option(
        -1.0,
        "First learning rate.",
        "Training",
        shown="0.03 for sgd, 0.01 for rmsprop and adam, 1 for lbfgs",
        above=0,
        special=-1,
        means="the optimizer's own",
    )
    learning_rate_schedule: str = option(
        "auto",
        "How it changes: constant; linear goes to --learning-rate-final, sqrt falls as 1/sqrt(1 + t/t0) with t0 a "
        "tenth of the run.",
        "Training",
        choices=SCHEDULES,
        shown="linear; constant for lbfgs",
    )
    learning_rate_final: float = option(0.0, "Last learning rate of the linear schedule.", "Training", low=0)
    momentum: float = option(
        -1.0,
        "Momentum of sgd and rmsprop (for adam its first beta).",
        "Training",
        shown="0.9 for sgd, else none",
        low=0,
        below=1,
        special=-1,
        means="0.9 for sgd, else none",
    )
    momentum_final: float = option(
        -1.0,
        "Momentum after --momentum-switch.",
        "Training",
        shown="the same",
        low=0,
        below=1,
        special=-1,
        means="unchanged",
    )
    momentum_switch: float = option(0.6, "Fraction of the run after which it changes.", "Training", low=0, high=1)
    epochs: int = option(
        0,
        "Epochs, each of --minibatches updates.",
        "Training",
        shown="20, or as many as make 3,000 updates; 100 for lbfgs and em",
        low=0,
        high=10_000_000,
    )
    minibatches: int = option(
        0, "Updates in an epoch.", "Training", shown="one pass over the training rows", low=0, high=10_000_000
    )
    batch_size: int = option(
        -1,
        "Rows in a minibatch; 0 is all of them.",
        "Training",
        shown="100; all for lbfgs and em",
        low=0,
        special=-1,
        means="100, all for lbfgs and em",
    )
    batch_size_final: int = option(
        0, "Rows in the last minibatch, reached in even steps.", "Training", shown="the same", low=0
    )
    l1: float = option(0.0, "Penalty on the sum of |W|.", "Training", low=0, shown="none")
    l2: float = option(0.0, "Penalty on half the sum of W².", "Training", low=0, shown="none")
    centre: str = option(
        "auto",
        "Centre the gradient (Melchior, Fischer and Wiskott 2016), so that learning does not depend on which value is "
        "called 0.",
        "Training",
        choices=("auto", "yes", "no"),
        shown="yes for sgd",
    )
    weight_scale: float = option(0.01, "Standard deviation of the first, random weights.", "Training", low=0)
    bias_start: str = option(
        "data",
        "First visible biases: data takes each unit's own frequency (Hinton 2012).",
        "Training",
        choices=("data", "zero"),
    )
    patience: int = option(
        -1,
        "Stop after so many measurements in a row with a validation score below the best by more than its error; 0 "
        "never stops.",
        "Training",
        shown="a quarter of all measurements, at least 5",
        low=0,
        special=-1,
        means="a quarter of all, at least 5",
    )

    measure: int = option(
        0,
        "How often to measure the log-likelihood during training.",
        "Run",
        shown="40 times, or 5 to 20 where it is estimated",
        low=0,
        high=1_000_000,
    )
    checkpoint_every: float = option(30.0, "Seconds between checkpoints.", "Run", low=0)
    seed: int = option(0, "Same seed, same machine, same threads: the same numbers.", "Run", low=0, high=2**63 - 1)
    precision: str = option(
        "auto",
        "Of the parameters while they are trained.",
        "Run",
        choices=("auto", "float32", "float64"),
        shown="float64 for lbfgs and em, else float32",
    )
    device: str = option("cpu", "cpu, cuda, mps, or auto for the fastest there is.", "Run")
    threads: int = option(
        0, "Processor threads.", "Run", shown="one for small machines, else torch's own choice", low=0, high=1024
    )

    def __post_init__(self) -> None:
        types = get_type_hints(Config)
        for spec in fields(self):
            object.__setattr__(self, spec.name, checked(spec, types[spec.name], getattr(self, spec.name)))
        object.__setattr__(self, "optimizer", self.optimizer.lower())

    @property
    def first_momentum(self) -> float:
        """The momentum to begin with."""
        return self.momentum if self.momentum >= 0 else 0.9 if self.optimizer == "sgd" else 0.0

    @property
    def centred(self) -> bool:
        """Whether the gradient is centred."""
        return self.centre == "yes" or (self.centre == "auto" and self.optimizer == "sgd")

    @property
    def schedule(self) -> str:
        """The learning rate's schedule."""
        if self.learning_rate_schedule != "auto":
            return self.learning_rate_schedule
        return "constant" if self.optimizer in FULL_BATCH else "linear"

    def as_dict(self) -> dict[str, Any]:
        """All options, ready for TOML or JSON."""
        return asdict(self)


def config_from(options: Mapping[str, Any], *, from_text: bool = False) -> Config:
    """A `Config` from named values; `from_text` reads numbers from words, as a command line gives them.

    Raises InputError for an unknown name (with the nearest known one) or a value that the option does not take.
    """
    types, specs = get_type_hints(Config), {spec.name: spec for spec in fields(Config)}
    values: dict[str, Any] = {}
    for key, value in options.items():
        name = key.replace("-", "_")
        if name not in specs:
            near = difflib.get_close_matches(name, specs, 1)
            hint = f"did you mean {near[0]!r}?" if near else "harmonium train --help lists all options."
            raise InputError(f"unknown option {key!r}; {hint}")
        values[name] = checked(specs[name], types[name], value, from_text=from_text)
    return Config(**values)


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The options in a TOML file; raises InputError naming the file where it cannot be read or holds tables."""
    try:
        with open(path, "rb") as file:
            options = tomllib.load(file)
    except OSError as error:
        raise InputError(f"the configuration file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the configuration file {path} is not valid TOML: {error}.") from None
    for key, value in options.items():
        if isinstance(value, dict):
            raise InputError(
                f"the configuration file {path} has a table [{key}]; write its options at the top level, without it."
            )
    return options
