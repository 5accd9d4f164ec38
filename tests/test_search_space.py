"""The search space: values lie where the space says, as often as it says, and every mistake is one sentence."""

import math
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmonium.config_from import config_from
from harmonium.errors import InputError
from harmonium.tuning.space import make_space, read_space

optuna = pytest.importorskip("optuna")
from harmonium.tuning.sampler import BySeedAndNumber, quantile  # noqa: E402

Int, Float = optuna.distributions.IntDistribution, optuna.distributions.FloatDistribution


class Numbered:
    """A `Draw` that is trial `number` of a search, without a study."""

    def __init__(self, number, seed=0):
        self.sampler = BySeedAndNumber(seed, number)

    def _value(self, name, distribution):
        return self.sampler.sample_independent(None, None, name, distribution)

    def suggest_categorical(self, name, choices):
        return self._value(name, optuna.distributions.CategoricalDistribution(choices))

    def suggest_int(self, name, low, high, *, log=False):
        return self._value(name, Int(low, high, log=log))

    def suggest_float(self, name, low, high, *, log=False):
        return self._value(name, Float(low, high, log=log))


def drawn(raw, fixed=None, number=400, **more):
    space = make_space(raw, fixed or {}, **more)
    return [space.draw(Numbered(i)) for i in range(number)]


@pytest.mark.parametrize("log", [False, True])
def test_whole_numbers_have_the_shares_of_their_intervals(log):
    low, high, n = 3, 12, 20_000
    found = Counter(quantile(Int(low, high, log=log), (i + 0.5) / n) for i in range(n))
    assert set(found) == set(range(low, high + 1))
    for k, count in found.items():
        share = math.log((k + 0.5) / (k - 0.5)) / math.log((high + 0.5) / (low - 0.5)) if log else 1 / (high - low + 1)
        assert count == pytest.approx(n * share, abs=1.01)


@given(st.floats(1e-6, 1e3), st.floats(1.001, 1e4), st.floats(0, 1, exclude_max=True), st.booleans())
def test_real_numbers_have_the_distribution_function_of_their_scale(low, factor, u, log):
    high = low * factor
    value = quantile(Float(low, high, log=log), u)
    assert low <= value <= high
    below = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    assert below == pytest.approx(u, abs=1e-7)


@settings(max_examples=50)
@given(st.data())
def test_an_end_that_names_another_option_is_kept_in_every_trial(data):
    low = data.draw(st.integers(1, 50))
    middle = data.draw(st.integers(low, 90))
    high = data.draw(st.integers(middle, 200))
    log = data.draw(st.booleans())
    raw = {
        "batch_size_final": {"low": "batch_size", "high": high, "log": log},
        "batch_size": {"low": low, "high": middle},
    }
    for options in drawn(raw, number=20):
        assert low <= options["batch_size"] <= options["batch_size_final"] <= high
    last = [o["batch_size_final"] for o in drawn(raw, {"epochs": 1}, number=20)]
    assert all(isinstance(value, int) for value in last)


def test_a_fixed_option_can_be_an_end():
    raw = {"batch_size_final": {"low": "batch-size", "high": 40}}
    values = [o["batch_size_final"] for o in drawn(raw, {"batch_size": 38}, number=100)]
    assert set(values) == {38, 39, 40}


def test_exact_zeros_come_as_often_as_asked_and_the_rest_is_log_uniform():
    values = [o["l2"] for o in drawn({"l2": {"low": 1e-4, "high": 0.1, "log": True, "zero": 0.2}}, number=2000)]
    zeros = values.count(0.0)
    assert abs(zeros - 400) < 3.9 * math.sqrt(2000 * 0.2 * 0.8)  # 1 in 10,000
    rest = sorted(v for v in values if v)
    assert rest[0] >= 1e-4
    assert rest[-1] <= 0.1
    furthest = max(abs((i + 0.5) / len(rest) - math.log10(v / 1e-4) / 3) for i, v in enumerate(rest))
    assert furthest < 2.23 / math.sqrt(len(rest))  # Kolmogorov and Smirnov, 1 in 10,000


