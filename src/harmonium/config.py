"""Every option of a training run, once: the fields of `Config` are the Python arguments, the TOML keys and the
command line's options.  This module imports nothing heavy, so that ``--help`` is quick.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, get_type_hints

from harmonium.options import checked, option

SCHEDULES = ("auto", "constant", "linear", "sqrt", "sqrt-linear")
OBJECTIVES = ("generative", "joint", "discriminative", "hybrid")
#: Optimisers that take whole steps of their own, with no rate, momentum or centring to choose.
FULL_BATCH = ("lbfgs", "em")
#: The value of `data` where the data were given in memory, and no file can bring them back.
IN_MEMORY = "array"


@dataclass(frozen=True)
class Config:
    """The options of one training run; the help texts are the fields' documentation (``harmonium train --help``)."""

    data: str = option(
        "digits",
        "A data set by name (digits, mnist, fsdd), a file (.npy, .npz, .csv, idx) or a folder of PNG images.",
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
        shown="0.5 for grey images and two-valued units, none to predict a target",
    )
    held_out: str = option(
        "auto",
        "Fraction of the rows kept for the final score, never trained on.",
        "Data",
        shown="the data's own test part, else 0.2",
    )
    validation: float = option(
        -1.0,
        "Fraction of the training rows that choose the best machine and the end; with 0 all train, the last is kept.",
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
        "Hidden units and their number, such as bernoulli:64, ising:8, onehot:55, multivalued:20,s=4 (s up to inf), "
        "sparse:20,s=4, gaussian:10.",
        "Machine",
    )
    target: str = option(
        "",
        "What to predict: label (the data's own labels), or the name of a column, array or file of labels. The machine "
        "gets it as one more, one-hot visible unit; rows without a label (-1, or an empty cell) may be among them.",
        "Machine",
        shown="nothing",
    )
    objective: str = option(
        "auto",
        "What is maximised: generative, ln p(data); joint, ln p(data, target); discriminative, ln P(target | data); "
        "hybrid, a mean of the last two.",
        "Training",
        choices=("auto", *OBJECTIVES),
        shown="discriminative with a target, else generative",
    )
    generative_weight: float = option(
        0.01, "Weight of ln p(data, target) in the hybrid mean; the other has the rest.", "Training", low=0, high=1
    )
    labelled_share: float = option(
        -1.0,
        "Fraction of rows with a label in the minibatches, where some rows have none.",
        "Training",
        shown="a half, or their own where that is more",
        above=0,
        high=1,
        special=-1,
        means="a half, or more",
    )
    negative: str = option(
        "pcd",
        "What stands for the machine's own distribution in the gradient: cd (short chains from the data), pcd "
        "(chains that live on), exact (all states; small machines), pseudolikelihood and pairs (one or two discrete "
        "visible units given all others), flow (minimum probability flow), kliep (the sample of cd, weighted into the "
        "machine), tap (second-order mean field; weak couplings).",
        "Training",
    )
    steps: int = option(
        1, "Gibbs sweeps in each update (the k of CD-k); twenties of iterations of tap.", "Training", low=1
    )
    chains: int = option(
        0, "Persistent chains of pcd.", "Training", shown="one a row of the largest minibatch", low=0, high=10_000_000
    )
    optimizer: str = option(
        "auto",
        "sgd, rmsprop, adam, adamax or another class of torch.optim; lbfgs (exact gradient, all rows at once); em "
        "(one one-hot hidden unit).",
        "Training",
        shown="adam to predict a target, else sgd",
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
        "How it changes: constant; linear to --learning-rate-final; sqrt, 1/sqrt(1 + t/t0) with t0 a tenth of the run; "
        "sqrt-linear, the same and falling to 0 as well.",
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
        -1.0, "Momentum after the switch.", "Training", shown="the same", low=0, below=1, special=-1, means="unchanged"
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
    averaging: float = option(
        0.0,
        "Rate at which a running average of the parameters follows them; the average is then what is scored and kept. "
        "With 0.002 it is that of the last 500 updates or so.",
        "Training",
        shown="none",
        low=0,
        below=1,
    )
    weight_start: str = option(
        "normal",
        "First, random weights: normal, or xavier (uniform within sqrt(6 / (visible + hidden)), part by part of the "
        "visible side; Glorot and Bengio 2010).",
        "Training",
        choices=("normal", "xavier"),
    )
    weight_scale: float = option(0.01, "Standard deviation of normal first weights.", "Training", low=0)
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
    seed: int = option(
        0,
        "Same seed, same machine, same threads: the same training; estimates of its likelihood may end by the clock.",
        "Run",
        low=0,
        high=2**63 - 1,
    )
    precision: str = option(
        "auto",
        "Of the parameters while they are trained; bfloat16 is float32 with products of bfloat16, for cd and pcd.",
        "Run",
        choices=("auto", "float32", "bfloat16", "float64"),
        shown="float64 for lbfgs and em, bfloat16 where there are units for it, else float32",
    )
    device: str = option("cpu", "cpu, cuda, mps, or auto for the fastest there is.", "Run")
    threads: int = option(
        0, "Processor threads.", "Run", shown="one for small machines, else torch's own choice", low=0, high=1024
    )

    def __post_init__(self) -> None:
        types = get_type_hints(Config)
        for spec in fields(self):
            object.__setattr__(self, spec.name, checked(spec, types[spec.name], getattr(self, spec.name)))
        optimizer = self.optimizer.lower()
        if optimizer == "auto":
            optimizer = "adam" if self.by_labels else "sgd"
        object.__setattr__(self, "optimizer", optimizer)

    @property
    def aim(self) -> str:
        """The objective: one of `OBJECTIVES`."""
        if self.objective != "auto":
            return self.objective
        return "discriminative" if self.target else "generative"

    @property
    def by_labels(self) -> bool:
        """Whether it is to predict labels that a machine is trained, and so chosen and judged by ln P(label | data)."""
        return self.aim in ("discriminative", "hybrid")

    @property
    def label_source(self) -> str:
        """Where the labels come from: a file, a column or an array; empty for the data's own."""
        return self.labels or (self.target if self.target != "label" else "")

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
