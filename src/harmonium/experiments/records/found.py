"""What is known of the machines of one size: read from the results of their tasks, none of it computed here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harmonium.experiments.records.document import MARKS, Mark
from harmonium.experiments.records.scales import SIZES, hidden_units, seeds
from harmonium.experiments.records.verdict import Scored, reached_after
from harmonium.experiments.statistics import Interval, mean
from harmonium.experiments.study import Results, Scale


@dataclass(frozen=True)
class Found:
    """All that is known of one size.

    Attributes
    ----------
    size, hidden : str, int
        Which machine it is, and the hidden units that it has at this scale.
    trained, curves, scored, leads : list of dict
        What the tasks have returned, in the order of the seeds.
    mark : Mark or None
        What is to be reached; None where there is nothing, or the data are others.
    """

    size: str
    hidden: int
    trained: list[dict[str, Any]]
    curves: list[dict[str, Any]]
    scored: list[dict[str, Any]]
    leads: list[dict[str, Any]]
    mark: Mark | None

    @property
    def title(self) -> str:
        """What the machine is called."""
        return f"{self.hidden:,} hidden units{SIZES[self.size].variant}"

    @property
    def ways(self) -> tuple[str, ...]:
        """The names of the ways to ln Z."""
        return SIZES[self.size].ways

    @property
    def scores(self) -> list[Scored]:
        """What each seed is scored by, in nats an image."""
        return [Scored(tuple(_interval(one["ways"][way]) for way in self.ways)) for one in self.scored]

    @property
    def value(self) -> float:
        """The mean over seeds of the lower of the two ways."""
        return mean([one.value for one in self.scores]).value

    @property
    def lead(self) -> float:
        """By how many nats training images are likelier than test images, beyond what independent pixels say: mean."""
        return mean([one["machine"] - one["independent"] for one in self.leads]).value

    @property
    def seconds(self) -> float:
        """The mean over seeds of the seconds of training."""
        return mean([one["seconds"] for one in self.trained]).value

    def by_way(self, way: str) -> Interval:
        """The mean over seeds by one way, with the widest interval of a seed."""
        found = [_interval(one["ways"][way]) for one in self.scored]
        return Interval(mean([one.value for one in found]).value, max(one.half_width for one in found), n=len(found))

    def to_mark(self, seed: int) -> float | None:
        """Seconds of training after which the seed's curve has come to stay at the mark."""
        if self.mark is None:
            return None
        curve = self.curves[seed]
        return reached_after(curve["seconds"], curve["value"], curve["half_width"], self.mark.value)


def _interval(found: Mapping[str, Any]) -> Interval:
    half_width = found["log_z"]["half_width"]
    return Interval(found["value"], math.inf if half_width is None else half_width)


def read(results: Results, size: str, scale: Scale) -> Found:
    """What the tasks have found of one size."""
    every = seeds(scale, size)
    trained, curves, scored, leads = (
        [results[f"{task}-{size}-{seed}"].value for seed in every] for task in ("train", "curve", "score", "lead")
    )
    mark = MARKS.get(SIZES[size].units) if scale.comparable else None
    return Found(size, hidden_units(scale, size), trained, curves, scored, leads, mark)
