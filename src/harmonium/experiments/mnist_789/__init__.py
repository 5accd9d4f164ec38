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
from harmonium.experiments.mnist_789.document import CITATION
from harmonium.experiments.mnist_789.scales import SCALES, facts
from harmonium.experiments.study import Experiment, Notebook
from harmonium.report import blocks


def intro(notebook: Notebook, parts: Sequence[str]) -> list[blocks.Block]:
    """What the study is about, and the verdicts."""
    found: list[blocks.Block] = [
        blocks.Text(
            "A Restricted Boltzmann Machine is a probability distribution over images, built from a layer of visible "
            "units (pixels) and a layer of hidden units that speak to the pixels and not to each other. Its quality "
            "is measured by the average log-likelihood, in nats per image: the logarithm of the probability that it "
            "gives to real images. Higher is better, and a difference of 1 means probabilities e times larger.\n\n"
            f"This page does again what {CITATION} did with the handwritten digits 7, 8 and 9, says of each of its "
            "claims whether it holds, and answers the questions that it leaves open. Every number here was computed by "
            "the command at the end of the page."
        )
    ]
    if not notebook.scale.comparable:
        found.append(
            blocks.Note(
                "This is the short form, on small images of 8 × 8 pixels and with a fraction of the training. It shows "
                "what the study does; its numbers are not those of MNIST, and no claim is judged by them.",
                "warning",
            )
        )
        return found
    return [*found, *notebook.verdicts]


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
