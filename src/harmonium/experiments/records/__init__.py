"""Test likelihoods of machines of five sizes on binarised MNIST, against the best published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harmonium.evaluate.likelihood import FAR_APART
from harmonium.experiments.records.scales import SCALES, SIZES, facts
from harmonium.experiments.records.sizes import ALL
from harmonium.experiments.records.ways import WAYS
from harmonium.experiments.records.words import error, nats, seconds
from harmonium.experiments.statistics import Interval, mean
from harmonium.experiments.study import Experiment, Notebook
from harmonium.report import blocks


def intro(notebook: Notebook, sections: Sequence[blocks.Section]) -> list[blocks.Block]:
    """What the study is about, how it is done, the table of all sizes, and the verdicts."""
    scale = notebook.scale
    found: list[blocks.Block] = [
        blocks.Text(
            "A Restricted Boltzmann Machine is a probability distribution over images. Its quality is the average "
            "log-likelihood of images that it has not seen, in nats: higher is better, and a difference of 1 means "
            "probabilities e times larger. How high it gets with so many hidden units has been published for binarised "
            "MNIST; this page trains such machines, and says how far they come and how long it takes. Every number "
            "that is not marked as published was computed by the command that this page names."
        ),
        blocks.Text(_protocol()),
    ]
    if not scale.comparable:
        found.append(
            blocks.Note(
                "This is the short form, on small images of 8 × 8 pixels, with few hidden units in the place of those "
                "that the titles name. It shows what the study does; its numbers are not those of MNIST, and no mark "
                "is judged by them.",
                "warning",
            )
        )
    if notebook.numbers.get("records"):
        found.append(_main_table(notebook))
    answers = [f'<b><a href="#{section.id}">{section.title}</a></b> {section.lead}' for section in sections]
    found.append(blocks.Text("\n\n".join(answers)))
    return [*found, *notebook.verdicts] if scale.comparable else found


def _protocol() -> str:
    """The rules, as in the published numbers."""
    return (
        "<b>Protocol.</b> A grey value is the probability of a 1. Training images are drawn anew each time they are "
        "used; all of them are trained on. Test images are drawn once, the same draw for every machine. What is "
        "trained is kept as an average of its parameters, and this averaged machine is scored. Its ln Z is found in "
        "two ways that share no chain: by enumeration, with an estimate to check it, where there are few hidden units; "
        "for more by annealing forwards, which on average flatters a machine, and by annealing back from test images, "
        f"which as a rule does not. Where the two differ by more than {FAR_APART:g} nats, a doubt is said. A mark "
        "counts as reached where the lower of both, its error taken off, reaches it."
    )


def _main_table(notebook: Notebook) -> blocks.Table:
    """A row a size."""
    rows = []
    for size, one in notebook.numbers["records"].items():
        mark = one["published"]
        rows.append([
            f"{one['hidden']:,}{SIZES[size].variant}", str(len(one["seconds"])), seconds(mean(one["seconds"]).value),
            *(_by_way(way, one["ways"][way]) for way in SIZES[size].ways),
            f"{nats(mark['value'])} ({mark['source']})" if mark else "–",
            nats(one["value"] - mark["value"], sign=True) if mark else "–",
            blocks.VERDICTS[one["verdict"]] if one["verdict"] else "–",
        ])  # fmt: skip
    return blocks.Table(
        ("hidden units", "seeds", "training, s", "ln p, one way", "ln p, another way", "published", "difference",
         "reached?"),
        rows,
        "Average log-likelihood of the test images, mean over seeds, with the widest 95 % interval that ln Z brings "
        f"to one: {notebook.per_image}.",
        note="Seconds of training without the measuring. The difference is the lower of both ways, averaged over "
        "seeds, less the published number; above 0 is better.",
        align="rrrrrlrl",
    )  # fmt: skip


def _by_way(way: str, found: dict[str, Any]) -> str:
    half_width = found["half_width"]
    return f"{error(Interval(found['value'], float('inf') if half_width is None else half_width))} ({WAYS[way].name})"


EXPERIMENT = Experiment(
    name="records",
    title="How likely can a machine make unseen digits?",
    subtitle="Machines of 16 to 2,000 hidden units on binarised MNIST, against the best published likelihoods",
    parts=ALL,
    scales=SCALES,
    intro=intro,
    facts=facts,
)
