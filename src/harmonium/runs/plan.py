"""From a configuration and a data set to everything that training needs; the same for a new run and a resumed one.

Whatever is wrong with the options shows here, before a run folder is touched.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from harmonium.config import FULL_BATCH, Config
from harmonium.data import Dataset
from harmonium.data.labels import UNLABELLED
from harmonium.errors import InputError
from harmonium.feed import Feed
from harmonium.kernels.bfloat16 import has_units
from harmonium.logz.exact import smaller_side_hidden
from harmonium.machine import RBM
from harmonium.negative import CD, NEGATIVES, PCD, Clamped, Hybrid, Negative
from harmonium.noise import Noise, seed_for
from harmonium.runs.inputs import Inputs, open_inputs, read_side
from harmonium.start import first_machine
from harmonium.training import schedules
from harmonium.training.average import Average
from harmonium.training.batches import Batches
from harmonium.training.em import EM
from harmonium.training.loop import TrainState
from harmonium.training.transforms import Transform, make_transforms
from harmonium.training.update import GradientUpdate, Update, default_learning_rate
from harmonium.units import Bernoulli, UnitFamily

_MOST_WEIGHTS = 2**32
_FEWEST_UPDATES, _MOST_UPDATES = 3000, 10**8
#: Log-partition terms a second, roughly and on one processor; and the most that an exact gradient may take.
_TERMS_A_SECOND, _MOST_TERMS = 2e8, 1e11


@dataclass(frozen=True, eq=False)
class Plan(Inputs):
    """A training run, ready to start: the data, and what is done with them."""

    batches: Batches
    total: int
    per_epoch: int
    largest_batch: int
    negative: Negative
    transforms: tuple[Transform, ...]
    state: TrainState


#: Makes another first machine out of the usual one, on the same two sides.
First = Callable[[RBM], RBM]


def make_plan(config: Config, data: Dataset, *, feed: Feed | None = None, first: First | None = None) -> Plan:
    """Everything for a run from its first step; raises InputError naming the option that does not fit.

    `feed` may be that of a run on the same data with another seed.
    """
    if config.learning_rate_final and config.schedule != "linear":
        raise InputError(
            f"learning_rate_final={config.learning_rate_final:g} goes with learning_rate_schedule=linear, not "
            f"{config.schedule}; leave it out or set the schedule."
        )
    inputs = open_inputs(config, data, feed=feed)
    feed, rows = inputs.feed, _rows_to_draw(inputs)
    n = len(rows)
    noise = Noise(seed_for(config.seed, "train"), dtype=feed.dtype, device=feed.device)
    machine = _first_machine(inputs, read_side("hidden", config.hidden), noise)
    if first is not None:
        machine = first(machine)
    size, final = _batch_sizes(config, n)
    epochs = config.epochs or _own_epochs(config, n, size)
    per_epoch = config.minibatches or schedules.passes_per_epoch(n, size, final, epochs)
    if per_epoch * epochs > _MOST_UPDATES:
        raise InputError(
            f"epochs={epochs} of {per_epoch} minibatches make {epochs * per_epoch} updates, more than "
            f"{_MOST_UPDATES}; choose fewer."
        )
    sizes = schedules.minibatch_sizes(size, final, epochs, per_epoch)
    total = len(sizes)
    centre = inputs.mean[0].to(feed.dtype) if config.centred else None
    return Plan(
        **vars(inputs),
        batches=Batches(feed, rows, sizes, config.seed),
        total=total,
        per_epoch=per_epoch,
        largest_batch=int(sizes.max()),
        negative=_in_precision(config, machine, _make_negative(config, machine, int(sizes.max()))),
        transforms=make_transforms(l1=config.l1, l2=config.l2, centre=centre),
        state=_state(config, _make_update(config, machine, total), noise),
    )


def _state(config: Config, update: Update, noise: Noise) -> TrainState:
    average = Average(update.rbm, config.averaging) if config.averaging else None
    return TrainState(update, noise, average=average)


def _rows_to_draw(inputs: Inputs) -> Tensor:
    """The training rows; where some have no label, the rarer kind so often that the labelled make their share."""
    feed, rows, config = inputs.feed, inputs.rows.train, inputs.config
    with_label = feed.with_label(rows)
    if len(with_label) == len(rows):
        if config.labelled_share > 0:
            raise InputError("labelled_share is for data of which some rows have no label; leave it out.")
        return rows
    if not len(with_label):
        raise InputError("target is set, but no training row has a label; label some, or leave target out.")
    if config.aim == "discriminative":  # a row without a label says nothing about P(target | data)
        return with_label
    if config.optimizer == "lbfgs":
        raise InputError(
            f"optimizer=lbfgs needs the value of the objective, which is not known for objective={config.aim} where "
            "some rows have no label; use another optimizer, or leave these rows out."
        )
    own = len(with_label) / len(rows)
    share = config.labelled_share
    if share < 0:
        share = own if config.optimizer in FULL_BATCH else max(0.5, own)
    if share == 1:
        return with_label
    assert feed.y is not None
    without = rows[feed.y[rows] == UNLABELLED]
    wanted = round(share / (1 - share) * len(without))
    if wanted < len(with_label):
        without = _repeated(without, round((1 - share) / share * len(with_label)), config.seed)
    return torch.cat([_repeated(with_label, wanted, config.seed), without])


def _repeated(rows: Tensor, count: int, seed: int) -> Tensor:
    """The rows (n,) as often as makes `count`, n at least: all of them equally often, or some once more."""
    copies, rest = divmod(max(count, len(rows)), len(rows))
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed_for(seed, "repeated rows")))
    return torch.cat([rows.repeat(copies), rows[order[:rest]]])


def _first_machine(inputs: Inputs, hidden: UnitFamily, noise: Noise) -> RBM:
    """Random weights, and biases from the data; raises InputError for machines that cannot be."""
    config, visible = inputs.config, inputs.feed.side
    weights = visible.size * hidden.size
    if weights > _MOST_WEIGHTS:
        raise InputError(
            f"hidden={config.hidden} on {visible.size} visible entries makes {weights:.3g} weights, more than "
            f"{_MOST_WEIGHTS:.3g}; choose fewer units."
        )
    a = inputs.base if config.bias_start == "data" else None
    first = first_machine(
        visible, hidden, noise, a=a, weight_scale=config.weight_scale, weight_start=config.weight_start
    )
    try:
        first.check_normalisable()
    except InputError as error:
        raise InputError(f"weight_scale={config.weight_scale:g} is too large here: {error}") from None
    return first


def _own_epochs(config: Config, n: int, size: int) -> int:
    """Epochs where none are asked for: 20, or more where the data are so few that 20 would be few updates."""
    if config.optimizer in FULL_BATCH:
        return 100
    return max(20, math.ceil(_FEWEST_UPDATES / (config.minibatches or math.ceil(n / size))))


def _batch_sizes(config: Config, n: int) -> tuple[int, int]:
    """Rows in the first and in the last minibatch, of n."""
    full_batch = config.optimizer in FULL_BATCH
    size = {0: n, -1: n if full_batch else min(100, n)}.get(config.batch_size, min(config.batch_size, n))
    final = min(config.batch_size_final or size, n)
    if full_batch and (size < n or final < n):
        name = "batch_size" if size < n else "batch_size_final"
        value = getattr(config, name)
        raise InputError(f"optimizer={config.optimizer} takes all {n} rows at once, not {name}={value}; leave it out.")
    return size, final


def _make_negative(config: Config, first: RBM, largest_batch: int) -> Negative:
    if config.negative not in NEGATIVES:
        raise InputError(f"unknown negative {config.negative!r}: choose from {', '.join(NEGATIVES)}.")
    if config.objective not in ("auto", "generative") and not config.target:
        raise InputError(f"objective={config.objective} is about a target, and there is none; set target=label.")
    if config.objective == "generative" and config.target:
        raise InputError("objective=generative models the data alone; leave target out, or use objective=joint.")
    if config.aim == "discriminative" and config.optimizer != "em":
        return Clamped()
    if config.negative == "exact" and config.optimizer != "em":
        _check_enumerable(first)
    if config.optimizer == "em":  # needs the data's moments alone
        return NEGATIVES["exact"](1, 1)
    generative = NEGATIVES[config.negative](config.steps, config.chains or largest_batch)
    if (check := getattr(generative, "check", None)) is not None:  # some are for some units only
        check(first)
    return Hybrid(generative, config.generative_weight) if config.aim == "hybrid" else generative


def _in_precision(config: Config, first: RBM, negative: Negative) -> Negative:
    """The same with products of bfloat16 numbers, if they are asked for, or quicker here and of whole numbers."""
    wanted = config.precision == "bfloat16"
    if not isinstance(negative, CD | PCD):
        if wanted:
            raise InputError(
                "precision=bfloat16 is for the products of Gibbs chains (negative=cd or pcd, objective=generative or "
                "joint); use float32."
            )
        return negative
    if config.precision == "auto":
        counted = first.visible.levels is not None and first.hidden.levels is not None
        # on the processor zeros and ones are not multiplied at all, which is quicker still (kernels/contrast.py)
        added = first.W.device.type == "cpu" and all(isinstance(x, Bernoulli) for x in (first.visible, first.hidden))
        wanted = counted and not added and first.W.dtype == torch.float32 and has_units(first.W.device)
    return replace(negative, low_precision=wanted)


def _check_enumerable(rbm: RBM) -> None:
    turned = smaller_side_hidden(rbm)
    sides = f"{rbm.visible.spec} with {rbm.hidden.spec}"
    if turned is None:
        raise InputError(f"negative=exact enumerates the states of one side, and {sides} has none; use cd or pcd.")
    states = turned.hidden.n_states or 0
    cost = states * turned.visible.size
    if cost > _MOST_TERMS:
        hours = math.inf if states > 1 << 62 else cost / _TERMS_A_SECOND / 3600
        long = f"about {hours:.2g} hours" if hours < 1e4 else "more than a year"
        raise InputError(
            f"negative=exact would take {long} an update for {sides}; choose cd or pcd, or fewer hidden units."
        )


def _make_update(config: Config, first: RBM, total: int) -> Update:
    if config.optimizer == "em":
        if config.negative not in ("pcd", "exact"):
            raise InputError(
                f"optimizer=em draws no samples, so negative={config.negative} does nothing; leave it out."
            )
        if config.by_labels:
            raise InputError(f"optimizer=em raises ln p(data, target), not the {config.aim} objective; set joint.")
        asked = {"l1": config.l1, "l2": config.l2, "momentum": config.first_momentum, "centre": config.centred,
                 "averaging": config.averaging}  # fmt: skip
        for name, is_set in asked.items():
            if is_set:
                raise InputError(f"optimizer=em takes no {name}={getattr(config, name)}; leave it out.")
        return EM(first)
    if config.optimizer == "lbfgs":
        if config.negative != "exact" and config.aim != "discriminative":
            raise InputError(
                f"optimizer=lbfgs needs the exact gradient, not negative={config.negative}; use negative=exact."
            )
        if config.centred:
            raise InputError("optimizer=lbfgs follows the gradient itself; leave centre out.")
        if config.binarize == "stochastic":
            raise InputError("optimizer=lbfgs needs data that stay the same, not binarize=stochastic; use a threshold.")
    rate = config.learning_rate if config.learning_rate > 0 else default_learning_rate(config.optimizer)
    learning_rate = schedules.SCHEDULES[config.schedule](rate, config.learning_rate_final, total)
    momentum = None
    if config.first_momentum or config.momentum_final >= 0:
        last = config.momentum_final if config.momentum_final >= 0 else config.first_momentum
        momentum = schedules.switch(config.first_momentum, last, total, config.momentum_switch)
    update = GradientUpdate(first, config.optimizer, learning_rate, momentum)
    if isinstance(update.optimizer, torch.optim.SparseAdam):
        raise InputError("optimizer=sparseadam is for sparse gradients, and these are dense; use adam.")
    return update