def test_a_trial_depends_on_seed_number_and_the_option_alone():
    raw = {"steps": {"low": 1, "high": 1000}, "learning_rate": {"low": 1e-4, "high": 1.0, "log": True}}
    more = {"l2": {"low": 0.0, "high": 1.0}, **dict(reversed(raw.items()))}
    for short, long in zip(drawn(raw, number=30), drawn(more, number=30), strict=True):
        assert {name: long[name] for name in short} == short
    space = make_space(raw, {})
    assert len({space.draw(Numbered(3, seed))["steps"] for seed in range(20)}) > 10


def test_table_1_of_the_report():
    raw, bundled = read_space("mnist-789")
    trials = drawn(raw, number=1500, bundled=bundled)
    number = [int(o["hidden"].split(":")[1]) for o in trials]
    ranges = {"steps": (1, 15), "epochs": (50, 350), "minibatches": (10, 50), "batch_size": (5, 50)}
    assert (min(number), max(number)) == (3, 10)
    for name, ends in ranges.items():
        values = [o[name] for o in trials]
        assert (min(values), max(values)) == ends, name
    assert all(o["batch_size"] <= o["batch_size_final"] <= 350 for o in trials)
    assert {o["optimizer"] for o in trials} == {"sgd", "rmsprop", "adam"}
    spins_and_potts = Counter((o["visible"], o["hidden"].split(":")[0]) for o in trials)
    assert set(spins_and_potts) == {
        ("bernoulli", "bernoulli"), ("bernoulli", "onehot"), ("ising", "ising"), ("ising", "onehot")
    }  # fmt: skip
    assert all(abs(count - 375) < 4 * math.sqrt(1500 * 3 / 16) for count in spins_and_potts.values())
    assert make_space(raw, {}, bundled=True).fixed["classes"] == "7,8,9"


def test_every_bundled_trial_is_one_that_train_takes():
    for name in ("default", "mnist-789"):
        raw, bundled = read_space(name)
        space = make_space(raw, {}, bundled=bundled)
        for number in range(50):
            config_from({**space.fixed, **space.draw(Numbered(number))})


def test_a_bundled_space_gives_way_to_what_is_said_and_another_does_not():
    raw, _ = read_space("mnist-789")
    space = make_space(raw, {"epochs": 7, "centre": "yes"}, bundled=True)
    assert (space.fixed["epochs"], space.fixed["centre"]) == (7, "yes")
    assert "epochs" not in space.draw(Numbered(0))
    with pytest.raises(InputError, match="epochs is both fixed"):
        make_space(raw, {"epochs": 7}, bundled=False)
    assert make_space({"steps": [1, 2], "l2": 0.1}, {"l2": 0.2}).fixed["l2"] == 0.2


