"""The study of 7, 8 and 9: its presets are the document's tables, its formulas are what they are said to be."""

import dataclasses
import json
import math
import re

import pytest
import torch

from harmonium.config_from import config_from
from harmonium.errors import InputError
from harmonium.experiments import find_experiment
from harmonium.experiments.mnist_789.document import Quoted
from harmonium.experiments.mnist_789.ising import log_z_of_the_document
from harmonium.experiments.mnist_789.optimisers import best_rate, rate_means
from harmonium.experiments.mnist_789.scales import SCALES
from harmonium.experiments.mnist_789.words import agrees, no_more_than
from harmonium.experiments.statistics import Interval
from harmonium.experiments.study import reproduce
from harmonium.experiments.tasks import ordered
from harmonium.machine import RBM
from harmonium.presets import PRESETS, preset
from harmonium.units import Ising

# L, gamma, Nt, epochs, Nmini, Nini, Nfin, optimiser, as printed in Tables II and III
TABLES = """
0 7 0.001 4 300 30 5 100 RMSprop
1 10 0.001 1 200 10 5 325 RMSprop
2 5 0.001 2 190 45 10 450 SGD
3 10 0.01 1 200 10 5 10 RMSprop
4 10 0.01 1 200 10 5 10 RMSprop
5 10 0.001 7 350 10 5 325 RMSprop
L5 5 0.001 7 400 100 3 20 RMSprop
L8 8 0.001 2 400 20 10 500 RMSprop
L55 55 0.1 1 450 50 10 300 RMSprop
"""


@pytest.mark.parametrize("line", TABLES.split("\n")[1:-1], ids=lambda line: line.split()[0])
def test_the_presets_are_the_tables(line):
    name, units, gamma, steps, epochs, minibatches, first, last, optimiser = line.split()
    config = config_from(preset(f"mnist-789-{name}"))
    kind = "onehot" if name in ("3", "L55") else "bernoulli"
    assert config.hidden == f"{kind}:{units}"
    assert (config.l2, config.steps, config.epochs) == (float(gamma), int(steps), int(epochs))
    assert (config.minibatches, config.batch_size, config.batch_size_final) == (int(minibatches), int(first), int(last))
    assert config.optimizer == optimiser.lower()
    assert (config.held_out, config.validation, config.patience, config.negative) == ("0", 0, 0, "cd")


def test_every_preset_can_be_used_and_says_where_it_comes_from():
    for name, one in PRESETS.items():
        config_from(one.options)
        assert one.source, name
    with pytest.raises(InputError, match="did you mean 'mnist-789-L8'"):
        preset("mnist-789-L88")


def test_the_documents_partition_function_is_evaluated_as_printed():
    torch.manual_seed(0)
    visible, hidden = Ising(3), Ising(2)
    rbm = RBM(visible, hidden, torch.randn(3, 2).double(), torch.randn(1, 3).double(), torch.randn(1, 2).double())
    wrong = right = 0.0
    for h in ([-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]):
        state = torch.tensor(h).double()
        field = rbm.a[0] + rbm.W @ state
        g = math.exp(float(rbm.b[0] @ state))
        wrong += g * float((1 + field.cosh()).prod())
        right += g * float((2 * field.cosh()).prod())
    assert log_z_of_the_document(rbm) == pytest.approx(math.log(wrong), abs=1e-12)
    assert wrong < right  # so its scores are too high
    strong = rbm.map(lambda x: 500 * x)
    assert math.isfinite(log_z_of_the_document(strong))


def test_a_wide_interval_confirms_nothing_and_neither_does_a_test_that_finds_nothing():
    quoted = Quoted(-146, 1, "abstract")
    assert agrees(Interval(-147, 3, 1, 5), quoted) == "confirmed"
    assert agrees(Interval(-149, 15, 6, 3), quoted) == "undecided"
    assert agrees(Interval(-146, math.inf), quoted) == "undecided"  # one seed
    assert agrees(Interval(-152, 3, 1, 5), quoted) == "contradicted"
    assert no_more_than(Interval(0.5, 1), 0.2) == "confirmed"
    assert no_more_than(Interval(3, 3.1), 0.052) == "undecided"
    assert no_more_than(Interval(3, 1), 0.001) == "contradicted"


