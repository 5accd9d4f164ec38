"""Runs on data of which some rows have no label: what is learned, scored and chosen by."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.cli.options import config_of
from harmonium.config import Config
from harmonium.config_from import config_from
from harmonium.data import Dataset
from harmonium.data.arrays import as_dataset
from harmonium.errors import InputError
from harmonium.evaluate.likelihood import free_energies
from harmonium.feed import make_feed
from harmonium.runs.folder import RunFolder
from harmonium.runs.plan import make_plan
from harmonium.runs.train import run_training
from harmonium.tuning.settings import Settings
from harmonium.units import Bernoulli, OneHot, Product
from laws.sides import brute_log_z, machine, nodes
from small_runs import no_pictures

RNG = np.random.default_rng(0)
X = np.tile(RNG.integers(0, 2, (2, 6)), (150, 1)) ^ (RNG.random((300, 6)) < 0.1)
Y = np.tile([0, 1], 150)
QUICK = {"hidden": "bernoulli:3", "epochs": 2, "minibatches": 10, "measure": 2, "target": "label"}


def few(count):
    y = np.full(300, -1)
    y[:count] = Y[:count]
    return y


def test_the_score_of_a_row_without_a_label_is_the_probability_of_its_inputs():
    rbm = machine(Product(Bernoulli(3), OneHot(1, 3)), Bernoulli(2), 1.5)
    x = nodes(Bernoulli(3))[0].numpy()
    y = np.array([0, 1, 2, -1, -1, -1, -1, -1])
    feed = make_feed(Dataset(x, y, 1.0, (3,), "x", "x"), Bernoulli(3), labelled=True, dtype=torch.float64)
    log_p = -free_energies(rbm, feed, torch.arange(8)) - brute_log_z(rbm)
    states = nodes(rbm.visible)[0]
    each = -rbm.free_energy(states) - brute_log_z(rbm)
    for i, (row, label) in enumerate(zip(torch.from_numpy(x), y, strict=True)):
        mine = (states[:, :3] == row).all(1) & (bool(label < 0) | (states[:, 3:].argmax(1) == label))
        torch.testing.assert_close(log_p[i], each[mine].logsumexp(0))


@pytest.mark.parametrize("objective", ["discriminative", "hybrid"])
def test_labels_so_few_that_samples_of_rows_have_none_are_no_divergence(objective, monkeypatch):
    monkeypatch.setattr("harmonium.runs.monitor.RUNNING_ROWS", (5, 5))
    run = hm.train(X, few(4), objective=objective, held_out="0", validation=0.5, **QUICK)
    assert all("train_log_p_label" in record for record in run.history)
    assert run.summary["best_step"] == 0 or run.summary["scores"]["validation"]["labelled_rows"] > 0
    alone = hm.train(X, few(4), objective=objective, held_out="0", validation=0.02, **QUICK)
    assert alone.summary["best_step"] == alone.summary["steps"]  # no validation row can judge
    assert "best_validation" not in alone.summary


def test_a_line_search_is_refused_where_the_objective_is_not_known():
    with pytest.raises(InputError, match=r"some rows have no label.*use another optimizer"):
        hm.train(X, few(100), objective="joint", optimizer="lbfgs", negative="exact", hidden="bernoulli:3",
                 epochs=2, target="label")  # fmt: skip


@pytest.mark.parametrize("labelled", [20, 120, 280])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.45, 0.55, 0.9, 1.0])
def test_the_share_asked_for_is_what_minibatches_have(share, labelled):
    config = config_from({**QUICK, "data": "array", "objective": "joint", "labelled_share": share, "validation": 0.0,
                          "held_out": "0"})  # fmt: skip
    plan = make_plan(config, as_dataset(X, few(labelled)))
    drawn = plan.batches.rows
    assert float((plan.feed.y[drawn] >= 0).double().mean()) == pytest.approx(share, abs=1 / len(drawn))
    times = torch.bincount(drawn, minlength=300)
    for rows in (times[:labelled], times[labelled:]) if share < 1 else (times[:labelled],):
        assert int(rows.max()) - int(rows.min()) <= 1 <= int(rows.min())
    assert 1 in (int(times[:labelled].min()), int(times[labelled:].min()))


def test_the_opening_line_says_how_many_rows_have_a_label():
    three = np.resize([-1, 0, 1], 300)
    said = []
    config = config_from({**QUICK, "data": "array", "validation": 0.0, "held_out": "0"})
    run_training(config, dataset=as_dataset(X, three), say=said.append)
    assert "300 rows to train on, 200 of them with a label (-1 means none), 0 validation" in said[0]
    said.clear()
    run_training(config, dataset=as_dataset(X, Y), say=said.append)
    assert "300 rows to train on, 0 validation" in said[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"generative_weight": 0.5}, "generative_weight=0.5 does nothing with objective=discriminative"),
        ({"generative_weight": 0.5, "objective": "joint"}, "does nothing with objective=joint"),
        ({"negative": "cd"}, "negative=cd does nothing with objective=discriminative, whose gradient needs no samples"),
        ({"steps": 3}, "steps=3 does nothing"),
        ({"chains": 7}, "chains=7 does nothing"),
        ({"labelled_share": 0.3}, "labelled_share=0.3 does nothing with objective=discriminative"),
    ],
)
def test_options_that_do_nothing_are_refused_where_they_are_given(options, words, tmp_path):
    (tmp_path / "d.csv").write_text("\n".join(",".join(map(str, [*r, y])) for r, y in zip(X, Y, strict=True)))
    for train in (hm.train, hm.validate):
        with pytest.raises(InputError, match=words):
            train(X, few(200), **{**QUICK, **options})
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in {"target": "label", **options}.items()]
    for command in ("train", "validate"):
        refused = CliRunner().invoke(main, [command, "digits", *flags, "--out", str(tmp_path / "r")])
        assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert options.keys() & set(refused.stderr.split("=")[0].split())
    assert not (tmp_path / "r").exists()


def test_options_that_do_nothing_are_taken_from_presets_and_earlier_runs(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    whole = Config(data="array", **QUICK).as_dict() | {"negative": "pcd"}
    hm.train(X, Y, **{k: v for k, v in whole.items() if k not in ("data", "labels")})  # the defaults spelled out
    stored = config_from({**QUICK, "data": "array", "negative": "cd", "generative_weight": 0.3})
    folder = RunFolder.create(tmp_path / "r")
    folder.write_config(stored)
    assert hm.resume(tmp_path / "r", X, Y).summary["steps"] == 20
    assert config_of({"objective": "discriminative"}, None, "mnist-hybrid").aim == "discriminative"


def test_the_options_of_a_search_are_those_that_do_something():
    fixed = {"target": "label", "negative": "cd", "steps": 3}
    for drawn, kept in (({"objective": "hybrid"}, {"negative", "steps"}), ({"objective": "discriminative"}, set())):
        options = Settings({}, fixed, 1, 1, "random", False, "").options(drawn)
        assert options.keys() == {"target", "objective", "seed"} | kept
        hm.train(X, Y, **{**QUICK, **options})
