"""R machines as one are R machines: every formula, and the training, number by number against each one alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from harmonium.config_from import config_from
from harmonium.data.arrays import as_dataset
from harmonium.errors import DivergedError, InputError
from harmonium.gibbs import start_visible, sweep
from harmonium.machine import packed, unpacked
from harmonium.moments import Sample, moments
from harmonium.noise import Noise, Streams, seed_for
from harmonium.runs.plan import make_plan
from harmonium.runs.together import as_one
from harmonium.stack import stacked, unstacked
from harmonium.training.loop import fit, is_finite
from laws.sides import DISCRETE, PAIRS, generator, machine, over_pairs, parameters, points, uniform

EXACT = {"rtol": 1e-12, "atol": 1e-13}


def same(whole, alone, **tolerance):
    for machine_of_whole, single in zip(unstacked(whole), alone, strict=True):
        for x, y in zip(machine_of_whole.tensors, single.tensors, strict=True):
            torch.testing.assert_close(x, y, **(tolerance or EXACT))


def three(visible, hidden):
    return [machine(visible, hidden, strength, seed) for seed, strength in enumerate((0.2, 1.0, 2.0))]


def streams(count=3, dtype=torch.float64):
    return [Noise(seed_for("stack", r), dtype=dtype) for r in range(count)]


@over_pairs(PAIRS[::3])
def test_every_formula_of_a_stack_is_that_of_its_machines(visible, hidden):
    alone = three(visible, hidden)
    whole = stacked(alone)
    v = torch.stack([points(visible, 4, seed) for seed in range(3)])
    h = torch.stack([points(hidden, 4, seed) for seed in range(3)])
    for name, arguments in (
        ("eta_h_from_v", (v,)),
        ("eta_v_from_h", (h,)),
        ("energy", (v, h)),
        ("free_energy", (v,)),
    ):
        got = getattr(whole, name)(*arguments)
        for r, rbm in enumerate(alone):
            torch.testing.assert_close(got[r], getattr(rbm, name)(*(x[r] for x in arguments)), **EXACT)
    for r, rbm in enumerate(alone):  # the same rows for all
        torch.testing.assert_close(whole.free_energy(v[0])[r], rbm.free_energy(v[0]), **EXACT)
        torch.testing.assert_close(whole.log_z_decoupled()[r], rbm.log_z_decoupled(), **EXACT)
    same(moments(whole, Sample(v)), [moments(rbm, Sample(x)) for rbm, x in zip(alone, v, strict=True)])
    weight = torch.tensor([0.1, 0.2, 0.3, 0.4]).double()
    same(moments(whole, Sample(v, weight)), [moments(rbm, Sample(x, weight)) for rbm, x in zip(alone, v, strict=True)])
    same(whole.mirror(), [rbm.mirror() for rbm in alone])
    same(whole.decoupled(), [rbm.decoupled() for rbm in alone])
    flat, views = packed(whole)
    same(views, alone)
    for row, rbm in zip(flat, alone, strict=True):
        same(unpacked(row, rbm), [rbm])
        torch.testing.assert_close(row, packed(rbm)[0], **EXACT)


@over_pairs(PAIRS[1::3])
def test_chains_of_a_stack_are_those_of_its_machines(visible, hidden):
    """Each with its own stream: the very same samples, for no uniform falls within rounding of a threshold."""
    alone = three(visible, hidden)
    whole = stacked(alone)
    got = start_visible(whole, 5, Streams(streams()))
    for r, (rbm, noise) in enumerate(zip(alone, streams(), strict=True)):
        torch.testing.assert_close(got[r], start_visible(rbm, 5, noise), **EXACT)
    v = torch.stack([points(visible, 5, seed) for seed in range(3)])
    got = sweep(whole, v, Streams(streams()), 3)
    for r, (rbm, noise) in enumerate(zip(alone, streams(), strict=True)):
        torch.testing.assert_close(got[r], sweep(rbm, v[r], noise, 3), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_streams_draw_what_each_would_draw_alone_and_go_on_where_they_were(dtype):
    whole, alone = Streams(streams(3, dtype)), streams(3, dtype)
    for shape in ((5,), (2, 3), (5,), (7, 1, 3)):
        wanted = torch.stack([noise.uniform(*shape).clone() for noise in alone])
        assert torch.equal(whole.uniform(3, *shape), wanted)
        assert torch.equal(whole.normal(3, 2), torch.stack([noise.normal(2) for noise in alone]))
    later = Streams(streams(3, dtype))
    later.state = whole.state
    assert torch.equal(later.uniform(3, 4), whole.uniform(3, 4))


# ---- training -----------------------------------------------------------------------------------------------------

VISIBLE = ("bernoulli", "ising", "onehot,q=3", "multivalued,s=3", "interval", "gaussian", "gaussian,variance=0.7")
HIDDEN = (
    "bernoulli:3",
    "ising:2",
    "onehot:2x3",
    "multivalued:2,s=3",
    "interval:2",
    "gaussian:2",
    "bernoulli:2+gaussian:1,variance=0.5",
)
BASE = {"data": "array", "precision": "float64", "epochs": 4, "minibatches": 5, "batch_size": 7, "validation": 0.0}


def data_for(spec):
    side = make_side(spec)
    gen = generator(spec, "rows")
    eta = parameters(side, gen, 1.0, (40,))
    return as_dataset(side.decode(side.sample(eta, uniform((40, side.n), gen))).numpy())


def make_side(spec):
    from harmonium.units import parse_side

    return parse_side(spec, columns=4)


def trained(config, data, seeds=(0, 1, 2), rates=None):
    """The stack after its updates, and each machine trained alone; a plan of its own for each."""

    def plans():
        chosen = [replace(config, seed=seed) for seed in seeds]
        if rates is not None:
            chosen = [replace(c, learning_rate=rate) for c, rate in zip(chosen, rates, strict=True)]
        return [make_plan(c, data) for c in chosen]

    def train(state, batches, transforms, plan):
        return fit(state, batches, plan.total, plan.negative, transforms=transforms).rbm

    together = plans()
    whole = train(*as_one(together), together[0])
    return whole, [train(plan.state, plan.batches, plan.transforms, plan) for plan in plans()]


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("visible", VISIBLE)
def test_a_stack_trains_as_its_machines_do_alone(visible, hidden):
    """20 updates, each machine with its own split, start, minibatches and samples; centred, with momentum."""
    negative = ("cd", "pcd")[(VISIBLE.index(visible) + HIDDEN.index(hidden)) % 2]
    config = config_from({**BASE, "visible": visible, "hidden": hidden, "negative": negative, "steps": 2})
    whole, alone = trained(config, data_for(visible), seeds=(0, 1))
    same(whole, alone, rtol=1e-7, atol=1e-9)
    assert not torch.allclose(alone[0].W, alone[1].W)


@pytest.mark.parametrize(
    "options",
    [
        {"centre": "no", "momentum": 0.0},
        {"l1": 0.01, "l2": 0.02, "momentum": 0.5, "momentum_final": 0.9},
        {"optimizer": "rmsprop", "momentum": 0.5, "centre": "yes", "l2": 0.01},
        {"optimizer": "adam"},
        {"optimizer": "adamax", "learning_rate_schedule": "sqrt"},
        {"batch_size": 0},
        {"batch_size_final": 13, "chains": 9},
        {"binarize": "stochastic"},
        {"bias_start": "zero", "held_out": "0"},
    ],
    ids=str,
)
@pytest.mark.parametrize("rates", [None, (0.01, 0.3, 0.05)], ids=["one rate", "rates"])
def test_options_mean_the_same_in_a_stack(options, rates):
    """Also where each machine has its own learning rate: the rate scales a step, and nothing that steps remember."""
    if options.get("binarize"):
        data = as_dataset(np.random.default_rng(0).random((40, 4)))
    else:
        data = data_for("bernoulli")
    config = config_from({**BASE, "hidden": "bernoulli:3", **options})
    whole, alone = trained(config, data, rates=rates)
    same(whole, alone, rtol=1e-7, atol=1e-9)
    if rates is not None:
        equal, _ = trained(config, data)
        assert not torch.allclose(equal.W, whole.W)


def test_rates_that_fall_to_one_value_are_no_fixed_factors_of_each_other():
    config = config_from({**BASE, "hidden": "bernoulli:3", "learning_rate_final": 0.02})
    config = replace(config, learning_rate_schedule="linear")
    same(*trained(config, data_for("bernoulli"), rates=(0.01, 0.3, 0.05)), rtol=1e-7, atol=1e-9)


def test_a_diverged_machine_does_not_touch_the_others_and_all_diverged_end():
    data, config = data_for("gaussian,variance=0.7"), config_from({**BASE, "visible": "gaussian,variance=0.7"})
    config = replace(config, hidden="gaussian:2,variance=0.5", negative="cd", epochs=30)
    rates = (0.01, 1e6, 0.05)
    plans = [make_plan(replace(config, seed=r, learning_rate=rate), data) for r, rate in enumerate(rates)]
    state, batches, transforms = as_one(plans)
    whole = fit(state, batches, plans[0].total, plans[0].negative, transforms=transforms).rbm
    assert is_finite(whole).tolist() == [True, False, True]
    for r in (0, 2):
        plan = make_plan(replace(config, seed=r, learning_rate=rates[r]), data)
        fit(plan.state, plan.batches, plan.total, plan.negative, transforms=plan.transforms)
        same(unstacked(whole)[r], [plan.state.rbm], rtol=1e-6, atol=1e-8)
    plans = [make_plan(replace(config, seed=r, learning_rate=1e6), data) for r in range(2)]
    state, batches, transforms = as_one(plans)
    with pytest.raises(DivergedError, match="diverged at step"):
        fit(state, batches, plans[0].total, plans[0].negative, transforms=transforms)


def test_what_does_not_fit_is_refused_in_one_sentence():
    first, second = machine(DISCRETE[0], DISCRETE[1], 1.0), machine(DISCRETE[1], DISCRETE[0], 1.0)
    with pytest.raises(InputError, match=r"machines\[1\]"):
        stacked([first, second])
    with pytest.raises(InputError, match=r"machines\[0\]"):
        stacked([stacked([first, first])])
    with pytest.raises(InputError, match="empty"):
        stacked([])
    whole = stacked([first, first])
    with pytest.raises(InputError, match="a has shape"):
        replace(whole, a=first.a)
    for options in ({"optimizer": "adagrad"}, {"negative": "exact"}, {"optimizer": "em", "hidden": "onehot:3"}):
        config = config_from({**BASE, "hidden": "bernoulli:3", **options})
        if options.get("optimizer") == "em":
            config = replace(config, batch_size=-1)
        plans = [make_plan(replace(config, seed=r), data_for("bernoulli")) for r in range(2)]
        with pytest.raises(InputError, match="cannot be stacked"):
            as_one(plans)
    broken = machine(DISCRETE[0], DISCRETE[1], 1.0)
    broken.W[0, 0] = torch.nan
    with pytest.raises(InputError, match="not finite"):
        stacked([broken.detached(), broken]).check_normalisable()
