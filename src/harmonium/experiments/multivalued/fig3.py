"""Figure 3: the training likelihood of the same machines."""

from __future__ import annotations

from itertools import pairwise

from harmonium.experiments.multivalued.artificial import name_of, tasks
from harmonium.experiments.multivalued.fig2 import all_curves
from harmonium.experiments.multivalued.scales import HIDDEN, VALUES, VISIBLE
from harmonium.experiments.multivalued.words import COLOURS, RULE, band, listed, over_updates
from harmonium.experiments.statistics import mean, paired
from harmonium.experiments.study import Notebook, Part, Results
from harmonium.experiments.words import above_zero, interval
from harmonium.plots.bands import bands
from harmonium.report import blocks


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """The curves, and whether the order of s is that of the paper."""
    curves = all_curves(results)
    figure = notebook.figure(
        "fig3",
        bands(
            {
                f"({setting}) {hidden} hidden units": [
                    band(f"s = {name_of(s)}", curves[setting, s].updates, curves[setting, s].train / VISIBLE,
                         colour=COLOURS[name_of(s)])
                    for s in VALUES
                ]
                for setting, hidden in HIDDEN.items()
            },
            xlabel="updates", ylabel="training log-likelihood, nats per visible unit", log_x=True,
        ),
        "The average log-likelihood of the rows trained on, divided by the number of visible units as in the paper; "
        "mean ± standard error. The first weights are the same for all s, and mean less for a larger one: hence the "
        "different beginnings.",
        "Two panels of rising curves, one curve a value of s.",
    )  # fmt: skip
    pairs = list(pairwise(VALUES))
    whole, last = (
        [
            (f"({setting}) {name_of(s)} − {name_of(t)}",
             paired(of(curves[setting, s]) / VISIBLE, of(curves[setting, t]) / VISIBLE, len(pairs) * len(HIDDEN))[0])
            for setting in HIDDEN for s, t in pairs
        ]
        for of in (lambda c: over_updates(c, c.train), lambda c: c.train[:, -1])
    )  # fmt: skip
    notebook.numbers["fig3"] = {
        "mean_over_updates": {name: x.as_dict() for name, x in whole},
        "at_the_end": {name: x.as_dict() for name, x in last},
        **{f"{setting}-{name_of(s)}": (one.train.mean(0) / VISIBLE).tolist() for (setting, s), one in curves.items()},
    }
    verdict = notebook.verdict(
        "the training likelihood grows faster for smaller s", "section 2.2, figure 3",
        above_zero([x for _, x in whole]),
        "Training log-likelihood averaged over all updates, one s minus the next, nats per visible unit: "
        f"{listed(whole, 4)}. At the last update: {listed(last, 4)}.",
    )  # fmt: skip
    rows = [
        [f"({setting}) s = {name_of(s)}",
         *(interval(mean((values / VISIBLE).tolist()), 4) for values in
           (one.train[:, 0], over_updates(one, one.train), one.train[:, -1]))]
        for (setting, s), one in curves.items()
    ]  # fmt: skip
    table = blocks.Table(
        ("machine", "at the start", "averaged over updates", "at the end"), rows,
        "Training log-likelihood in nats per visible unit, with 95 % intervals of the mean over repeats.",
    )  # fmt: skip
    ordered = sum(x.low > 0 for _, x in whole)
    lead = (
        f"Of {len(whole)} pairs of neighbouring s, the smaller one has the higher training likelihood, averaged over "
        f"the updates, in {ordered} (simultaneous 95 % intervals)."
    )
    return blocks.Section("fig3", TITLE, [verdict, figure, table, blocks.Text(RULE)], lead)


TITLE = "Figure 3: does a smaller s learn its data faster?"
PART = Part("fig3", TITLE, tasks, section)
