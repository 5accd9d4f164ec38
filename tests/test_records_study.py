"""The study of records: its verdicts and seconds, its two ways to ln Z, and its short form to the page."""

import json
import math
import re
import time
from dataclasses import replace

import pytest
import torch

from harmonium.config_from import config_from
from harmonium.evaluate.likelihood import FAR_APART
from harmonium.experiments import find_experiment
from harmonium.experiments.records import machines, sizes
from harmonium.experiments.records.document import MARKS
from harmonium.experiments.records.found import Found
from harmonium.experiments.records.scales import SCALES, SIZES, drawn_noise, open_inputs, options, seeds
from harmonium.experiments.records.verdict import Scored, against, reached_after
from harmonium.experiments.records.ways import WAYS
from harmonium.experiments.records.words import error, nats, round_numbers, seconds
from harmonium.experiments.statistics import Interval
from harmonium.experiments.study import Notebook, reproduce
from harmonium.experiments.tasks import done, ordered
from harmonium.io import write_json
from harmonium.logz import exact_log_z
from harmonium.presets import preset
from harmonium.report.blocks import Note, Verdict
from harmonium.runs.monitor import Monitor

QUICK, FULL = SCALES["quick"], SCALES["full"]


def scored(*ways):
    """A machine by (value, half width) of each way."""
    return Scored(tuple(Interval(*way) for way in ways))


# ---- verdicts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machines_", "verdict"),
    [
        ([scored((-84.2, 0.1), (-84.4, 0.1))], "confirmed"),
        ([scored((-84.2, 0.1), (-84.4, 0.3))], "undecided"),  # the error of the lower way reaches below
        ([scored((-84.2, 0.1), (-84.7, 0.05))], "undecided"),  # one way alone
        ([scored((-84.9, 0.2), (-85.2, 0.1))], "contradicted"),
        ([scored((-84.9, 0.4), (-85.2, 0.1))], "undecided"),
        ([scored((-84.6, 0.0), (-84.6, 0.0))], "confirmed"),  # exactly there
        ([scored((-84.0, 0.0), (-84.0, 0.0)), scored((-85.0, 0.0), (-85.0, 0.0))], "confirmed"),  # their mean
        ([scored((-84.0, 0.0), (-84.0, math.inf))], "undecided"),
    ],
)
def test_a_mark_is_reached_where_both_ways_reach_it(machines_, verdict):
    assert against(machines_, -84.6) == verdict


def test_two_ways_far_apart_are_in_doubt_and_the_lower_one_counts():
    near, far = scored((-84.0, 0.1), (-84.0 - FAR_APART, 0.1)), scored((-84.0, 0.1), (-84.01 - FAR_APART, 0.1))
    assert (near.doubtful, far.doubtful) == (False, True)
    assert far.value == -84.01 - FAR_APART
    assert far.difference.value == pytest.approx(FAR_APART + 0.01)
    assert far.difference.half_width == pytest.approx(0.1 * math.sqrt(2))
    assert scored((-85.0, 0.1), (-84.0, 0.1)).doubtful  # whichever is higher


def test_a_mark_counts_from_where_the_curve_stays():
    at, exact = [1.0, 2.0, 3.0, 4.0], [0.0] * 4
    assert reached_after(at, [-90, -84, -85, -84], exact, -84.6) == 4.0
    assert reached_after(at, [-90, -84, -84, -84], exact, -84.6) == 2.0
    assert reached_after(at, [-84, -84, -84, -85], exact, -84.6) is None
    assert reached_after(at, [-90, -84, -85, -84], [0.1, 0.1, 0.5, 0.1], -84.6) == 2.0  # by its error it may be there
    assert reached_after(at, [-90, -85, -85, -85], [0.5] * 4, -84.6) is None  # it was never seen there


def test_words():
    assert (nats(-0.001), nats(0.0, sign=True), nats(-97.114)) == ("0.00", "+0.00", "−97.11")
    assert error(Interval(-1.0, 0.0)) == "−1.00"
    assert error(Interval(-1.0, 0.125)) == "−1.00 ± 0.12"
    assert error(Interval(-1.0, math.inf)) == "−1.00 ± ?"
    assert (seconds(None), seconds(1.26), seconds(1234.5)) == ("–", "1.3", "1,234")
    assert round_numbers([3.0, 60.0, 1200.0]) == [5, 10, 20, 50, 100, 200, 500, 1000]


# ---- what is done ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_the_machines_are_the_presets_on_all_training_images(size):
    given = config_from(options(FULL, size, 1))
    own = config_from({**preset(f"mnist-{size}"), "measure": given.measure, "seed": 1})
    assert given == own
    assert (given.data, given.binarize, given.hidden) == ("mnist", "stochastic", f"bernoulli:{SIZES[size].units}")
    assert (given.validation, given.patience, given.held_out) == (0, 0, "auto")
    assert given.averaging > 0