def test_a_rate_with_a_diverged_machine_is_not_chosen():
    value = {"learning_rates": [0.1, 0.1, 1.0, 1.0], "train": [-5.0, -6.0, -1.0, None]}
    assert best_rate(rate_means(value)) == 0.1


@pytest.mark.parametrize("scale", SCALES)
def test_every_option_of_every_task_exists(scale):
    experiment = find_experiment("mnist-789")
    tasks = ordered(t for part in experiment.parts for t in part.tasks(experiment.scales[scale]).values())
    options = [task.arguments["options"] for task in tasks if "options" in task.arguments]
    assert options
    for one in options:
        config_from(one)
    names = [task.folder_name for task in tasks]
    assert len(set(names)) == len(names)


def test_unknown_studies_and_parts_are_named(tmp_path):
    with pytest.raises(InputError, match="choose from mnist-789"):
        find_experiment("mnist")
    with pytest.raises(InputError, match="only='fig9' is no part of mnist-789; choose from"):
        reproduce(find_experiment("mnist-789"), tmp_path, quick=True, only=["fig9"])
    assert not list(tmp_path.iterdir())


def test_a_part_alone_makes_a_report_and_again_from_what_is_kept(tmp_path):
    experiment = find_experiment("mnist-789")
    said = []
    done = reproduce(experiment, tmp_path, quick=True, only=["ising"], workers=1, say=said.append)
    page = done.report.read_text()
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    same = numbers["ising"]["identity"]
    assert same["largest_change"] < 1e-9  # the Bernoulli machine and its Ising twin
    assert same["score"] == pytest.approx(same["bernoulli"], abs=1e-9)
    assert same["by_document"] > same["score"]
    assert not re.search(r'(src|href)="https?:', page)
    again = reproduce(experiment, tmp_path, quick=True, only=["ising"], workers=1, say=said.append)
    assert json.loads((tmp_path / "numbers.json").read_text()) == numbers
    assert again.report.read_text() == page


def test_a_further_part_leaves_what_is_there_and_foreign_folders_are_refused(tmp_path):
    experiment = find_experiment("mnist-789")
    reproduce(experiment, tmp_path / "study", quick=True, only=["fig1"], workers=1)
    reproduce(experiment, tmp_path / "study", quick=True, only=["fig7"], workers=1)
    numbers = json.loads((tmp_path / "study" / "numbers.json").read_text())["generation"]
    done = reproduce(experiment, tmp_path / "study", quick=True, only=["fig1"], workers=1)
    assert done.numbers["generation"] == numbers
    assert [section.id for section in done.page.sections] == ["fig1", "fig7"]
    without_data = dataclasses.replace(experiment, facts=lambda scale: {})
    with pytest.raises(InputError, match="holds the quick form of mnist-789, not the full form"):
        reproduce(without_data, tmp_path / "study", only=["fig1"], workers=1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("…")
    with pytest.raises(InputError, match="holds other files, and no study"):
        reproduce(experiment, tmp_path / "other", quick=True, only=["fig1"])
    (tmp_path / "study" / "study.json").write_text("[1]")
    with pytest.raises(InputError, match=r"study\.json is damaged; remove it"):
        reproduce(experiment, tmp_path / "study", quick=True, only=["fig1"])
    with pytest.raises(InputError, match=r"thesis\.txt is a file"):
        reproduce(experiment, tmp_path / "other" / "thesis.txt", quick=True, only=["fig1"])
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]


def test_presets_on_the_command_line(tmp_path):
    from click.testing import CliRunner

    from harmonium.cli import main

    options = ["--epochs", "1", "--minibatches", "2", "--out", str(tmp_path / "run"), "--quiet"]
    outcome = CliRunner().invoke(main, ["train", "digits", "--preset", "mnist-789-L8", *options])
    assert outcome.exit_code == 0, outcome.output
    kept = (tmp_path / "run" / "config.toml").read_text()
    assert 'data = "digits"' in kept  # what is given comes before the preset
    assert 'optimizer = "rmsprop"' in kept
    assert "l2 = 0.001" in kept
    for more, sentence in (
        (["--config", "x.toml"], "leave one of them out"),
        (["--resume", "r"], "leave --preset out"),
    ):
        outcome = CliRunner().invoke(main, ["train", "--preset", "mnist-789-L8", *more])
        assert outcome.exit_code == 2
        assert sentence in outcome.output
