"""Is a large s more than a smaller step size?

    phi_s(x) = ln 2 + psi_s'(0) x^2/2 + O(x^4),      psi_s'(0) = <h^2> at zero field = (s+2)/(3s) = c^2
    phi_1(c x) = ln 2 + c^2 x^2/2 + O(x^4)

So near zero fields a machine (W, a, b) with hidden values X_s is the binary machine (cW, a, cb), and its contrastive
divergence is that of the other one: a hidden unit enters the field of a visible one as W h, with the mean c^2 W x and
the variance c^2 W^2 in both.  Adam moves every parameter by its rate, whatever the scale of the gradient: steps of size
r in (W, b) of the first machine are steps of size c r in those of the second.  The binary machine with first weights
times c and steps of W and b times c (a as before) therefore begins like the machine with s: c = 1/sqrt 3 for s = inf.
What is left between the two is what the shape of phi_s does in strong fields, and no matter of scale.  The other way
round, first weights and steps times 1/c make the machine with s begin like the binary one.

A clock of any kind drops out when the divergence is taken at equal training likelihood.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from harmonium.experiments.multivalued.artificial import learning, worlds
from harmonium.experiments.multivalued.scales import VISIBLE
from harmonium.experiments.multivalued.simulation import Curves, Floats, read_curves
from harmonium.experiments.multivalued.words import band, first_repeats, over_updates, own_best, top
from harmonium.experiments.statistics import Interval, mean, minus, paired
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.words import interval
from harmonium.plots.bands import bands
from harmonium.report import blocks

SETTING = "b"


def hidden_scale(s: float) -> float:
    """c = sqrt(psi_s'(0)): by how much smaller a unit with values X_s is than a binary one, at zero field."""
    return math.sqrt(1 / 3 + (0.0 if math.isinf(s) else 2 / (3 * s)))


_C = hidden_scale(math.inf)
#: What is compared: s, factor of the first weights, factor of the steps of W and b.
MACHINES: dict[str, tuple[float, float, float]] = {
    "s = 1": (1.0, 1.0, 1.0),
    "s = ∞": (math.inf, 1.0, 1.0),
    "s = 1, matched to ∞": (1.0, _C, _C),
    "s = 1, small first weights": (1.0, _C, 1.0),
    "s = 1, short steps": (1.0, 1.0, _C),
    "s = ∞, matched to 1": (math.inf, 1 / _C, 1 / _C),
    "s = ∞, large first weights": (math.inf, 1 / _C, 1.0),
}


def number(scale: Scale) -> int:
    """Repeats: the first ones of the study."""
    return int(scale.pick(60, 12))


def tasks(scale: Scale) -> dict[str, Task]:
    """A training a machine; the first two are those of Figure 2."""
    found = {"data": worlds(scale)}
    for name, (s, weight, rate) in MACHINES.items():
        changes: dict[str, Any] = {"weight_factor": weight, "rate_factor": rate} if (weight, rate) != (1.0, 1.0) else {}
        found[name] = learning(scale, SETTING, s, only=number(scale) if changes else None, **changes)
    return found


def at_equal_likelihood(x: Curves, y: Curves, shares: Floats) -> tuple[Floats, Floats, Floats]:
    """The divergences of two machines where they first have the same training likelihood.

    Of each repeat, levels between the higher of the two first likelihoods and the lower of the two highest ones.

    Returns
    -------
    levels, of x, of y : array (R, L)
        Training log-likelihoods, and the divergences there, in nats; linear between measurements.
    """
    low = np.maximum(x.train[:, 0], y.train[:, 0])
    high = np.minimum(x.train.max(1), y.train.max(1))
    levels = low[:, None] + (high - low)[:, None] * shares

    def crossing(curves: Curves) -> Floats:
        found = np.empty_like(levels)
        for r, own in enumerate(levels):
            top = np.maximum.accumulate(curves.train[r])
            first = np.concatenate([[True], top[1:] > top[:-1]])  # each new height once, so that it rises
            found[r] = np.interp(own, top[first], curves.kld[r][first])
        return found

    return levels, crossing(x), crossing(y)


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """The matched machines beside the others, against updates and against the training likelihood."""
    rows = number(notebook.scale)
    curves = {name: first_repeats(read_curves(results[name]), rows) for name in MACHINES}
    binary, matched, interval_machine = (curves[name] for name in ("s = 1", "s = 1, matched to ∞", "s = ∞"))
    big = curves["s = ∞, matched to 1"]
    figure = notebook.figure(
        "step-size",
        bands(
            {
                "s = ∞ and what should be like it": [
                    band(name, curves[name].updates, curves[name].kld, colour=i, dashed=i > 1)
                    for i, name in enumerate(("s = 1", "s = ∞", "s = 1, matched to ∞", "s = ∞, matched to 1"))
                ],
            },
            xlabel="updates", ylabel="Kullback-Leibler divergence, nats", log_x=True, ylim=(0, top(curves.values())),
        ),
        f"The divergence against updates; mean over {rows} repeats ± standard error; the first "
        "updates are left out of the frame. Dashed: machines whose first "
        "weights and steps are scaled so that they begin like the other kind.",
        "The matched binary machine beside the one with continuous hidden units.",
    )  # fmt: skip
    shares = np.linspace(0.05, 0.95, 19)  # the very highest likelihoods are luck of the sampling
    pairs = {"s = 1": (binary, interval_machine), "s = 1, matched to ∞": (matched, interval_machine)}
    equal = {name: at_equal_likelihood(x, y, shares) for name, (x, y) in pairs.items()}
    second = notebook.figure(
        "equal-likelihood",
        bands(
            {
                f"{name} − s = ∞": [band("difference", levels.mean(0) / VISIBLE, of_x - of_y, colour=i)]
                for i, (name, (levels, of_x, of_y)) in enumerate(equal.items())
            },
            xlabel="training log-likelihood, nats per unit", ylabel="excess divergence, nats", zero=True, height=2.6,
        ),
        "The divergence in excess of that of s = ∞ at equal training likelihood; mean ± standard error, against the "
        "mean of the levels.",
        "Excess divergence against training likelihood, for the binary machine and the matched one.",
    )  # fmt: skip
    tests: dict[str, Interval] = {}
    readings: dict[str, Callable[[Curves], Floats]] = {
        "end": lambda c: c.kld[:, -1], "best": own_best, "whole": lambda c: over_updates(c, c.kld),
    }  # fmt: skip
    differences = {
        "s = 1 − s = ∞": (binary, interval_machine), "matched − s = ∞": (matched, interval_machine),
        "s = 1 − s = ∞ matched to 1": (binary, big),
    }  # fmt: skip
    for label, (x, y) in differences.items():
        for reading, of in readings.items():
            tests[f"{label}, {reading}"] = paired(of(x), of(y), len(differences))[0]
        _, of_x, of_y = at_equal_likelihood(x, y, shares)
        tests[f"{label}, equal likelihood"] = paired(of_x.mean(1), of_y.mean(1), len(differences))[0]
        tests[f"{label}, equal likelihood, last"] = paired(of_x[:, -1], of_y[:, -1], len(differences))[0]
    columns = ("best", "end", "whole", "equal likelihood", "equal likelihood, last")
    table = blocks.Table(
        ("difference", "own best", "at the end", "mean over updates", "at equal likelihood, mean", "the last level"),
        [[label, *(interval(tests[f"{label}, {c}"], sign=True) for c in columns)] for label in differences],
        "Differences of the divergence in nats, paired, with simultaneous 95 % intervals for each column.",
    )
    each = blocks.Table(
        ("machine", "first weights ×", "steps of W, b ×", "own best", "updates to it", "at the end"),
        [
            [name, f"{MACHINES[name][1]:.3f}", f"{MACHINES[name][2]:.3f}", interval(mean(own_best(one).tolist())),
             f"{np.median(one.updates[one.kld.argmin(1)]):.0f}", interval(mean(one.kld[:, -1].tolist()))]
            for name, one in curves.items()
        ],
        "Divergence in nats, with 95 % intervals of the mean; updates: the median over repeats.",
    )  # fmt: skip
    explained = {
        name: 1 - tests[f"matched − s = ∞, {name}"].value / tests[f"s = 1 − s = ∞, {name}"].value
        for name in ("best", "end")
    }
    notebook.numbers["step-size"] = {
        "differences": {name: found.as_dict() for name, found in tests.items()},
        "explained_by_scale": explained,
        "machines": {name: {"kld": one.kld.mean(0).tolist(), "train": one.train.mean(0).tolist()}
                     for name, one in curves.items()},
    }  # fmt: skip
    plain, left = tests["s = 1 − s = ∞, equal likelihood"], tests["matched − s = ∞, equal likelihood"]
    plain_last = tests["s = 1 − s = ∞, equal likelihood, last"]
    left_last = tests["matched − s = ∞, equal likelihood, last"]
    at_end, at_best = tests["matched − s = ∞, end"], tests["matched − s = ∞, best"]
    lead = (
        f"Mostly no. Of the advantage of s = ∞ over s = 1, {_share(explained['end'])} of that at the end and "
        if min(explained.values()) > 0.5
        else f"Of the advantage of s = ∞ over s = 1, {_share(explained['end'])} of that at the end and "
    ) + (
        f"{_share(explained['best'])} of that at the best update is a matter of scale: a binary machine with first "
        f"weights and steps times {_C:.3f} has it too. What is left is {interval(at_end, sign=True)} nats at the end "
        f"({_direction(at_end)}), {interval(at_best, sign=True)} at the best ({_direction(at_best)}) and "
        f"{interval(left, sign=True)} at equal training likelihood ({_direction(left)})."
    )
    text = (
        "At zero field a hidden unit with values from −1 to 1 has a third of the variance of a binary one. Near there "
        f"the machine with s = ∞ is therefore the binary machine with weights times c = {_C:.3f}, and Adam, whose "
        "steps have one size, moves it as it would move the binary machine at c times the rate. A binary machine with "
        "both changes takes the scale out of the comparison; the two with only one of them say which it is.\n\n"
        "A slower clock cannot matter where divergences are compared at equal training likelihood, in the last two "
        f"columns: there s = 1 lies {interval(plain, sign=True)} nats from s = ∞ on average ({_direction(plain)}), and "
        f"the matched machine {interval(left, sign=True)} ({_direction(left)}); at the last level, where over-fitting "
        f"is under way, {interval(plain_last, sign=True)} ({_direction(plain_last)}) and "
        f"{interval(left_last, sign=True)} ({_direction(left_last)})."
    )
    return blocks.Section("step-size", TITLE, [figure, second, table, each, blocks.Text(text)], lead)


def _share(value: float) -> str:
    return minus(f"{100 * value:.0f} %")


def _direction(found: Interval) -> str:
    """What a difference to s = ∞ says."""
    if found.low > 0:
        return "s = ∞ better"
    return "s = ∞ worse" if found.high < 0 else "no difference to be seen"


TITLE = "Is a large s more than a smaller step?"
PART = Part("step-size", TITLE, tasks, section)
