"""``harmonium check``: silent on a healthy run, plain about a sabotaged one, one sentence for wrong inputs."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import harmonium as hm
from harmonium import plots
from harmonium.cli import main
from harmonium.errors import InputError
from harmonium.evaluate.fidelity import fidelity
from harmonium.evaluate.labels import completed
from harmonium.evaluate.pseudolikelihood import pseudo_log_likelihood
from harmonium.io import load_model, save_model
from harmonium.logz.exact import sample_v_exactly
from harmonium.noise import Noise
from harmonium.plots.moments import Pair, limits
from harmonium.runs import check as module
from harmonium.runs.check import check, model_sample, report
from harmonium.runs.folder import RunFolder
from harmonium.units import Bernoulli, OneHot, Product
from laws.sides import machine
from small_runs import IMAGES, LABELS, QUICK, no_pictures


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A healthy run on the bundled digits."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        no_pictures(patch)
        hm.train("digits", out=folder / "run", hidden="bernoulli:8", measure=10)
    return folder / "run"


def sabotaged(run, tmp_path, change):
    """A copy of the run with another machine in it."""
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    rbm, description = load_model(copy / "model.safetensors")
    change(rbm)
    kept = ("image_shape", "binarize", "scale", "target")
    save_model(copy / "model.safetensors", rbm, **{k: description[k] for k in kept})
    return copy


def test_a_healthy_run_has_no_findings_and_its_numbers_are_those_of_the_machine(run):
    result = check(run)
    assert result["findings"] == []
    assert "nothing wrong found" in report(result)
    assert max(map(len, report(result).splitlines()[1:-1])) <= 80
    assert json.loads((run / "check.json").read_text()) == json.loads(json.dumps(result))
    assert (run / "figures" / "check.png").read_bytes().startswith(b"\x89PNG")
    means = result["moments"]["means"]
    assert means["count"] == 64
    assert result["moments"]["covariances"]["count"] == 2016
    assert result["moments"]["model"] == "all states"
    assert means["rms"] < 3 * means["rms_noise"]
    history = RunFolder(run).read_history()[-1]
    gap = result["gap"]
    assert gap["value"] == pytest.approx(history["train"] - history["held_out"], abs=4 * gap["stderr"])
    squares = result["scores"]["train"]["reconstruction_squared"]["value"]
    assert 0 < squares < 8  # of 64 pixels


def test_sabotage_is_named(run, tmp_path):
    def silence(rbm):
        rbm.W[:, 1] = 0

    kinds = {f["kind"]: f for f in check(sabotaged(run, tmp_path, silence))["findings"]}
    assert kinds["idle-units"]["numbers"]["units"] == [1]


def test_a_machine_of_noise_does_not_make_its_data(run, tmp_path):
    result = check(sabotaged(run, tmp_path, lambda rbm: rbm.W.mul_(-1)))
    text = report(result)
    assert {"covariances-apart"} <= {f["kind"] for f in result["findings"]}
    assert "nothing wrong" not in text
    assert "1. error: the model's" in text


def test_other_data_are_compared_with_the_machine(run):
    from harmonium.data import load_data

    own = check(run)
    before = {name: (run / name).read_bytes() for name in ("check.json", "figures/check.png")}
    result = check(run, data=16 - load_data("digits").X, scale=16)
    assert {name: (run / name).read_bytes() for name in before} == before
    assert json.loads((run / "check-other.json").read_text()) == json.loads(json.dumps(result))
    assert (result["picture"], own["picture"]) == tuple(
        str(run / "figures" / f"{n}.png") for n in ("check-other", "check")
    )
    assert result["gap"] is None
    assert list(result["scores"]) == ["data"]
    assert "means-apart" in {f["kind"] for f in result["findings"]}


def test_samples_stand_for_a_machine_that_cannot_be_enumerated(run, monkeypatch):
    exact = check(run)["moments"]
    monkeypatch.setattr(module, "can_enumerate", lambda rbm: False)
    drawn = check(run)["moments"]
    monkeypatch.setattr(module, "MOST_STATES", 0)
    chains = check(run)["moments"]
    assert (drawn["model"], chains["model"]) == ("10,000 exact samples", "1,000 chains of 1,000 sweeps")
    for found, samples in ((drawn, 10_000), (chains, 1000)):
        for kind in ("means", "covariances"):
            difference = abs(found[kind]["rms"] - exact[kind]["rms"])
            assert 0 < difference < 3 / np.sqrt(samples)


def test_half_of_the_chains_start_from_data(monkeypatch):
    monkeypatch.setattr(module, "can_enumerate", lambda rbm: False)
    monkeypatch.setattr(module, "MOST_STATES", 0)
    monkeypatch.setattr(module, "_SWEEPS", (0, 0))
    rbm = machine(Bernoulli(6), Bernoulli(3), 1.0)
    data = torch.ones(5, 6).double()
    drawn = model_sample(rbm, data)
    assert bool((drawn.v[:500] == 1).all())
    assert not bool((drawn.v[500:] == 1).all())
    assert [f.kind for f in drawn.findings] == ["slow-mixing"]
    monkeypatch.undo()
    monkeypatch.setattr(module, "can_enumerate", lambda rbm: False)
    noise = Noise(3, dtype=torch.float64)
    mean = model_sample(rbm, data).v.mean(0)
    assert torch.allclose(mean, sample_v_exactly(rbm, 10_000, noise).mean(0), atol=0.04)


def test_the_discriminative_gradient_is_not_judged_by_the_joint_distribution(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    hm.train(IMAGES, LABELS, out=tmp_path / "c", target="label", **QUICK)
    result = check(tmp_path / "c", data=IMAGES, labels=LABELS)
    assert not {"covariances-apart", "means-apart", "below-baseline"} & {f["kind"] for f in result["findings"]}
    sentence = "its distribution of the data is not learned"
    assert sentence in " ".join(report(result).split())
    assert sentence in call("sample", tmp_path / "c", "--number", 4).stderr
    hm.train(IMAGES, LABELS, out=tmp_path / "j", target="label", objective="joint", **QUICK)
    assert sentence not in " ".join(report(check(tmp_path / "j", data=IMAGES, labels=LABELS)).split())
    assert sentence not in call("sample", tmp_path / "j", "--number", 4).stderr


def test_rows_without_label_are_left_out_or_given_one_and_counted(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    some = np.where(np.arange(60) % 3 == 0, LABELS, -1)
    hm.train(IMAGES, some, out=tmp_path / "s", target="label", objective="joint", **QUICK)
    result = check(tmp_path / "s", data=IMAGES, labels=some)
    assert (result["unlabelled"], result["moments"]["rows"], result["scores"]["data"]["rows"]) == (40, 60, 20)
    assert "40 rows without a label are left out" in report(result)
    rbm, _ = load_model(tmp_path / "s")
    x = IMAGES.reshape(60, 12)
    v = np.concatenate([x, np.eye(2)[LABELS]], 1)[some >= 0]
    own = float(pseudo_log_likelihood(rbm, torch.from_numpy(v)).mean())
    assert result["scores"]["data"]["pseudo_log_likelihood"]["value"] == pytest.approx(own)
    of_x = [entry for entry in result["moments"]["means"]["worst"] if entry["entry"] < 12]
    assert of_x
    assert [entry["data"] for entry in of_x] == pytest.approx([x.mean(0)[entry["entry"]] for entry in of_x])
    none = check(tmp_path / "s", data=IMAGES, labels=np.full(60, -1))
    assert (none["unlabelled"], none["scores"], none["moments"]["rows"]) == (60, {}, 60)
    assert "pseudo" not in report(none)


def test_completed_labels_leave_the_moments_of_the_machine_as_they_are():
    rbm = machine(Product(Bernoulli(4), OneHot(1, 3)), Bernoulli(2), 1.5)
    noise = Noise(5, dtype=torch.float64)
    v = sample_v_exactly(rbm, 20_000, noise)
    erased = v.clone()
    erased[:15_000, 4:] = 0
    found = completed(rbm, erased, noise)
    assert torch.equal(found[15_000:], v[15_000:])
    assert torch.equal(found[:, :4], v[:, :4])
    assert not torch.equal(found, v)
    agreed = fidelity(rbm, found)
    for part in (agreed.means, agreed.covariances, agreed.hidden):
        assert float(part.z.abs().max()) < 4.5  # of 30 values: one false alarm in 5,000 seeds


def call(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_the_command_prints_a_report_or_one_document(run):
    shown = call("check", run)
    assert shown.exit_code == 0
    assert shown.stdout == report(json.loads((run / "check.json").read_text())) + "\n"
    document = json.loads(call("check", run, "--json").stdout)
    assert document == json.loads((run / "check.json").read_text())
    help_text = call("check", "--help").stdout
    assert "exit code" in " ".join(help_text.split())


def test_findings_are_no_failure(run, tmp_path):
    copy = sabotaged(run, tmp_path, lambda rbm: rbm.W.mul_(0))
    shown = call("check", copy)
    assert shown.exit_code == 0
    assert "8 of 8 hidden units" in " ".join(shown.stdout.split())


@pytest.mark.parametrize("kind", ["nowhere", "no model", "not finite", "wrong width"])
def test_what_cannot_be_checked_gets_one_sentence(run, tmp_path, kind):
    if kind == "nowhere":
        words, sentence = [tmp_path / "x"], "holds no run"
    elif kind == "no model":
        RunFolder(tmp_path / "y").path.mkdir()
        (tmp_path / "y" / "config.toml").write_text("")
        words, sentence = [tmp_path / "y"], "has no model yet; finish it with"
    elif kind == "not finite":
        words, sentence = [sabotaged(run, tmp_path, lambda rbm: rbm.W.mul_(float("inf")))], "not finite"
    else:
        np.save(tmp_path / "w.npy", np.zeros((4, 7)))
        words, sentence = [run, "--data", tmp_path / "w.npy"], "7 columns, but the machine"
    refused = call("check", *words)
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
    assert sentence in refused.stderr


# ---- the figure ----------------------------------------------------------------------------------------------------


def test_the_figure_shows_what_was_given():
    x = np.array([0.1, 0.5, 0.9])
    many = np.linspace(0, 1, 3000)
    figure = plots.moments([Pair("means", x, x**2, "s"), Pair("covariances", many, many)], caption="c")
    first, second = figure.axes[:2]
    (points,) = (line for line in first.lines if line.get_marker() == "o")
    assert np.array_equal(points.get_xdata(), x)
    assert np.array_equal(points.get_ydata(), x**2)
    assert first.get_xlim() == first.get_ylim() == pytest.approx(limits(x, x**2))
    (density,) = second.collections
    assert density.get_array().sum() == 3000
    assert limits(np.ones(2), np.ones(2)) == (0.5, 1.5)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([], "pairs has 0 kinds"),
        ([Pair("means", [1.0, 2.0], [1.0])], "means has 2 moments of the data and 1 of the model"),
        ([Pair("means", [], [])], "the data's means has shape"),
        ([Pair("means", [1.0], [np.nan])], "the model's means holds values that are not finite"),
    ],
)
def test_what_cannot_be_drawn_gets_one_sentence(pairs, words):
    with pytest.raises(InputError, match=words):
        plots.moments(pairs)
