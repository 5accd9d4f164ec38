"""Voice in place of images: spoken digits classified, and given back."""

from __future__ import annotations

from collections.abc import Sequence

from harmonium.experiments.study import Experiment, Notebook, Scale
from harmonium.experiments.voice import regeneration, speakers, split
from harmonium.experiments.voice.machines import recordings
from harmonium.report import blocks

SCALES = {
    "full": Scale("full", {}, comparable=True),
    "quick": Scale("quick", {}, comparable=False),
}


def facts(scale: Scale) -> dict[str, str]:
    """What the data are, in words."""
    found = recordings(scale.name)
    words = f"{len(found):,} recordings by {len(found.speakers)} speakers at {found.rate:,} samples a second"
    if scale.quick:
        return {"recordings": f"made-up words, {words}"}
    return {"recordings": f"the Free Spoken Digit Dataset (CC BY-SA 4.0), {words}"}


def intro(notebook: Notebook, sections: Sequence[blocks.Section]) -> list[blocks.Block]:
    """What the study is about, and what was found."""
    found: list[blocks.Block] = [
        blocks.Text(
            "An introduction to Restricted Boltzmann Machines shows them on images of digits, and says that voice, or "
            "features of voice, could take the place of images. Here they do. A recording is a picture: a spectrogram "
            "with time to the right, pitch upwards, and loudness in decibels for brightness, stretched to one length. "
            "Its values are real numbers, so the first machine has Gaussian visible units; above it stand machines "
            "with Bernoulli units, and the whole is fine-tuned by backpropagation."
        )
    ]
    if not notebook.scale.comparable:
        found.append(
            blocks.Note("This is the short form, on made-up words. It shows what the study does, and says nothing of "
                        "speech.", "warning")
        )  # fmt: skip
    answers = [f'<b><a href="#{section.id}">{section.title}</a></b> {section.lead}' for section in sections]
    return [*found, blocks.Text("\n\n".join(answers))]


EXPERIMENT = Experiment(
    name="voice",
    title="Voice in place of images",
    subtitle="Spoken digits: classified, and given back by deep belief networks",
    parts=(split.PART, speakers.PART, regeneration.PART),
    scales=SCALES,
    intro=intro,
    facts=facts,
)
