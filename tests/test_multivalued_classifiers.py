"""The classifiers of the multivalued study: noise, errors and remedies are what they are said to be."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from harmonium.config_from import config_from
from harmonium.errors import InputError
from harmonium.experiments import find_experiment, study
from harmonium.experiments.multivalued import classical, classifiers, fig6, noise, rivals, sixty
from harmonium.experiments.multivalued.classifiers import Errors, corrupted, error, images, learn, normal, options
from harmonium.experiments.multivalued.scales import SCALES
from harmonium.experiments.statistics import Interval, paired
from harmonium.experiments.tasks import ordered
from harmonium.experiments.worker import do
from harmonium.io import load_model
from harmonium.noise import Noise
from harmonium.plots.error_dots import Dot, error_dots
from harmonium.runs.plan import make_plan
from harmonium.training.loop import fit

SMALL = {"data": "digits", "rows": 100, "hidden": 6, "batch_size": 20, "updates": 20}


def trained(folder, **changes):
    learn(folder, {}, **{**SMALL, "s": 1, "first": 0, "repeats": 1, **changes})
    return load_model(folder / "machine-00.safetensors")[0]


def test_images_are_the_first_rows_the_next_and_the_rest():
    given = images("digits", 100)
    whole = np.concatenate([given.x_train.numpy(), given.x_choice.numpy(), given.x_test.numpy()])
    from sklearn.datasets import load_digits

    np.testing.assert_array_equal(whole, load_digits().data.astype(np.float32) / 16)
    labels = torch.cat([given.y_train, given.y_choice, given.y_test]).numpy()
    np.testing.assert_array_equal(labels, load_digits().target)
    assert len(given.x_train) == len(given.x_choice) == 100


def test_the_noise_is_that_of_the_8_bit_scale_clipped_and_the_repeats_own():
    grey = np.arange(256, dtype=np.float64)
    x = torch.from_numpy(grey / 255).float().expand(2000, 256).contiguous()
    z = normal("test", 3, x)
    found = corrupted(x, 120, z).double().numpy() * 255
    np.testing.assert_allclose(found, np.clip(grey + 120 * z.double().numpy(), 0, 255), atol=1e-4)
    assert found.min() == 0
    assert found.max() == pytest.approx(255)
    assert torch.equal(corrupted(x, 0, z), x)
    # half a million normal numbers: mean and variance within five standard errors
    n = z.numel()
    assert abs(float(z.mean())) < 5 / math.sqrt(n)
    assert abs(float(z.var()) - 1) < 5 * math.sqrt(2 / n)
    assert torch.equal(z, normal("test", 3, x))
    for words, repeat in (("test", 4), ("choice", 3)):
        other = normal(words, repeat, x)
        assert abs(float((z * other).mean())) < 5 / math.sqrt(n)


LOG_PARTITION = {
    1.0: lambda f: np.log(np.cosh(f)),
    math.inf: lambda f: np.log(np.sinh(np.abs(f)) / np.abs(f)),
    2.0: lambda f: np.log((1 + 2 * np.cosh(f)) / 3),
}


@pytest.mark.parametrize("s", LOG_PARTITION)
def test_errors_are_those_of_the_closed_form(s, tmp_path):
    rbm = trained(tmp_path, s="inf" if math.isinf(s) else s)
    given = images("digits", 100)
    W, a, b = (t.double().numpy() for t in (rbm.W, rbm.a[0], rbm.b[0]))
    pixels = given.x_test.shape[1]
    for sigma in (0, 120):
        x = corrupted(given.x_test, sigma, normal("test", 0, given.x_test))
        field = x.double().numpy() @ W[:pixels] + b
        scores = [a[pixels + y] + LOG_PARTITION[s](field + W[pixels + y]).sum(1) for y in range(10)]
        wrong = np.argmax(scores, 0) != given.y_test.numpy()
        assert 0.05 < wrong.mean() < 0.95
        assert error(rbm, x, given.y_test) == pytest.approx(wrong.mean(), abs=2 / len(wrong))  # a tie may turn


def test_the_last_measurement_is_that_of_the_machine_kept(tmp_path):
    found = learn(tmp_path, {}, **SMALL, s=4, first=5, repeats=2)
    given = images("digits", 100)
    assert found["updates"][-1] == SMALL["updates"]
    for number in (0, 1):
        rbm = load_model(tmp_path / f"machine-{number:02d}.safetensors")[0]
        noisy = corrupted(given.x_test, 120, normal("test", 5 + number, given.x_test))
        assert found["noisy"][number][-1] == error(rbm, noisy, given.y_test)
        assert found["train"][number][-1] == error(rbm, given.x_train, given.y_train)
    again = learn(tmp_path, {}, **SMALL, s=4, first=6, repeats=1)
    assert all(again[part][0] == found[part][1] for part in classifiers.PARTS)  # repeat 6 is repeat 6


def test_multivalued_units_with_two_values_are_the_ising_machine():
    given = images("digits", 100)
    machines = []
    for hidden in ("ising:6", "multivalued:6,s=1"):
        plan = make_plan(replace(config_from(options(6, 1.0, 20, 200, 100)), hidden=hidden), given.train)
        fit(plan.state, plan.batches, 200, plan.negative)
        machines.append(plan.state.rbm)
    for one, other in zip(machines[0].tensors, machines[1].tensors, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-4)
    assert error(machines[0], given.x_train, given.y_train) < 0.5


def test_in_weak_fields_s_is_a_scale_of_weights_and_steps(tmp_path):
    root = math.sqrt(1 / 3)
    infinite = trained(tmp_path, s="inf", weight_factor=0.1)
    matched = trained(tmp_path, weight_factor=0.1 * root, rate_factor=root)
    plain = trained(tmp_path, weight_factor=0.1)

    def apart(rbm, factor):
        return float((rbm.W * factor - infinite.W).norm() / infinite.W.norm())

    assert apart(matched, 1 / root) < 0.02
    assert apart(plain, 1 / root) > 0.3
    torch.testing.assert_close(matched.a, infinite.a, rtol=0.05, atol=1e-4)


def test_dropped_inputs_are_gone_or_larger_and_labels_stay():
    v = torch.rand(400, 30) + 0.1
    some = classifiers.with_dropped_inputs(lambda step, noise: v, 0.8, 20)(0, Noise(1))
    there = some[:, :20] != 0
    torch.testing.assert_close(some[:, :20][there], (v[:, :20] / 0.8)[there])
    assert torch.equal(some[:, 20:], v[:, 20:])
    assert abs(float(there.float().mean()) - 0.8) < 5 * math.sqrt(0.8 * 0.2 / there.numel())


def test_stopping_and_equal_training_errors_read_the_curves():
    train = np.array([[90.0, 40.0, 20.0, 0.0], [80.0, 60.0, 50.0, 50.0]])
    noisy = np.array([[91.0, 70.0, 60.0, 50.0], [90.0, 80.0, 70.0, 75.0]])
    choice = np.array([[9.0, 7.0, 8.0, 7.0], [9.0, 8.0, 7.0, 6.0]])
    errors = Errors(np.array([1.0, 10.0, 75.0, 100.0]), {"train": train, "noisy": noisy, "choice": choice}, [1, 1])
    np.testing.assert_array_equal(rivals.stopped(errors, "choice", "noisy"), [70, 75])
    np.testing.assert_allclose(rivals.at_training_error(errors, 10, "noisy"), [55, np.nan])
    np.testing.assert_allclose(rivals.at_training_error(errors, 70, "noisy"), [91 - 21 * 0.4, 85])
    np.testing.assert_allclose(fig6.READINGS["in the last quarter"](errors, "noisy"), [55, 72.5])
    np.testing.assert_allclose(noise.slopes(2 * np.array([noise.SIGMAS, noise.SIGMAS]) / 100 + 7), [2, 2])


def test_differences_are_taken_by_the_repeats_that_both_have():
    a, b = np.array([5.0, 7.0, 6.5]), np.array([4.0, 5.0, 4.5, 100.0])
    found, wanted = (f(a, b) for f in (rivals._by_repeats, lambda a, b: paired(a, b[:3])))
    assert found == wanted
    assert rivals._by_repeats(b, a)[0].value == -found[0].value


def test_what_the_step_explains_has_the_sign_of_what_is_left():
    def near(value):
        return Interval(value, 0.2, 0.1, 10)

    said = {(p, left): rivals.explained(near(p), near(left)) for p in (-1, 0, 1) for left in (-1, 0, 1)}
    assert len({said[-1, left] for left in (-1, 0, 1)}) == 3
    assert said[-1, 1].startswith("A smaller step does more")
    assert "does not explain all" in said[-1, -1]
    assert len({said[p, left] for p in (0, 1) for left in (-1, 0, 1)}) == 2


@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)
def test_every_option_exists_and_no_two_tasks_share_a_folder(scale):
    parts = (fig6.PART, noise.PART, rivals.PART, sixty.PART, sixty.PART_OF_MARKS)
    tasks = ordered(task for part in parts for task in part.tasks(scale).values())
    for task in tasks:
        if "options" in task.arguments:
            config_from(task.arguments["options"])
    names = [task.folder_name for task in tasks]
    assert len(set(names)) == len(names)
    shared = {t.key for t in fig6.tasks(scale).values()} & {t.key for t in rivals.tasks(scale).values()}
    assert shared  # the plain machines are trained once


def test_dots_stand_at_their_errors_and_no_axis_shows_less_than_none():
    figure = error_dots([Dot("a", Interval(30, 2), Interval(5, 1)), Dot("b", Interval(9, 20), Interval(7, math.inf))],
                        labels=("clean", "noisy"))  # fmt: skip
    for ax, values in zip(figure.axes, ([30, 9], [5, 7]), strict=True):
        assert ax.lines[0].get_xdata().tolist() == values
        assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
        assert ax.get_xlim()[0] >= 0
        assert ax.get_xscale() == "linear"
    figure = error_dots([Dot("a", Interval(1, 0.5), Interval(2, 0.1)), Dot("b", Interval(60, 30), Interval(80, 5))],
                        labels=("clean", "noisy"))  # fmt: skip
    for ax in figure.axes:
        assert ax.get_xscale() == "log"
        assert ax.get_xlim()[0] < 0.5
    with pytest.raises(InputError, match="dots is empty"):
        error_dots([], labels=("", ""))


def in_this_process(tasks, work, workers, threads, say):
    """`execute` without the seconds that new processes take to begin."""
    work.mkdir(parents=True, exist_ok=True)
    for task in ordered(tasks):
        needs = {name: need.folder_name for name, need in task.needs.items()}
        job = {"name": task.name, "folder": task.folder_name, "function": task.function, "needs": needs}
        do({**job, "arguments": dict(task.arguments)}, work)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of the small network, here very small
def test_the_parts_run_and_their_numbers_agree(tmp_path, monkeypatch):
    for module in (classifiers, fig6, noise, classical):
        monkeypatch.setattr(module, "sizes", lambda scale: SMALL)
    fewer = {name: own for name, own in rivals.VARIANTS.items() if not name.endswith("0.001")}
    monkeypatch.setattr(rivals, "VARIANTS", fewer)
    monkeypatch.setattr(study, "execute", in_this_process)
    names = ["fig6", "noise", "rivals", "marks", "sixty"]
    done = study.reproduce(find_experiment("multivalued"), tmp_path, quick=True, only=names, workers=1)
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert [section.id for section in done.page.sections] == names
    for s in ("s = 1", "s = ∞"):
        curves = {part: np.array(numbers["fig6"][s][part]) for part in classifiers.PARTS}
        swept = np.array(numbers["noise"][s]["errors"])
        np.testing.assert_array_equal(swept[:, numbers["noise"]["sigma"].index(0)], curves["clean"][:, -1])
        np.testing.assert_array_equal(swept[:, numbers["noise"]["sigma"].index(120)], curves["noisy"][:, -1])
        np.testing.assert_array_equal(numbers["rivals"]["outcomes"][s]["noisy"], curves["noisy"][:, -1])
    one, infinite = (np.array(numbers["fig6"][s]["noisy"])[:, -1] for s in ("s = 1", "s = ∞"))
    gap = numbers["fig6"]["differences"]["noisy, at the end"]["s = ∞"]["value"]
    assert gap == pytest.approx((infinite - one).mean(), abs=1e-9)
    assert 0 < min(numbers["marks"]["hybrid"]["held_out"])
    assert "nan" not in (tmp_path / "report.md").read_text()
