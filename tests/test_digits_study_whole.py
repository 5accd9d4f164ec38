"""The study of digits from the first task to the report: all parts and figures, and what is said of other outcomes."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from harmonium.experiments import find_experiment
from harmonium.experiments.digits import dbn, features, joint, labels, per_class, stacks, states, ways
from harmonium.experiments.digits.scales import SCALES
from harmonium.experiments.study import Notebook, reproduce
from harmonium.experiments.tasks import done
from harmonium.report.blocks import Section, Verdict

FIGURES = {
    "states-one-machine", "states-deep", "ways", "features-weights", "dbn-samples", "dbn-fine-tuning", "labels",
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The short form, shorter still."""
    out = tmp_path_factory.mktemp("study") / "digits"
    with pytest.MonkeyPatch.context() as patch:
        for epochs in (stacks.OWN.epochs, stacks.FEATURES.epochs, joint.EPOCHS, ways.EPOCHS, dbn.EPOCHS):
            patch.setitem(epochs, "quick", 3)
        patch.setitem(per_class.EPOCHS, "quick", 3)
        patch.setitem(per_class.HIDDEN, "quick", (3, 5))
        patch.setitem(states.EPOCHS, "quick", {"one machine": 3, "deep": 3})
        patch.setitem(labels.EPOCHS, "quick", {100: 5, 400: 4, 0: 3})
        patch.setitem(labels.SEEDS, "quick", {100: 2, 400: 2, 0: 1})
        patch.setattr(labels, "RATE", 0.003)
        patch.setitem(dbn.SWEEPS, "quick", 10)
        yield reproduce(find_experiment("digits"), out, quick=True, workers=2), out, find_experiment("digits")


def results_of(experiment, name, out):
    part = next(part for part in experiment.parts if part.name == name)
    return part, {label: done(task, out / "work") for label, task in part.tasks(SCALES["quick"]).items()}


def test_every_part_is_there_with_its_figures_and_nothing_is_judged(study):
    found, out, experiment = study
    assert [section.id for section in found.page.sections] == [part.name for part in experiment.parts]
    for kind in ("png", "svg"):
        assert {path.stem for path in (out / "figures").glob(f"*.{kind}")} == FIGURES
    page = found.report.read_text()
    assert not re.search(r'(src|href)="https?:', page)
    assert not re.search(r"\b(nan|inf)\b", (out / "report.md").read_text())
    numbers = json.loads((out / "numbers.json").read_text())
    assert numbers["verdicts"] == []
    assert not any(isinstance(block, Verdict) for section in found.page.sections for block in section.blocks)
    assert set(numbers) >= {"states", "ways", "features", "dbn", "labels"}


def test_the_numbers_are_those_of_the_tasks(study):
    _, out, experiment = study
    numbers = json.loads((out / "numbers.json").read_text())
    _, results = results_of(experiment, "labels", out)
    own = numbers["labels"]["100"]
    assert own["random"]["wrong"] == [results[f"random-100-{seed}"].value["wrong"] for seed in range(2)]
    gap = [100 * (a - b) / own["of"] for a, b in zip(own["random"]["wrong"], own["pre-trained"]["wrong"], strict=True)]
    assert own["random_minus_pre_trained"]["value"] == pytest.approx(sum(gap) / 2)
    _, results = results_of(experiment, "states", out)
    errors = results["deep"].value["error"]
    assert numbers["states"]["factor"]["value"] == pytest.approx(errors["PCA"] / errors["fine-tuned"], rel=1e-6)
    assert errors["fine-tuned"] < errors["random"]
    first = numbers["dbn"]["layers"]["1"]
    for bound, log_p in zip(first["bounds"], first["log_p"], strict=True):  # of one machine the bound is ln p itself
        assert abs(bound["value"] - log_p) < 2.5 * math.sqrt(2) * bound["rows_half_width"]


def test_on_the_document_s_own_data_the_verdicts_follow_the_numbers(study, tmp_path):
    _, out, experiment = study
    scale = replace(SCALES["quick"], comparable=True)
    verdicts = {}
    for name in ("states", "ways", "features", "dbn", "labels"):
        part, results = results_of(experiment, name, out)
        notebook = Notebook(tmp_path, scale, {"binarisation": "drawn"})
        section = part.section(results, notebook)
        verdicts[name] = [verdict.verdict for verdict in notebook.verdicts]
        assert "misses the mark" in section.lead or name not in ("features", "dbn")
    assert verdicts["states"][0] == "confirmed"  # random weights are worse than the mean image
    assert verdicts["states"][-1] == "contradicted"  # after so short a training the code is no better than PCA
    assert verdicts["features"][0] != "confirmed"
    assert verdicts["dbn"][0] != "confirmed"
    assert len(verdicts["states"]) == 5


def test_an_estimated_ln_z_is_said_with_its_error(study):
    _, out, experiment = study
    _, results = results_of(experiment, "ways", out)
    scale = SCALES["quick"]
    for label, result in results.items():
        if label.startswith("class-5"):
            z = [{**one, "method": "Bennett", "half_width": 0.2, "doubts": ["few"]} for one in result.value["log_z"]]
            results[label] = replace(result, value={**result.value, "log_z": z})
    said, numbers, _ = ways._about_log_z(results, ways.outcomes(results, scale), scale)
    assert "<b>3 hidden units a class.</b> ln Z is exact." in said
    assert f"to ± 0.2 nats or better, with {10 * features.SEEDS['quick']} doubts" in said
    assert numbers["5"]["widest"] == 0.2


ASKS = {
    "ways": "how a learned distribution classifies", "features": "how good learned features are",
    "dbn": "what a deep network reaches", "labels": "what pre-training is worth where labels are few",
}  # fmt: skip


def introduction(name, there):
    """The words before the answers, on a page of these parts."""
    experiment = find_experiment(name)
    notebook = Notebook(Path(), replace(experiment.scales["quick"], comparable=True), {})
    return experiment.intro(notebook, [Section(part, part, [], "lead") for part in there])[0].html


@pytest.mark.parametrize("there", [["states"], ["ways", "features"], ["states", "labels"], ["dbn"], ["states", *ASKS]])
def test_the_introduction_speaks_of_the_parts_that_are_there(there):
    text = introduction("digits", there)
    assert {name for name, words in ASKS.items() if words in text} == set(there) - {"states"}
    assert ("a digit beside what is regenerated" in text) == ("states" in there)
    assert ("random first weights are where labels are few" in text) == ("labels" in there)
    assert "a project on speech: a digit" in text or "a project on speech, leaves open: " in text


@pytest.mark.parametrize("name", ["digits", "multivalued", "mnist-789"])
def test_where_the_command_stands_is_true_of_every_form_of_a_page(name):
    assert "computed by the command that this page names." in introduction(name, ["x"])
