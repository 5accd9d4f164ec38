"""The ways to ln Z of the study of records, against enumeration."""

from dataclasses import replace

import pytest

from harmonium.experiments.records import machines
from harmonium.experiments.records.scales import SCALES, drawn_noise, open_inputs, options
from harmonium.experiments.records.ways import EFFORTS, ln_z
from harmonium.logz.exact import sample_v_exactly
from harmonium.noise import Noise

QUICK = SCALES["quick"]


@pytest.fixture(scope="module")
def small():
    """Digits, their test images, and a machine of eight hidden units, trained a little."""
    from harmonium.runs.train import run_training

    inputs = open_inputs({**options(QUICK, "16", 0), "hidden": "bernoulli:8", "epochs": 30})
    run = run_training(inputs.config, dataset=inputs.data, likelihood=False)
    return inputs, run.rbm, inputs.feed.states(inputs.rows.held_out, drawn_noise())


@pytest.mark.parametrize("way", ["both", "ais", "raise"])
def test_each_way_agrees_with_enumeration_within_its_error(way, small):
    inputs, rbm, v = small
    effort = {**EFFORTS["quick"], "raise": {"steps": 1000, "chains": 20, "rows": 100}}
    truth, found = ln_z("exact", rbm, inputs, v, effort), ln_z(way, rbm, inputs, v, effort)
    assert (truth.stderr, truth.method) == (0.0, "exact")
    assert 0 < found.half_width < 0.1
    assert abs(found.value - truth.value) < 2 * found.half_width  # four standard errors
    assert found.bound == {"both": 0, "ais": -1, "raise": 1}[way]


def test_a_short_way_back_does_not_flatter(small):
    """With few steps and one chain the bound on ln p of its own samples is loose: ln Z comes out too high."""
    inputs, rbm, v = small
    sharp = replace(rbm, W=3 * rbm.W)
    own = sample_v_exactly(sharp, len(v), Noise(0))
    effort = {"raise": {"steps": 8, "chains": 1, "rows": len(v)}}
    truth, found = (ln_z(way, sharp, inputs, own, effort) for way in ("exact", "raise"))
    assert found.value - 3 * found.half_width > truth.value


def test_independent_pixels_are_a_machine_without_weights(small):
    inputs, rbm, v = small
    p = inputs.base[0].sigmoid().double()
    by_hand = (v.double() * p.log() + (1 - v.double()) * (1 - p).log()).sum(1).mean()
    assert machines.independent(inputs, rbm, v) == pytest.approx(float(by_hand), rel=1e-9)
