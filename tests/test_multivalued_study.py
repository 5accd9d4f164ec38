"""The study of multivalued hidden units: its simulation against brute force, its verdicts, its parts."""

import inspect
import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from harmonium.experiments import find_experiment
from harmonium.experiments.multivalued import against
from harmonium.experiments.multivalued.dropout import DroppedCD, masked_moments
from harmonium.experiments.multivalued.scales import GENERATING_HIDDEN, ROWS, SCALES, VISIBLE
from harmonium.experiments.multivalued.simulation import (
    Curves,
    all_states,
    distance_left,
    divergence,
    draw,
    first_machines,
    frequencies,
    learn,
    log_probabilities,
    train,
)
from harmonium.experiments.statistics import Interval, paired
from harmonium.experiments.study import reproduce
from harmonium.experiments.tasks import ordered
from harmonium.experiments.words import above_zero
from harmonium.logz import exact_log_z
from harmonium.moments import Sample
from harmonium.negative import CD
from harmonium.noise import Noise
from harmonium.stack import stacked, unstacked
from harmonium.units import multivalued_units

INF = math.inf


@pytest.fixture(scope="module")
def worlds():
    rbm, rows = draw(3)
    return rbm, rows, log_probabilities(rbm)


# ---- the simulation --------------------------------------------------------------------------------


def test_divergence_likelihood_and_entropy_are_those_of_brute_force(worlds):
    rbm, rows, log_p = worlds
    other = first_machines(12, INF, 3, 0)[0].to(dtype=torch.float64)
    log_q = log_probabilities(other)
    kld, likelihood = divergence(log_p, log_q), (frequencies(rows) * log_q).sum(-1)
    for i, (truth, learnt) in enumerate(zip(unstacked(rbm), unstacked(other), strict=True)):
        p = []
        for v in all_states():  # ln p(v) by summing over the hidden states one by one
            energies = [
                -float(truth.energy(v, torch.tensor(h, dtype=torch.float64)))
                for h in itertools.product((-1.0, 1.0), repeat=GENERATING_HIDDEN)
            ]
            p.append(math.log(math.fsum(map(math.exp, energies))))
        p = np.array(p) - exact_log_z(truth)
        assert log_p[i].numpy() == pytest.approx(p, abs=1e-12)
        q = (-learnt.free_energy(all_states()) - exact_log_z(learnt)).numpy()
        entropy = -(np.exp(p) * p).sum()
        assert float(kld[i]) == pytest.approx(-(np.exp(p) * q).sum() - entropy, abs=1e-12)
        by_rows = -learnt.free_energy(rows[i]) - exact_log_z(learnt)
        assert float(likelihood[i]) == pytest.approx(float(by_rows.mean()), abs=1e-12)
        assert float(kld[i]) > 0
    assert divergence(log_p, log_p).abs().max() == 0


def test_the_rows_are_those_of_the_generating_machine(worlds):
    rbm, rows, log_p = worlds
    assert rows.shape == (3, ROWS, VISIBLE)
    assert distance_left(rbm, 0) > 0.1  # the even start is not the machine's distribution
    # whatever machines were drawn: a thousandth of what so many rows could show
    assert distance_left(rbm) < 1e-3 / math.sqrt(ROWS)
    # chi-square of the counts in ten groups of states of like probability; false alarm once in 10^4
    from scipy import stats

    for i in range(3):
        order = log_p[i].argsort()
        p = log_p[i].exp()[order]
        group = (p.cumsum(0) * 10).floor().clamp(max=9).long()
        expected = torch.zeros(10, dtype=torch.float64).index_add_(0, group, p)
        seen = torch.zeros(10, dtype=torch.float64).index_add_(0, group, frequencies(rows)[i][order])
        own = expected > 0  # a group between two states is empty where one state has more than a tenth
        assert bool((seen[~own] == 0).all())
        chi = float((ROWS * (seen - expected).square()[own] / expected[own]).sum())
        assert stats.chi2.sf(chi, int(own.sum()) - 1) > 1e-4


@pytest.mark.parametrize("s", [1.0, 2.0, INF])
def test_a_stack_learns_what_its_machines_learn_alone(worlds, s):
    _, rows, log_p = worlds
    options = {"hidden": 5, "s": s, "updates": 30, "validation": 50}
    whole = train(rows.float(), log_p, first=0, **options)
    for i in range(3):
        one = train(rows[i : i + 1].float(), log_p[i : i + 1], first=i, **options)
        # a sum rounded otherwise may flip a sample once in a while, and no more than that
        assert one.kld[0, :8] == pytest.approx(whole.kld[i, :8], abs=1e-5)
        assert one.kld[0] == pytest.approx(whole.kld[i], abs=0.02)
        assert one.validation[0, :8] == pytest.approx(whole.validation[i, :8], abs=1e-5)
    assert whole.train[:, -1].mean() > whole.train[:, 0].mean() + 0.1


# ---- dropout, choice, stopping --------------------------------------------------------------------------------


