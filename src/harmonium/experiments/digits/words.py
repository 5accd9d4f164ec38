"""Errors, marks and times as the report of this study says them."""

from __future__ import annotations

from collections.abc import Sequence

from harmonium.evaluate.proportion import Proportion
from harmonium.experiments.statistics import Interval, mean
from harmonium.experiments.words import interval, n
from harmonium.plots.style import number


def per_cent(wrong: Sequence[int], of: int) -> Interval:
    """Errors of several seeds in per cent: their mean with Student's interval, infinitely wide for one seed."""
    return mean([100 * count / of for count in wrong])


def said(errors: Interval) -> str:
    """A mean error with its interval where there is one."""
    return n(errors.value) if errors.n < 2 else interval(errors, 2)


def binomial(wrong: Sequence[int], of: int) -> str:
    """The interval of one seed's error as a share of so many rows, in per cent: of the seed in the middle."""
    share = Proportion(sorted(wrong)[len(wrong) // 2], of)
    return f"{100 * share.low:.2f} to {100 * share.high:.2f}"


def against_mark(errors: Interval, mark: float) -> str:
    """What becomes of "at most `mark` per cent": a mean at or below it confirms, an interval above it contradicts."""
    if errors.value <= mark:
        return "confirmed"
    return "contradicted" if errors.n > 1 and errors.low > mark else "undecided"


def reached(errors: Interval, mark: float, comparable: bool) -> str:
    """The same as the end of a sentence; nothing where the data are others."""
    if not comparable:
        return ""
    return f", which {'reaches' if errors.value <= mark else 'misses'} the mark of {mark:g} %"


def training_took(seconds: Sequence[float], threads: int) -> str:
    """What one training took, as the middle one did."""
    return f"{number(sorted(seconds)[len(seconds) // 2])} s on {threads} thread{'s' * (threads > 1)}"


def layers_in_words(hidden: Sequence[str], pixels: int | None = None) -> str:
    """Units from the data upwards: 784-500-500, without the pixels 500-500."""
    sizes = [side.partition(":")[2].partition(",")[0] for side in hidden]
    return "-".join(sizes if pixels is None else [str(pixels), *sizes])


def wrong_of(test: int) -> str:
    """What tables of errors show."""
    return (
        f"Wrong classes among {test:,} test images, in per cent: mean over seeds with its 95 % interval, and the "
        "interval that as many test images give one seed."
    )


def dropped_in_words(dropout: tuple[float, float]) -> str:
    """What dropout leaves out."""
    return f"{dropout[0]:g} of the pixels and {dropout[1]:g} of the hidden units"
