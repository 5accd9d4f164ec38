"""How well a machine with a label among its visible units predicts it from the rest.

ln P(y | x) in nats, averaged over rows;   error: the share of rows whose most probable label is not their own
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from harmonium.errors import InputError
from harmonium.feed import Feed
from harmonium.labels import log_label_probabilities
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for


@dataclass(frozen=True)
class LabelScore:
    """Mean ln P(own label | x), in nats, and the share of wrong labels."""

    log_p: float
    error: float


def label_score(rbm: RBM, feed: Feed, rows: Tensor, *, seed: int = 0) -> LabelScore:
    """Score the given rows (n,); stochastic rows are drawn with the given seed.

    Raises InputError where the data have no labels.
    """
    if feed.y is None:
        raise InputError("the data have no labels to be scored; train with with_labels.")
    noise = Noise(seed_for(seed, "rows"), dtype=feed.dtype, device=feed.device)
    log_p, wrong = 0.0, 0
    for block in feed.blocks(rows):
        x = feed.states(block, noise)[:, : feed.pixels.size].to(rbm.W)
        y = feed.y[block].to(x.device)
        each = log_label_probabilities(rbm, x)  # (n, C)
        log_p += float(each.gather(1, y.unsqueeze(1)).sum())
        wrong += int((each.argmax(1) != y).sum())
    return LabelScore(log_p / len(rows), wrong / len(rows))
