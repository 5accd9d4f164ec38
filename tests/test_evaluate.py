"""From rows to a likelihood that can be believed: `harmonium.log_likelihood` and ``harmonium evaluate``."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import harmonium as hm
from harmonium.cli import main
from harmonium.errors import InputError, Interrupted, StoppedError
from harmonium.evaluate import likelihood
from harmonium.evaluate.likelihood import doubts
from harmonium.io import load_tensors
from harmonium.logz import Estimate, exact_log_z
from harmonium.logz.bidirectional import BothWays
from harmonium.logz.progressive import Progressive, Wanted
from harmonium.runs.reopen import evaluate
from laws.sides import ENUMERABLE_PAIRS, brute_log_likelihood, machine, points


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


ONE_BATCH = Wanted(precision=1e-9, seconds=0.0)


def pairs(every: int):
    return pytest.mark.parametrize(("visible", "hidden"), ENUMERABLE_PAIRS[::every], ids=lambda side: side.spec)


@pairs(5)
def test_rows_are_scored_as_the_sum_over_all_states_says(visible, hidden):
    rbm, v = machine(visible, hidden, 1.0), points(visible)
    found = hm.log_likelihood(rbm, visible.decode(v))
    torch.testing.assert_close(found.rows, brute_log_likelihood(rbm, v), rtol=0, atol=1e-6)
    assert found.mean.value == pytest.approx(float(found.rows.mean()))
    assert found.interval == (found.mean.value, found.mean.value)  # exact
    assert found.doubts == ()
    assert "exact" in str(found)


@pytest.mark.parametrize("method", ["both", "ais", "reverse_ais", "tempering"])
def test_an_estimate_holds_the_exact_value_in_its_interval(method):
    """Four standard errors: 6e-5 each, 3e-4 in all."""
    rbm = hm.RBM(*_random("bernoulli:12", "ising:9", 0.6))
    X = (torch.rand(300, 12, generator=torch.Generator().manual_seed(0)) < 0.5).double()
    exact = hm.log_likelihood(rbm, X, method="exact")
    found = hm.log_likelihood(rbm, X, method=method, precision=0.05, time_limit=20)
    assert 0 < found.mean.stderr < 0.1
    assert abs(found.mean.value - exact.mean.value) < 4 * found.mean.stderr
    assert not found.doubts
    assert found.mean.half_width == pytest.approx(found.z.half_width)


def _random(visible: str, hidden: str, scale: float):
    v, h = hm.parse_side(visible), hm.parse_side(hidden)
    generator = torch.Generator().manual_seed(7)
    shapes = ((v.size, h.size), (1, v.size), (1, h.size))
    return (v, h, *(scale * torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes))


def test_an_estimate_that_is_continued_is_the_same_as_one_that_ran_on():
    rbm = hm.RBM(*_random("bernoulli:9", "bernoulli:7", 1.0))
    whole = Progressive(rbm, seed=3)
    whole.run(ONE_BATCH)
    whole.run(ONE_BATCH)
    begun = Progressive(rbm, seed=3)
    begun.run(ONE_BATCH)
    continued = Progressive(rbm, seed=3)
    continued.load_state_dict(begun.state_dict())
    estimate = continued.run(ONE_BATCH)
    assert whole.batches == continued.batches == 2
    assert torch.equal(whole.works.forward, continued.works.forward)
    assert torch.equal(whole.works.reverse, continued.works.reverse)
    assert estimate == whole.works.estimate()


def test_another_machine_is_not_continued():
    rbm = hm.RBM(*_random("bernoulli:9", "bernoulli:7", 1.0))
    begun = Progressive(rbm)
    begun.run(ONE_BATCH)
    for other in (Progressive(rbm, seed=1), Progressive(hm.RBM(*_random("bernoulli:9", "bernoulli:7", 1.1)))):
        with pytest.raises(InputError, match="another machine, other data or another seed"):
            other.load_state_dict(begun.state_dict())


def test_the_wanted_precision_is_reached_and_ends_the_estimate():
    rbm = hm.RBM(*_random("bernoulli:12", "ising:9", 1.2))
    rough = Progressive(rbm).run(Wanted(0.3, 60))
    fine = Progressive(rbm).run(Wanted(0.02, 60))
    assert rough.half_width <= 0.3
    assert fine.half_width <= 0.02 < rough.half_width
    assert abs(fine.value - exact_log_z(rbm)) < 0.05


def _estimate(below: float, above: float, ess: float = 500.0, stderr: float = 0.01) -> Estimate:
    sides = (Estimate(below, stderr, "AIS", -1, ess), Estimate(above, stderr, "reverse AIS", 1, ess))
    return Estimate((below + above) / 2, stderr, "both", 0, ess, sides=sides)


def test_doubts_are_raised_where_the_numbers_call_for_them():
    wanted = Wanted(0.1, 60)
    assert doubts(_estimate(10.0, 10.1), wanted) == []
    assert "differ by 0.70 nats" in doubts(_estimate(10.0, 10.7), wanted)[0]
    assert "0.80 nats below" in doubts(_estimate(10.8, 10.0), wanted)[0]
    assert "about 4 effective samples" in doubts(_estimate(10.0, 10.1, ess=4.0), wanted)[0]
    assert "not the ± 0.1 asked for" in doubts(_estimate(10.0, 10.1, stderr=0.2), wanted)[0]
    assert doubts(Estimate(1.0, 0.0, "exact"), wanted) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": 0}, "precision must be a finite number above 0, not 0"),
        ({"precision": math.nan}, "precision must be a finite number above 0, not nan"),
        ({"time_limit": -1}, "time_limit must be a finite number above 0, not -1"),
        ({"method": "magic"}, "method must be one of auto, exact"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, words):
    rbm = hm.RBM(*_random("bernoulli:4", "bernoulli:3", 1.0))
    with pytest.raises(InputError, match=words):
        hm.log_likelihood(rbm, np.zeros((2, 4)), **options)


def test_data_that_cannot_be_scored_are_refused():
    rbm = hm.RBM(*_random("bernoulli:4", "bernoulli:3", 1.0))
    with pytest.raises(InputError, match="data is empty"):
        hm.log_likelihood(rbm, np.zeros((0, 4)))
    with pytest.raises(InputError, match="4 units, but the data have 5 columns"):
        hm.log_likelihood(rbm, np.zeros((2, 5)))
    with pytest.raises(InputError, match="value 3 in row 0, column 0"):
        hm.log_likelihood(rbm, np.full((2, 4), 3.0))
    with pytest.raises(InputError, match="not finite"):
        hm.log_likelihood(rbm, np.full((2, 4), np.nan))


@pytest.mark.parametrize("name", ["W", "a", "b"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_machine_that_is_not_finite_is_refused_by_every_method(name, value):
    rbm = hm.RBM(*_random("bernoulli:4", "bernoulli:3", 1.0))
    getattr(rbm, name)[0, 0] = value
    for method in likelihood.METHODS:
        with pytest.raises(InputError, match=f"{name} holds a value that is not finite"):
            hm.log_likelihood(rbm, np.zeros((2, 4)), method=method)


def test_evaluate_estimates_continues_and_says_what_it_reached(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("d.npy", (np.random.default_rng(0).random((60, 12)) < 0.4).astype(np.float32))
    hm.train("d.npy", hidden="bernoulli:8", epochs=2, out="r")
    exact = json.loads(run("evaluate", "r", "--json").stdout)
    assert exact["log_z"]["method"] == "exact"
    refused = run("evaluate", "r", "--method", "both", "--continue")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "continue found no earlier estimate" in refused.stderr
    words = ("evaluate", "r", "--method", "both", "--precision", "1e-6", "--time-limit", "0.5", "--json")
    first = json.loads(run(*words).stdout)
    assert "± 1e-06 asked for" in first["log_z"]["doubts"][-1]
    again = json.loads(run(*words, "--continue").stdout)
    for document in (first, again):
        z = document["log_z"]
        assert [side["bound"] for side in z["sides"]] == [-1, 1]
        assert abs(z["value"] - exact["log_z"]["value"]) < 5 * z["stderr"]  # 6e-7
    refused = run("evaluate", "r", "--continue")
    assert refused.exit_code == 2
    assert "continue has nothing to go on with: ln Z of this machine is exact" in refused.stderr
    refused = run("evaluate", "r", "--continue", "--method", "ais")
    assert refused.exit_code == 2
    assert "continue goes with estimates from both sides, not method=ais" in refused.stderr
    assert run("evaluate", "r", "--precision", "-1").exit_code == 2


def test_an_interrupt_says_what_is_kept_and_loses_no_earlier_annealings(tmp_path, monkeypatch):
    np.save(tmp_path / "d.npy", (np.random.default_rng(0).random((60, 12)) < 0.4).astype(np.float32))
    hm.train(tmp_path / "d.npy", hidden="bernoulli:8", epochs=1, out=tmp_path / "r")
    stored, after = tmp_path / "r" / "log_z.safetensors", [0]
    extend = BothWays.extend

    def interrupted(self, *words):
        if after[0] == 0:
            raise Interrupted(15)
        after[0] -= 1
        extend(self, *words)

    def ask(batches, **options):
        after[0] = batches
        with pytest.raises(StoppedError) as stopped:
            evaluate(tmp_path / "r", method="both", precision=1e-9, time_limit=1e9, **options)
        assert stopped.value.exit_code == 128 + 15
        return str(stopped.value)

    monkeypatch.setattr(BothWays, "extend", interrupted)
    assert "before the first batch of annealings was done, so nothing is kept" in ask(0)
    assert not stored.exists()
    assert "the batches of annealings that were done are kept, and continue goes on with them" in ask(2)
    kept = stored.read_bytes()
    assert "nothing is kept" in ask(0)
    assert stored.read_bytes() == kept
    assert "are kept" in ask(0, proceed=True)
    assert load_tensors(stored, "annealings")[1]["batches"] == 2
    assert "are kept" in ask(1, proceed=True)
    assert load_tensors(stored, "annealings")[1]["batches"] == 3


@pytest.mark.parametrize(("hidden", "words"), [("bernoulli:100", "more than 2\\^62 states"), ("bernoulli:45", "hours")])
def test_an_enumeration_without_end_is_refused(hidden, words):
    rbm = hm.RBM(*_random("bernoulli:200", hidden, 0.1))
    with pytest.raises(InputError, match=words):
        hm.log_likelihood(rbm, np.zeros((2, 200)), method="exact")
    if hidden == "bernoulli:100":
        with pytest.raises(InputError, match=words):
            hm.exact_log_z(rbm)