def test_every_size_is_in_one_part_and_is_scored_in_two_ways_that_differ():
    assert [size for part in sizes.PARTS.values() for size in part] == list(SIZES)
    assert [part.name for part in sizes.ALL] == list(sizes.PARTS)
    assert set(MARKS) <= {size.units for size in SIZES.values()}
    for size in SIZES.values():
        assert len(set(size.ways)) == 2
        assert set(size.ways) <= set(WAYS)
    tasks = sizes.tasks(("500", "500-long"), FULL)
    assert [label for label in tasks if label.startswith("train")] == [
        f"train-{size}-{seed}" for size in ("500", "500-long") for seed in (0, 1)
    ]
    assert tasks["sample-500-long"].needs["machine"].key == tasks["train-500-long-0"].key
    assert tasks["train-500-long-0"].key != tasks["train-500-0"].key
    assert tasks["score-500-1"].needs["machine"].key == tasks["train-500-1"].key


def test_the_test_images_are_drawn_once_and_for_all():
    first, other = (open_inputs(options(QUICK, size, 0)) for size in ("16", "500"))
    draws = [i.feed.states(i.rows.held_out, drawn_noise()) for i in (first, other)]
    assert torch.equal(*draws)
    assert not torch.equal(draws[0], first.feed.states(first.rows.held_out, drawn_noise(1)))
    assert set(draws[0].unique().tolist()) == {0.0, 1.0}


def test_the_seconds_of_a_curve_leave_out_the_measuring(tmp_path, monkeypatch):
    """However long the looks at a machine take, the curve's seconds are those of its training."""
    pause, measure = 0.3, Monitor.measure

    def slow(self, state):
        time.sleep(pause)
        return measure(self, state)

    given = {**options(QUICK, "16", 0), "epochs": 2}
    machines.train(tmp_path, {}, options=given, points=4)  # what is compiled is compiled
    monkeypatch.setattr(Monitor, "measure", slow)
    monkeypatch.setattr(machines, "keep_machine", lambda *_: time.sleep(pause))
    value = machines.train(tmp_path, {}, options=given, points=4)
    times = value["at"]
    assert len(times) == len(value["steps"]) == 4
    assert value["steps"][-1] == value["updates"]
    assert times == sorted(times)
    assert times[0] > 0  # the start, which no training precedes, is left out
    assert value["seconds"] == times[-1] < 4 * pause  # five pauses lie before the last of them
    assert value["seconds_measuring"] >= 6 * pause


def test_health_is_measuring_too(monkeypatch):
    from harmonium.runs.health import HealthWatch
    from harmonium.runs.train import run_training

    given = {**options(QUICK, "16", 0), "epochs": 2, "measure": 4}
    monkeypatch.setattr(HealthWatch, "_look", lambda self, state: time.sleep(0.1))
    config = config_from(given)
    run = run_training(config, dataset=machines.data_of(config), likelihood=False)
    assert run.summary["seconds_measuring"] >= 0.5


# ---- the page ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The short form, shorter still, and with few samples."""
    out = tmp_path_factory.mktemp("study") / "records"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harmonium.experiments.study.execute", in_this_process)
        patch.setitem(machines.options.__globals__["_QUICK"], "epochs", 12)
        patch.setattr(machines, "SAMPLES", 12)
        patch.setitem(machines.SWEEPS, "quick", 40)
        yield reproduce(find_experiment("records"), out, quick=True), out, find_experiment("records")


def in_this_process(tasks, work, workers, threads, say):
    """`execute` without processes: importing in each would take most of the time."""
    for task in ordered(tasks):
        folder = task.folder(work)
        folder.mkdir(parents=True)
        needs = {name: done(need, work) for name, need in task.needs.items()}
        module, _, name = task.function.partition(":")
        assert module == machines.__name__
        value = getattr(machines, name)(folder, needs, **task.arguments)
        write_json(folder / "result.json", {"value": value, "seconds": 1.0})


def results_of(part, out):
    return {label: done(task, out / "work") for label, task in part.tasks(QUICK).items()}


def test_the_short_form_makes_the_page_and_judges_nothing(study):
    found, out, experiment = study
    assert [section.id for section in found.page.sections] == [part.name for part in experiment.parts]
    figures = {path.stem for path in (out / "figures").glob("*.png")}
    assert figures == {*(f"curve-{size}" for size in SIZES), "samples-500-long"}
    text = (out / "report.md").read_text()
    assert not re.search(r"\b(nan|inf)\b", text)
    assert "published (" not in text
    numbers = json.loads((out / "numbers.json").read_text())
    assert numbers["verdicts"] == []
    assert set(numbers["records"]) == set(SIZES)
    assert all(one["published"] is None for one in numbers["records"].values())


