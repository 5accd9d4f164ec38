"""Every finding is provoked by a machine or a run that has the fault, and none is made where there is none."""

from dataclasses import replace

import pytest
import torch

import harmonium as hm
import harmonium.runs.train as training
from harmonium.evaluate.activity import hidden_units
from harmonium.evaluate.fidelity import fidelity
from harmonium.evaluate.gap import Gap
from harmonium.evaluate.health import (
    Finding,
    below_baseline,
    generalisation,
    lagging_chains,
    moments_apart,
    over_fitting,
    slow_mixing,
    stability,
)  # fmt: skip
from harmonium.gibbs import sweep
from harmonium.logz.exact import sample_v_exactly
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.runs.health import HealthWatch
from harmonium.training.loop import fit
from harmonium.units import Bernoulli, Gaussian, Ising, OneHot
from laws.sides import generator, uniform
from small_runs import IMAGES, QUICK, same


def noise(seed=0):
    return Noise(seed, dtype=torch.float64)


def healthy(hidden=None, seed=0):
    """A machine of 10 visible units whose hidden units all do something else."""
    hidden = Bernoulli(4) if hidden is None else hidden
    gen = generator("healthy", seed)
    W = uniform((10, hidden.size), gen, -1.5, 1.5)
    rbm = RBM(Bernoulli(10), hidden, W, torch.zeros(1, 10).double(), hidden.neutral(W))
    rbm.a[0] = -W.sum(1) / 2 if hidden.name == "bernoulli" else 0
    return rbm


def found(rbm, v):
    return {f.kind: f for f in hidden_units(rbm, rbm.hidden.mean(rbm.eta_h_from_v(v))[:, 0])}


DATA = (uniform((500, 10), generator("data")) < 0.5).double()

# ---- hidden units --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [Bernoulli(4), Ising(4), Gaussian(4, 0.1), OneHot(1, 4)], ids=lambda side: side.spec)
def test_working_units_are_no_finding(hidden):
    assert found(healthy(hidden), DATA) == {}


@pytest.mark.parametrize("hidden", [Bernoulli(4), Ising(4), Gaussian(4, 0.1)], ids=lambda side: side.spec)
def test_a_unit_without_weights_is_idle(hidden):
    rbm = healthy(hidden)
    rbm.W[:, 2] *= 1e-3
    finding = found(rbm, DATA)["idle-units"]
    assert finding.numbers["units"] == [2]
    assert "1 of 4 hidden units (2)" in finding.sentence
    assert "--learning-rate" in finding.mend
    assert finding.severity == "warning"


@pytest.mark.parametrize("bias", [-60.0, 60.0], ids=["off", "on"])
def test_a_unit_that_never_or_always_answers_is_idle(bias):
    rbm = healthy()
    rbm.b[0, [0, 1, 3]] = bias
    (finding,) = found(rbm, DATA).values()  # and not frozen, or duplicates, on top of it
    assert finding.kind == "idle-units"
    assert finding.numbers["units"] == [0, 1, 3]
    assert finding.numbers["mean"] == pytest.approx([float(bias > 0)] * 3)
    assert finding.severity == "error"  # most of the machine


def test_an_unused_state_is_idle():
    rbm = healthy(OneHot(1, 4))
    rbm.b[0, 1] = -30
    assert found(rbm, DATA)["idle-units"].numbers["units"] == [1]


def test_a_unit_that_sampling_cannot_move_is_frozen():
    rbm = healthy()
    rbm.W[:, 1], rbm.b[0, 1] = 0, -200
    rbm.W[0, 1] = 400  # on or off with pixel 0, and never otherwise
    findings = found(rbm, DATA)
    assert findings["frozen-units"].numbers == {"units": [1], "largest_weight": 400}
    assert "idle-units" not in findings
    assert "--l2" in findings["frozen-units"].mend
    assert "frozen-units" not in found(replace(rbm, W=rbm.W / 30, b=rbm.b / 30), DATA)


