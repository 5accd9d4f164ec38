"""Backpropagation through an unrolled network: as a classifier, or as an autoencoder.

    classifier     loss = - ln softmax(logits)_y
    autoencoder    loss = A(eta) - eta·x        - ln p(x | eta) of the visible family, up to a constant of the data;
                                                for Bernoulli units the cross-entropy with grey values x

The minibatches of an epoch are a permutation that depends on the seed and the epoch alone.  Adam's rate falls linearly
to zero; the network of the best validation epoch is kept.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from harmonium.deep.dropout import drawing_from
from harmonium.errors import DivergedError
from harmonium.noise import Noise, seed_for
from harmonium.units import Gaussian, UnitFamily

#: Rates that a search tries, and what each gets: a share of the epochs, and at least so many updates.
RATES, SEARCH_SHARE, SEARCH_UPDATES = (0.0001, 0.0003, 0.001, 0.003), 0.1, 500
#: Epochs where none are asked for, and updates that there are at least.
OWN_EPOCHS, FEWEST_UPDATES = 50, 3000
#: The rate where nothing can choose.
DEFAULT_RATE = 0.001
#: Rows of a block that is only evaluated.
_BLOCK = 2000

#: Inputs of the given row numbers: (n,) -> (n, V).
Rows = Callable[[Tensor], Tensor]
#: Output of the network and the rows' own targets: -> loss of each row (n,), in nats.
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Task:
    """What a network is trained for.

    Attributes
    ----------
    inputs, targets : callable
        Of row numbers (n,): what goes in (n, V), and what the loss compares with the output.
    loss, error : callable
        Of output and targets: (n,) each.  `loss` is what falls, in nats; `error` what people read: 1 for a wrong class,
        or the squared distance.
    train, validation : Tensor
        Row numbers; validation rows, which may be none, choose the rate and the epoch.
    """

    inputs: Rows
    targets: Rows
    loss: Loss
    error: Loss
    train: Tensor
    validation: Tensor


@dataclass(frozen=True)
class Settings:
    """How it is trained: epochs (0: `own_epochs`), rows of a minibatch, Adam's first rate (None: searched), decay."""

    epochs: int = 0
    batch_size: int = 100
    learning_rate: float | None = None
    weight_decay: float = 0.0
    patience: int = 0
    seed: int = 0


def classification(
    inputs: Rows, y: Tensor, train: Tensor, validation: Tensor, device: torch.device | str = "cpu"
) -> Task:
    """The task of predicting y (N,), codes of classes, by a network on a device."""

    def wrong(output: Tensor, own: Tensor) -> Tensor:
        return (output.argmax(1) != own).to(output.dtype)

    def loss(output: Tensor, own: Tensor) -> Tensor:
        return cross_entropy(output, own, reduction="none")

    def targets(rows: Tensor) -> Tensor:
        return y[rows].to(device)

    return Task(inputs, targets, loss, wrong, train, validation)


def reconstructing(inputs: Rows, side: UnitFamily, train: Tensor, validation: Tensor) -> Task:
    """The task of giving back the inputs, for what `fields_of` makes of an autoencoder.

    The loss of Gaussian units is half of the squared distance, as of unit variance.
    """

    def squared(output: Tensor, x: Tensor) -> Tensor:
        mean = output if isinstance(side, Gaussian) else side.mean(output.unsqueeze(-2))[..., 0, :]
        return (mean - x).square().sum(1)

    def loss(output: Tensor, x: Tensor) -> Tensor:
        if isinstance(side, Gaussian):
            return 0.5 * (output - x).square().sum(1)
        eta = output.unsqueeze(-2)
        return side.log_partition(eta) - side.dot(eta, x)

    return Task(inputs, inputs, loss, squared, train, validation)


def fields_of(network: nn.Sequential) -> nn.Sequential:
    """An autoencoder without the last step from fields to means, sharing its parameters: what its loss is made of."""
    encoder, decoder = network
    assert isinstance(decoder, nn.Sequential)
    maps = list(decoder)
    return nn.Sequential(encoder, *maps[: len(maps) - (not isinstance(maps[-1], nn.Linear))])


def fine_tune(
    network: nn.Module, task: Task, settings: Settings, watch: Callable[[dict[str, Any]], bool | None] | None = None
) -> list[dict[str, Any]]:
    """Train the network in place; returns a record an epoch.

    Parameters
    ----------
    network : Module
        It ends as it was after the best validation epoch; without validation rows, after the last.
    task, settings
        See `Task` and `Settings`.
    watch : callable, optional
        Gets each record; True ends the training.

    Returns
    -------
    list of dict
        ``epoch`` (0 is before the first step), ``train_loss`` and ``train_error`` over the epoch, with dropout,
        ``validation_loss``, ``validation_error``, ``learning_rate``.

    Raises
    ------
    DivergedError
        The loss is no longer a number.
    """
    if not settings.epochs:
        settings = replace(settings, epochs=own_epochs(task, settings.batch_size))
    if settings.learning_rate is None:
        settings = replace(settings, learning_rate=searched_rate(network, task, settings))
    history: list[dict[str, Any]] = []
    best, kept, waited = math.inf, None, 0
    judged = len(task.validation) > 0
    for record in epochs(network, task, settings):
        history.append(record)
        if judged:
            score = validation_score(record)
            waited = 0 if score < best else waited + 1
            if score < best:
                best, kept = score, copy.deepcopy(network.state_dict())
        ends = watch is not None and watch(record)
        if ends or (settings.patience and waited >= settings.patience):
            break
    if kept is not None:
        network.load_state_dict(kept)
    return history


