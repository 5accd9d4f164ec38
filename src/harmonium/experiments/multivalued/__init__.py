"""Restricted Boltzmann Machines with multivalued hidden units: the paper reproduced, tested, and asked further."""

from __future__ import annotations

from collections.abc import Sequence

from harmonium.experiments.multivalued import against, every_s, fig2, fig3, fig6, noise, rivals, sixty, step_size, toy
from harmonium.experiments.multivalued.document import CITATION
from harmonium.experiments.multivalued.scales import SCALES, facts
from harmonium.experiments.study import Experiment, Notebook
from harmonium.report import blocks


def intro(notebook: Notebook, sections: Sequence[blocks.Section]) -> list[blocks.Block]:
    """What the study is about, what was found, and the verdicts."""
    found: list[blocks.Block] = [
        blocks.Text(
            "A Restricted Boltzmann Machine is a probability distribution built from a layer of visible units and a "
            "layer of hidden units that speak to the visible ones and not to each other. Hidden units are usually "
            "binary, −1 or +1. The paper gives them s + 1 evenly spaced values from −1 to 1, up to the whole interval "
            "(s = ∞), and says that machines then over-fit less: they learn what is peculiar to their few rows of "
            "data later, and stay nearer to where the data come from.\n\n"
            f"This page does again what {CITATION} did"
            + (", says of each of its claims whether it holds," if notebook.scale.comparable else "")
            + " and goes on to ask whether it is the number of values that matters, or only that it makes the units "
            "weaker. Every number was computed by the command that this page names."
        )
    ]
    if not notebook.scale.comparable:
        found.append(
            blocks.Note(
                "This is the short form, with few repeats and short trainings. It shows what the study does; no claim "
                "is judged by its numbers.",
                "warning",
            )
        )
    answers = [f'<b><a href="#{section.id}">{section.title}</a></b> {section.lead}' for section in sections]
    found.append(blocks.Text("\n\n".join(answers)))
    return [*found, *notebook.verdicts] if notebook.scale.comparable else found


EXPERIMENT = Experiment(
    name="multivalued",
    title="More values for hidden units",
    subtitle="Restricted Boltzmann Machines with multivalued hidden units: a paper of 2019 reproduced and questioned",
    parts=(
        fig2.PART,
        fig3.PART,
        toy.PART,
        every_s.PART,
        step_size.PART,
        against.PART,
        fig6.PART,
        noise.PART,
        rivals.PART,
        sixty.PART_OF_MARKS,
        sixty.PART,
    ),
    scales=SCALES,
    intro=intro,
    facts=facts,
)
