"""Validation over seeds: the runs of the seeds, honest means, files that an interrupted one goes on from."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

import harmonium as hm
from harmonium.cli import main
from harmonium.errors import DivergedError, HarmoniumError, InputError
from harmonium.plots.over_seeds import on_common_steps
from harmonium.runs.processes import processors
from harmonium.runs.validate import jobs_of, resume_validation
from harmonium.runs.validation import Scores
from small_runs import IMAGES, LABELS, QUICK, same

SMALL = ["--hidden", "bernoulli:3", "--epochs", "2", "--minibatches", "6", "--batch-size", "10", "--measure", "4"]


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Leave out the drawing, which takes longer than the rest, but where it is looked at."""
    monkeypatch.setattr("harmonium.plots.over_seeds.draw_validation", lambda *a: [])


def test_it_is_what_train_makes_of_each_seed():
    found = hm.validate(IMAGES, LABELS, seeds=3, workers=1, together=1, seed=5, **QUICK)
    assert found.seeds == (5, 6, 7)
    assert found.folder is None
    for seed, run, machine in zip(found.seeds, found.runs, found.machines, strict=True):
        alone = hm.train(IMAGES, LABELS, seed=seed, **QUICK)
        assert same(machine, alone.rbm)
        assert [r["train"] for r in run.history] == [r["train"] for r in alone.history]
        assert run.summary["scores"] == alone.summary["scores"]
    values = [run.summary["scores"]["held_out"]["value"] for run in found.runs]
    scores = found.scores["held_out"]
    assert scores.mean == pytest.approx(np.mean(values))
    low, high = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    assert (scores.mean - scores.half_width, scores.mean + scores.half_width) == pytest.approx((low, high))
    assert f"{np.mean(values):.3f}" in str(found)
    assert "ln Z exact" in str(found)


