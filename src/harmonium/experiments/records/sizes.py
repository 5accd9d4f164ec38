"""The machines by size: trained, scored in two ways, set against the published mark, and their curves drawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harmonium.experiments.records import pictures
from harmonium.experiments.records.found import Found, read
from harmonium.experiments.records.machines import curve_task, lead_task, sample_task, score_task, train_task
from harmonium.experiments.records.scales import SIZES, seeds
from harmonium.experiments.records.verdict import against
from harmonium.experiments.records.ways import WAYS
from harmonium.experiments.records.words import (
    devices,
    error,
    nats,
    round_numbers,
    seconds,
    settings,
    which,
)
from harmonium.experiments.statistics import mean
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.words import n
from harmonium.plots.score_against import Series, score_against
from harmonium.report import blocks

#: Part -> machines, and the one that is sampled.
PARTS: dict[str, tuple[str, ...]] = {
    "small": ("16", "25"), "hundred": ("100",), "five-hundred": ("500", "500-long"), "two-thousand": ("2000",),
}  # fmt: skip
SAMPLED = "500-long"


def tasks(sizes: tuple[str, ...], scale: Scale) -> dict[str, Task]:
    """A training, its curve and its score for each size and seed, and samples of one machine."""
    found: dict[str, Task] = {}
    for size in sizes:
        for seed in seeds(scale, size):
            found[f"train-{size}-{seed}"] = train_task(scale, size, seed)
            found[f"curve-{size}-{seed}"] = curve_task(scale, size, seed)
            found[f"score-{size}-{seed}"] = score_task(scale, size, seed)
            found[f"lead-{size}-{seed}"] = lead_task(scale, size, seed)
        if size == SAMPLED:
            found[f"sample-{size}"] = sample_task(scale, size)
    return found


def section(name: str, title: str, results: Results, notebook: Notebook) -> blocks.Section:
    """Scores of every seed, the verdict, the curve; samples where there are some."""
    scale = notebook.scale
    found = [read(results, size, scale) for size in PARTS[name]]
    verdicts = {one.size: _verdict(one, notebook) for one in found if one.mark is not None}
    shown: list[blocks.Block] = [*verdicts.values(), _table(found, notebook), *_doubts(found)]
    shown += [_figure(one, notebook) for one in found]
    if SAMPLED in PARTS[name]:
        shown += pictures.samples(results[f"sample-{SAMPLED}"], SAMPLED, scale, notebook)
    numbers = notebook.numbers.setdefault("records", {})
    for one in found:
        numbers[one.size] = _numbers(one, verdicts.get(one.size))
    return blocks.Section(name, title, shown, " ".join(_lead(one) for one in found))


def _verdict(found: Found, notebook: Notebook) -> blocks.Verdict:
    assert found.mark is not None
    scores = found.scores
    ends = (
        f"at least {nats(mean([s.low for s in scores]).value)} and at most {nats(mean([s.high for s in scores]).value)}"
    )
    return notebook.verdict(
        f"{found.title} reach {nats(found.mark.value)} nats an image",
        found.mark.source,
        against(scores, found.mark.value),
        f"{ends} by both ways with their errors, {which(len(scores))}. Confirmed: the former is at or above the mark; "
        "contradicted: the latter is below it.",
    )


def _table(found: list[Found], notebook: Notebook) -> blocks.Table:
    first, second = (WAYS[way] for way in found[0].ways)
    rows: list[list[str]] = []
    for one in found:
        for seed, (trained, scores) in enumerate(zip(one.trained, one.scores, strict=True)):
            rows.append([
                f"{one.title}, seed {seed}", seconds(trained["seconds"]), seconds(one.to_mark(seed)),
                *(error(way) for way in scores.ways), error(scores.difference),
                nats(scores.value - one.mark.value, sign=True) if one.mark else "–",
                nats(one.leads[seed]["machine"], sign=True),
            ])  # fmt: skip
    drawn = max(one["draws_sd"] for size in found for one in size.scored)
    sampled, lead = found[0].scored[0], found[0].leads[0]
    return blocks.Table(
        ("machine", "training, s", "s to the mark", f"ln p, {first.name}", f"ln p, {second.name}", "difference",
         "lower − published", "training − test"),
        rows,
        f"Average log-likelihood of the {sampled['rows']:,} test images with the 95 % interval that ln Z brings: "
        f"{notebook.per_image}.",
        note=f"{first.name}: {first.words}. {second.name}: {second.words}. Seconds are those of training alone, on "
        f"{devices(found)}, without the measuring; those to the mark end at the first point of the curve at or above "
        f"it after which no interval lies below it. Independent pixels: {nats(sampled['baseline'])}. Another draw of "
        f"the test images moves a score by {drawn:.2f} nats (standard deviation over {sampled['draws']} draws, the "
        f"largest). Training − test: by how much likelier {lead['rows']:,} training images are, drawn once as the test "
        f"images are; by independent pixels {nats(lead['independent'], sign=True)}. {settings(found)}",
        align="l" + "r" * 7,
    )  # fmt: skip


def _doubts(found: list[Found]) -> list[blocks.Block]:
    """A warning for each score that its two ways, or one of them, put in doubt."""
    said = []
    for one in found:
        for seed, (scores, values) in enumerate(zip(one.scores, one.scored, strict=True)):
            where = f"{one.title}, seed {seed}"
            if scores.doubtful:
                gap = abs(scores.difference.value)
                said.append(f"{where}: the two ways differ by {gap:.2f} nats, so neither is known better than that.")
            said += [f"{where}, {WAYS[w].name}: {doubt}." for w in one.ways for doubt in values["ways"][w]["doubts"]]
    return [blocks.Note("<b>Doubt.</b> " + "<br>".join(said), "warning")] if said else []


def _figure(found: Found, notebook: Notebook) -> blocks.Figure:
    curves = found.curves
    marks = {f"published, {found.mark.source}": found.mark.value} if found.mark else {}
    widest = max(width for curve in curves for width in curve["half_width"])
    exact = SIZES[found.size].on_the_way == "exact"
    rows = found.scored[0]["rows"]
    cheap = (
        "Here ln Z comes from shorter annealings than in the table, which alone counts; on average they flatter a "
        "machine, the more the sharper it is."
    )
    way = "ln Z is exact." if exact else cheap
    ax = score_against(
        [
            Series(f"seed {seed}", curve["seconds"], curve["value"], curve["half_width"] if widest else None)
            for seed, curve in enumerate(curves)
        ],
        xlabel="seconds of training, without the measuring",
        log_x=True,
        ticks=round_numbers(curves[0]["seconds"]),
        marks=marks,
        title=found.title,
        subtitle=f"{rows:,} test images; ln Z {'exact' if exact else f'annealed, ± {widest:.2f} nats at most'}",
    )
    return notebook.figure(
        f"curve-{found.size}", ax,
        f"{found.title}: test log-likelihood against seconds of training, from the first measurement "
        f"on. {way}",
        "One rising curve for each seed on a logarithmic axis of seconds"
        + (", and a dotted line at the published likelihood." if found.mark else "."),
    )  # fmt: skip


def _numbers(found: Found, verdict: blocks.Verdict | None) -> dict[str, Any]:
    return {
        "hidden": found.hidden,
        "published": None if found.mark is None else {"value": found.mark.value, "source": found.mark.source},
        "verdict": None if verdict is None else verdict.verdict,
        "value": found.value,
        "seconds": [one["seconds"] for one in found.trained],
        "seconds_to_mark": [found.to_mark(seed) for seed in range(len(found.trained))],
        "ways": {way: found.by_way(way).as_dict() for way in found.ways},
        "doubtful": [one.doubtful for one in found.scores],
        "trained": found.trained,
        "curves": found.curves,
        "scored": found.scored,
        "leads": found.leads,
    }


def _lead(found: Found) -> str:
    ways = " and ".join(f"{error(found.by_way(way))} ({WAYS[way].name})" for way in found.ways)
    text = f"{found.title}: {ways} nats an image, {which(len(found.scored))}, after "
    text += f"{seconds(found.seconds)} s of training"
    if found.mark is not None:
        gap = found.value - found.mark.value
        text += f"; the lower is {n(abs(gap))} nats {'above' if gap >= 0 else 'below'} {nats(found.mark.value)}, "
        text += f"the best published ({found.mark.source})"
    return f"{text}. Over-fitting: {n(found.lead)} nats, training less test images, beyond independent pixels' own."


def _part(name: str, title: str) -> Part:
    sizes = PARTS[name]
    make: Callable[[Results, Notebook], blocks.Section] = partial(section, name, title)
    return Part(name, title, partial(tasks, sizes), make)


ALL = (
    _part("small", "16 and 25 hidden units: the likelihood is exact"),
    _part("hundred", "100 hidden units"),
    _part("five-hundred", "500 hidden units"),
    _part("two-thousand", "2,000 hidden units: as far as it goes"),
)