def test_the_numbers_are_those_of_the_tasks_and_the_two_ways_agree(study):
    _, out, experiment = study
    numbers = json.loads((out / "numbers.json").read_text())["records"]
    for part in experiment.parts:
        results = results_of(part, out)
        for size in sizes.PARTS[part.name]:
            own = [results[f"score-{size}-{seed}"].value for seed in seeds(QUICK, size)]
            first, second = SIZES[size].ways
            lower = [min(one["ways"][way]["value"] for way in (first, second)) for one in own]
            assert numbers[size]["value"] == pytest.approx(sum(lower) / len(lower))
            for one in own:
                widths = [one["ways"][way]["log_z"]["half_width"] for way in (first, second)]
                gap = abs(one["ways"][first]["value"] - one["ways"][second]["value"])
                assert gap < 3 * math.hypot(*widths)
                assert one["ways"][first]["value"] > one["baseline"] - 1
    trained = results_of(experiment.parts[0], out)["train-16-0"].value
    assert numbers["16"]["seconds"][0] == trained["at"][-1]


def changed(results, shift):
    """The results with all scores of the second way shifted by so many nats."""
    found = {}
    for label, result in results.items():
        value = result.value
        if label.startswith("score"):
            (first, own), (second, other) = value["ways"].items()
            value = {**value, "ways": {first: own, second: {**other, "value": other["value"] + shift}}}
        found[label] = replace(result, value=value)
    return found


@pytest.mark.parametrize(("mark", "verdict"), [(-1000.0, "confirmed"), (-1.0, "contradicted")])
def test_on_the_real_images_the_verdict_follows_the_numbers(study, tmp_path, monkeypatch, mark, verdict):
    _, out, experiment = study
    monkeypatch.setitem(MARKS, 100, replace(MARKS[100], value=mark))
    part = next(part for part in experiment.parts if part.name == "hundred")
    results = results_of(part, out)
    found = Found(
        "100", 12, *([results[f"{task}-100-0"].value] for task in ("train", "curve", "score", "lead")), MARKS[100]
    )
    monkeypatch.setattr(sizes, "read", lambda results, size, scale: found)
    notebook = Notebook(tmp_path, replace(QUICK, comparable=True), {"binarisation": "drawn"})
    section = part.section(results, notebook)
    assert [block.verdict for block in section.blocks if isinstance(block, Verdict)] == [verdict]
    assert notebook.numbers["records"]["100"]["verdict"] == verdict
    assert ("above" in section.lead) == (verdict == "confirmed")
    assert (found.to_mark(0) is None) == (verdict == "contradicted")
    words = experiment.intro(notebook, [section])
    assert sum(isinstance(block, Verdict) for block in words) == 1


def test_where_the_ways_differ_a_doubt_is_said(study, tmp_path):
    _, out, experiment = study
    part = next(part for part in experiment.parts if part.name == "hundred")

    def doubts(shift):
        notebook = Notebook(tmp_path, QUICK, {"binarisation": "drawn"})
        blocks = part.section(changed(results_of(part, out), shift), notebook).blocks
        return [block.html for block in blocks if isinstance(block, Note) and "the two ways differ" in block.html]

    assert doubts(0.0) == []
    assert re.search(r"12 hidden units, seed 0: the two ways differ by 0\.[89]\d? nats", doubts(-0.9)[0])


def test_the_lead_of_training_images_is_a_difference_of_exact_likelihoods(study):
    _, out, experiment = study
    results, inputs = results_of(experiment.parts[0], out), open_inputs(options(QUICK, "16", 0))
    rbm, rows = machines.last_machine(results["train-16-0"]), inputs.rows.train[: machines.LEAD_ROWS]
    seen, unseen = (
        inputs.feed.states(which, drawn_noise(of=of))
        for which, of in ((rows, "training images"), (inputs.rows.held_out, "test images"))
    )
    wide = rbm.to(dtype=torch.float64)
    log_p = [-wide.free_energy(v.double()) - exact_log_z(wide) for v in (seen, unseen)]
    found = results["lead-16-0"].value
    assert found["machine"] == pytest.approx(float(log_p[0].mean() - log_p[1].mean()), abs=1e-9)
    assert found["stderr"] == pytest.approx(math.hypot(*(float(x.std()) / len(x) ** 0.5 for x in log_p)))
    p = torch.sigmoid(inputs.base.double())
    alone = [float((v * p.log() + (1 - v) * (-p).log1p()).sum(1).mean()) for v in (seen.double(), unseen.double())]
    assert found["independent"] == pytest.approx(alone[0] - alone[1], abs=1e-6)


def test_a_curve_ends_at_the_score_and_is_of_the_machines_on_the_way(study):
    """Exact for the smallest machine: the last point is the trained machine's score, and learning lies before it."""
    _, out, experiment = study
    results = results_of(experiment.parts[0], out)
    curve, scored = (results[f"{task}-16-0"].value for task in ("curve", "score"))
    assert curve["value"][-1] == pytest.approx(scored["ways"]["exact"]["value"], abs=1e-9)
    assert curve["value"][0] < curve["value"][-1]
    assert set(curve["half_width"]) == {0.0}
    other = results["curve-25-0"].value
    score = results["score-25-0"].value["ways"]["exact"]["value"]
    assert abs(other["value"][-1] - score) < 3 * other["half_width"][-1]
