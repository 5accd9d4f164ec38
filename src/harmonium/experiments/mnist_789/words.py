"""Numbers and settings as the report writes them."""

from __future__ import annotations

from harmonium.experiments.mnist_789.document import Quoted
from harmonium.experiments.statistics import Interval
from harmonium.experiments.tasks import Done
from harmonium.experiments.words import n as n
from harmonium.experiments.words import spread as spread


def against(ours: float, quoted: Quoted) -> str:
    """Whether a number beyond the document's contradicts that it is a cap."""
    return "contradicted" if ours > quoted.value + 2 * (quoted.error or 0) else "undecided"


#: Half-width of an interval, in nats, beyond which it agrees with too much to confirm anything.
WIDE = 5.0


def agrees(ours: Interval, quoted: Quoted) -> str:
    """Whether our interval and a number of the document meet: within twice its error, or 2 nats where it has none."""
    slack = 2 * (quoted.error if quoted.error is not None else 1.0)
    if abs(ours.value - quoted.value) > slack + (ours.half_width if ours.n > 1 else 0.0):
        return "contradicted"
    return "confirmed" if ours.n > 1 and ours.half_width <= WIDE else "undecided"


#: What counts as little, in nats: the document calls the effect of CD steps "a couple of points".
LITTLE = 2.0


def no_more_than(difference: Interval, p: float) -> str:
    """What becomes of "it makes no difference": a narrow interval confirms it, a test that finds nothing does not."""
    if max(abs(difference.low), abs(difference.high)) <= LITTLE:
        return "confirmed"
    return "contradicted" if p < 0.05 else "undecided"


def settings_in_words(result: Done) -> str:
    """How the machines of a task were trained, shortly."""
    task = result.value
    starts = len(task["seeds"])
    return f"{starts} start{'s' * (starts > 1)}, {task['updates']:,} updates each"
