"""Section 2.3 of the paper: two visible units and one hidden unit, without biases.

    P(v1, v2) = (1 + m_s(w) v1 v2)/4,      m_s(w) = tanh( (phi_s(2w) - ln 2)/2 )
    l_s(w)    = (1+d)/2 ln[(1 + m_s)/4] + (1-d)/2 ln[(1 - m_s)/4]            data with < v1 v2 > = d
    m_s(w*)   = d,      l_s''(w*) = - m_s'(w*)^2 / (1 - d^2),      m_s' = (1 - m_s^2) psi_s(2w)

Near w = 0, m_s(w) = psi_s'(0) w^2 + O(w^4) with psi_s'(0) = (s+2)/(3s), so that w* is sqrt(3s/(s+2)) times that of a
binary unit where d is small: a change of scale, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from harmonium.experiments.multivalued.artificial import name_of
from harmonium.experiments.multivalued.simulation import Floats
from harmonium.experiments.multivalued.step_size import hidden_scale
from harmonium.experiments.multivalued.words import COLOURS
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.words import n
from harmonium.kernels.langevin import psi
from harmonium.plots.bands import Band, bands
from harmonium.report import blocks
from harmonium.units.multivalued import phi

CORRELATIONS = (0.1, 0.3, 0.5, 0.8)
VALUES = (1.0, 2.0, 3.0, 4.0, 8.0, math.inf)
_SHOWN = (1.0, 2.0, 4.0, math.inf)


def correlation(w: Floats | float, s: float) -> Floats:
    """m_s(w), the correlation of the two visible units."""
    x = torch.as_tensor(w, dtype=torch.float64)
    return np.asarray(torch.tanh((phi(2 * x, s) - math.log(2)) / 2))


def likelihood(w: Floats | float, s: float, d: float) -> Floats:
    """l_s(w) of data with correlation d, in nats."""
    m = correlation(w, s)
    return np.asarray((1 + d) / 2 * np.log((1 + m) / 4) + (1 - d) / 2 * np.log((1 - m) / 4))


def best_weight(d: float, s: float) -> float:
    """w*, at which the machine has the correlation of the data."""
    from scipy.optimize import brentq

    high = 1.0
    while correlation(high, s) < d:
        high *= 2
    return float(brentq(lambda w: float(correlation(w, s)) - d, 0.0, high, xtol=1e-14, rtol=1e-14))


def curvature(d: float, s: float) -> float:
    """-l_s''(w*), how strongly the maximum attracts, in nats per squared weight."""
    w = torch.tensor(2 * best_weight(d, s), dtype=torch.float64)
    return float((1 - d * d) * psi(w, s) ** 2)


def claims() -> dict[str, float]:
    """By how much the three properties hold, on a grid of weights and s from 1 to 32 and infinity: the least margin.

    Not symmetric: max |m_s(w) - m_s(-w)|.  Increasing and decreasing: the least step between neighbours.
    """
    w = np.linspace(0.05, 4.0, 80)
    m = np.stack([correlation(w, s) for s in (*map(float, range(1, 33)), math.inf)])
    mirrored = np.stack([correlation(-w, s) for s in (*map(float, range(1, 33)), math.inf)])
    return {
        "asymmetry": float(np.abs(m - mirrored).max()),
        "least_rise_with_w": float(np.diff(m, axis=1).min()),
        "least_fall_with_s": float(-np.diff(m, axis=0).max()),
    }


def tasks(scale: Scale) -> dict[str, Task]:
    """Nothing takes long here."""
    return {}


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Figure 4, the table of w*, and the properties."""
    d = 0.5
    w = np.linspace(-3, 3, 301)
    figure = notebook.figure(
        "fig4",
        bands(
            {
                "(a) correlation m(w)": [Band(f"s = {name_of(s)}", w, correlation(w, s), colour=COLOURS[name_of(s)])
                                         for s in _SHOWN],
            },
            xlabel="weight w", ylabel="correlation of the two visible units", height=2.8,
        ),
        "The correlation that a weight brings.", "Curves from 0 upwards on both sides, lower for larger s.",
    )  # fmt: skip
    other = notebook.figure(
        "fig4b",
        bands(
            {
                f"(b) likelihood of data with d = {d:g}": [
                    Band(f"s = {name_of(s)}", w, likelihood(w, s, d), colour=COLOURS[name_of(s)]) for s in _SHOWN
                ],
            },
            xlabel="weight w", ylabel="log-likelihood, nats", ylim=(-1.75, -1.2), height=2.8,
        ),
        "Both maxima have the same height for all s, and lie further out and are wider for larger s.",
        "Curves with two equal maxima, further from 0 for larger s.",
    )  # fmt: skip
    best = {c: {s: best_weight(c, s) for s in VALUES} for c in CORRELATIONS}
    table = blocks.Table(
        ("d", *(f"s = {name_of(s)}" for s in VALUES), "∞ to 1", "curvature, s = 1", "curvature, s = ∞"),
        [
            [f"{c:g}", *(f"{best[c][s]:.4f}" for s in VALUES), f"{best[c][math.inf] / best[c][1.0]:.3f}",
             f"{curvature(c, 1.0):.3f}", f"{curvature(c, math.inf):.3f}"]
            for c in CORRELATIONS
        ],
        "The weight w* at which the likelihood is highest, for data with correlation d.",
        note="<b>∞ to 1</b>: ratio of w*; a mere change of scale at weak coupling would give "
        f"{1 / hidden_scale(math.inf):.3f} for all d. <b>Curvature</b>: −l″(w*), nats per squared weight.",
    )  # fmt: skip
    found = claims()
    outward = all(best[c][s] < best[c][t] for c in CORRELATIONS for s, t in pairwise(VALUES))
    weaker = all(curvature(c, s) > curvature(c, t) for c in CORRELATIONS for s, t in pairwise(VALUES))
    notebook.numbers["toy"] = {
        "best_weight": {f"{c:g}": {name_of(s): x for s, x in of.items()} for c, of in best.items()},
        "curvature": {f"{c:g}": {name_of(s): curvature(c, s) for s in VALUES} for c in CORRELATIONS}, "claims": found,
    }  # fmt: skip
    holds = found["asymmetry"] < 1e-12 and found["least_rise_with_w"] > 0 and found["least_fall_with_s"] > 0
    verdicts = [
        notebook.verdict(
            "m(w) is symmetric, rises with |w| and falls with s", "section 2.3, figure 4 (a)", _said(holds),
            "On 80 weights from 0.05 to 4 and s = 1 to 32 and ∞: asymmetry at most "
            f"{found['asymmetry']:.0e}, smallest rise from one weight to the next {found['least_rise_with_w']:.1e}, "
            f"smallest fall from one s to the next {found['least_fall_with_s']:.1e}. Exact, no interval.",
        ),
        notebook.verdict(
            "the best weight moves away from the origin and attracts less as s grows", "section 2.3, figure 4 (b)",
            _said(outward and weaker),
            f"For d from {CORRELATIONS[0]:g} to {CORRELATIONS[-1]:g}, w* of s = ∞ is "
            f"{_range({c: best[c][math.inf] / best[c][1.0] for c in CORRELATIONS})} times that of s = 1, and the "
            "curvature there smaller by the factor "
            f"{_range({c: curvature(c, math.inf) / curvature(c, 1.0) for c in CORRELATIONS})}. Exact, no interval.",
        ),
    ]  # fmt: skip
    text = (
        "Two visible units that a single hidden unit couples with the same weight w: the machine can only choose their "
        "correlation m, and its likelihood is highest where m is that of the data, d. The paper concludes that a "
        "gradient meets the over-fitted weight later where s is larger. But all values of s reach the same "
        "likelihood, the same distribution even, at their own w*: to the first order a larger s only shrinks the "
        f"hidden unit by sqrt((s+2)/(3s)), to {hidden_scale(math.inf):.3f} of a binary one for s = ∞, and a weight "
        "as much larger undoes it. Whether there is more to it than scale "
        '<a href="#step-size">is a question of its own</a>.'
    )
    lead = (
        f"For weakly correlated data (d = {CORRELATIONS[0]:g}) the best weight of s = ∞ is "
        f"{n(best[0.1][math.inf] / best[0.1][1.0])} times that of s = 1, for d = {CORRELATIONS[-1]:g} "
        f"{n(best[0.8][math.inf] / best[0.8][1.0])} times; the likelihood there is the same."
    )
    return blocks.Section("fig4", TITLE, [*verdicts, figure, other, table, blocks.Text(text)], lead)


def _said(holds: bool) -> str:
    return "confirmed" if holds else "contradicted"


def _range(found: Mapping[Any, float]) -> str:
    return f"{min(found.values()):.2f} to {max(found.values()):.2f}"


TITLE = "Figure 4: what s does to two units and a weight"
PART = Part("fig4", TITLE, tasks, section)
