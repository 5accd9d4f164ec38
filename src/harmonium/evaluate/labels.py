"""How well a machine with a label among its visible units predicts it from the rest.

ln P(y | x) in nats, averaged over rows;   error: the share of rows whose most probable label is not their own
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harmonium.data.labels import UNLABELLED
from harmonium.errors import InputError
from harmonium.feed import Feed
from harmonium.labels import log_label_probabilities
from harmonium.machine import RBM

_NO_LABELS = "the data have no labels to be scored; train with target=label."


@dataclass(frozen=True)
class LabelScore:
    """Mean ln P(own label | x), in nats, the share of wrong labels, and the rows that have a label."""

    log_p: float
    error: float
    rows: int


def label_score(rbm: RBM, feed: Feed, rows: Tensor) -> LabelScore | None:
    """Score those of the given rows (n,) that have a label; None where there are none.

    Rows that are drawn while training count with their means.  Raises InputError where the data have no labels.
    """
    if feed.y is None:
        raise InputError(_NO_LABELS)
    log_p, y = label_log_probabilities(rbm, feed, rows), feed.y[rows].to(rbm.W.device)
    known = y != UNLABELLED
    n = int(known.sum())
    if not n:
        return None
    log_p, y = log_p[known], y[known]
    wrong = int((log_p.argmax(1) != y).sum())
    return LabelScore(float(log_p.gather(1, y.unsqueeze(1)).sum(dtype=torch.float64)) / n, wrong / n, n)


@torch.no_grad()
def label_log_probabilities(rbm: RBM, feed: Feed, rows: Tensor) -> Tensor:
    """ln P(label | x) of the given rows (n,), with or without labels, in nats: (n, C).

    Rows that are drawn while training count with their means.
    """
    blocks = [log_label_probabilities(rbm, feed.inputs(block).to(rbm.W)) for block in feed.blocks(rows)]
    return torch.cat(blocks)


def frequencies_score(feed: Feed, train: Tensor, rows: Tensor) -> LabelScore:
    """What knowing the classes' frequencies in the rows `train` alone would reach, of those of `rows` with a label.

    One imaginary row of each class keeps a class that never occurred finite.  Raises InputError without labels.
    """
    if feed.y is None:
        raise InputError(_NO_LABELS)
    own, y = feed.y[train], feed.y[rows]
    own, y = own[own != UNLABELLED], y[y != UNLABELLED]
    counts = torch.bincount(own, minlength=len(feed.classes)).double() + 1
    log_p = (counts / counts.sum()).log()
    wrong = int((y != int(counts.argmax())).sum())
    return LabelScore(float(log_p[y].mean()), wrong / len(y), len(y))
