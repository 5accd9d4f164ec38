"""Other data than a run's own: its scale and the names of its columns hold for them, or one sentence says why not."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.config_from import config_from
from harmonium.data import load_data
from harmonium.data.arrays import as_dataset
from harmonium.errors import InputError
from harmonium.io import load_model
from harmonium.runs.plan import make_plan
from harmonium.runs.reopen import evaluate, reopen
from small_runs import LABELS, QUICK, no_pictures

RNG = np.random.default_rng(0)
#: Grey values from 0 to 16, in bytes: the scale of the run cannot be guessed from them.
GREY = (16 * np.where(np.arange(12) % 2 == LABELS[:, None], RNG.beta(4, 1, (60, 12)), RNG.beta(1, 4, (60, 12)))).round()
GREY = GREY.astype(np.uint8)
OPTIONS = {**QUICK, "target": "label", "learning_rate": 0.1}


def invoke(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def table(path, names, values, labels=None):
    lines = [",".join([*names, *(["kind"] if labels is not None else [])])]
    lines += [",".join(map(str, [*row, *([labels[i]] if labels is not None else [])])) for i, row in enumerate(values)]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("other")
    with pytest.MonkeyPatch.context() as patch:
        no_pictures(patch)
        hm.train(GREY, LABELS, out=root / "grey", scale=16, **OPTIONS)
        hm.train(GREY, out=root / "plain", scale=16, **QUICK)
        hm.train(GREY / 16, LABELS, out=root / "divided", **OPTIONS)
        hm.train(GREY > 8, LABELS, out=root / "bits", **OPTIONS)
    return root


def test_the_scale_of_the_run_holds_for_other_data(folder, tmp_path):
    np.save(tmp_path / "x.npy", GREY)
    wanted = hm.predict(folder / "grey", GREY, scale=16).probabilities
    assert np.abs(hm.predict(folder / "grey", GREY, scale=255).probabilities - wanted).max() > 0.05  # what a guess made
    for same in (GREY, tmp_path / "x.npy", GREY.astype(float), GREY / 16):
        np.testing.assert_allclose(hm.predict(folder / "grey", same).probabilities, wanted, atol=1e-6)
    own, known = evaluate(folder / "plain", GREY), evaluate(folder / "plain", GREY, scale=16)
    assert (own["scale"], own["scores"]) == (16, known["scores"])


def test_a_scale_that_is_known_is_not_replaced(folder):
    opened = reopen(folder / "grey")
    data = load_data("digits")
    assert opened._scale_of(data) == data.scale == 16
    bytes_of = replace(data, X=(data.X[:, :12] * 10).astype(np.uint8), scale=160.0, shape=(12,))
    assert opened.inputs(bytes_of, bytes_of.y % 2).feed.scale == 160


def test_values_beyond_the_scale_are_one_sentence_that_names_it(folder, tmp_path):
    for run, scale in (("grey", 16), ("bits", 1), ("divided", 1), ("plain", 16)):
        with pytest.raises(InputError, match=rf"the value \d+ in row 0, .*run's scale {scale}; .*--scale") as caught:
            reopen(folder / run).inputs(10 * GREY + 20, LABELS)
        assert str(caught.value).count(". ") == 0
    np.save(tmp_path / "x.npy", 10 * GREY + 20)
    assert "--scale" in invoke("predict", folder / "grey", tmp_path / "x.npy").stderr
    assert invoke("predict", folder / "grey", tmp_path / "x.npy", "--scale", 180).exit_code == 0


NAMES = [f"p{i}" for i in range(12)]


def test_columns_are_known_by_their_names(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    bits, words = (GREY > 8).astype(int), np.array(["round", "even"])[LABELS]
    data = table(tmp_path / "d.csv", NAMES, bits, words)
    hm.train(data, out=tmp_path / "r", **{**OPTIONS, "target": "kind"})
    assert load_model(tmp_path / "r")[1]["columns"] == NAMES
    order = [1, 0, *range(2, 12)]
    names = [NAMES[i] for i in order]
    wanted = hm.predict(tmp_path / "r", bits).probabilities  # an array has no names
    np.testing.assert_array_equal(hm.predict(tmp_path / "r", data).probabilities, wanted)
    plain = table(tmp_path / "plain.csv", NAMES, bits)
    np.testing.assert_array_equal(hm.predict(tmp_path / "r", plain).probabilities, wanted)
    moved = table(tmp_path / "moved.csv", names, bits[:, order])
    sentence = r"column 1 of data=.*moved.csv is called 'p1', and 'p0' in the run .*the run's order: p0, p1, .*, \.\.\."
    with pytest.raises(InputError, match=sentence):
        hm.predict(tmp_path / "r", moved)
    other = table(tmp_path / "other.csv", ["q", *NAMES[1:]], bits)
    with pytest.raises(InputError, match=r"column 1 .* is called 'q', .*rename the columns"):
        hm.predict(tmp_path / "r", other)
    for command in ("evaluate", "check", "predict"):
        refused = invoke(command, tmp_path / "r", "--data", table(moved, names, bits[:, order], words))
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "is called 'p1'" in refused.stderr


def test_names_of_columns_in_memory():
    class Frame:
        """What matters of a data frame."""

        def __init__(self, values, columns):
            self.values, self.columns = values, columns

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.values, dtype=dtype)

    assert as_dataset(Frame(GREY, NAMES)).columns == tuple(NAMES)
    assert as_dataset(Frame(GREY, range(12))).columns is None
    assert as_dataset(GREY).columns is None


def test_the_names_of_a_table(tmp_path):
    read = load_data(table(tmp_path / "t.csv", NAMES, GREY, LABELS), labels="kind")
    assert read.columns == tuple(NAMES)
    bare = tmp_path / "bare.txt"
    np.savetxt(bare, GREY, fmt="%d")
    assert load_data(bare).columns is None


def test_grey_values_stay_grey_where_labels_are_to_be_predicted():
    rules = {}
    for objective in ("discriminative", "hybrid", "joint"):
        config = config_from({**QUICK, "data": "array", "target": "label", "objective": objective, "scale": 16})
        rules[objective] = make_plan(config, as_dataset(GREY, LABELS, scale=16)).feed.rule
    assert rules == {"discriminative": "none", "hybrid": "none", "joint": "0.5"}
