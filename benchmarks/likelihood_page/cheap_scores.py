"""A training that goes wrong, and the cheap scores that do not see it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

import harmonium as hm
from harmonium.config_from import config_from
from harmonium.data.arrays import as_dataset
from harmonium.evaluate.reconstruction import reconstruction
from harmonium.logz import exact_log_z
from harmonium.plots.style import BLUE, GREEN, MUTED, VERMILION, headings, new_figure, number, style
from harmonium.runs.plan import make_plan
from harmonium.training.loop import TrainState, fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def bars_and_stripes(n: int = 4) -> np.ndarray:
    """All n × n images of full rows or full columns: (2 · 2^n, n²); empty and full ones are there twice."""
    bits = np.array(list(itertools.product([0.0, 1.0], repeat=n)))
    rows = np.repeat(bits[:, :, None], n, 2)
    return np.concatenate([rows, rows.transpose(0, 2, 1)]).reshape(-1, n * n)


def cheap_scores(updates: int) -> list[tuple[int, float, float, float]]:
    """Update, likelihood, pseudo-likelihood and reconstruction error (nats a row) along CD-1 at a constant rate."""
    plain = {"momentum": 0.0, "centre": "no", "learning_rate_schedule": "constant", "learning_rate": 0.5}
    whole = {"held_out": "0", "validation": 0.0, "patience": 0, "batch_size": 0, "epochs": updates}
    config = config_from({"data": "array", "hidden": "bernoulli:16", "negative": "cd", **plain, **whole})
    plan = make_plan(config, as_dataset(bars_and_stripes()))
    v = plan.feed.states(plan.rows.train).double()
    at = {round(x) for x in np.geomspace(20, plan.total, 40)}
    curve = []

    def observe(state: TrainState) -> None:
        if state.step in at:
            rbm = state.rbm.to(dtype=torch.float64)
            likelihood = -float(rbm.free_energy(v).mean()) - exact_log_z(rbm)
            pseudo = float(hm.pseudo_log_likelihood(rbm, v).mean())
            curve.append((state.step, likelihood, pseudo, float(reconstruction(rbm, v).nats.mean())))

    fit(plan.state, plan.batches, plan.total, plan.negative, transforms=plan.transforms, observers=[observe])
    return curve


def entropy(X: np.ndarray) -> float:
    """Of the empirical distribution, in nats: no average log-likelihood of these rows is above minus this."""
    share = np.unique(X, axis=0, return_counts=True)[1] / len(X)
    return float(-(share * np.log(share)).sum())


def cheap_figure(curve: Sequence[tuple[int, float, float, float]]) -> Figure:
    """Three scores on one axis, for all are in nats."""
    step, likelihood, pseudo, errors = map(np.array, zip(*curve, strict=True))
    top, ceiling = int(likelihood.argmax()), -entropy(bars_and_stripes())
    figure = new_figure(height=3.4)
    with style():
        ax = figure.subplots()
        for name, values, colour, lift in (
            ("reconstruction error, turned upside down", -errors, GREEN, 5),
            ("pseudo-log-likelihood", pseudo, VERMILION, -5),
            ("log-likelihood", likelihood, BLUE, -8),
        ):
            ax.plot(step, values, color=colour)
            ax.annotate(
                name, (step[-1], values[-1]), (0, lift), textcoords="offset points", color=colour, fontsize=8,
                ha="right", va="bottom" if lift > 0 else "top",
            )  # fmt: skip
        ax.axhline(ceiling, color=MUTED, linestyle="--", linewidth=1.0)
        ax.annotate(
            f"the best that any machine can reach, {number(ceiling, 2)}", (step[-1], ceiling), (0, -4),
            textcoords="offset points", fontsize=8, color=MUTED, ha="right", va="top",
        )  # fmt: skip
        ax.set_ylim(top=1.2)
        ax.plot(step[top], likelihood[top], "o", markersize=7, markerfacecolor="none", markeredgecolor=BLUE)
        ax.set_xscale("log")
        ax.set_xlabel("parameter updates")
        ax.set_ylabel("nats per row")
        headings(
            ax, "Scores that rise while the likelihood falls",
            "bars and stripes, 4 × 4; 16 hidden units; CD-1 at a constant rate; all three exact, on the training rows",
        )  # fmt: skip
    return figure


def cheap_table(curve: Sequence[tuple[int, float, float, float]]) -> str:
    """The best likelihood beside the end."""
    best_at = max(range(len(curve)), key=lambda i: curve[i][1])
    rows = [
        "| update | log-likelihood | pseudo-log-likelihood | reconstruction error |",
        "| ---: | ---: | ---: | ---: |",
    ]
    rows += [f"| {number(u)} | {x:.2f} | {p:.2f} | {r:.2f} |" for u, x, p, r in (curve[best_at], curve[-1])]
    return "\n".join(rows)
