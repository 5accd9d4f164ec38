"""A run that was stopped anywhere and resumed ends with the parameters and the metrics of one that was not."""

import shutil

import pytest
import torch

import harmonium as hm
from harmonium.errors import InputError
from harmonium.io import load_model
from harmonium.runs.folder import RunFolder
from small_runs import IMAGES, LABELS, QUICK, no_pictures, same, scores

COMBINATIONS = {
    "plain sgd": {"momentum": 0.0, "centre": "no", "learning_rate_schedule": "constant", "negative": "cd"},
    "sgd, momentum, pcd": {"momentum": 0.5, "momentum_final": 0.9},
    "rmsprop, momentum, cd": {"optimizer": "rmsprop", "momentum": 0.3, "negative": "cd", "steps": 2},
    "adam, pcd, centred": {"optimizer": "adam", "centre": "yes", "chains": 7},
    "adam, momentum, exact": {"optimizer": "adam", "momentum": 0.5, "negative": "exact", "l1": 1e-3, "l2": 1e-3},
    "adamax, cd, stochastic": {"optimizer": "adamax", "negative": "cd", "binarize": "stochastic"},
    "sgd, exact, centred, linear": {"negative": "exact", "centre": "yes", "learning_rate_schedule": "linear"},
    "sgd, cd, sqrt, growing batches": {"negative": "cd", "learning_rate_schedule": "sqrt", "batch_size_final": 30},
    "lbfgs, exact": {"optimizer": "lbfgs", "negative": "exact", "batch_size": 0, "minibatches": 3},
    "lbfgs, clamped": {
        "optimizer": "lbfgs", "target": "label", "batch_size": 0, "minibatches": 3, "l2": 0.01
    },
    "em": {"optimizer": "em", "hidden": "onehot:3", "batch_size": 0},
    "em with a none state": {"optimizer": "em", "hidden": "onehot:3,none=true", "batch_size": 0},
    "clamped": {"target": "label"},
    "joint, stopping early": {
        "target": "label", "objective": "joint", "patience": 2, "epochs": 4, "measure": 12, "learning_rate": 0.3
    },
    "all rows, stochastic": {"binarize": "stochastic", "batch_size": 0},
    "gaussian, learned variance": {"visible": "gaussian", "learning_rate": 0.01},
    "ising, multivalued": {"visible": "ising", "hidden": "multivalued:3,s=2"},
    "float64": {"precision": "float64"},
    "averaged": {"averaging": 0.05, "learning_rate_schedule": "sqrt-linear"},
    "followed": {"steps": 2},
    "followed, the best of the validation rows": {"optimizer": "adam", "validation": 0.3, "measure": 12, "patience": 0},
    "followed, gaussian, learned variance": {"visible": "gaussian", "learning_rate": 0.01, "hidden": "ising:3"},
}  # fmt: skip


def visited_often(monkeypatch):
    """Follow, and look for snapshots, at every update, with room for few of them."""
    monkeypatch.setattr("harmonium.runs.follow._SHARE", 1e3)
    monkeypatch.setattr("harmonium.runs.trajectory._SHARE", 1e3)
    monkeypatch.setattr("harmonium.runs.trajectory.ACCEPTANCE", 0.97)
    monkeypatch.setattr("harmonium.runs.trajectory.MOST_SNAPSHOTS", 3)


class Stop(Exception):
    """The plug is pulled."""


def pull_the_plug(monkeypatch, step, after_checkpoint):
    """Stop the process, as it were, at a step: right after its checkpoint, or one step further."""
    from harmonium.runs.checkpoint import Checkpointer

    original = Checkpointer.__call__

    def observer(self, state):
        if state.step == step + (not after_checkpoint):
            if after_checkpoint:
                self.save(state)
            raise Stop
        if state.step == step:
            self.save(state)
        return original(self, state)

    monkeypatch.setattr(Checkpointer, "__call__", observer)