@pytest.mark.parametrize("sign", [1, -1])
def test_two_units_that_do_the_same_are_duplicates(sign):
    rbm = healthy()
    rbm.W[:, 3] = sign * rbm.W[:, 0]  # the opposite of a unit, with a bias, is the same unit again
    rbm.b[0, 0] = 0.3
    rbm.b[0, 3] = sign * 0.3
    assert found(rbm, DATA)["duplicate-units"].numbers["pairs"] == [(0, 3)]
    rbm.W[:, 3] += 0.5 * uniform((10,), generator("other"), -1, 1)
    assert found(rbm, DATA) == {}


# ---- curves --------------------------------------------------------------------------------------------------------


def curve(train, held_out=None, stderr=0.0):
    held_out = train if held_out is None else held_out
    return [
        {"step": 10 * t, "train": x, "held_out": y, "train_stderr": stderr, "held_out_stderr": stderr}
        for t, (x, y) in enumerate(zip(train, held_out, strict=True))
    ]


def test_a_healthy_curve_is_no_finding():
    train = [-24.0, -21.0, -20.0, -20.4, -19.0, -18.5, -18.0, -18.2]
    history = curve(train, [x - 0.5 for x in train])
    assert stability(history) == over_fitting(history) == []
    assert stability([]) == over_fitting([]) == stability(history[:1]) == []
    early = curve([-24.0, -23.99, -24.1])  # nothing gained yet, so nothing lost
    assert stability(early) == []


def test_a_likelihood_that_falls_is_unstable():
    (finding,) = stability(curve([-24.0, -20.0, -23.0, -19.0]))
    assert finding.kind == "unstable"
    assert finding.severity == "warning"
    assert finding.numbers == {"fall": 3.0, "step": 20, "first": -24.0, "last": -19.0}
    (finding,) = stability(curve([-24.0, -20.0, -28.0]))
    assert finding.severity == "error"
    assert "fell by 8.00 nats to -28.00 by update 20 (it stands at -28.00, below where it began)" in finding.sentence
    assert "--learning-rate" in finding.mend
    assert stability(curve([-24.0, -20.0, -23.0, -19.0], stderr=0.6)) == []  # ln Z does not know
    assert stability(curve([-24.0, -20.0, -21.9, -19.0])) == []  # under half


def test_held_out_rows_that_fall_while_training_rows_rise_are_over_fitting():
    train = [-24.0, -20.0, -18.0, -17.0, -16.0, -15.0]
    (finding,) = over_fitting(curve(train, [-24.0, -21.0, -20.0, -20.5, -20.8, -21.2]))
    assert finding.numbers == {"best_step": 20, "best": -20.0, "last": -21.2, "train": -15.0}
    assert "--patience" in finding.mend
    assert over_fitting(curve(train, [-24.0, -21.0, -20.5, -20.4, -20.3, -20.5])) == []  # within what was gained
    assert over_fitting(curve(train, [-24.0, -21.0, -20.0, -19.9, -20.8, -21.2])) == []  # twice, not three times
    falling = [-24.0, -20.0, -18.0, -19.0, -20.0, -21.0]
    assert over_fitting(curve(falling, [x - 1 for x in falling])) == []  # both fall: unstable, and nothing else
    assert over_fitting(curve(falling, [-24.0, -20.5, -19.0, -20.5, -22.0, -23.6])) == []
    assert over_fitting(curve(train, [-24.0, -21.0, -20.0, -20.5, -20.8, -21.2], stderr=0.3)) == []


def test_a_machine_below_independent_units():
    assert below_baseline(-20.0, 0.0, -24.0) == below_baseline(-25.0, 0.3, -24.0) == []
    (finding,) = below_baseline(-25.0, 0.0, -24.0)
    assert (finding.kind, finding.severity) == ("below-baseline", "error")


def test_a_gap_is_judged_by_what_was_learned():
    assert generalisation(Gap(0.6, 0.1, 100), 6.0) == []
    assert generalisation(Gap(3.0, 1.0, 100), 6.0) == []  # chance explains it
    (finding,) = generalisation(Gap(3.0, 0.3, 100), 6.0)
    assert "3.00 ± 0.30 nats above held-out rows, out of 6.00" in finding.sentence


# ---- model against data, and chains --------------------------------------------------------------------------------