def test_units_are_spelt_with_their_number():
    kinds = ["multivalued,s=4", "visible"]
    found = drawn({"hidden": {"units": kinds, "low": 2, "high": 2}, "visible": ["auto", "ising"]}, number=60)
    assert {(o["visible"], o["hidden"]) for o in found} == {
        ("auto", "multivalued:2,s=4"), ("ising", "multivalued:2,s=4"), ("auto", "bernoulli:2"), ("ising", "ising:2")
    }  # fmt: skip
    axes = {axis.key: axis for axis in make_space({"hidden": {"units": kinds[:1], "low": 2, "high": 8}}, {}).axes}
    assert axes["hidden"].value({"hidden": "multivalued:5,s=4"}) == 5.0
    assert axes["hidden"].position(5.0) == 0.5


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({}, "nothing to search"),
        ({"steps": 3}, "nothing to search"),
        ({"stepz": [1, 2]}, "unknown option 'stepz'; did you mean 'steps'?"),
        ({"steps": []}, "steps has an empty list"),
        ({"steps": [1, 1]}, "steps lists a value twice"),
        ({"steps": [1, "two"]}, "steps must be a whole number from 1 on, not 'two'"),
        ({"steps": [0, 1]}, "steps must be a whole number from 1 on, not 0"),
        ({"steps": {"low": 5, "high": 2}}, "steps has low = 5, high = 2; its low end"),
        ({"steps": {"low": 1}}, "steps has a range without 'high'"),
        ({"steps": {"low": 1, "hi": 2, "high": 3}}, "steps has an unknown key 'hi'"),
        ({"steps": {"low": 0, "high": 3}}, "steps has low = 0; it must be"),
        ({"steps": {"low": 1.5, "high": 3}}, "steps has low = 1.5; it must be a whole number"),
        ({"steps": {"low": True, "high": 3}}, "steps has low = True"),
        ({"steps": {"low": 1, "high": 3, "zero": 0.2}}, "steps cannot be 0"),
        ({"steps": {"low": 1, "high": 3, "log": 1}}, "steps has log = 1"),
        ({"momentum": {"low": 0.5, "high": 1.0}}, "momentum has high = 1.0"),
        ({"momentum": {"low": -1, "high": 0.9}}, "momentum has low = -1"),  # what it means otherwise is no number
        ({"l2": {"low": 0.0, "high": 1.0, "log": True}}, "l2 has log = true and a low end of 0"),
        ({"l2": {"low": 0.1, "high": 1.0, "zero": 1.0}}, "l2 has zero = 1.0"),
        ({"l2": {"low": 0.1, "high": math.nan}}, "l2 has high = nan"),
        ({"centre": {"low": 0, "high": 1}}, r"centre takes words.*centre = \[auto, yes, no\]"),
        ({"optimizer": ["sgd", "adm"]}, "unknown optimizer 'adm'"),
        ({"negative": ["cd", "cdd"]}, "unknown negative 'cdd'"),
        ({"hidden": ["bernouli:3"]}, "hidden='bernouli:3' cannot be used"),
        ({"hidden": {"units": "bernouli", "low": 1, "high": 2}}, "hidden='bernouli:2' cannot be used"),
        ({"hidden": {"units": [], "low": 1, "high": 2}}, r"hidden has units = \[\]"),
        ({"hidden": {"units": "ising:3", "low": 1, "high": 2}}, "hidden has units = 'ising:3'"),
        ({"hidden": {"units": "visible", "low": 1, "high": 2}}, "hidden names visible, which is neither"),
        ({"hidden": {"low": 0, "high": 2}}, "hidden has low = 0"),
        ({"seed": [1, 2]}, "seed cannot be searched"),
        ({"validation": {"low": 0.1, "high": 0.5}}, "validation cannot be searched"),
        ({"steps": [1], "l1": -1.0}, "l1 must be a finite number from 0 on, not -1.0"),
        ({"l1": [0.1], "learning-rate": [0.1], "learning_rate": [0.2]}, "learning_rate stands in the space twice"),
        ({"batch_size_final": {"low": "batch_size", "high": 9}}, "batch_size_final names batch_size, which is neither"),
        ({"batch_size_final": {"low": "optimizer", "high": 9}}, "batch_size_final has low = 'optimizer'"),
        (
            {"batch_size": {"low": 5, "high": 50}, "batch_size_final": {"low": "batch_size", "high": 40}},
            "batch_size_final has low = 'batch_size', high = 40, where low can be 50 and high 40",
        ),
        (
            {"batch_size": {"low": 5, "high": "steps"}, "steps": {"low": "batch_size", "high": 9}},
            "batch_size and steps name each other",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_names_the_option(raw, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        make_space(raw, {})
    assert "\n" not in str(caught.value)


def test_files_that_are_no_space(tmp_path):
    (tmp_path / "s.toml").write_text("steps = {low = 1,")
    with pytest.raises(InputError, match=re.escape("s.toml is not valid TOML")):
        read_space(tmp_path / "s.toml")
    with pytest.raises(InputError, match="neither a bundled space"):
        read_space("nothing")
    (tmp_path / "t.toml").write_text("[steps]\nlow = 1\nhigh = 3\n")
    assert {o["steps"] for o in drawn(read_space(tmp_path / "t.toml")[0])} == {1, 2, 3}
