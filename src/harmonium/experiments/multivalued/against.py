"""Against what else keeps a machine from over-fitting: a penalty on the weights, dropout, and stopping early.

    L2          the gradient of W minus l2 W
    dropout     each hidden unit of each row there with probability p (Srivastava et al. 2014); scored as the
                renormalised geometric mean of all that dropout leaves, ln p(v) = a·v + p sum_mu phi(F_mu) - ln Z
    stopping    150 rows trained on, and of the machines measured the one with the highest likelihood of the other 50

Strengths are chosen by the divergence on repeats that take no part in the comparison: once for the machine at the end,
once for the one at which validation stops.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harmonium.experiments.multivalued.artificial import learning, worlds
from harmonium.experiments.multivalued.scales import HIDDEN, VALIDATION
from harmonium.experiments.multivalued.simulation import Curves, Floats, learn, read_curves
from harmonium.experiments.multivalued.words import RULE, first_repeats, listed
from harmonium.experiments.statistics import mean, paired
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.words import above_zero, interval, n
from harmonium.plots.score_against import Series, score_against
from harmonium.report import blocks

SETTING = "b"
#: Strengths to choose from.
STRENGTHS: dict[str, tuple[float, ...]] = {"l2": (0.01, 0.03, 0.1, 0.3), "keep": (0.5, 0.8)}
#: Who competes: s, and what is chosen for it.
RIVALS: dict[str, tuple[float, str | None]] = {
    "s = 1": (1.0, None),
    "s = ∞": (math.inf, None),
    "s = 1, L2": (1.0, "l2"),
    "s = ∞, L2": (math.inf, "l2"),
    "s = 1, dropout": (1.0, "keep"),
}
#: The two ways to end: all rows and all updates, or stopped by validation.
ENDS = ("end", "stopped")


def number(scale: Scale) -> int:
    """Repeats: the first ones of the study."""
    return int(scale.pick(60, 12))


def stopped(curves: Curves) -> Floats:
    """The divergence of each repeat where the likelihood of its validation rows is highest: (R,)."""
    at = curves.validation.argmax(1)
    return curves.kld[np.arange(len(at)), at]


def outcome(curves: Curves, end: str) -> Floats:
    """The divergence that a rival ends with: (R,)."""
    return stopped(curves) if end == "stopped" else curves.kld[:, -1]


def _changed(what: str, value: float) -> dict[str, Any]:
    return {what: value}


def tasks(scale: Scale) -> dict[str, Task]:
    """The choices, and then each rival with both ends."""
    found = {"data": worlds(scale)}
    for name, (s, what) in RIVALS.items():
        choices: dict[str, Task] = {} if what is None else {
            f"{value:g}": learning(scale, SETTING, s, choice=True, validation=VALIDATION, **_changed(what, value))
            for value in STRENGTHS[what]
        }  # fmt: skip
        found |= {f"{name}, choice {value}": task for value, task in choices.items()}
        for end in ENDS:
            rows: dict[str, Any] = {"validation": VALIDATION} if end == "stopped" else {}
            plain = learning(scale, SETTING, s, only=number(scale) if rows else None, **rows)
            if what is not None:
                plain = learning(scale, SETTING, s, only=number(scale), **rows)
                arguments = {"what": what, "end": end, "options": dict(plain.arguments)}
                plain = Task(
                    f"{plain.name}-best-{what}-{end}", f"{__name__}:learn_at_best", arguments,
                    {**plain.needs, **choices}, plain.seconds,
                )  # fmt: skip
            found[f"{name}, {end}"] = plain
    return found


def learn_at_best(
    folder: Path, needs: Mapping[str, Done], *, what: str, end: str, options: dict[str, Any]
) -> dict[str, Any]:
    """Train with the strength of the lowest mean divergence in the choice."""
    means = {
        float(name): float(outcome(read_curves(done), end).mean()) for name, done in needs.items() if name != "worlds"
    }
    best = min(means, key=lambda strength: means[strength])
    return {**learn(folder, needs, **{**options, what: best}), "chosen": best, "choice": list(means.items())}


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Everyone with both ends, against s = ∞ with the same end."""
    rows = number(notebook.scale)
    scores = {
        (name, end): outcome(first_repeats(read_curves(results[f"{name}, {end}"]), rows), end)
        for name in RIVALS for end in ENDS
    }  # fmt: skip
    others = [name for name in RIVALS if name != "s = ∞"]
    gaps = {
        (name, end): paired(scores[name, end], scores["s = ∞", end], len(others) * len(ENDS))[0]
        for name in others for end in ENDS
    }  # fmt: skip
    chosen = {key: results[f"{key[0]}, {key[1]}"].value.get("chosen") for key in scores}
    table = blocks.Table(
        ("machine", "strength", "divergence at the end", "− that of s = ∞", "strength", "stopped", "− that of s = ∞"),
        [[name, *(cell for end in ENDS for cell in _cells(name, end, scores, gaps, chosen))] for name in RIVALS],
        f"Divergence from the generating machine in nats, {rows} repeats, {HIDDEN[SETTING]} hidden units, with 95 % "
        "intervals of the mean; differences are paired, and their intervals hold together.",
        note="<b>At the end</b>: all rows, all updates. <b>Stopped</b>: 150 rows, at the highest likelihood of the "
        "other 50, which is what one can do without the generating machine. <b>Strength</b>: of L2, or the "
        "probability that dropout keeps a unit; chosen by the divergence on repeats of their own.",
    )  # fmt: skip
    x = {"end": 0.0, "stopped": 1.0}
    series = [
        Series(name, [x[end] + 0.06 * (i - 2) for end in ENDS],
               [float(scores[name, end].mean()) for end in ENDS],
               [mean(scores[name, end].tolist()).half_width for end in ENDS])
        for i, name in enumerate(RIVALS)
    ]  # fmt: skip
    ax = score_against(series, xlabel="how training ends", ylabel="Kullback-Leibler divergence, nats")
    for line in ax.get_lines():
        line.set_linestyle("none")
    ax.set_xticks([0, 1], ["all rows, all updates", "150 rows, stopped by 50"])
    ax.set_xlim(-0.4, 1.9)
    figure = notebook.figure(
        "against", ax, "The divergence that each ends with; mean and 95 % interval.",
        "Points with bars for five machines and two ways to end.",
    )  # fmt: skip
    interplay = {name: paired(scores[name, "stopped"], scores[name, "end"], len(RIVALS))[0] for name in RIVALS}
    notebook.numbers["against"] = {
        "divergence": {f"{name}, {end}": mean(v.tolist()).as_dict() for (name, end), v in scores.items()},
        "minus_infinity": {f"{name}, {end}": g.as_dict() for (name, end), g in gaps.items()},
        "stopped_minus_end": {name: g.as_dict() for name, g in interplay.items()},
        "chosen": {f"{name}, {end}": value for (name, end), value in chosen.items()},
        "choices": {f"{name}, {end}": results[f"{name}, {end}"].value.get("choice") for name, end in scores},
    }
    rivals = ("s = 1, L2", "s = 1, dropout")
    against = {f"{name}, {_ENDING[end]}": gaps[name, end] for name in rivals for end in ENDS}
    verdict = notebook.verdict(
        "a large s does more against over-fitting than penalties on a binary machine do",
        "a question of this study",
        above_zero(list(against.values())),
        f"Divergence in excess of that of s = ∞ without a penalty: {listed(list(against.items()))}. {RULE}",
    )
    best = {end: min(RIVALS, key=lambda name: float(scores[name, end].mean())) for end in ENDS}
    lead = (
        f"After all updates {best['end']} is nearest to the truth ({n(scores[best['end'], 'end'].mean(), 3)} nats; "
        f"s = ∞ alone {n(scores['s = ∞', 'end'].mean(), 3)}), stopped by validation it is {best['stopped']} "
        f"({n(scores[best['stopped'], 'stopped'].mean(), 3)}; s = ∞ alone {n(scores['s = ∞', 'stopped'].mean(), 3)}). "
        f"A binary machine with L2 ends {interval(gaps['s = 1, L2', 'end'], sign=True)} nats from s = ∞ without."
    )
    text = (
        "A new kind of unit has to be compared with what one would otherwise do. The paper expects that penalties and "
        "early stopping work better together with a large s; the row of s = ∞ with L2 and the columns of the stopped "
        f"machines say what that brings. Stopped against all updates: {listed(list(interplay.items()))} nats "
        "(negative: stopping helps, though a quarter of the rows is then not trained on)."
    )
    return blocks.Section("against", TITLE, [verdict, figure, table, blocks.Text(text)], lead)


def _cells(name: str, end: str, scores: Any, gaps: Any, chosen: Any) -> list[str]:
    strength, gap = chosen[name, end], gaps.get((name, end))
    return [
        "–" if strength is None else f"{strength:g}", interval(mean(scores[name, end].tolist())),
        "–" if gap is None else interval(gap, sign=True),
    ]  # fmt: skip


_ENDING = {"end": "at the end", "stopped": "stopped"}
TITLE = "Does a large s beat weight decay, dropout and early stopping?"
PART = Part("against", TITLE, tasks, section)