def test_moments_of_its_own_samples_are_no_finding_and_others_are():
    rbm = healthy()
    v = sample_v_exactly(rbm, 8000, noise())  # of 2,000 rows one in two shows that covariances are missing
    assert moments_apart(fidelity(rbm, v)) == []
    kinds = [f.kind for f in moments_apart(fidelity(replace(rbm, W=rbm.W * 0), v))]
    assert "covariances-apart" in kinds
    wrong = replace(rbm, a=rbm.a + uniform((1, 10), generator("bias"), -2, 2))
    kinds = {f.kind: f for f in moments_apart(fidelity(wrong, v))}
    assert "--steps 10" in kinds["means-apart"].mend


def test_chains_at_equilibrium_stay_there_and_others_are_told():
    """False once in 16,000 times at equilibrium; 200 are tried, with a seed."""
    rbm = healthy()
    for seed in range(200):
        v = sample_v_exactly(rbm, 100, noise(seed))
        assert lagging_chains(rbm, v, noise(1000 + seed), 5) == []
    (finding,) = lagging_chains(rbm.map(lambda x: 3 * x), DATA[:100], noise(1), 20)
    assert abs(finding.numbers["lag"]) > 4 * finding.numbers["stderr"]
    assert "20 further sweeps" in finding.sentence


def test_chains_that_cannot_meet_are_slow_mixing():
    rbm = healthy()
    a, b = (sample_v_exactly(rbm, 300, noise(seed)) for seed in (0, 1))
    assert slow_mixing(rbm, a, b, 10) == []
    # two modes, all units on or all off, of unlike weight; and each side of chains in its own
    trap = RBM(Bernoulli(10), Bernoulli(1), torch.full((10, 1), 12.0).double(), torch.full((1, 10), -6.0).double(),
               torch.full((1, 1), -55.0).double())  # fmt: skip
    on, off = torch.ones(50, 10).double(), torch.zeros(50, 10).double()
    (finding,) = slow_mixing(trap, sweep(trap, on, noise(2), 20), sweep(trap, off, noise(3), 20), 20)
    assert "after 20 sweeps" in finding.sentence


def test_a_finding_says_itself():
    finding = Finding("k", "s.", "m.", numbers={"x": 1.0})
    assert str(finding) == "warning: s. m."
    assert finding.as_dict() == {
        "kind": "k", "sentence": "s.", "mend": "m.", "severity": "warning", "numbers": {"x": 1.0}
    }  # fmt: skip


# ---- runs ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(monkeypatch):
    """Train with a watch behind the monitor: the run, the watch, and what it said."""
    watches, said = [], []

    def with_watch(state, *args, observers, **options):
        watches.append(HealthWatch(observers[0], said.append))
        return fit(state, *args, observers=[*observers, watches[-1]], **options)

    monkeypatch.setattr(training, "fit", with_watch)

    def train(data, **options):
        said.clear()
        run = hm.train(data, **options)
        return run, watches[-1], list(said)

    return train


def test_the_default_run_is_healthy(watched):
    run, watch, said = watched("digits")
    assert said == []
    assert watch.findings == {}
    assert len(run.history) == 41  # it has looked


def test_a_learning_rate_too_large_is_said_once_a_kind(watched):
    run, watch, said = watched("digits", learning_rate=1.0, epochs=60, measure=20, patience=0)
    kinds = set(watch.findings)
    assert {"unstable", "idle-units"} <= kinds
    assert len(said) == len({line.split(": ", 1)[1][:40] for line in said}) >= len(kinds)
    assert all(line.startswith("update ") for line in said)
    assert watch.findings["unstable"].numbers["step"] in [record["step"] for record in run.history]


def test_chains_that_cannot_follow_are_said(watched):
    _, watch, _ = watched(
        "digits", learning_rate=0.1, learning_rate_schedule="constant", epochs=200, batch_size=100, measure=20
    )
    assert "lagging-chains" in watch.findings


def test_few_rows_and_many_units_over_fit(watched):
    _, watch, _ = watched(IMAGES[:24], hidden="bernoulli:8", epochs=3000, negative="exact", learning_rate=0.3,
                          held_out="0.5", measure=20)  # fmt: skip
    assert "over-fitting" in watch.findings


def test_watching_changes_nothing(watched):
    run, _, _ = watched(IMAGES, **{**QUICK, "epochs": 40})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "fit", fit)
        again = hm.train(IMAGES, **{**QUICK, "epochs": 40})
    assert same(run.rbm, again.rbm)
