"""The study of digits: what it computes against brute force and other programs' results; its rows, tasks and rules."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import harmonium as hm
from harmonium.config_from import config_from
from harmonium.experiments import find_experiment
from harmonium.experiments.digits import joint, logistic, per_class, regenerate, stacks, states, tune, words
from harmonium.experiments.digits.scales import PIXELS, SCALES, TRAIN, digits, images, in_turn, labelled
from harmonium.experiments.statistics import mean
from harmonium.experiments.tasks import Done, ordered
from harmonium.experiments.training import machine
from harmonium.feed import make_feed
from harmonium.logz import exact_log_z
from harmonium.machine import RBM
from harmonium.units import Bernoulli
from small_runs import same

SCALE = SCALES["quick"]


def tiny(number, visible=4, hidden=3):
    """Machines with strong couplings, one a class."""
    torch.manual_seed(5)

    def normal(*shape):
        return 1.5 * torch.randn(*shape, dtype=torch.float64)

    v, h = Bernoulli(visible), Bernoulli(hidden)
    return [RBM(v, h, normal(visible, hidden), normal(1, visible), normal(1, hidden)) for _ in range(number)]


def states_of(size):
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=size)), dtype=torch.float64)


def feed_of(v):
    data = replace(images("digits"), X=v.numpy().astype(np.uint8), y=None, scale=1.0, n_train=None)
    return make_feed(data, Bernoulli(v.shape[1]))


# ---- a machine a class ----------------------------------------------------------------------------------------------


def test_a_machine_a_class_is_bayes_rule_by_brute_force():
    machines, v = tiny(3), states_of(4)
    prior = np.array([0.5, 0.3, 0.2])
    joint_p = np.zeros((16, 3))  # p(v, c), summing over every hidden state
    for c, rbm in enumerate(machines):
        weight = np.array([sum(math.exp(-float(rbm.energy(x, h))) for h in states_of(3)) for x in v])
        joint_p[:, c] = prior[c] * weight / weight.sum()
    wanted = joint_p / joint_p.sum(1, keepdims=True)
    energy = per_class.mean_free_energies(machines, feed_of(v), torch.arange(16), 2, 0)  # draws of 0 and 1 are those
    log_z = np.array([exact_log_z(rbm) for rbm in machines])
    found = np.exp(per_class.log_class_probabilities(energy, np.log(prior) - log_z))
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    naive = np.exp(per_class.log_class_probabilities(energy, np.log(prior)))
    assert (naive.argmax(1) != wanted.argmax(1)).any()  # ln Z matters here


def test_fitted_offsets_are_the_best_and_balance_the_classes():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 300)
    scores = 100.0 * np.arange(4) + rng.normal(size=(300, 4)) + 1.5 * (y[:, None] == np.arange(4))
    offsets = per_class.fitted_offsets(scores, y)
    log_p = per_class.log_class_probabilities(-scores, offsets)

    def loss(o):
        return -per_class.log_class_probabilities(-scores, o)[np.arange(300), y].mean()

    frequencies = np.bincount(y, minlength=4) / 300
    np.testing.assert_allclose(np.exp(log_p).mean(0), frequencies, atol=1e-6)  # where the gradient is zero
    assert all(loss(offsets) < loss(offsets + step) for step in 0.05 * rng.normal(size=(20, 4)))
    assert loss(offsets) < loss(np.zeros(4)) - 1
    assert offsets.mean() == pytest.approx(0, abs=1e-12)


def test_errors_of_ln_z_move_nothing_where_there_are_none_and_everything_where_they_are_large():
    rng = np.random.default_rng(1)
    energy, y = rng.normal(size=(200, 3)), rng.integers(0, 3, 200)
    plain = int(((-energy).argmax(1) != y).sum())
    assert set(per_class.wrong_within_error(energy, np.zeros(3), np.zeros(3), y, 0)) == {plain}
    wide = per_class.wrong_within_error(energy, np.zeros(3), np.full(3, 1e9), y, 0)
    assert set(wide) == {int((y != c).sum()) for c in range(3)}  # one class takes all


def test_averages_over_draws_are_those_of_the_pixels_probabilities(monkeypatch):
    rbm = tiny(1)[0]
    grey = np.array([[0, 64, 255, 128]], np.uint8)
    data = replace(images("digits"), X=grey, y=None, scale=255.0, n_train=None)
    feed = make_feed(data, Bernoulli(4), binarize="stochastic")
    v, p = states_of(4), torch.from_numpy(grey[0] / 255)
    weight = torch.where(v == 1, p, 1 - p).prod(1)
    exact, square = float(weight @ rbm.free_energy(v)), float(weight @ rbm.free_energy(v).square())
    draws = 4000
    found = per_class.mean_free_energies([rbm], feed, torch.tensor([0]), draws, 0)[0, 0]
    assert abs(found - exact) < 5 * math.sqrt((square - exact**2) / draws)


# ---- rows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("labels", "validation"), [(100, 20), (400, 80), (0, 119)])
def test_rows_with_labels_are_training_rows_in_equal_shares_and_nested(labels, validation):
    given = digits("digits")
    train, watched = labelled(given, labels, validation, 3)
    whole = torch.cat([watched, train])
    assert len(watched) == validation
    assert len(whole) == len(set(whole.tolist())) == (labels or len(given.train))
    assert int(whole.max()) < int(given.test.min())  # no test row, ever
    if labels:
        assert torch.bincount(given.y[whole]).tolist() == [labels // 10] * 10
        more, _ = labelled(given, 2 * labels, 0, 3)
        assert set(whole.tolist()) < set(more.tolist())
    counts = torch.bincount(given.y[watched])
    assert int(counts.max() - counts.min()) <= 1
    other, _ = labelled(given, labels, validation, 4)
    assert set(other.tolist()) != set(train.tolist()) or not labels


def test_rows_in_turn_are_all_rows_however_unequal_the_classes():
    y = np.array([0] * 7 + [1] * 2 + [2])
    order = in_turn(y, 0)
    assert sorted(order) == list(range(10))
    assert sorted(y[order[:3]]) == [0, 1, 2]
    assert sorted(y[order[:5]]) == [0, 0, 1, 1, 2]


def test_the_sizes_that_tasks_are_named_by_are_the_data_s():
    whole = images("digits")
    assert (whole.n_train, whole.X.shape[1]) == (TRAIN["quick"], PIXELS["quick"])
    assert len(digits("digits").test) == 359


# ---- stacks, networks, regressions ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """Two machines of six and five units as the tasks of the study make them: finished tasks by number."""
    tasks = stacks.stack_tasks(SCALE, ("bernoulli:6", "bernoulli:5"), 3, replace(stacks.OWN, epochs={"quick": 8}))
    found = {}
    for number, task in tasks.items():
        folder = tmp_path_factory.mktemp("layer")
        found[number] = Done(stacks.learn_layer(folder, dict(found), **task.arguments), folder, 0.0)
    return found


def test_layers_are_the_machines_of_the_program_s_own_deep_runs(layers):
    run = hm.train_deep(
        images("digits"), layers="6,5", negative="cd", binarize="stochastic", validation=0.0, patience=0, epochs=8,
        batch_size=20, measure=1, seed=3,
    )  # fmt: skip
    for number, rbm in enumerate(run.stack.machines, 1):
        assert same(machine(layers[str(number)]), rbm)
    assert stacks.stack_of(layers).sizes == (64, 6, 5)


def test_a_reader_reads_as_the_regression_whose_errors_were_counted(layers, tmp_path):
    given = digits("digits")
    y = given.y[given.test].numpy()
    for name, needs in (("images", {}), ("features", layers)):
        (tmp_path / name).mkdir()
        value = logistic.classify(tmp_path / name, needs, data="digits", seed=0, choices=[0.1, 1.0])
        x = logistic.described("digits", needs)[given.test.numpy()]
        read = logistic.Reader(Done(value, tmp_path / name, 0.0))(x)
        assert int((read != y).sum()) == value["wrong"]
        assert value["wrong"] < 0.85 * len(y)
        assert value["C"] == min(value["choice"], key=lambda pair: pair[1])[0]
    W, b = (t.numpy() for t in (machine(layers["1"]).W, machine(layers["1"]).b[0]))
    first = 1 / (1 + np.exp(-(images("digits").X[given.test.numpy()] / 16 @ W + b)))
    second = machine(layers["2"])
    by_hand = 1 / (1 + np.exp(-(first @ second.W.numpy() + second.b[0].numpy())))
    np.testing.assert_allclose(x, by_hand, atol=1e-5)


def test_a_network_is_judged_by_test_images_and_chosen_by_others(layers, tmp_path):
    own = {
        "data": "digits", "hidden": ["bernoulli:6", "bernoulli:5"], "seed": 1, "labels": 200, "validation": 40,
        "epochs": 5, "rate": 0.01, "dropout": [0.0, 0.0], "batch_size": 20,
    }  # fmt: skip
    for needs in (layers, {}):
        found = tune.tune(tmp_path, needs, **own)
        assert (found["of"], found["validation_of"], found["rows"]) == (359, 40, 160)
        best = min(r["validation_error"] for r in found["history"])
        assert found["validation_wrong"] == round(40 * best)
        assert found["history"][found["best_epoch"]]["validation_error"] == best
    one, other = (tune.random_start(own["hidden"], 64, seed) for seed in (1, 2))
    assert one.sizes == (64, 6, 5)
    assert not same(one.machines[0], other.machines[0])
    limit = tune.LOGISTIC_GAIN * math.sqrt(6 / 70)
    assert 0.98 * limit < float(one.machines[0].W.abs().max()) <= limit


def test_label_units_predict_the_label_of_lowest_free_energy(tmp_path, monkeypatch):
    monkeypatch.setattr(joint, "EPOCHS", {"quick": 3})
    value = joint.learn_jointly(tmp_path, {}, **joint.joint_task(SCALE, 0).arguments)
    given = digits("digits")
    x, y = given.feed.inputs(given.test).double(), given.y[given.test]
    for number, wrong in enumerate(value["wrong"].values()):
        rbm = machine(Done(value, tmp_path, 0.0), number).to(dtype=torch.float64)
        energies = [rbm.free_energy(torch.cat([x, label.expand(len(x), -1)], 1)) for label in torch.eye(10).double()]
        assert wrong["test"] == int((torch.stack(energies, 1).argmin(1) != y).sum())
    assert value["of"] == {"validation": 120, "test": 359}


# ---- regenerating --------------------------------------------------------------------------------------------------


def test_principal_components_leave_the_smallest_eigenvalues():
    given = digits("digits")
    x = images("digits").X.astype(float) / 16
    train, test = x[given.train.numpy()], x[given.test.numpy()]
    centre = train.mean(0)
    values, vectors = np.linalg.eigh((train - centre).T @ (train - centre) / len(train))
    m, P = regenerate.principal(given, 7)

    class Nobody:
        def __call__(self, images):
            return np.zeros(len(images), np.int64)

    maps = {"PCA": lambda v: m + (v - m) @ P.T @ P, "mean": lambda v: m.expand_as(v)}
    errors, _ = regenerate.measured(given, maps, Nobody())
    top = vectors[:, -7:]
    by_hand = np.square((test - centre) - (test - centre) @ top @ top.T).sum(1)
    np.testing.assert_allclose(errors["PCA"], by_hand, atol=1e-4)
    np.testing.assert_allclose(errors["mean"], np.square(test - centre).sum(1), atol=1e-4)
    on_training = replace(given, test=given.train)
    errors, _ = regenerate.measured(on_training, maps, Nobody())
    assert errors["PCA"].mean() == pytest.approx(values[:-7].sum(), rel=1e-5)
    assert errors["mean"].mean() == pytest.approx(values.sum(), rel=1e-5)


def test_newly_misread_counts_what_was_right_and_is_wrong():
    rng = np.random.default_rng(2)
    y, before, after = rng.integers(0, 4, (3, 500))
    counts = regenerate.newly_misread(y, before, after, 4)
    for i, j in itertools.product(range(4), repeat=2):
        wanted = sum(a == i and b == i and c == j and i != j for a, b, c in zip(y, before, after, strict=True))
        assert counts[i, j] == wanted
    pairs = regenerate.pairs_of(counts)
    assert len(pairs) == 6
    assert sum(count for _, _, count in pairs) == counts.sum()
    assert [count for _, _, count in pairs] == sorted((c for _, _, c in pairs), reverse=True)
    i, j, most = pairs[0]
    assert most == counts[i, j] + counts[j, i]


def test_the_interval_of_a_ratio_is_the_bootstrap_s():
    rng = np.random.default_rng(3)
    below = rng.gamma(4.0, 1.0, 2000)
    above = 3 * below + rng.gamma(2.0, 2.0, 2000)
    found = states.ratio(above, below)
    rows = rng.integers(0, 2000, (2000, 2000))
    again = above[rows].mean(1) / below[rows].mean(1)
    assert found.value == pytest.approx(above.mean() / below.mean())
    assert found.half_width == pytest.approx(1.96 * again.std(), rel=0.1)


# ---- rules and tasks -----------------------------------------------------------------------------------------------


def test_marks_are_confirmed_by_means_and_contradicted_by_intervals():
    assert words.against_mark(mean([1.0, 1.1, 1.2]), 1.15) == "confirmed"
    assert words.against_mark(mean([1.3, 1.1, 1.2]), 1.15) == "undecided"
    assert words.against_mark(mean([1.3, 1.31, 1.32]), 1.15) == "contradicted"
    assert words.against_mark(mean([1.3]), 1.15) == "undecided"  # one seed has no interval
    assert words.reached(mean([1.0]), 1.15, comparable=False) == ""
    assert words.layers_in_words(("bernoulli:5", "gaussian:3,variance=1"), 7) == "7-5-3"


@pytest.mark.parametrize("scale", SCALES)
def test_every_option_of_every_task_exists_and_parts_share_what_they_share(scale):
    experiment = find_experiment("digits")
    own = {part.name: ordered(part.tasks(experiment.scales[scale]).values()) for part in experiment.parts}
    tasks = ordered(itertools.chain.from_iterable(own.values()))
    options = [task.arguments["options"] for task in tasks if isinstance(task.arguments.get("options"), dict)]
    assert options
    for one in options:
        config_from(one)
    names = [task.folder_name for task in tasks]
    assert len(set(names)) == len(names)

    def keys(part, function):
        return {task.key for task in own[part] if task.function.endswith(function)}

    assert keys("features", "learn_layer") <= keys("ways", "learn_layer")
    assert len(keys("dbn", "learn_layer") & keys("labels", "learn_layer")) >= 4  # two layers of two seeds
    assert all(task.seconds > 0 for task in tasks)
