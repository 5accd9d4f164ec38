"""Figure 6: training and test error while machines with different s learn to classify a thousand images."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harmonium.experiments.multivalued.classifiers import (
    PARTS,
    RATE,
    SIGMA,
    Errors,
    Floats,
    all_errors,
    learning,
    name,
    sizes,
)
from harmonium.experiments.multivalued.scales import VALUES
from harmonium.experiments.multivalued.words import COLOURS, RULE, band, listed
from harmonium.experiments.statistics import Interval, mean, p_value, paired
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.words import above_zero, interval, n
from harmonium.plots.bands import bands
from harmonium.report import blocks

#: What panels are called.
PANELS = {"train": "(a) training", "noisy": "(b) test, with noise", "clean": "test, clean"}
_LARGER = [s for s in VALUES if s != 1]


def over_updates(errors: Errors, part: str) -> Floats:
    """The average of a curve over the updates from the first to the last measured: (R,)."""
    x, y = errors.updates, errors[part]
    return ((y[:, 1:] + y[:, :-1]) / 2 * np.diff(x)).sum(1) / (x[-1] - x[0])


#: What is read from the curves of a machine: one number a repeat.
READINGS: dict[str, Callable[[Errors, str], Floats]] = {
    "averaged over the updates": over_updates,
    "at the end": lambda errors, part: errors[part][:, -1],
    "in the last quarter": lambda errors, part: errors[part][:, errors.late].mean(1),
    "at its own best": lambda errors, part: errors[part].min(1),
}


def tasks(scale: Scale) -> dict[str, Task]:
    """All repeats of all s, a few repeats a task; the first repeats of every s begin first."""
    found = [item for s in VALUES for item in learning(scale, s).items()]
    return dict(sorted(found, key=lambda item: int(item[1].arguments["first"])))


def against_one(
    every: Mapping[float, Errors], part: str, reading: str, comparisons: int
) -> dict[float, tuple[Interval, float]]:
    """Error of each larger s minus that of s = 1, repeat by repeat, in percentage points, with its p-value."""
    read = READINGS[reading]
    return {s: paired(read(every[s], part), read(every[1.0], part), comparisons) for s in _LARGER}


def how(scale: Scale, repeats: int) -> str:
    """What was done, and which of it the paper says."""
    size = sizes(scale)
    return (
        f"<b>From the paper</b>: Adamax, minibatches, Xavier's first weights, biases of zero, grey values divided by "
        f"their largest, Gaussian noise with σ = {SIGMA} on the 8-bit scale added to the test images, which are then "
        "clipped. <b>Recovered</b> from public code of one of its authors, so that it may differ from the paper: "
        "784–200–10 units, the first 1,000 training images, minibatches of 100, a constant rate of "
        f"{RATE:g}, 5,000 updates, and σ and 8-bit clipping as above. <b>Ours</b>: s = 2 and 4 and the clean test "
        "images beside the others, the number of repeats and the tests.\n\n"
        f"Here: {size['data']}, {size['rows']:,} images, {size['hidden']} hidden units, minibatches of "
        f"{size['batch_size']}, {size['updates']:,} updates, {repeats} repeats. A repeat has its own first weights, "
        "minibatches and noise, the same for every s, so that differences are taken repeat by repeat; the training "
        "images are the same throughout, so that the intervals speak of these images and no others. Nothing is "
        "chosen by test images, but <i>own best</i>, which no one could know.\n\n" + RULE
    )


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Curves, differences, and each claim with its tests."""
    scale = notebook.scale
    every = all_errors(results, scale)
    repeats = len(every[1.0].seconds)
    kept: dict[str, Any] = {
        name(s): {"updates": e.updates.tolist(), "seconds": list(e.seconds)}
        | {part: e[part].tolist() for part in PARTS}
        for s, e in every.items()
    }
    differences: dict[str, Any] = {}
    rows, tested = [], []
    for part, words in (("train", "training"), ("noisy", "test, with noise"), ("clean", "test, clean")):
        for reading, read in READINGS.items():
            if part == "train" and reading == "at its own best":
                continue
            rows.append([f"{words}, {reading}", *(interval(mean(read(every[s], part).tolist()), 2) for s in VALUES)])
            found = against_one(every, part, reading, 1)
            differences[f"{part}, {reading}"] = {
                name(s): {**x.as_dict(), "p": p if math.isfinite(p) else None} for s, (x, p) in found.items()
            }
            tested.append(
                [f"{words}, {reading}"] + [f"{interval(x, 2, sign=True)} ({p_value(p)})" for x, p in found.values()]
            )
    notebook.numbers["fig6"] = {**kept, "differences": differences}
    values = blocks.Table(
        ("error in %", *(name(s) for s in VALUES)), rows,
        f"Errors in per cent: mean over {repeats} repeats with its 95 % interval.",
    )  # fmt: skip
    table = blocks.Table(
        ("error minus that of s = 1", *(name(s) for s in _LARGER)), tested,
        "Differences in percentage points, paired by repeats, each with a 95 % interval of its own.",
        note="p-values as they are, without correction for their number; the verdicts correct.",
    )  # fmt: skip
    return blocks.Section(
        "fig6", TITLE,
        [*_verdicts(every, notebook), _curves(every, notebook), _differences(every, notebook), values, table,
         blocks.Text(how(scale, repeats))],
        _lead(every),
    )  # fmt: skip


