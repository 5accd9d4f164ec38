"""A voice that was never heard: each speaker in turn is left out of training, and is the test."""

from __future__ import annotations

from harmonium.evaluate.proportion import Proportion
from harmonium.experiments.statistics import mean, paired
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.voice.machines import KINDS, recordings, task
from harmonium.experiments.voice.split import WORDS
from harmonium.experiments.words import interval, n
from harmonium.report import blocks


def tasks(scale: Scale) -> dict[str, Task]:
    """A task a kind and speaker."""
    return {f"{kind}-{who}": task(scale, kind, who, 0) for kind in KINDS for who in recordings(scale.name).speakers}


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Errors by speaker."""
    who = recordings(notebook.scale.name).speakers
    every = {kind: {name: results[f"{kind}-{name}"].value for name in who} for kind in KINDS}
    errors = {kind: [100 * every[kind][name]["error"] for name in who] for kind in KINDS}
    rows = []
    for i, name in enumerate(who):
        found = [Proportion(every[kind][name]["wrong"], every[kind][name]["of"]) for kind in KINDS]
        cells = (f"{n(errors[kind][i], 1)} ({100 * p.low:.1f} to {100 * p.high:.1f})"
                 for kind, p in zip(KINDS, found, strict=True))  # fmt: skip
        rows.append([blocks.escape(name), str(found[0].of), *cells])
    rows.append(["mean of the speakers", "", *(interval(mean(errors[kind]), 1) for kind in KINDS)])
    table = blocks.Table(
        ("speaker left out", "recordings", *(WORDS[kind] for kind in KINDS)), rows,
        "Recordings of a speaker taken for another word by classifiers that never heard him or her, in per cent, with "
        "the 95 % interval by the recordings; below, the mean with its 95 % interval over speakers.",
    )  # fmt: skip
    gap, _ = paired(errors["network"], errors["logistic"])
    notebook.numbers["speakers"] = {"speakers": list(who), "errors": errors, "network_minus_logistic": gap.as_dict()}
    lead = (
        f"Of a voice that it never heard the deep network takes {interval(mean(errors['network']), 1)} % for another "
        f"word, {interval(gap, 1, sign=True)} points from logistic regression (paired by the {len(who)} speakers)."
    )
    return blocks.Section("speakers", TITLE, [table], lead)


TITLE = "And a voice that was never heard?"
PART = Part("speakers", TITLE, tasks, section)
