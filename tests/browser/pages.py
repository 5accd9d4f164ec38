"""Pages for the browser to open: a trained machine in three states, a large one, and one of every family."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from harmonium.app.from_run import DEMONSTRATION, demonstration
from harmonium.app.panel import FINETUNED, PRETRAINED, RANDOM, Panel, state_from_machines, state_from_network
from harmonium.app.pictures import Pictures, strokes
from harmonium.data import load_data
from harmonium.deep.stack import Stack
from harmonium.deep.unroll import decoder, encoder
from harmonium.machine import RBM
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product

CLASSES = tuple(range(10))
FAMILIES = [
    (Bernoulli(64), Bernoulli(6)),
    (Ising(64), Ising(5)),
    (Bernoulli(64), Product(Multivalued(4, 3), Interval(3))),
    (Interval(64), OneHot(2, 3)),
    (Multivalued(64, 4), OneHot(2, 3, none=True)),
    (Gaussian(64, 0.7), Bernoulli(5)),
    (Product(Gaussian(64), OneHot(1, 10)), Ising(5)),
    (Product(Bernoulli(64), OneHot(1, 10)), Gaussian(4, 0.3)),
]


def machine(visible, hidden, scale=0.1, seed=0):
    """Random parameters; those of learned variances stay negative."""
    torch.manual_seed(seed)
    W, a, b = (scale * torch.randn(*shape) for shape in ((visible.size, hidden.size), (visible.k, visible.size),
                                                         (hidden.k, hidden.size)))  # fmt: skip
    for side, rows in ((visible, a), (hidden, b)):
        if side.k == 2:
            rows[1] = -0.5 - rows[1].abs()
    return RBM(visible, hidden, W, a, b)


def pictures(size=8, **changes):
    """Digits of 8 × 8 pixels, or of 28 × 28 made from them."""
    data = load_data("digits")
    first = [int(np.flatnonzero(data.y == c)[i]) for i in range(2) for c in range(10)]
    values = data.X[first].reshape(-1, 8, 8)
    if size == 28:
        values = np.pad(values.repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    box, pen, centre = strokes(values / 16.0)
    flat, labels = values.reshape(len(values), -1), tuple(str(c) for c in data.y[first])
    own = Pictures(flat, 16, (size, size), labels, 0.0, 1.0, None, box, pen, centre)
    return replace(own, **changes)


def network(inputs, code, seed=0, classes=10):
    """An encoder, a decoder and a classifier on the code."""
    torch.manual_seed(seed)
    return (
        nn.Sequential(nn.Linear(inputs, code), nn.Sigmoid(), nn.Dropout(0.5)),
        nn.Sequential(nn.Linear(code, inputs), nn.Sigmoid()),
        nn.Sequential(nn.Linear(code, classes)),
    )


def fine_tuned(panel):
    """The panel with a network beside it that does what its machine does."""
    rbm = panel.states[-1].snapshots[-1].model
    pixels = panel.pictures.size
    encoder, decoder, _ = network(pixels, rbm.hidden.size)
    with torch.no_grad():
        encoder[0].weight.copy_(rbm.W[:pixels].mT)
        encoder[0].bias.copy_(rbm.b[0] + rbm.W[pixels:].mean(0))
        decoder[0].weight.copy_(rbm.W[:pixels])
        decoder[0].bias.copy_(rbm.a[0, :pixels])
    own = state_from_network(FINETUNED, encoder, decoder, network(pixels, rbm.hidden.size)[2])
    return replace(panel, states=(*panel.states, own))


def small():
    """A machine on the bundled digits, trained a little, in three states."""
    return demonstration(config=replace(DEMONSTRATION, epochs=12, hidden="bernoulli:40", measure=1), tuning=5)


def large(hidden=500):
    """784 pixels and 500 hidden units (or so many), untrained, in three states."""
    sides = Product(Bernoulli(784), OneHot(1, 10)), Bernoulli(hidden)
    first, last = (machine(*sides, scale, 1) for scale in (0.01, 0.05))
    own = (state_from_machines(RANDOM, [(0, first)]), state_from_machines(PRETRAINED, [(0, first), (900, last)]))
    return fine_tuned(Panel(f"784 × {hidden}", pictures(28), CLASSES, own))


def of_every_family():
    """A panel for each pair of `FAMILIES`, and one of networks with the other functions."""
    panels = []
    for i, (visible, hidden) in enumerate(FAMILIES):
        signed = visible.name in ("ising", "interval", "multivalued")
        threshold = 0.5 if visible.name == "ising" else None
        own = pictures(low=-1.0 if signed else 0.0, threshold=threshold)
        states = (state_from_machines("One", [(i, machine(visible, hidden, seed=i)), (9, machine(visible, hidden))]),)
        panels.append(Panel(f"{visible.spec} {hidden.spec}", own, CLASSES if visible.size > 64 else (), states))
    torch.manual_seed(3)
    deep = nn.Sequential(nn.Linear(64, 9), nn.Tanh(), nn.Linear(9, 7, bias=False), nn.ReLU())
    back = nn.Sequential(nn.Linear(7, 9), nn.Softmax(-1), nn.Linear(9, 64))
    on_pixels = nn.Sequential(nn.Linear(64, 12), nn.Sigmoid(), nn.Linear(12, 10), nn.Softmax(1))
    panels.append(Panel("deep", pictures(), CLASSES, (state_from_network("Deep", deep, back, on_pixels),)))
    between = Multivalued(9, 3)
    stack = Stack((machine(Bernoulli(64), between, seed=1), machine(between, OneHot(2, 3), seed=2)))
    panels.append(Panel("stack", pictures(), (), (state_from_network("Stack", encoder(stack), decoder(stack)),)))
    return panels


def until(tab, condition):
    """Wait until a condition holds: the page's policy forbids the driver's own way, which is to evaluate text."""
    for _ in range(200):
        if tab.evaluate(condition):
            return
        tab.wait_for_timeout(25)
    raise AssertionError(condition)


def settle(tab):
    """Wait until the page has shown what was done to it: it computes in the next frame."""
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def draw(tab, points, steps=4):
    """A stroke through points (x, y) from 0 to 1 of the pad, by mouse."""
    box = tab.locator("#pad").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    tab.mouse.move(*at[0])
    tab.mouse.down()
    for x, y in at[1:]:
        tab.mouse.move(x, y, steps=steps)
    tab.mouse.up()
    settle(tab)


SEVEN = [(0.3, 0.2), (0.45, 0.17), (0.7, 0.2), (0.6, 0.45), (0.5, 0.65), (0.45, 0.85)]