def _curves(every: Mapping[float, Errors], notebook: Notebook) -> blocks.Figure:
    panels = {
        title: [band(name(s), e.updates, e[part], colour=COLOURS[name(s)[4:]]) for s, e in every.items()]
        for part, title in PANELS.items()
    }
    return notebook.figure(
        "fig6", bands(panels, xlabel="updates", ylabel="error, %", log_x=True, ylim=(0, None)),
        "Share of images classified wrongly against updates; mean over repeats, band ± its standard error (often "
        f"within the line). (a) and (b) are those of the paper's Figure 6, noise with σ = {SIGMA}; the third panel is "
        "ours.",
        "Three panels of falling error curves, one curve a value of s.",
    )  # fmt: skip


def _differences(every: Mapping[float, Errors], notebook: Notebook) -> blocks.Figure:
    panels = {
        title: [
            band(name(s), every[s].updates, every[s][part] - every[1.0][part], colour=COLOURS[name(s)[4:]])
            for s in _LARGER
        ]
        for part, title in PANELS.items()
    }
    settled = every[1.0].updates >= every[1.0].updates[-1] / 10  # what comes before is left to the frame's edge
    late = np.concatenate([np.asarray(curve.y)[settled] for curves in panels.values() for curve in curves])
    reach = max(1.2 * float(np.abs(late).max()), 0.5)
    return notebook.figure(
        "fig6-differences",
        bands(panels, xlabel="updates", ylabel="error minus that of s = 1, points", log_x=True, zero=True,
              ylim=(-reach, reach)),
        "The same as differences in percentage points, repeat by repeat: below the line, the larger s is better. Band: "
        "± standard error of the mean difference. The first updates leave the frame.",
        "Three panels of differences that start large and approach zero.",
    )  # fmt: skip


def _verdicts(every: Mapping[float, Errors], notebook: Notebook) -> list[blocks.Verdict]:
    def judged(claim: str, where: str, part: str, reading: str, sign: int) -> blocks.Verdict:
        found = [(s, x) for s, (x, _) in against_one(every, part, reading, len(_LARGER)).items()]
        turned = [Interval(sign * x.value, x.half_width, x.sd, x.n) for _, x in found]
        text = listed([(f"{name(s)}:", x) for s, x in found], 2)
        return notebook.verdict(
            claim, where, above_zero(turned), f"Error minus that of s = 1, {reading}, percentage points: {text}."
        )

    paper, ours = "section 3.2, figure 6", "section 3.2, figure 6 on clean images (ours)"
    return [
        judged("a larger s has a higher training error", paper, "train", "averaged over the updates", 1),
        judged("a larger s has a lower test error under noise: at the end", paper, "noisy", "at the end", -1),
        judged("… in the last quarter of the updates", paper, "noisy", "in the last quarter", -1),
        judged("… each machine at its own best", paper, "noisy", "at its own best", -1),
        judged("a larger s has a lower test error on clean images, too", ours, "clean", "in the last quarter", -1),
    ]


def _lead(every: Mapping[float, Errors]) -> str:
    def said(part: str, reading: str) -> str:
        return interval(against_one(every, part, reading, 1)[math.inf][0], 2, sign=True)

    ends = {s: every[s]["noisy"][:, -1].mean() for s in (1.0, math.inf)}
    return (
        f"Under noise s = 1 ends with {n(ends[1.0], 1)} % of the test images wrong, and s = ∞ with "
        f"{n(ends[math.inf], 1)} %: {said('noisy', 'at the end')} points at the end, "
        f"{said('noisy', 'at its own best')} each at its best, and {said('clean', 'at the end')} on clean images at "
        f"the end. Averaged over the updates the training error of s = ∞ is "
        f"{said('train', 'averaged over the updates')} points from that of s = 1."
    )


TITLE = "Figure 6: do more values make a better classifier?"
PART = Part("fig6", TITLE, tasks, section)
