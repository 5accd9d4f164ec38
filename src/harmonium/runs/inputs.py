"""A run's data as its machine sees them: states of the visible side, and which rows are for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonium.config import Config
from harmonium.data import Dataset, split
from harmonium.errors import InputError
from harmonium.feed import Feed, Label, make_feed
from harmonium.noise import Noise, seed_for
from harmonium.start import independent_parameters
from harmonium.units import UnitFamily, parse_side

#: Validation rows that can judge: a default part of fewer is none.
FEWEST_VALIDATION = 30
#: Of the parameters; bfloat16 is for products alone.
_DTYPES = {"float32": torch.float32, "bfloat16": torch.float32, "float64": torch.float64}


@dataclass(frozen=True, eq=False)
class Rows:
    """Row numbers of the parts of the data; validation and held_out may be empty."""

    train: Tensor
    validation: Tensor
    held_out: Tensor


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a machine is trained and scored on.

    Attributes
    ----------
    mean : Tensor (k, V)
        The average of T(v) over the training rows.
    base : Tensor (k, V)
        Natural parameters of independent units with these means: the baseline, and where annealing starts.
    """

    config: Config
    data: Dataset
    feed: Feed
    rows: Rows
    mean: Tensor
    base: Tensor

    @property
    def unscaled(self) -> bool:
        """Whether Gaussian units get columns far from mean 0, or far from variance 1 where they learn it."""
        side, mean = self.feed.side, self.mean
        far = mean[0].abs() > 1
        if side.k == 2:
            variance = mean[1] - mean[0].square()
            far |= (mean[1] > 0) & ((variance < 0.1) | (variance > 10))
        gaussian = side.precision(side.neutral(mean)).isfinite()
        return bool((far & gaussian).any())


def open_inputs(
    config: Config, data: Dataset, *, classes: Sequence[Label] | None = None, feed: Feed | None = None
) -> Inputs:
    """The data as the options want them; `classes` are the labels that there may be, by default those that occur.

    `feed`, where it was made for the same options and data before, saves looking at all values again.

    Raises InputError naming the option or the value that does not fit.
    """
    visible = "bernoulli" if config.visible == "auto" else config.visible
    device = resolve_device(config.device)
    feed = feed or make_feed(
        data,
        read_side("visible", visible, columns=int(data.X.shape[1])),
        binarize=_rule(config),
        labelled=bool(config.target),
        classes=classes,
        dtype=resolve_precision(config, device),
        device=device,
    )
    rows = split_rows(config, data)
    noise = Noise(seed_for(config.seed, "mean"), dtype=feed.dtype, device=feed.device)
    mean = feed.mean_statistics(rows.train, noise)
    return Inputs(config, data, feed, rows, mean, independent_parameters(feed.side, mean, len(rows.train)))


def _rule(config: Config) -> str:
    """Where labels are to be predicted grey values stay as they are: P(target | data) takes any numbers.

    The other term of the hybrid objective takes them as means; a threshold would cost far more than that.
    """
    return "none" if config.binarize == "auto" and config.by_labels else config.binarize


def read_side(name: str, text: str, *, columns: int | None = None) -> UnitFamily:
    """The side that an option spells; raises InputError naming the option."""
    if len(text) > 1000:
        raise InputError(f"{name} is {len(text)} letters long, {text[:40]!r}...; write it shorter, as bernoulli:16.")
    try:
        side = parse_side(text, columns=columns)
        _ = float(side.size), side.log_base  # numbers beyond all bounds fail here, and not later
    except InputError as error:
        shown = text if len(text) <= 200 else f"{text[:60]}..."
        raise InputError(f"{name}={shown!r} cannot be used: {error}") from None
    except (ValueError, OverflowError):
        raise InputError(f"{name}={text!r} holds a number that is too large; write a smaller one.") from None
    return side


def resolve_device(name: str) -> torch.device:
    """cuda, then mps, then cpu for auto; raises InputError for what is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda", "mps"):
            raise RuntimeError("not a place to train")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        raise InputError(f"device={name!r} is not available here; use cpu or auto.") from None
    return device


def resolve_precision(config: Config, device: torch.device) -> torch.dtype:
    """float64 where likelihoods are compared from step to step, float32 otherwise."""
    if config.precision == "float64" and device.type == "mps":
        raise InputError("precision=float64 is not available on device mps; use float32 or device=cpu.")
    if config.precision == "auto":
        exact = config.optimizer in ("lbfgs", "em") and device.type != "mps"
        return torch.float64 if exact else torch.float32
    return _DTYPES[config.precision]


def split_rows(config: Config, data: Dataset) -> Rows:
    """Held-out rows first, then validation rows out of what is left for training."""
    train, held_out = (_as_tensor(rows, len(data)) for rows in split(data, config.held_out, config.seed))
    place, words = torch.arange(len(train)), "rows"
    if data.groups is not None:  # groups are drawn instead of rows
        place = torch.from_numpy(np.unique(data.groups[train.numpy()], return_inverse=True)[1])
        words = "groups of rows"
    n = int(place.max()) + 1 if len(place) else 0
    fraction = _validation_fraction(config, n)
    count = round(fraction * n)
    if fraction and not 0 < count < n:
        raise InputError(
            f"validation={fraction:g} of {n} training {words} makes {count} {words} to watch and "
            f"{n - count} to train on; choose another fraction."
        )
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed_for(config.seed, "validation")))
    watched = torch.zeros(n, dtype=torch.bool)
    watched[order[:count]] = True
    return Rows(train[~watched[place]], train[watched[place]], held_out)


def _validation_fraction(config: Config, n: int) -> float:
    """The part of n training rows asked for, or a tenth where that is enough, or where patience needs it."""
    if config.patience > 0 and config.validation == 0:
        raise InputError("patience is set, but validation is 0; give early stopping some rows to watch, such as 0.1.")
    if config.validation >= 0:
        return config.validation
    return 0.1 if config.patience > 0 or round(0.1 * n) >= FEWEST_VALIDATION else 0.0


def _as_tensor(rows: Any, n: int) -> Tensor:
    numbers = np.arange(n)[rows] if isinstance(rows, slice) else np.asarray(rows, dtype=np.int64)
    return torch.from_numpy(numbers)