def test_dropout_of_nothing_is_contrastive_divergence_and_a_mask_removes_units(worlds):
    rows = worlds[1].float()
    rbm, _ = first_machines(6, INF, 3, 0)

    class Told(Noise):
        """Units and states that do not depend on how many masks were drawn before."""

        def uniform(self, *shape):
            return torch.full(shape, 0.37) if shape[-1] == VISIBLE else torch.full(shape, 0.61)

    data, noise = Sample(rows), Told(0)
    plain, whole = CD(1).step(rbm, data, {}, noise)[0], DroppedCD(1.0).step(rbm, data, {}, noise)[0]
    for x, y in zip(plain.tensors, whole.tensors, strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=1e-5)
    mask = torch.ones(3, ROWS, 6)
    mask[..., 2] = 0
    found = masked_moments(rbm, rows, mask)
    assert float(found.W[..., 2].abs().max()) == float(found.b[..., 2].abs().max()) == 0
    smaller = stacked([
        replace(one, hidden=multivalued_units(5, INF), W=one.W[:, [0, 1, 3, 4, 5]], b=one.b[:, [0, 1, 3, 4, 5]])
        for one in unstacked(rbm)
    ])  # fmt: skip
    from harmonium.moments import moments

    torch.testing.assert_close(found.W[..., [0, 1, 3, 4, 5]], moments(smaller, data).W, rtol=0, atol=1e-5)


def test_the_mean_of_all_that_dropout_leaves_is_geometric(worlds):
    rbm = first_machines(3, 1.0, 1, 5)[0].to(dtype=torch.float64)
    keep = 0.7
    total = torch.zeros(1, 2**VISIBLE, dtype=torch.float64)
    for mask in itertools.product((0.0, 1.0), repeat=3):
        r = torch.tensor(mask, dtype=torch.float64)
        weight = math.prod(keep if x else 1 - keep for x in mask)
        total += weight * log_probabilities(replace(rbm, W=rbm.W * r, b=rbm.b * r))
    expected = total - total.logsumexp(-1, keepdim=True)
    torch.testing.assert_close(log_probabilities(rbm, keep), expected, rtol=0, atol=1e-12)


def test_stopping_takes_the_machine_that_validation_likes_best():
    curves = Curves(
        np.arange(3.0), np.array([[3.0, 1.0, 2.0], [5.0, 6.0, 4.0]]), np.zeros((2, 3)),
        np.array([[-3.0, -2.5, -2.0], [-1.0, -2.0, -3.0]]),
    )  # fmt: skip
    assert against.stopped(curves).tolist() == [2.0, 5.0]
    assert against.outcome(curves, "end").tolist() == [2.0, 4.0]


def test_verdicts_and_paired_intervals():
    far, near, low = Interval(1.0, 0.5), Interval(0.2, 0.5), Interval(-1.0, 0.5)
    assert above_zero([far, far]) == "confirmed"
    assert above_zero([far, near]) == above_zero([far, low]) == "partly"
    assert above_zero([near, near]) == "undecided"
    assert above_zero([near, low]) == "contradicted"
    from scipy import stats

    a, b = np.array([1.0, 2.5, 2.0, 4.0]), np.array([0.5, 1.0, 2.2, 1.0])
    found, p = paired(a, b)
    ends = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    assert p == pytest.approx(stats.ttest_rel(a, b).pvalue)
    wide, p_wide = paired(a, b, 5)
    ends = stats.ttest_rel(a, b).confidence_interval(0.99)
    assert (wide.low, wide.high) == pytest.approx((ends.low, ends.high))
    assert p_wide == pytest.approx(5 * p)


# ---- the study --------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", SCALES)
def test_every_option_of_every_task_exists(scale):
    experiment = find_experiment("multivalued")
    own = [
        part for part in experiment.parts if part.name in ("fig2", "fig3", "fig4", "every-s", "step-size", "against")
    ]
    tasks = ordered(t for part in own for t in part.tasks(experiment.scales[scale]).values())
    known = set(inspect.signature(learn).parameters) - {"folder", "needs"}
    options = [task.arguments.get("options", task.arguments) for task in tasks if "worlds" in task.needs]
    assert options
    for one in options:
        assert set(one) <= known
        assert one["repeats"] <= tasks[0].arguments["repeats"] or one["first"] > 0
    names = [task.folder_name for task in tasks]
    assert len(set(names)) == len(names)


def test_a_part_alone_makes_a_report(tmp_path):
    experiment = find_experiment("multivalued")
    done = reproduce(experiment, tmp_path, quick=True, only=["fig4"], workers=1)
    table = json.loads((tmp_path / "numbers.json").read_text())["toy"]["best_weight"]
    assert table["0.5"]["∞"] == pytest.approx(1.4192, abs=5e-5)
    assert [section.id for section in done.page.sections] == ["fig4"]
    assert done.numbers["verdicts"] == []  # the short form judges nothing
