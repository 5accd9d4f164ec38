"""What a run is judged by: ln p(data), or ln P(label | data) where it is labels that it is to predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harmonium.config import Config

PARTS = ("train", "validation", "held_out")


@dataclass(frozen=True)
class Judged:
    """One quantity in nats per row, and where it is found.

    Attributes
    ----------
    key, baseline_key : str
        In the scores of a summary: the machine's, and that of what it must beat.
    ending : str
        What a measurement's key has behind the name of the part.
    words, baseline_words : str
        What they are called.
    """

    key: str
    baseline_key: str
    ending: str
    words: str
    baseline_words: str

    def curve(self, history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The history with this quantity under the names of the parts, as the learning curves take it."""
        if not self.ending:
            return [dict(record) for record in history]
        kept = ("step", "epoch", "seconds")
        return [
            {k: record[k] for k in kept if k in record}
            | {part: record[part + self.ending] for part in PARTS if part + self.ending in record}
            for record in history
        ]


LIKELIHOOD = Judged("value", "baseline", "", "average log-likelihood", "independent units")
LABELS = Judged(
    "log_p_label", "baseline_log_p_label", "_log_p_label", "average ln P(label | data)", "class frequencies"
)


def judged(config: Config) -> Judged:
    """By the option `objective`."""
    return LABELS if config.by_labels else LIKELIHOOD


def inputs_not_learned(config: Config) -> str:
    """What to know of the inputs' distribution where labels alone were learned, in one sentence; else nothing."""
    if config.aim != "discriminative":
        return ""
    return (
        "this machine has learned ln P(label | data) alone, so its distribution of the data is not learned; to make or "
        "judge data, train with objective=joint or hybrid."
    )