def test_students_interval_holds_the_mean_in_95_of_100():
    """4000 draws of four values: the share within has standard error 0.0035, and 6.5 of them are 0.022."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(4000):
        scores = Scores(rng.normal(3.0, 2.0, 4), np.zeros(4), ("exact",) * 4, 0.0)
        held += abs(scores.mean - 3.0) <= scores.half_width
    assert abs(held / 4000 - 0.95) < 0.022


def test_diverged_seeds_are_counted_and_left_out_of_means():
    scores = Scores(np.array([1.0, math.nan, 3.0]), np.array([0, math.nan, 0.0]), ("exact", None, "exact"), 0.0)
    assert (scores.mean, scores.sd) == pytest.approx((2.0, math.sqrt(2)))
    assert scores.exact
    lonely = Scores(np.array([math.nan, 2.0]), np.array([math.nan, 0.1]), (None, "both"), 0.0)
    assert math.isnan(lonely.sd)
    assert math.isinf(lonely.half_width)
    assert not lonely.exact
    with pytest.raises(DivergedError, match="all 2 seeds diverged; seed 0: "):
        hm.validate(IMAGES, seeds=2, workers=1, learning_rate=1e9, **QUICK)


def test_what_was_interrupted_goes_on_and_other_options_are_refused(tmp_path):
    whole = hm.validate(IMAGES, LABELS, seeds=4, workers=1, out=tmp_path / "whole", **QUICK)
    part = tmp_path / "part"
    hm.validate(IMAGES, LABELS, seeds=2, workers=1, out=part, **QUICK)
    first = (part / "seed-00000" / "model.safetensors").stat().st_mtime_ns
    (part / "seed-00001" / "summary.json").unlink()  # as if it had ended before
    found = resume_validation(part, IMAGES, LABELS, seeds=4, workers=1)
    assert (part / "seed-00000" / "model.safetensors").stat().st_mtime_ns == first
    for mine, other in zip(found.machines, whole.machines, strict=True):
        np.testing.assert_allclose(mine.W, other.W, atol=1e-5)  # other stacks round otherwise
    assert json.loads((part / "validation.json").read_text())["seeds"] == [0, 1, 2, 3]
    rbm, description = hm.load_model(part / "seed-00003")
    assert same(rbm, found.machines[3])
    assert description["config"]["seed"] == 3
    with pytest.raises(InputError, match="hidden='bernoulli:4' is not what"):
        hm.validate(IMAGES, LABELS, seeds=4, out=part, **{**QUICK, "hidden": "bernoulli:4"})
    with pytest.raises(InputError, match="have changed"):
        hm.validate(1 - IMAGES, LABELS, seeds=4, out=part, **QUICK)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(InputError, match="holds other files"):
        hm.validate(IMAGES, seeds=2, out=tmp_path / "other", **QUICK)
    with pytest.raises(InputError, match="holds no validation"):
        resume_validation(tmp_path / "none")


@pytest.mark.parametrize("name", ["seeds", "workers", "together"])
@pytest.mark.parametrize("value", [-1, 1.5, True])
def test_numbers_that_cannot_be_meant_are_refused(name, value):
    with pytest.raises(InputError, match=f"{name} must be a whole number"):
        hm.validate(IMAGES, **{name: value}, **QUICK)


def test_more_workers_than_processors_are_refused():
    with pytest.raises(InputError, match="processors here"):
        hm.validate(IMAGES, seeds=processors() + 1, workers=processors() + 1, **QUICK)


@pytest.mark.parametrize("seeds", [1, 2, 7, 10, 23])
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("most", [1, 3, 20])
def test_seeds_are_shared_out_evenly_and_each_once(seeds, workers, most):
    jobs = jobs_of(range(seeds), workers, most)
    assert [seed for job in jobs for seed in job] == list(range(seeds))
    sizes = [len(job) for job in jobs]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(jobs) >= min(workers, seeds)


def test_worker_processes_train_the_same_machines_and_name_the_seed_that_failed(tmp_path, monkeypatch):
    for module in ("validate", "processes"):
        monkeypatch.setattr(f"harmonium.runs.{module}.processors", lambda: 2)
    there = hm.validate(IMAGES, LABELS, seeds=4, workers=2, together=2, out=tmp_path, **QUICK)
    here = hm.validate(IMAGES, LABELS, seeds=4, workers=1, together=2, **QUICK)
    assert all(same(x, y) for x, y in zip(there.machines, here.machines, strict=True))
    environment = (tmp_path / "seed-00000" / "environment.json").read_text()
    assert json.loads(environment)["threads"] == 1
    (tmp_path / "seed-00004" / "config.toml").mkdir(parents=True)  # in the way
    with pytest.raises(HarmoniumError, match=r"^seed 4: .*seed-00004"):
        hm.validate(IMAGES, LABELS, seeds=6, workers=2, together=1, out=tmp_path, **QUICK)


def test_the_command_prints_and_keeps_what_python_returns(tmp_path, monkeypatch):
    monkeypatch.undo()  # with its figures
    monkeypatch.chdir(tmp_path)
    np.save("d.npy", IMAGES)
    runner = CliRunner()
    done = runner.invoke(main, ["validate", "d.npy", *SMALL, "--seeds", "2", "--workers", "1", "--out", "r", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["scores"] == json.loads(Path("r/validation.json").read_text())["scores"]
    assert len(done.stderr.strip().splitlines()) == 2  # a line a seed
    assert {p.name for p in Path("r/figures").iterdir()} == {"learning_curve.png", "scores.png"}
    again = runner.invoke(main, ["validate", "--resume", "r", "--workers", "1"])
    assert again.exit_code == 0, again.output
    assert again.stderr == ""  # nothing was left to do
    assert f"{answer['scores']['held_out']['mean']:.3f}" in again.stdout
    assert runner.invoke(main, ["validate", "--resume", "r", "--hidden", "bernoulli:4"]).exit_code == 2
    shown = runner.invoke(main, ["validate", "--help"]).stdout
    assert all(f"\n{heading}:\n" in shown for heading in ("Files and output", "Data", "Machine", "Training", "Run"))


def test_curves_of_several_seeds_meet_at_all_steps():
    long = [{"step": s, "train": float(s)} for s in (0, 10, 20, 30)]
    short = [{"step": s, "train": -float(s)} for s in (0, 15)]
    steps, values = on_common_steps([long, short], "train")
    assert steps.tolist() == [0, 10, 15, 20, 30]
    assert values.tolist() == [[0, 10, 10, 20, 30], [0, 0, -15, -15, -15]]
