"""Likelihoods, errors, times and settings as the report of this study says them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harmonium.experiments.records.found import Found
from harmonium.experiments.statistics import Interval, minus
from harmonium.plots.style import number


def nats(value: float, *, sign: bool = False) -> str:
    """A log-likelihood, or with its sign a difference of two."""
    rounded = round(value, 2) + 0.0  # no minus before a zero
    return minus(f"{rounded:{'+' if sign else ''}.2f}")


def error(found: Interval) -> str:
    """A value with half of its 95 % interval; alone where it is exact, with a question mark where none is known."""
    if found.half_width == 0:
        return nats(found.value)
    return f"{nats(found.value)} ± {f'{found.half_width:.2f}' if math.isfinite(found.half_width) else '?'}"


def seconds(value: float | None) -> str:
    """Seconds, a dash where there are none; with a decimal where they are few."""
    return "–" if value is None else number(value, 0 if value >= 10 else 1)


def round_numbers(values: Sequence[float]) -> list[float]:
    """1, 2 and 5 times powers of ten between the least and the greatest of positive values."""
    low, high = min(values), max(values)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    return [one for one in every if low <= one <= high]


def which(seeds: int) -> str:
    """Of what a number is the mean."""
    return f"mean of {seeds} seeds" if seeds > 1 else "one seed"


def devices(found: Sequence[Found]) -> str:
    """What the machines were trained on."""
    threads = sorted({one["threads"] for size in found for one in size.trained})
    places = sorted({one["device"] for size in found for one in size.trained})
    return f"{' or '.join(map(str, threads))} thread{'s' * (threads != [1])} ({', '.join(places)})"


def settings(found: Sequence[Found]) -> str:
    """How the machines were trained, a sentence for each size; what all have in common is said by the introduction."""
    return " ".join(_settings(one) for one in found)


def _settings(found: Found) -> str:
    options, updates = found.trained[0]["options"], found.trained[0]["updates"]
    steps = options.get("steps", 1)
    return (
        f"{found.title}: {updates:,} updates by {options['negative'].upper()}-{steps}, minibatches of "
        f"{options['batch_size']:,} and {options['chains']:,} chains, {options['optimizer']} at rate "
        f"{options['learning_rate']:g} ({options['learning_rate_schedule']}), L2 {options['l2']:g}, averaging "
        f"{options['averaging']:g}."
    )
