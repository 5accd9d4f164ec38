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
from harmonium.labels import label_states, log_label_probabilities
from harmonium.machine import RBM
from harmonium.noise import Noise

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


@torch.no_grad()
def completed(rbm: RBM, v: Tensor, noise: Noise) -> Tensor:
    """States v (N, V) with a label drawn from P(label | x) in the rows that have none (zeros there).

    Moments of the data so completed are what the likelihood of partly labelled rows compares with the machine's own.
    Raises InputError where there is no label part.
    """
    states = label_states(rbm).to(v)
    inputs = v.shape[1] - states.shape[1]
    missing = ~v[:, inputs:].any(1)
    p = log_label_probabilities(rbm, v[missing, :inputs].to(rbm.W)).double().exp().cumsum(1)
    u = noise.uniform(len(p), 1).to(p)
    result = v.clone()
    result[missing, inputs:] = states[(p < u).sum(1).clamp_max(len(states) - 1)]
    return result


def class_counts(feed: Feed, rows: Tensor) -> Tensor:
    """How many of the given rows (n,) are of each class: (C,).  Raises InputError where the data have no labels."""
    if feed.y is None:
        raise InputError(_NO_LABELS)
    y = feed.y[rows]
    return torch.bincount(y[y != UNLABELLED], minlength=len(feed.classes))


def frequencies_score(feed: Feed, counts: Tensor, rows: Tensor) -> LabelScore:
    """What knowing the classes' frequencies alone would reach, of those of `rows` with a label.

    The frequencies are those of `counts` (C,), the training rows of each class; one imaginary row of each keeps a class
    that never occurred finite.  Raises InputError where the data have no labels.
    """
    if feed.y is None:
        raise InputError(_NO_LABELS)
    y = feed.y[rows]
    y = y[y != UNLABELLED]
    counts = counts.double() + 1
    log_p = (counts / counts.sum()).log()
    wrong = int((y != int(counts.argmax())).sum())
    return LabelScore(float(log_p[y].mean()), wrong / len(y), len(y))
