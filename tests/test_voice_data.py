"""Recordings as data sets: which rows are test, what they are scaled by, and groups that no split tears apart."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import harmonium as hm
from harmonium.config_from import config_from
from harmonium.data import Dataset, fingerprint, load_data, split
from harmonium.data.fsdd import find_fsdd
from harmonium.data.labels import select_classes
from harmonium.errors import InputError
from harmonium.runs.inputs import split_rows
from harmonium.runs.seed_folders import describe, described
from harmonium.tuning.settings import fix_held_out, load_search_data, make_settings, store_data
from harmonium.tuning.space import make_space
from harmonium.voice import (
    Features,
    load_features,
    read_recording,
    read_recordings,
    save_features,
    voice_data,
    voice_dataset,
)
from harmonium.voice.wav import write_wav
from voice_sounds import sound, write_digits

WINDOWS = Features(8000, bands=12, window="spliced", context=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_digits(tmp_path_factory.mktemp("voice") / "fsdd")


def grouped(sizes=(3, 1, 4, 2, 5, 3, 2, 6, 1, 4), classes=2, n_train=None):
    """Groups of rows of these sizes, mixed up unless there is an own split, the class that of the group."""
    groups = np.repeat(np.arange(len(sizes)) * 7, sizes)
    if n_train is None:
        groups = np.random.default_rng(0).permutation(groups)
    X = np.random.default_rng(1).normal(size=(len(groups), 3)).astype(np.float32)
    return Dataset(X, groups // 7 % classes, 1.0, (3,), "made", "here", n_train=n_train, groups=groups)


@pytest.mark.parametrize("features", [None, WINDOWS])
def test_rows_of_training_recordings_come_first_and_set_the_scale(folder, features):
    made = voice_data(folder, features)
    data, recordings = made.data, made.recordings
    assert len(recordings) == 32
    assert made.n_train == 12
    assert all((one.index >= 5) == (i < 12) for i, one in enumerate(recordings))
    assert (np.diff(data.groups) >= 0).all()
    assert (data.groups[: data.n_train] < 12).all()
    assert (data.groups[data.n_train :] >= 12).all()
    np.testing.assert_array_equal(data.y, [int(recordings[i].label) for i in data.groups])
    np.testing.assert_allclose(data.X[: data.n_train].mean(0, dtype=np.float64), 0, atol=1e-4)
    varied = data.X[: data.n_train].std(0, dtype=np.float64)
    assert (np.isclose(varied, 1, atol=1e-3) | (varied == 0)).all()
    X, places = made.features.rows(recordings)
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.groups, places)
    assert data.shape == made.features.shape
    assert split(data) == (slice(0, data.n_train), slice(data.n_train, len(data)))


def test_a_speaker_who_was_never_heard(folder):
    made = voice_data(folder, split="bob")
    assert [one.speaker for one in made.recordings] == ["ann"] * 16 + ["bob"] * 16
    assert made.data.n_train == 16
    whole = voice_dataset(read_recordings(folder), split=None)
    assert whole.n_train is None
    np.testing.assert_allclose(whole.X.mean(0), 0, atol=1e-4)
    with pytest.raises(InputError, match="split='eve' must be 'own' or a speaker; the speakers are ann, bob"):
        voice_dataset(folder, split="eve")


def test_splits_that_leave_nothing_are_refused(folder):
    recordings = read_recordings(folder)
    few, late, ann = (
        recordings.where(chosen)
        for chosen in (
            [one.index < 5 for one in recordings],
            [one.index >= 5 for one in recordings],
            [one.speaker == "ann" for one in recordings],
        )
    )
    for given, how, message in (
        (few, "own", "leaves no recording for training"),
        (late, "own", "leaves no recording to test with"),
        (ann, "ann", "leaves no recording for training"),
    ):
        with pytest.raises(InputError, match=message):
            voice_dataset(given, split=how)


def test_a_standard_that_features_have_is_kept(folder):
    fitted = voice_data(folder, WINDOWS, split="ann").features
    again = voice_data(folder, fitted, split="bob")
    assert again.features is fitted
    np.testing.assert_array_equal(again.data.X, fitted.rows(again.recordings)[0])


def test_names_are_classes_with_names(tmp_path):
    data = voice_dataset(write_digits(tmp_path, labels=("yes", "no"), indices=range(4, 6)))
    assert data.names == ("no", "yes")
    assert [data.names[label] for label in data.y] == ["no", "no", "yes", "yes"] * 2


# --- groups ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("held_out", ["auto", 0.1, 0.5, 0.99])
def test_a_split_leaves_groups_whole_and_draws_so_many_of_them(held_out):
    data = grouped()
    for seed in range(5):
        train, test = split(data, held_out, seed)
        np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(data)))
        assert not set(data.groups[train]) & set(data.groups[test])
        expected = {"auto": 2, 0.1: 1, 0.5: 5, 0.99: 9}[held_out]
        assert len(set(data.groups[test])) == expected


def test_groups_are_drawn_by_class_and_differently_for_another_seed():
    data = grouped(sizes=(2,) * 40, classes=4)
    drawn = set()
    for seed in range(4):
        test = split(data, 0.2, seed)[1]
        assert sorted(data.y[test].tolist()) == sorted([0, 1, 2, 3] * 4)
        drawn.add(tuple(test))
    assert len(drawn) == 4


@pytest.mark.parametrize("n_train", [None, 20])
def test_validation_rows_are_whole_groups(n_train):
    data = grouped(n_train=n_train)
    config = config_from({"validation": 0.3, "held_out": "auto" if n_train else "0.2"})
    rows = split_rows(config, data)
    parts = [part.numpy() for part in (rows.train, rows.validation, rows.held_out)]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(data)))
    assert all((np.diff(part) > 0).all() for part in parts)
    found = [set(data.groups[part]) for part in parts]
    assert not found[0] & found[1]
    assert len(found[1]) == round(0.3 * (len(found[0]) + len(found[1])))


def test_few_groups_have_no_validation_by_themselves_and_one_cannot_be_divided():
    data = grouped(sizes=(100,) * 10)  # 1,000 rows, of which a tenth would be enough
    assert len(split_rows(config_from({"held_out": "0"}), data).validation) == 0
    with pytest.raises(InputError, match=r"validation=0\.01 of 10 training groups of rows makes 0 groups of rows"):
        split_rows(config_from({"held_out": "0", "validation": 0.01}), data)
    one = grouped(sizes=(5,))
    with pytest.raises(InputError, match="needs two groups of rows at least, and there is 1"):
        split(one, 0.5)
    assert split(one) == (slice(0, 5), slice(5, 5))


def test_groups_of_one_row_split_as_rows_do():
    data = grouped(sizes=(1,) * 50, n_train=None)
    order = np.argsort(data.groups)
    data = replace(data, X=data.X[order], y=data.y[order], groups=data.groups[order])
    plain = replace(data, groups=None)
    for one, other in zip(split(data, 0.3, 4), split(plain, 0.3, 4), strict=True):
        np.testing.assert_array_equal(one, other)
    config = config_from({"held_out": "0.2", "validation": 0.2})
    one, other = split_rows(config, data), split_rows(config, plain)
    assert one.train.tolist() == other.train.tolist()
    assert one.validation.tolist() == other.validation.tolist()


def test_groups_follow_the_rows_wherever_data_go(tmp_path):
    data = grouped(sizes=(4,) * 40)
    chosen = select_classes(data, [1])
    np.testing.assert_array_equal(chosen.groups, data.groups[data.y == 1])
    assert fingerprint(data) != fingerprint(replace(data, groups=data.groups[::-1].copy()))
    assert fingerprint(replace(data, groups=None)) != fingerprint(data)
    describe(tmp_path, config_from({}), data)
    json.loads((tmp_path / "job.json").read_text())
    np.testing.assert_array_equal(described(tmp_path)[1].groups, data.groups)
    space = make_space(
        {"hidden": ["bernoulli:2", "bernoulli:3"]}, {"data": "array", "held_out": "0.25", "validation": 0.2}
    )
    settings = make_settings(space, data, trials=1, seeds=1, sampler="random", prune=False)
    store_data(tmp_path, data)
    again = load_search_data(tmp_path, settings)
    np.testing.assert_array_equal(again.groups, data.groups)
    fixed, _ = fix_held_out(again, settings.config)
    assert not set(fixed.groups[: fixed.n_train]) & set(fixed.groups[fixed.n_train :])
    marks = {tuple(x): g for x, g in zip(data.X, data.groups, strict=True)}
    assert [marks[tuple(x)] for x in fixed.X] == fixed.groups.tolist()


# --- by name --------------------------------------------------------------------------------------------------------


def test_fsdd_is_found_by_name_and_a_machine_learns_it(folder, monkeypatch):
    monkeypatch.setenv("HARMONIUM_DATA", str(folder.parent))
    data = load_data("fsdd")
    assert (data.name, data.n_train, data.shape) == ("fsdd", 12, (40, 32))
    assert "CC BY-SA" in data.licence
    np.testing.assert_array_equal(load_data("fsdd", path=folder).X, data.X)
    options = {"visible": "gaussian", "hidden": "bernoulli:4", "target": "label", "validation": 0, "epochs": 30}
    run = hm.train("fsdd", **options)
    assert run.summary["scores"]["held_out"]["label_error"] <= 0.1  # a pitch of 100 or of 140 Hz


def test_a_new_recording_is_predicted_with_the_stored_features(folder, tmp_path):
    made = voice_data(folder)
    options = {"visible": "gaussian", "hidden": "bernoulli:4", "target": "label", "validation": 0, "epochs": 30}
    hm.train(made.data, out=tmp_path / "run", **options)
    save_features(tmp_path / "run" / "features.safetensors", made.features)
    features = load_features(tmp_path / "run" / "features.safetensors")
    for label, pitch in ((0, 105), (1, 148)):
        write_wav(tmp_path / "new.wav", sound(0.27, 16000, pitch, seed=100 * label), 16000)
        X, _ = features.rows(read_recording(tmp_path / "new.wav", features.rate))
        assert hm.predict(tmp_path / "run", X).labels.tolist() == [label]


def test_fsdd_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.delenv("HARMONIUM_DATA", raising=False)
    with pytest.raises(InputError, match="fsdd was not found; set HARMONIUM_DATA"):
        load_data("fsdd")
    monkeypatch.setenv("HARMONIUM_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"HARMONIUM_DATA=.* does not hold the recordings of fsdd"):
        load_data("fsdd")
    with pytest.raises(InputError, match=r"path=.* does not hold the recordings of fsdd"):
        load_data("fsdd", path=tmp_path)


def test_the_real_recordings():
    own = os.environ.get("HARMONIUM_DATA")
    if not own or not (Path(own) / "fsdd").is_dir():
        pytest.skip("set HARMONIUM_DATA to a folder with fsdd/0_george_0.wav and 2,999 more")
    data = load_data("fsdd", path=find_fsdd())
    assert data.X.shape == (3000, 1280)
    assert data.n_train == 2700
    assert (np.bincount(data.y[:2700]) == 270).all()
    assert (np.bincount(data.y[2700:]) == 30).all()
    assert abs(float(data.X[:2700].std(0, dtype=np.float64).mean()) - 1) < 1e-3
    # two recordings of one digit are more alike than two of different digits
    means = np.stack([data.X[:2700][data.y[:2700] == label].mean(0) for label in range(10)])
    said = np.linalg.norm(data.X[2700:, None] - means, axis=2).argmin(1)
    assert (said != data.y[2700:]).mean() < 0.25
