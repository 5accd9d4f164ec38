"""The two sizes of the study, the images, and which rows are for what.

    training rows    the data set's own 60,000 (of the bundled digits: the first four fifths)
    test rows        its own 10,000 (the last fifth); they choose nothing, anywhere

Where something has to be chosen, validation rows are taken out of the training rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harmonium.data import Dataset, load_data
from harmonium.experiments.study import Scale
from harmonium.feed import Feed, make_feed
from harmonium.noise import seed_for
from harmonium.units import Bernoulli

#: One row in so many is for validation: 5,000 of 60,000.
VALIDATION = 12
#: The training part of a data set that has none of its own.
_TRAIN = 0.8
#: Training rows and pixels, so that tasks can be named without the data.
TRAIN, PIXELS = {"full": 60_000, "quick": 1438}, {"full": 784, "quick": 64}

SCALES = {
    "full": Scale("full", {"data": "mnist", "binarize": "stochastic"}, comparable=True),
    "quick": Scale("quick", {"data": "digits", "binarize": "stochastic"}, comparable=False),
}


@cache
def images(data: str) -> Dataset:
    """The data set of that name with a training and a test part; read once a process."""
    whole = load_data(data)
    return whole if whole.n_train else replace(whole, n_train=round(_TRAIN * len(whole)))


@dataclass(frozen=True, eq=False)
class Digits:
    """Images with codes of their classes; `feed.inputs` gives them as grey values from 0 to 1.

    y (N,) are codes; train and test are row numbers.
    """

    feed: Feed
    y: Tensor
    train: Tensor
    test: Tensor

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.feed.classes)


@cache
def digits(data: str) -> Digits:
    """The images of that name, ready for networks."""
    whole = images(data)
    feed = make_feed(whole, Bernoulli(whole.X.shape[1]), binarize="stochastic", labelled=True)
    assert feed.y is not None
    n = whole.n_train or 0
    return Digits(feed, feed.y, torch.arange(n), torch.arange(n, len(whole)))


def in_turn(y: npt.ArrayLike, seed: int) -> npt.NDArray[np.int64]:
    """All rows of labels y (N,) in an order of their own for each seed, one of each class in turn: (N,).

    So the first rows have the classes in equal shares, however many are taken, until a class has no more.
    """
    codes = np.asarray(y)
    order = np.random.default_rng(seed_for("digits", "rows", seed)).permutation(len(codes))
    own = codes[order]
    place = np.empty(len(own), np.int64)  # of each row among those of its class
    for code in np.unique(own):
        mine = own == code
        place[mine] = np.arange(mine.sum())
    return np.asarray(order[np.lexsort((own, place))], np.int64)


def labelled(given: Digits, labels: int, validation: int, seed: int) -> tuple[Tensor, Tensor]:
    """Training and validation rows out of the first `labels` training rows in turn, all of them where it is 0.

    The labels of one number are among those of every larger number of the same seed.
    """
    chosen = given.train[torch.from_numpy(in_turn(given.y[given.train].numpy(), seed))]
    chosen = chosen[: labels or len(chosen)]
    return chosen[validation:], chosen[:validation]


def train_rows(scale: Scale) -> int:
    """How many rows there are to train on."""
    return TRAIN[scale.name]


def facts(scale: Scale) -> dict[str, str]:
    """What the data are, in words."""
    whole = images(str(scale.data["data"]))
    shape = " × ".join(map(str, whole.shape))
    n = whole.n_train or 0
    return {
        "data": f"{whole.name}, {n:,} training and {len(whole) - n:,} test images of {shape} pixels",
        "binarisation": f"machines: grey value / {whole.scale:g} is a probability, drawn anew each time; networks and "
        "label predictions take the grey values themselves",
    }
