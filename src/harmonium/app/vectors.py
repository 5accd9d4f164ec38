"""Test vectors: what Python says of some pictures in float64, with the parameters that travel, for the page to agree.

Of a machine with a label the picture alone is given, and the label is summed over:

    h = sum_y P(y | x) E[h | x, y],    F(x) = -ln sum_y exp(-F(x, y)),    P(y | x) = exp(F(x) - F(x, y))
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from harmonium.app.layers import Floats, Network, evaluated
from harmonium.app.panel import Panel, label_and_pixels
from harmonium.machine import RBM

#: How many a panel carries.
VECTORS = 20


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model says of one picture: hidden means (H,), the picture made of them (V,), F in nats, and P(y | x)."""

    hidden: Floats
    reconstruction: Floats
    free_energy: float | None
    probabilities: Floats | None


@dataclass(frozen=True, eq=False)
class Vector:
    """An answer, and to what: the numbers of the state, its snapshot and the picture."""

    state: int
    snapshot: int
    picture: int
    answer: Answer


def vectors_of(panel: Panel, number: int = VECTORS) -> list[Vector]:
    """Vectors of all states in turn, their last snapshots first."""
    pictures = panel.pictures.visible()
    vectors = []
    for i in range(number):
        at = i % len(panel.states)
        snapshots = panel.states[at].snapshots
        snapshot = len(snapshots) - 1 - (i // len(panel.states)) % len(snapshots)
        picture = i % len(pictures)
        vectors.append(Vector(at, snapshot, picture, answer(snapshots[snapshot].model, pictures[picture])))
    return vectors


@torch.no_grad()
def answer(model: RBM | Network, x: Floats) -> Answer:
    """What the model, in float64, says of one picture x (V,) in visible units."""
    if isinstance(model, Network):
        code = evaluated(model.encoder, x[None])
        probabilities = None
        if model.classifier is not None:
            probabilities = evaluated(model.classifier, code if model.on_code else x[None])[0]
        return Answer(code[0], evaluated(model.decoder, code)[0], None, probabilities)
    v = torch.from_numpy(x)[None]
    label = label_and_pixels(model)[1]
    share = None
    if label is not None:
        states = torch.eye(label.q, dtype=v.dtype)
        v = torch.cat([v.expand(label.q, -1), states], 1)
        free = model.free_energy(v)
        share = (-free).softmax(0)
        energy = -float((-free).logsumexp(0))
    else:
        energy = float(model.free_energy(v)[0])
    means = model.hidden.mean(model.eta_h_from_v(v))[:, 0]
    hidden = means[0] if share is None else share @ means
    down = model.visible.mean(model.eta_v_from_h(hidden[None]))[0, 0, : len(x)]
    return Answer(np.asarray(hidden), np.asarray(down), energy, None if share is None else np.asarray(share))
