"""A search: its trials are ordinary runs, judged by rows apart from the final ones, and it goes on where it stood."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.config_from import config_from
from harmonium.data import split
from harmonium.errors import HarmoniumError, InputError
from harmonium.runs.inputs import split_rows
from harmonium.runs.source import array_data
from harmonium.tuning import study as study_module
from harmonium.tuning.importance import importance
from harmonium.tuning.result import Record
from harmonium.tuning.search import resume_search
from harmonium.tuning.settings import fix_held_out
from harmonium.tuning.space import make_space
from harmonium.tuning.study import SharedStudy
from small_runs import IMAGES, LABELS

pytest.importorskip("optuna")
FIXED = {"epochs": 2, "minibatches": 8, "batch_size": 10, "measure": 4, "validation": 0.3, "negative": "exact"}
SPACE = {"hidden": {"low": 1, "high": 4}, "learning_rate": {"low": 0.01, "high": 0.3, "log": True}}


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch):
    monkeypatch.setattr("harmonium.tuning.search.draw", lambda *a: [])


def small(trials, out=None, space=SPACE, **more):
    return hm.search(IMAGES, space, LABELS, trials=trials, out=out, **{**FIXED, **more})


def known(search):
    return [(r.number, r.options, r.scores, r.state) for r in search.trials]


def test_a_trial_is_the_mean_of_ordinary_runs():
    found = small(3, seeds=2, seed=5)
    for record in found.trials:
        assert record.score == pytest.approx(np.mean(record.scores), abs=1e-12)
        assert record.sd == pytest.approx(np.std(record.scores, ddof=1), abs=1e-12)
    best = found.best_trial
    assert best.score == max(r.score for r in found.trials)
    run = hm.train(IMAGES, LABELS, **found.best)
    assert run.summary["scores"]["validation"]["value"] == best.scores[0]
    assert run.summary["scores"]["held_out"]["value"] == found.held_out[0]
    assert len(found.held_out) == 2
    assert found.best.items() >= {**FIXED, **best.options, "seed": 5}.items()


@pytest.mark.parametrize("held_out", ["auto", "0.4"])
def test_rows_of_the_final_score_never_choose(held_out):
    data = array_data(np.arange(60)[:, None].repeat(2, 1).astype(float) / 60, LABELS, hm_config(held_out))
    fixed, option = fix_held_out(data, hm_config(held_out, seed=3))
    _, expected = split(data, held_out, 3)
    for seed in (3, 4, 5):
        rows = split_rows(hm_config(option, seed=seed), fixed)
        assert sorted(fixed.X[rows.held_out, 0]) == sorted(data.X[expected, 0])
        assert len(rows.validation) == round(0.3 * (60 - len(expected)))


def hm_config(held_out, seed=0):
    return config_from({"data": "array", "held_out": held_out, "validation": 0.3, "seed": seed})


def test_the_same_command_again_goes_on_and_ends_as_one_that_went_through(tmp_path):
    small(2, tmp_path / "a")
    again = small(5, tmp_path / "a")
    assert known(again) == known(small(5)) == known(resume_search(tmp_path / "a"))
    assert [r.number for r in resume_search(tmp_path / "a", trials=6).trials] == list(range(6))
    with pytest.raises(InputError, match=r"epochs .3. is not what the search in .* was begun with .2.; choose another"):
        small(6, tmp_path / "a", epochs=3)
    with pytest.raises(InputError, match="fingerprint"):
        hm.search(1 - IMAGES, SPACE, LABELS, trials=6, out=tmp_path / "a", **FIXED)
    assert {p.name for p in (tmp_path / "a").iterdir()} >= {"search.json", "trials.csv", "best.toml", "study.journal"}
    lines = (tmp_path / "a" / "trials.csv").read_text().splitlines()
    assert lines[0] == "number,state,score,sd,seconds,hidden,learning_rate,reason"
    assert [float(line.split(",")[2]) for line in lines[1:6]] == [r.score for r in again.trials]
    stored = json.loads((tmp_path / "a" / "search.json").read_text())
    assert stored["best_trial"]["score"] == max(r["score"] for r in stored["trials"])


def test_diverged_and_impossible_trials_are_kept_counted_and_explained():
    space = {"optimizer": ["sgd", "lbfgs"], "negative": ["pcd"], "learning_rate": [0.05, 1e5]}
    options = {k: v for k, v in FIXED.items() if k not in ("negative", "batch_size")}
    found = hm.search(IMAGES, space, LABELS, trials=12, **options)
    assert len(found.trials) == 12
    for record in found.trials:
        lbfgs, wild = record.options["optimizer"] == "lbfgs", record.options["learning_rate"] > 1
        assert record.state == ("not possible" if lbfgs else "diverged" if wild else "complete")
    reasons = {r.state: r.reason for r in found.trials}
    assert "optimizer=lbfgs needs the exact gradient" in reasons["not possible"]
    assert "training diverged" in reasons["diverged"]
    assert max(map(len, str(found).splitlines())) <= 80


def test_hopeless_trials_are_pruned_at_a_quarter_and_good_ones_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(study_module, "FIRST_UNPRUNED", 4)
    space = {"learning_rate": [1e-9, 0.2, 0.21, 0.22]}  # one learns nothing
    found = small(16, tmp_path / "p", space, seeds=2, hidden="bernoulli:2")
    late = [r for r in found.trials if r.number >= 8 and r.options["learning_rate"] < 1e-3]
    assert late
    assert {r.state for r in late} == {"pruned"}
    attempts = SharedStudy(tmp_path / "p").attempts()
    for record in late:
        assert set(attempts[record.number][0].intermediate_values) == {25}
        assert record.reason == "below the median at 25 % of the training"
    assert all(r.state != "pruned" for r in found.trials if r.number < 4)
    assert found.best["learning_rate"] >= 0.2
    whole = small(16, None, space, seeds=2, hidden="bernoulli:2", prune=False)
    assert {r.state for r in whole.trials} == {"complete"}
    both = [(a, b) for a, b in zip(found.trials, whole.trials, strict=True) if a.state == "complete"]
    assert all(a.scores == b.scores for a, b in both)


def test_tpe_leaves_the_bad_half():
    def bad(sampler):
        space = {"learning_rate": {"low": 1e-6, "high": 1.0, "log": True}}
        found = small(26, None, space, hidden="bernoulli:2", sampler=sampler, prune=False)
        return sum(r.options["learning_rate"] < 1e-3 for r in found.trials[12:])

    assert bad("tpe") < bad("random")


def test_what_a_search_refuses():
    with pytest.raises(InputError, match=r"judged by validation rows, and there are none .validation=0.; set"):
        small(1, validation=0.0)
    with pytest.raises(InputError, match="48 training rows are too few for a tenth"):
        small(1, validation=-1.0)
    for name, value in (("trials", 0), ("seeds", 0), ("workers", -1), ("workers", False)):
        with pytest.raises(InputError, match=f"{name} must be a whole number from 1"):
            small(**{"trials": 1, name: value})
    with pytest.raises(InputError, match="sampler must be one of random, tpe"):
        small(1, sampler="grid")
    with pytest.raises(InputError, match="hidden is both fixed"):
        small(1, hidden="bernoulli:2")


def test_without_optuna_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(HarmoniumError, match=r"^harmonium search needs Optuna: pip install 'harmonium\[search\]'$"):
        small(1)


def test_the_command_prints_what_it_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("d.npy", IMAGES)
    (tmp_path / "s.toml").write_text("hidden = ['bernoulli:1', 'ising:3']\nsteps = {low = 1, high = 3}\n")
    words = ["--epochs", "1", "--minibatches", "4", "--validation", "0.3", "--measure", "2"]
    result = CliRunner().invoke(main, ["search", "d.npy", "--space", "s.toml", "--trials", "2", *words])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("2 trials: 2 complete\n")
    assert "searches/d-001: best.toml" in result.stdout
    assert result.stderr.count("trial ") == 2
    best = CliRunner().invoke(main, ["train", "--config", "searches/d-001/best.toml", "--out", "r", "--json"])
    assert json.loads(best.stdout)["scores"]["validation"]["value"] == pytest.approx(
        json.loads((tmp_path / "searches/d-001/search.json").read_text())["best_trial"]["scores"][0], abs=0
    )
    for extra in (["--seeds", "2"], ["--epochs", "1"], ["d.npy"]):
        refused = CliRunner().invoke(main, ["search", "--resume", "searches/d-001", *extra])
        assert refused.exit_code == 2
        assert "keeps its own options" in refused.stderr


# --- importance -----------------------------------------------------------------------------------------------------


def made(n, score):
    space = make_space({"l1": {"low": 0.0, "high": 1.0}, "l2": {"low": 0.0, "high": 1.0}}, {})
    rng = np.random.default_rng(0)
    options = [{"l1": float(a), "l2": float(b)} for a, b in rng.random((n, 2))]
    return [Record(i, o, score(o, rng), None, [], "complete", 1.0, "") for i, o in enumerate(options)], space.axes


def test_importance_finds_the_option_that_decides_and_goes_by_ranks():
    records, axes = made(60, lambda o, rng: -((o["l1"] - 0.3) ** 2))
    found, _ = importance(records, axes)
    assert next(iter(found)) == "l1"
    assert found["l1"].clear
    assert not found["l2"].clear
    assert sum(one.share for one in found.values()) == pytest.approx(1)
    squeezed = [replace(r, score=float(np.expm1(40 * r.score))) for r in records]
    assert importance(squeezed, axes)[0] == found


def test_importance_of_few_trials_or_one_option_is_politely_refused():
    records, axes = made(9, lambda o, rng: o["l1"])
    assert importance(records, axes) == ({}, "importance takes 10 complete trials, and there are 9")
    records, axes = made(12, lambda o, rng: o["l1"])
    assert importance(records, axes[:1])[0] == {}
    level = [replace(r, score=1.0) for r in records]
    assert "same score" in importance(level, axes)[1]
