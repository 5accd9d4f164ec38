"""Restricted Boltzmann Machines on MNIST's 7, 8 and 9: the document reproduced, corrected and answered."""

from __future__ import annotations

from collections.abc import Sequence

from harmonium.experiments.mnist_789 import (
    cap,
    digits,
    equal,
    figures,
    generation,
    hidden,
    ising,
    optimisers,
    random_search,
    steps,
    table,
)
from harmonium.experiments.mnist_789.document import CITATION, SCORES
from harmonium.experiments.mnist_789.machines import TABLE_III
from harmonium.experiments.mnist_789.scales import SCALES, facts
from harmonium.experiments.mnist_789.words import n, spread
from harmonium.experiments.study import Experiment, Notebook
from harmonium.report import blocks


def intro(notebook: Notebook, sections: Sequence[blocks.Section]) -> list[blocks.Block]:
    """What the study is about, the main table, the answers, and the verdicts."""
    found: list[blocks.Block] = [
        blocks.Text(
            "A Restricted Boltzmann Machine is a probability distribution over images, built from a layer of visible "
            "units (pixels) and a layer of hidden units that speak to the pixels and not to each other. Its quality "
            "is measured by the average log-likelihood, in nats per image: the logarithm of the probability that it "
            "gives to real images. Higher is better, and a difference of 1 means probabilities e times "
            f"larger.\n\nThis page does again what {CITATION} did with the handwritten digits 7, 8 and 9"
            + (", says of each of its claims whether it holds," if notebook.scale.comparable else "")
            + " and answers the questions that it leaves open. Every number that is not marked as the document's was "
            "computed by the command that this page names."
        )
    ]
    if not notebook.scale.comparable:
        found.append(
            blocks.Note(
                "This is the short form, on small images of 8 × 8 pixels and with a fraction of the training. It "
                "shows what the study does; its numbers are not those of MNIST, and no claim is judged by them.",
                "warning",
            )
        )
    if "table" in notebook.numbers and "cap" in notebook.numbers:
        found.append(_main_table(notebook))
    answers = [
        f'<b><a href="#{section.id}">{section.title}</a></b> {section.lead}'
        for section in sections
        if section.title.startswith("Question")
    ]
    if answers:
        found.append(blocks.Text("\n\n".join(answers)))
    return [*found, *notebook.verdicts] if notebook.scale.comparable else found


def _main_table(notebook: Notebook) -> blocks.Table:
    """The three machines that the document ends with, and what their sizes allow."""
    rows = []
    for name in TABLE_III:
        own, optimum = notebook.numbers["table"][name], notebook.numbers["cap"]["optimum"][name]
        quoted = SCORES[name] if notebook.scale.comparable else None
        ours = sum(own["every"]) / len(own["every"])
        rows.append(
            [name, "–" if quoted is None else str(quoted), spread(own["every"]),
             "–" if quoted is None else n(ours - quoted.value), spread(own["held_out"]), n(optimum),
             f"{len(own['every'])} + {len(own['held_out'])}"]
        )  # fmt: skip
    return blocks.Table(
        ("machine", "document", "ours, its settings", "difference", "held out", "best of its size", "seeds"), rows,
        f"Average log-likelihood, exact, all images trained on and scored, as in the document: {notebook.per_image}.",
        note="<b>Held out</b>: of machines trained on the training images alone, scored on the others. <b>Best of its "
        "size</b>: the highest training score found for a machine of that size, by the exact gradient or by "
        "expectation-maximisation. Mean ± standard deviation over seeds; their number: on all images + on the "
        "training images alone.",
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="mnist-789",
    title="Small machines on handwritten digits",
    subtitle="The digits 7, 8 and 9 by Restricted Boltzmann Machines: a student report reproduced, corrected, answered",
    parts=(
        table.PART,
        figures.FIG1,
        random_search.PART,
        figures.FIG2,
        figures.FIG3,
        figures.FIG4,
        hidden.FIG5,
        hidden.FIG6,
        generation.PART,
        cap.PART,
        equal.PART,
        ising.PART,
        steps.PART,
        optimisers.PART,
        digits.PART,
    ),
    scales=SCALES,
    intro=intro,
    facts=facts,
)