def validation_score(record: dict[str, Any]) -> float:
    """What the kept epoch has the least of: the error, and among equals the loss."""
    return float(record["validation_error"] + 1e-3 * record["validation_loss"])


def kept_epoch(history: list[dict[str, Any]]) -> int:
    """The epoch whose network is kept: the last, where there are no validation rows."""
    judged = [record for record in history if "validation_error" in record]
    return int(min(judged, key=validation_score)["epoch"] if judged else history[-1]["epoch"])


def updates_of(task: Task, batch_size: int) -> int:
    """Updates in an epoch."""
    return math.ceil(len(task.train) / batch_size)


def own_epochs(task: Task, batch_size: int) -> int:
    """Fifty, or more where the rows are so few that fifty would be few updates."""
    return max(OWN_EPOCHS, math.ceil(FEWEST_UPDATES / updates_of(task, batch_size)))


def searched_rate(network: nn.Module, task: Task, settings: Settings) -> float:
    """The rate of `RATES` with the lowest validation loss after a tenth of the epochs; `DEFAULT_RATE` without rows."""
    if not len(task.validation):
        return DEFAULT_RATE
    enough = math.ceil(SEARCH_UPDATES / updates_of(task, settings.batch_size))
    some = min(settings.epochs, max(enough, math.ceil(SEARCH_SHARE * settings.epochs)))
    found = {}
    for rate in RATES:
        trial = copy.deepcopy(network)
        try:
            *_, last = epochs(trial, task, replace(settings, epochs=some, learning_rate=rate))
        except DivergedError:
            continue
        found[rate] = last["validation_loss"]
    return min(found, key=lambda rate: found[rate]) if found else RATES[0]


def epochs(network: nn.Module, task: Task, settings: Settings) -> Any:
    """The training itself, yielding a record before the first epoch and after each."""
    rate = DEFAULT_RATE if settings.learning_rate is None else settings.learning_rate
    n, size = len(task.train), min(settings.batch_size, len(task.train))
    per_epoch = updates_of(task, size)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, weight_decay=settings.weight_decay, fused=True)
    yield {"epoch": 0, **_scores("validation", network, task, task.validation), "learning_rate": rate}
    device = next(network.parameters()).device
    steps = drawing_from(network, Noise(seed_for(settings.seed, "dropout"), device=device))
    for epoch in range(settings.epochs):
        generator = torch.Generator().manual_seed(seed_for(settings.seed, "fine-tune", epoch))
        order = task.train[torch.randperm(n, generator=generator)]
        steps.train()
        loss_sum = error_sum = 0.0
        for i, rows in enumerate(order.split(size)):
            for group in optimizer.param_groups:
                group["lr"] = rate * (1 - (epoch * per_epoch + i) / (settings.epochs * per_epoch))
            targets = task.targets(rows)
            output = steps(task.inputs(rows))
            each = task.loss(output, targets)
            optimizer.zero_grad(set_to_none=True)
            each.mean().backward()
            optimizer.step()
            with torch.no_grad():
                loss_sum += float(each.sum())
                error_sum += float(task.error(output, targets).sum())
        network.eval()
        if not math.isfinite(loss_sum):
            raise DivergedError(
                f"fine-tuning diverged in epoch {epoch + 1}: the loss is no longer finite; lower the learning rate."
            )
        record = {"epoch": epoch + 1, "train_loss": loss_sum / n, "train_error": error_sum / n}
        yield {**record, **_scores("validation", network, task, task.validation), "learning_rate": rate}


@torch.no_grad()
def scores(network: nn.Module, task: Task, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Loss and error of each of the given rows: (n,) and (n,)."""
    network.eval()
    found = [
        (task.loss(output, targets), task.error(output, targets))
        for block in rows.split(_BLOCK)
        for output, targets in [(network(task.inputs(block)), task.targets(block))]
    ]
    losses, errors = zip(*found, strict=True)
    return torch.cat(losses), torch.cat(errors)


def _scores(name: str, network: nn.Module, task: Task, rows: Tensor) -> dict[str, float]:
    if not len(rows):
        return {}
    loss, error = scores(network, task, rows)
    return {f"{name}_loss": float(loss.mean()), f"{name}_error": float(error.mean())}
