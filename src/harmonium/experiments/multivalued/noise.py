"""Does the effect of s depend on the noise?  The machines of Figure 6 at their end, under noise of every strength."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harmonium.experiments.multivalued.classifiers import SIGMA, SIGMAS, Floats, learning, name, sizes
from harmonium.experiments.multivalued.scales import VALUES
from harmonium.experiments.multivalued.words import COLOURS, band
from harmonium.experiments.statistics import Interval, p_value, paired
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.words import interval, n
from harmonium.plots.bands import bands
from harmonium.report import blocks

_MODULE = "harmonium.experiments.multivalued.classifiers"
_LARGER = [s for s in VALUES if s != 1]


def tasks(scale: Scale) -> dict[str, Task]:
    """A task for the machines of all s that share their repeats."""
    size = sizes(scale)
    arguments = {"data": size["data"], "rows": size["rows"]}
    groups = zip(*(learning(scale, s).values() for s in VALUES), strict=True)
    found = {}
    for number, group in enumerate(groups):
        needs = {name(s): task for s, task in zip(VALUES, group, strict=True)}
        seconds = scale.pick(8, 0.5) * group[0].arguments["repeats"]
        found[f"noise-{number}"] = Task(f"noise-{number}", f"{_MODULE}:sweep", arguments, needs, seconds)
    return found


def slopes(errors: Floats) -> Floats:
    """The least-squares slope of each row (R, sigmas) on sigma, per 100 levels of grey: (R,)."""
    x = np.array(SIGMAS, float) / 100
    x -= x.mean()
    return errors @ x / (x @ x)


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Error against noise, and the differences to s = 1."""
    values = [results[label].value for label in tasks(notebook.scale)]
    every: dict[float, Floats] = {
        s: 100 * np.array([row for value in values for row in value[name(s)]]) for s in VALUES
    }
    repeats = len(every[1.0])
    steps = {s: paired(slopes(every[s]), slopes(every[1.0])) for s in _LARGER}
    tests: dict[float, list[tuple[Interval, float]]] = {
        s: [paired(every[s][:, i], every[1.0][:, i], len(SIGMAS)) for i in range(len(SIGMAS))] for s in _LARGER
    }
    kept: dict[str, Any] = {
        name(s): {"errors": errors.tolist()} for s, errors in every.items()
    }  # fmt: skip
    for s in _LARGER:
        kept[name(s)] |= {
            "minus_s_1": [x.as_dict() for x, _ in tests[s]], "slope_of_difference_per_100": steps[s][0].as_dict(),
        }  # fmt: skip
    notebook.numbers["noise"] = {"sigma": list(SIGMAS), **kept}
    x = np.array(SIGMAS, float)
    curves = notebook.figure(
        "noise",
        bands({"": [band(name(s), x, e, colour=COLOURS[name(s)[4:]]) for s, e in every.items()]},
              xlabel="σ of the noise, 8-bit levels", ylabel="test error, %", ylim=(0, 100)),
        f"Test error of the machines of Figure 6 after their last update against the noise; mean over {repeats} "
        f"repeats. The paper shows σ = {SIGMA} alone.",
        "Rising error curves, one for each s, close together.",
    )  # fmt: skip
    differences = notebook.figure(
        "noise-differences",
        bands({"": [band(name(s), x, every[s] - every[1.0], colour=COLOURS[name(s)[4:]]) for s in _LARGER]},
              xlabel="σ of the noise, 8-bit levels", ylabel="error minus that of s = 1, points", zero=True),
        "The same as paired differences in percentage points, band ± standard error: below the line, the larger s is "
        "better.",
        "Differences to s = 1 against the noise, one curve for each larger s.",
    )  # fmt: skip
    table = blocks.Table(
        ("σ", *(name(s) for s in VALUES), *(f"{name(s)[4:]} − 1" for s in _LARGER)),
        [
            [str(sigma), *(n(every[s][:, i].mean()) for s in VALUES), *(interval(tests[s][i][0], 2, sign=True)
                                                                      for s in _LARGER)]
            for i, sigma in enumerate(SIGMAS)
        ],
        "Mean test errors in per cent, and paired differences in percentage points.",
        note=f"The intervals of one column hold together with 95 % (Bonferroni). {repeats} repeats.",
    )  # fmt: skip
    return blocks.Section("noise", TITLE, [curves, differences, table], _lead(tests[math.inf], steps[math.inf]))


def _lead(found: list[tuple[Interval, float]], slope: tuple[Interval, float]) -> str:
    better = [sigma for sigma, (x, _) in zip(SIGMAS, found, strict=True) if x.high < 0]
    worse = [sigma for sigma, (x, _) in zip(SIGMAS, found, strict=True) if x.low > 0]
    words = "; ".join(
        f"{verb} at σ = {', '.join(map(str, sigmas))}"
        for verb, sigmas in (("better", better), ("worse", worse))
        if sigmas
    )
    said = "depends" if slope[1] < 0.05 else "is not seen to depend"
    return (
        f"Against s = 1, s = ∞ is {words or 'neither better nor worse at any strength of noise'}"
        + (", and elsewhere there is no saying" if words and len(better) + len(worse) < len(SIGMAS) else "")
        + f". The difference {said} on the noise: {interval(slope[0], 2, sign=True)} points for every 100 levels "
        f"({p_value(slope[1])})."
    )


TITLE = "Does the effect depend on the noise?"
PART = Part("noise", TITLE, tasks, section)
