"""Options: one source for Python, TOML and the command line, and one sentence for whatever they do not take."""

import math
from dataclasses import fields
from typing import get_type_hints

import numpy as np
import pytest
import tomli_w
from click.testing import CliRunner

from harmonium.cli import main
from harmonium.config import Config
from harmonium.config_from import config_from, read_toml
from harmonium.errors import InputError
from harmonium.options import takes

TYPES = get_type_hints(Config)
NUMBERS = [f for f in fields(Config) if TYPES[f.name] in (int, float)]
WORDS = [f for f in fields(Config) if takes(f).choices]


def refused(spec):
    """Values that a number option must not take."""
    wanted, values = takes(spec), ["three", math.nan, math.inf, -math.inf, True]
    values += [-7] if wanted.low is not None or wanted.above is not None else []
    values += [1.5] if TYPES[spec.name] is int or wanted.below == 1 or wanted.high == 1 else []
    values += [10**400] if TYPES[spec.name] is float or wanted.high is not None else []
    return values


def toml(path, options):
    path.write_text(tomli_w.dumps(options))
    return path


@pytest.mark.parametrize("spec", NUMBERS, ids=lambda f: f.name)
def test_numbers_out_of_range_are_refused_alike_everywhere(spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in refused(spec):
        sentence = f"{spec.name} must be .*, not "
        with pytest.raises(InputError, match=sentence):
            config_from({spec.name: value})
        with pytest.raises(InputError, match=sentence):
            Config(**{spec.name: value})
        if abs(value) < 2**63 if isinstance(value, int) else True:
            file = toml(tmp_path / "o.toml", {spec.name: value})
            with pytest.raises(InputError, match=sentence):
                config_from(read_toml(file))
        if value is True:
            continue
        words = ["train", f"--{spec.name.replace('_', '-')}={value}", "--out", "run"]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2, (value, result.output)
        assert result.stdout == ""
        assert result.stderr.startswith(f"harmonium: {spec.name} must be ")
        assert result.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("spec", NUMBERS, ids=lambda f: f.name)
def test_a_special_number_is_taken_and_said(spec):
    wanted = takes(spec)
    if wanted.special is not None:
        assert getattr(config_from({spec.name: int(wanted.special)}), spec.name) == wanted.special
        assert f"(or {wanted.special:g}: {wanted.means})" in wanted.in_words(TYPES[spec.name])
    assert wanted.contains(spec.default)


def test_both_ends_of_a_range_are_said():
    with pytest.raises(InputError, match=r"labelled_share must be a finite number above 0 and up to 1 \(or -1"):
        config_from({"labelled_share": 2})
    for spec in NUMBERS:
        wanted = takes(spec)
        words = wanted.in_words(TYPES[spec.name])
        for end in (wanted.low, wanted.above, wanted.high, wanted.below):
            assert end is None or f" {end:,}".removesuffix(".0") in words  # all digits of whole numbers


@pytest.mark.parametrize("spec", WORDS, ids=lambda f: f.name)
def test_words_outside_the_choices_are_refused(spec):
    with pytest.raises(InputError, match=f"{spec.name} must be one of {takes(spec).choices[0]}.*, not 'what'"):
        config_from({spec.name: "what"})


def test_numbers_of_numpy_and_whole_numbers_for_real_ones():
    config = config_from({"epochs": np.int64(3), "learning_rate": np.float32(0.5), "momentum": 0, "l1": np.int8(1)})
    assert (config.epochs, config.learning_rate, config.momentum, config.l1) == (3, 0.5, 0.0, 1.0)
    assert [type(x) for x in (config.epochs, config.learning_rate, config.l1)] == [int, float, float]


def test_text_takes_lists_numbers_and_paths(tmp_path):
    assert config_from({"classes": [7, 8, 9]}).classes == "7,8,9"
    assert config_from({"binarize": 0.25, "held_out": 0}).binarize == "0.25"
    assert config_from({"data": tmp_path / "x.npy"}).data == str(tmp_path / "x.npy")
    from pathlib import Path

    assert config_from({"data": Path("mnist")}).data == "./mnist"  # a path is never the name of a data set
    for value in ([], None, False, {"a": 1}):
        with pytest.raises(InputError, match="classes must be text"):
            config_from({"classes": value})


def test_an_unknown_name_meets_its_nearest():
    with pytest.raises(InputError, match="unknown option 'learning_rat'; did you mean 'learning_rate'"):
        config_from({"learning_rat": 1})
    with pytest.raises(InputError, match="unknown option 'zzz'; harmonium train --help"):
        config_from({"zzz": 1})


def test_every_option_goes_through_toml_and_comes_back(tmp_path):
    changed = {
        f.name: takes(f).choices[-1] if takes(f).choices else not f.default if TYPES[f.name] is bool else f.default
        for f in fields(Config)
    }
    config = config_from({**changed, "seed": 2**63 - 1, "learning_rate": 0.1 + 0.2, "data": "ü.npy", "scale": 1e-300})
    assert config_from(read_toml(toml(tmp_path / "o.toml", config.as_dict()))) == config
    dashed = toml(tmp_path / "d.toml", {"learning-rate": 0.5})
    assert config_from(read_toml(dashed)).learning_rate == 0.5


def test_toml_that_cannot_be_used(tmp_path):
    file = tmp_path / "o.toml"
    file.write_text("[training]\nsteps = 3\n")
    with pytest.raises(InputError, match=r"o.toml has a table \[training\]; write its options at the top level"):
        read_toml(file)
    for content in (b"steps = ", b"\xff\xfe"):
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"o.toml is not valid TOML"):
            read_toml(file)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_toml(tmp_path / "none.toml")
