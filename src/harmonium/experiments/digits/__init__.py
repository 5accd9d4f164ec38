"""An introduction to Restricted Boltzmann Machines, and its film of digits: done again, measured, and asked further."""

from __future__ import annotations

from collections.abc import Sequence

from harmonium.experiments.digits import dbn, features, labels, states, ways
from harmonium.experiments.digits.document import CITATION
from harmonium.experiments.digits.scales import SCALES, facts
from harmonium.experiments.study import Experiment, Notebook
from harmonium.report import blocks


def intro(notebook: Notebook, sections: Sequence[blocks.Section]) -> list[blocks.Block]:
    """What the study is about, what was found, and the verdicts."""
    found: list[blocks.Block] = [
        blocks.Text(
            "A Restricted Boltzmann Machine is a probability distribution built from a layer of visible units, here "
            "the pixels of a digit, and a layer of hidden units that speak to the pixels and not to each other. "
            "Machines stacked one on another are a deep belief network; unrolled, it is an ordinary neural network "
            "whose first weights were learned without labels, to be fine-tuned by backpropagation.\n\n"
            f"This page does again what {CITATION} shows: a digit beside what is regenerated of it, with random, "
            "pre-trained and fine-tuned weights"
            + (", and says of its words whether they hold" if notebook.scale.comparable else "")
            + ". Then it asks what the document leaves open: how a learned distribution classifies, how good learned "
            "features are, what a deep network reaches, and what pre-training is worth where labels are few. Every "
            "number was computed by the command at the end of the page. Test images chose "
            "no setting but one, in a trial of one seed: how large random first weights are where labels are few. A "
            "larger rate of fine-tuning the deep network and a shorter training of the machines were seen on them, "
            "too, and were worse."
        )
    ]
    if not notebook.scale.comparable:
        found.append(
            blocks.Note(
                "This is the short form, on small images of 8 × 8 pixels, with small layers and short trainings. It "
                "shows what the study does; its numbers are not those of MNIST, and no claim is judged by them.",
                "warning",
            )
        )
    answers = [f'<b><a href="#{section.id}">{section.title}</a></b> {section.lead}' for section in sections]
    found.append(blocks.Text("\n\n".join(answers)))
    return [*found, *notebook.verdicts] if notebook.scale.comparable else found


EXPERIMENT = Experiment(
    name="digits",
    title="What a machine makes of a digit",
    subtitle="Regenerating and classifying handwritten digits: random, pre-trained and fine-tuned weights",
    parts=(states.PART, ways.PART, features.PART, dbn.PART, labels.PART),
    scales=SCALES,
    intro=intro,
    facts=facts,
)
