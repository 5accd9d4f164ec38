"""Section 2.2 of the paper as tasks: the data of all repeats, and one training of all repeats for each setting."""

from __future__ import annotations

import math
from typing import Any

from harmonium.experiments.multivalued.scales import HIDDEN, VALUES, repeats, updates
from harmonium.experiments.study import Scale
from harmonium.experiments.tasks import Task

_MODULE = "harmonium.experiments.multivalued.simulation"
#: The first repeat of those on which strengths are chosen; they share nothing with those of the comparison.
CHOICE = 10_000


def name_of(s: float) -> str:
    """As a reader says it."""
    return "∞" if math.isinf(s) else f"{s:g}"


def worlds(scale: Scale, choice: bool = False) -> Task:
    """The data of all repeats, or of those for choosing."""
    number = scale.pick(20, 4) if choice else repeats(scale)
    arguments = {"repeats": number, "first": CHOICE if choice else 0}
    return Task("choice-data" if choice else "data", f"{_MODULE}:make_worlds", arguments, seconds=scale.pick(10, 2))


def learning(
    scale: Scale, setting: str, s: float, *, choice: bool = False, only: int | None = None, **changes: Any
) -> Task:
    """One training of all repeats (of `only` the first ones), with changes as `simulation.train` takes them."""
    data = worlds(scale, choice)
    number = min(only or data.arguments["repeats"], data.arguments["repeats"])
    hidden = HIDDEN[setting]
    arguments = {
        "hidden": hidden, "s": "inf" if math.isinf(s) else s, "repeats": number, "first": data.arguments["first"],
        "updates": updates(scale), **changes,
    }  # fmt: skip
    # a machine's step takes about 8 µs and as much again for each 4 hidden units, more where units have many values
    seconds = updates(scale) * number * (2e-5 + 1e-5 * hidden * (0.7 if s == 1 else 1.0))
    extra = "".join(f"-{key.replace('_', '-')}-{value:.3g}" for key, value in changes.items())
    kind = "choice-" if choice else ""
    label = "inf" if math.isinf(s) else f"{s:g}"
    return Task(f"{kind}{setting}-s-{label}{extra}", f"{_MODULE}:learn", arguments, {"worlds": data}, seconds)


def tasks(scale: Scale) -> dict[str, Task]:
    """Both settings, all values of s, and the data."""
    found = {f"{setting}-{name_of(s)}": learning(scale, setting, s) for setting in HIDDEN for s in VALUES}
    return {**found, "data": worlds(scale)}
