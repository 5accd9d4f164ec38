"""An introduction to Restricted Boltzmann Machines, and its film of digits: done again, measured, and asked further."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harmonium.experiments.digits import dbn, features, labels, states, ways
from harmonium.experiments.digits.document import CITATION
from harmonium.experiments.digits.scales import SCALES, facts
from harmonium.experiments.study import Experiment, Notebook
from harmonium.report import blocks

#: What the parts ask beyond the document.
_ASKS = {
    "ways": "how a learned distribution classifies",
    "features": "how good learned features are",
    "dbn": "what a deep network reaches",
    "labels": "what pre-training is worth where labels are few",
}
#: Parts whose earlier settings were once scored on the test images.
_SEEN = {"features", "dbn", "labels"}


def intro(notebook: Notebook, sections: Sequence[blocks.Section]) -> list[blocks.Block]:
    """What the study is about, what was found, and the verdicts."""
    found: list[blocks.Block] = [
        blocks.Text(
            "A Restricted Boltzmann Machine is a probability distribution built from a layer of visible units, here "
            "the pixels of a digit, and a layer of hidden units that speak to the pixels and not to each other. "
            "Machines stacked one on another are a deep belief network; unrolled, it is an ordinary neural network "
            "whose first weights were learned without labels, to be fine-tuned by backpropagation.\n\n"
            + " ".join(_about({section.id for section in sections}, judged=notebook.scale.comparable))
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


def _about(parts: set[str], *, judged: bool) -> Iterator[str]:
    """What the page does and how, a sentence each, of those parts alone that are on it."""
    if "states" in parts:
        yield (
            f"This page does again what is shown in {CITATION}: a digit beside what is regenerated of it, with random, "
            f"pre-trained and fine-tuned weights{', and says of its words whether they hold' if judged else ''}."
        )
    asks = [words for name, words in _ASKS.items() if name in parts]
    if asks:
        begun = (
            "Then it asks what the document leaves open"
            if "states" in parts
            else f"This page asks what {CITATION}, leaves open"
        )
        yield f"{begun}: {', and '.join(filter(None, (', '.join(asks[:-1]), asks[-1])))}."
    yield "Every number was computed by the command that this page names."
    few = "labels" in parts
    yield "Test images chose no setting" + (
        " but one, in a trial of one seed: how large random first weights are where labels are few." if few else "."
    )
    if _SEEN & parts:
        yield (
            "Earlier settings of the machines and of the deep network's fine-tuning were scored on them, and were "
            "worse; those that took their place were chosen on training images."
        )


EXPERIMENT = Experiment(
    name="digits",
    title="What a machine makes of a digit",
    subtitle="Regenerating and classifying handwritten digits: random, pre-trained and fine-tuned weights",
    parts=(states.PART, ways.PART, features.PART, dbn.PART, labels.PART),
    scales=SCALES,
    intro=intro,
    facts=facts,
)
