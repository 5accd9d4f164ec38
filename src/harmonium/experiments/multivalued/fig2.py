"""Figure 2: the divergence from the generating machine while machines learn, and who generalises best."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from harmonium.experiments.multivalued.artificial import name_of, tasks
from harmonium.experiments.multivalued.document import OWN_SIZES
from harmonium.experiments.multivalued.scales import HIDDEN, VALUES
from harmonium.experiments.multivalued.simulation import Curves, read_curves
from harmonium.experiments.multivalued.words import COLOURS, RULE, band, best_of_mean, listed, own_best, rise, top
from harmonium.experiments.statistics import Interval, mean, paired
from harmonium.experiments.study import Notebook, Part, Results
from harmonium.experiments.words import above_zero, interval, n
from harmonium.plots.bands import bands
from harmonium.report import blocks

Named = list[tuple[str, Interval]]
All = dict[tuple[str, float], Curves]
_FINITE = [s for s in VALUES if not math.isinf(s)]


def all_curves(results: Results) -> All:
    """The curves of both settings and all values of s."""
    return {(setting, s): read_curves(results[f"{setting}-{name_of(s)}"]) for setting in HIDDEN for s in VALUES}


def late_rises(curves: All) -> Named:
    """The change of the divergence over the second half of the updates."""
    found = []
    for (setting, s), one in curves.items():
        half = int(np.abs(one.updates - one.updates[-1] / 2).argmin())
        change = paired(one.kld[:, -1], one.kld[:, half], len(curves))[0]
        found.append((f"({setting}) s = {name_of(s)}", change))
    return found


def more_in_b(curves: All) -> Named:
    """Rise in (b) minus rise in (a)."""
    return [(f"s = {name_of(s)}", paired(rise(curves["b", s]), rise(curves["a", s]), len(VALUES))[0]) for s in VALUES]


def slower(curves: All) -> Named:
    """Rise of one s minus that of the next larger one."""
    pairs = list(pairwise(VALUES))
    return [
        (f"({setting}) {name_of(s)} − {name_of(t)}",
         paired(rise(curves[setting, s]), rise(curves[setting, t]), len(pairs) * len(HIDDEN))[0])
        for setting in HIDDEN for s, t in pairs
    ]  # fmt: skip


def worse_than_infinity(curves: All, reading: str) -> Named:
    """The divergence of a finite s minus that of s = ∞, at the ``end`` or each at its ``best``."""

    def score(one: Curves) -> Any:
        return one.kld[:, -1] if reading == "end" else own_best(one)

    return [
        (f"({setting}) s = {name_of(s)}",
         paired(score(curves[setting, s]), score(curves[setting, math.inf]), len(HIDDEN) * len(_FINITE))[0])
        for setting in HIDDEN for s in _FINITE
    ]  # fmt: skip


def worse_at_equal_updates(curves: All) -> dict[tuple[str, float], list[Interval]]:
    """The same after every measured number of updates but 0."""
    steps = len(next(iter(curves.values())).updates) - 1
    comparisons = steps * len(HIDDEN) * len(_FINITE)
    return {
        (setting, s): [
            paired(curves[setting, s].kld[:, t], curves[setting, math.inf].kld[:, t], comparisons)[0]
            for t in range(1, steps + 1)
        ]
        for setting in HIDDEN for s in _FINITE
    }  # fmt: skip


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """The curves, their best and last values, and each claim with its test."""
    curves = all_curves(results)
    repeats = len(curves["a", 1.0].kld)
    figure = notebook.figure(
        "fig2",
        bands(
            {
                f"({setting}) {hidden} hidden units": [
                    band(f"s = {name_of(s)}", curves[setting, s].updates, curves[setting, s].kld,
                         colour=COLOURS[name_of(s)])
                    for s in VALUES
                ]
                for setting, hidden in HIDDEN.items()
            },
            xlabel="updates", ylabel="Kullback-Leibler divergence, nats", log_x=True, ylim=(0, top(curves.values())),
        ),
        f"The divergence from the generating machine to the one that learns; mean over {repeats} generating machines, "
        "band ± its standard error. The first updates, far above, are left out of the frame.",
        "Two panels of falling and then rising curves, one curve a value of s.",
    )  # fmt: skip
    rows: list[list[str]] = []
    kept: dict[str, Any] = {}
    for (setting, s), one in curves.items():
        at = best_of_mean(one)
        ends = [mean(values.tolist()) for values in (one.kld[:, at], own_best(one), one.kld[:, -1])]
        rows.append([f"({setting}) s = {name_of(s)}", f"{one.updates[at]:,.0f}", *map(interval, ends)])
        kept[f"{setting}-{name_of(s)}"] = {
            "updates": one.updates.tolist(), "kld": one.kld.mean(0).tolist(), "best_update": one.updates[at],
            "best": ends[0].as_dict(), "own_best": ends[1].as_dict(), "end": ends[2].as_dict(),
        }  # fmt: skip
    last = curves["a", 1.0].updates[-1]
    table = blocks.Table(
        ("machine", "best after", "divergence there", "each repeat's own best", f"after {last:,.0f} updates"), rows,
        "Divergence in nats, with 95 % intervals of the mean over repeats.",
        note="<b>Best after</b>: the number of updates at which the mean is lowest. <b>Own best</b>: the lowest value "
        "that each repeat ever has, which no one can know without the generating machine.",
    )  # fmt: skip
    tests = {
        "late_rise": late_rises(curves), "more_in_b": more_in_b(curves), "slower": slower(curves),
        "end": worse_than_infinity(curves, "end"), "best": worse_than_infinity(curves, "best"),
    }  # fmt: skip
    equal = worse_at_equal_updates(curves)
    data = results["data"].value
    notebook.numbers["fig2"] = {
        **kept, **{name: {label: x.as_dict() for label, x in found} for name, found in tests.items()},
        "equal_updates": {
            f"{setting}-{name_of(s)}": [x.as_dict() for x in found] for (setting, s), found in equal.items()
        },
        "distance_left": data["distance_left"],
    }  # fmt: skip

    def judged(claim: str, name: str, words: str) -> blocks.Verdict:
        found = [x for _, x in tests[name]]
        return notebook.verdict(claim, "section 2.2, figure 2", above_zero(found), f"{words}: {listed(tests[name])}.")

    everywhere = [x for found in equal.values() for x in found]
    verdicts = [
        judged("the divergence ends by rising, for every s and in both settings", "late_rise",
               "Change over the second half of the updates, nats"),
        judged("it rises more where the machine is more flexible than the generating one", "more_in_b",
               "Rise from the best to the last update in (b) minus that in (a)"),
        judged("it rises more slowly for larger s", "slower", "Rise of one s minus that of the next"),
        judged("s = ∞ generalises best: at the end", "end", "Divergence in excess of that of s = ∞"),
        judged("s = ∞ generalises best: each machine at its own best", "best", "Excess over s = ∞"),
        notebook.verdict(
            "s = ∞ generalises best: after equal numbers of updates", "section 2.2, figure 2", above_zero(everywhere),
            _at_equal_updates(equal, curves["a", 1.0].updates[1:]),
        ),
    ]  # fmt: skip
    best, worst = curves["b", math.inf], curves["b", 1.0]
    gain = [paired(f(worst).tolist(), f(best).tolist())[0] for f in (lambda c: c.kld[:, -1], own_best)]
    lead = (
        f"With {HIDDEN['b']} hidden units, s = 1 ends {interval(gain[0], sign=True)} nats from s = ∞ "
        f"({n(best.kld[:, -1].mean(), 3)} nats from the truth), and at the best update of each repeat "
        f"{interval(gain[1], sign=True)} ({n(own_best(best).mean(), 3)})."
    )
    how = (
        f"{repeats} machines with binary hidden units were drawn, and {len(VALUES)} × {len(HIDDEN)} machines learned "
        "from the data of each; everything about a repeat but s is the same for all of them, so that differences are "
        f"taken repeat by repeat. {OWN_SIZES} After the sweeps the rows' distribution differs from the machine's by "
        f"{data['distance_left']:.0e} at most, in total variation and by the transition matrix. Divergences and "
        f"likelihoods are sums over all states.\n\n{RULE}"
    )
    return blocks.Section("fig2", TITLE, [*verdicts, figure, table, blocks.Text(how)], lead)


def _at_equal_updates(equal: dict[tuple[str, float], list[Interval]], updates: Any) -> str:
    """How often and how early s = ∞ is ahead, and behind."""
    words = []
    for (setting, s), found in equal.items():
        ahead = [u for u, x in zip(updates, found, strict=True) if x.low > 0]
        behind = [u for u, x in zip(updates, found, strict=True) if x.high < 0]
        text = f"({setting}) against s = {name_of(s)} lower at {len(ahead)} of {len(found)} measurements"
        if ahead:
            text += f" (updates {ahead[0]:,.0f} to {ahead[-1]:,.0f})"
        if behind:
            text += f", higher at {len(behind)} (updates {behind[0]:,.0f} to {behind[-1]:,.0f})"
        words.append(text)
    return "The divergence of s = ∞ is " + "; ".join(words) + "; elsewhere there is no saying."


TITLE = "Figure 2: more values per hidden unit, less over-fitting?"
PART = Part("fig2", TITLE, tasks, section)
