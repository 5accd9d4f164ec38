"""What the paper did not do: every s from 1 to 32, and the whole interval, on flexible machines.

Is there a best s, or does more of them always help?  Scores against 1/s, at 0 the interval.
"""

from __future__ import annotations

import math
from typing import Any

from harmonium.experiments.multivalued.artificial import learning, name_of, worlds
from harmonium.experiments.multivalued.scales import HIDDEN, VALUES
from harmonium.experiments.multivalued.simulation import read_curves
from harmonium.experiments.multivalued.words import own_best
from harmonium.experiments.statistics import mean, paired
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.words import interval
from harmonium.plots.score_against import Series, score_against
from harmonium.report import blocks

SETTING = "b"


def values(scale: Scale) -> tuple[float, ...]:
    """The s that are tried."""
    return (*map(float, scale.pick(range(1, 33), (1, 2, 4, 8, 32))), math.inf)


def number(scale: Scale) -> int:
    """Repeats: the first ones of the study."""
    return int(scale.pick(20, 12))


def tasks(scale: Scale) -> dict[str, Task]:
    """One training a value; those of Figure 2 are there already."""
    return {
        name_of(s): learning(scale, SETTING, s, only=None if s in VALUES else number(scale)) for s in values(scale)
    } | {"data": worlds(scale)}


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Divergences against 1/s, and each s against the interval."""
    rows = number(notebook.scale)
    curves = {s: read_curves(results[name_of(s)]) for s in values(notebook.scale)}
    scores = {
        s: {"best": own_best(one)[:rows], "end": one.kld[:rows, -1],
            "updates": one.updates[one.kld[:rows].argmin(1)]}
        for s, one in curves.items()
    }  # fmt: skip
    x = [0.0 if math.isinf(s) else 1 / s for s in scores]

    def series(name: str, label: str) -> Series:
        found = [mean(own[name].tolist()) for own in scores.values()]
        return Series(label, x, [m.value for m in found], [m.half_width for m in found])

    figure = notebook.figure(
        "every-s",
        score_against([series("best", "at each repeat's own best update"), series("end", "at the end")],
                      xlabel="1/s (0: the interval)", ylabel="Kullback-Leibler divergence, nats"),
        f"The divergence of machines with {HIDDEN[SETTING]} hidden units against 1/s; mean over {rows} repeats and its "
        "95 % interval.",
        "Divergence against the inverse of s, at the best update and at the end.",
    )  # fmt: skip
    finite = [s for s in scores if not math.isinf(s)]
    gaps = {
        name: {s: paired(scores[s][name], scores[math.inf][name], len(finite))[0] for s in finite}
        for name in ("best", "end", "updates")
    }
    better = {name: [s for s in finite if gaps[name][s].high < 0] for name in ("best", "end")}
    alike = {name: [s for s in finite if gaps[name][s].low <= 0 <= gaps[name][s].high] for name in ("best", "end")}
    lowest = {name: min(scores, key=lambda s: float(scores[s][name].mean())) for name in ("best", "end")}
    shown = [s for s in (1.0, 2.0, 3.0, 4.0, 8.0, 16.0, 32.0, math.inf) if s in scores]
    table = blocks.Table(
        ("s", "at its own best", "− that of ∞", "updates to its best", "at the end", "− that of ∞"),
        [
            [name_of(s), interval(mean(scores[s]["best"].tolist())), _gap(gaps["best"], s),
             interval(mean(scores[s]["updates"].tolist()), 0), interval(mean(scores[s]["end"].tolist())),
             _gap(gaps["end"], s)]
            for s in shown
        ],
        "Divergence in nats, mean over repeats with its 95 % interval; differences are paired, and their intervals "
        f"hold together for all {len(finite)} finite s.",
    )  # fmt: skip
    notebook.numbers["every-s"] = {
        **{name_of(s): {name: mean(v.tolist()).as_dict() for name, v in own.items()} for s, own in scores.items()},
        "minus_infinity": {name: {name_of(s): g.as_dict() for s, g in of.items()} for name, of in gaps.items()},
        "lowest": {name: name_of(s) for name, s in lowest.items()},
    }
    words = []
    for name, where in (("end", "at the end"), ("best", "each at its own best")):
        beaten = (
            f"{', '.join(map(name_of, better[name]))} better than" if better[name] else "no finite s is better than"
        )
        told = (
            "all can be told from it"
            if not alike[name]
            else f"{len(alike[name])} of {len(finite)} cannot be told from it"
        )
        smallest = f" (the smallest of them s = {name_of(alike[name][0])})" if alike[name] else ""
        words.append(
            f"{where} {beaten} s = ∞, and {told}{smallest}; the lowest mean is that of s = {name_of(lowest[name])}"
        )
    lead = "By simultaneous 95 % intervals, " + "; ".join(words) + "."
    text = (
        "The paper shows four values of s. A unit with s + 1 values has the variance (s+2)/(3s) at zero field, which "
        "is linear in 1/s; a straight line in the picture says that the divergence follows that variance, and a dip "
        "would be a best number of values."
    )
    return blocks.Section("every-s", TITLE, [figure, table, blocks.Text(text)], lead)


def _gap(gaps: dict[float, Any], s: float) -> str:
    return interval(gaps[s], sign=True) if s in gaps else "–"


TITLE = "Is there a best number of values?"
PART = Part("every-s", TITLE, tasks, section)