@pytest.mark.parametrize("name", COMBINATIONS)
def test_a_stopped_run_ends_like_one_that_was_not(name, tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    visited_often(monkeypatch)
    if name.startswith("followed"):
        monkeypatch.setattr("harmonium.runs.monitor.EXACT_COST_RUNNING", 0)
    options = {**QUICK, **COMBINATIONS[name]}
    images = IMAGES * 200 if options.get("binarize") == "stochastic" else IMAGES
    whole = hm.train(images, LABELS, out=tmp_path / "whole", **options)
    steps = whole.summary["steps"]
    for step in {1, steps // 2, steps - 1}:
        folder = tmp_path / f"{step}"
        with monkeypatch.context() as patch:
            pull_the_plug(patch, step, after_checkpoint=step % 2 == 0)
            with pytest.raises(Stop):
                hm.train(images, LABELS, out=folder, **options)
        assert next(RunFolder(folder).checkpoints()).name == f"step-{step:08d}.safetensors"
        resumed = hm.resume(folder, images, LABELS)
        assert same(resumed.rbm, whole.rbm)
        assert same(load_model(folder)[0], whole.rbm)
        assert scores(RunFolder(folder).read_history()) == scores(whole.history)
        assert resumed.summary["scores"] == whole.summary["scores"]
        assert resumed.summary["best_step"] == whole.summary["best_step"]
        for path in [tmp_path / "whole" / "model.safetensors", *(tmp_path / "whole" / "trajectory").iterdir()]:
            assert (folder / path.relative_to(tmp_path / "whole")).read_bytes() == path.read_bytes()
        assert RunFolder(folder).snapshots() == [
            (s, folder / "trajectory" / p.name) for s, p in RunFolder(tmp_path / "whole").snapshots()
        ]


def stopped(folder, monkeypatch, step=5, **options):
    with monkeypatch.context() as patch:
        pull_the_plug(patch, step, after_checkpoint=False)
        with pytest.raises(Stop):
            hm.train(IMAGES, out=folder, **{**QUICK, **options})


def test_a_run_stopped_before_its_first_checkpoint_begins_anew(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    whole = hm.train(IMAGES, out=tmp_path / "a", **QUICK)
    stopped(tmp_path / "b", monkeypatch)
    shutil.rmtree(tmp_path / "b" / "checkpoints")
    (tmp_path / "b" / "environment.json").unlink()
    assert same(hm.resume(tmp_path / "b", IMAGES).rbm, whole.rbm)


def test_the_latest_whole_checkpoint_is_taken(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    whole = hm.train(IMAGES, out=tmp_path / "a", **QUICK)
    stopped(tmp_path / "b", monkeypatch)
    latest, _ = RunFolder(tmp_path / "b").checkpoints()
    latest.write_bytes(latest.read_bytes()[:-3])
    (tmp_path / "b" / "metrics.jsonl").unlink()
    (tmp_path / "b" / "checkpoints" / ".step-00000006.safetensors.x1.tmp").write_bytes(b"half")
    resumed = hm.resume(tmp_path / "b", IMAGES)
    assert same(resumed.rbm, whole.rbm)
    assert scores(resumed.history) == scores(whole.history)
    assert not list(tmp_path.rglob("*.tmp"))
    stopped(tmp_path / "c", monkeypatch)
    for path in RunFolder(tmp_path / "c").checkpoints():
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"step-00000005.safetensors is not a whole"):
        hm.resume(tmp_path / "c", IMAGES)


def test_a_run_stopped_after_training_is_only_finished(tmp_path, monkeypatch):
    whole = hm.train(IMAGES, out=tmp_path / "a", **QUICK)
    with monkeypatch.context() as patch:
        patch.setattr("harmonium.runs.finished.final_scores", lambda *a, **k: (_ for _ in ()).throw(Stop))
        with pytest.raises(Stop):
            hm.train(IMAGES, out=tmp_path / "b", **QUICK)
    with monkeypatch.context() as patch:
        patch.setattr("harmonium.training.update.GradientUpdate.step", None)  # a further update would fail
        finished = hm.resume(tmp_path / "b", IMAGES)
    assert same(finished.rbm, whole.rbm)
    assert scores(finished.history) == scores(whole.history)
    figures = {p.name for p in (tmp_path / "b" / "figures").iterdir()}
    assert figures == {p.name for p in (tmp_path / "a" / "figures").iterdir()}


def test_a_complete_run_is_left_as_it_is(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    whole = hm.train(IMAGES, out=tmp_path / "a", **QUICK)
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.rglob("*") if p.is_file()}
    said = []
    again = hm.resume(tmp_path / "a", say=said.append)  # the data are not even asked for
    assert same(again.rbm, whole.rbm)
    assert (again.summary["scores"], scores(again.history)) == (whole.summary["scores"], scores(whole.history))
    assert "is complete" in said[0]
    assert before == {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.rglob("*") if p.is_file()}


def test_other_data_are_noticed(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    stopped(tmp_path / "a", monkeypatch)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(InputError, match=r"data of .* have changed since the run began"):
        hm.resume(tmp_path / "a", 1 - IMAGES)
    with pytest.raises(InputError, match="array in memory, so they must be given again: as data="):
        hm.resume(tmp_path / "a")
    with pytest.raises(InputError, match="holds no run"):
        hm.resume(tmp_path)
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    hm.resume(tmp_path / "a", IMAGES)


def test_a_resumed_run_keeps_its_number_of_threads(tmp_path, monkeypatch):
    import torch

    no_pictures(monkeypatch)
    before = torch.get_num_threads()
    stopped(tmp_path / "a", monkeypatch, threads=before + 1)
    assert torch.get_num_threads() == before
    assert hm.resume(tmp_path / "a", IMAGES).summary["threads"] == before + 1
    assert torch.get_num_threads() == before


def test_a_small_machine_takes_one_thread_and_a_large_one_all(tmp_path, monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert hm.train(IMAGES, **QUICK).summary["threads"] == 1
        monkeypatch.setattr("harmonium.runs.environment.SMALL_STEP", 0)
        assert hm.train(IMAGES, **QUICK).summary["threads"] == 2
        assert hm.train(IMAGES, threads=1, **QUICK).summary["threads"] == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
