"""The page as a file: what travels in it is what the run has, answers are the machine's own, and it is closed."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from torch import nn

import harmonium as hm
from harmonium.app.from_run import panel_of_run
from harmonium.app.pack import document
from harmonium.app.page import page, render
from harmonium.app.panel import Panel, state_from_machines, state_from_network
from harmonium.app.pictures import Pictures, strokes
from harmonium.app.vectors import answer, vectors_of
from harmonium.labels import clamped_sums, free_energy_of_known
from harmonium.runs.folder import RunFolder
from harmonium.runs.reopen import reopen
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, OneHot, Product
from laws.sides import machine
from small_runs import IMAGES, LABELS, QUICK, no_pictures, same

SHAPE = (3, 4)
PICTURES = Pictures(
    (IMAGES[:6].reshape(6, 12) * 255).astype(np.uint8), 255, SHAPE, ("a",) * 6, 0.0, 1.0, None, 3.0, 1.0, (1.5, 2.0)
)
LABELLED = Product(Bernoulli(12), OneHot(1, 3))


def panel(rbm, *, classes=(), name="machine", **changes):
    own = replace(PICTURES, **changes)
    return Panel(name, own, classes, (state_from_machines("One", [(0, rbm), (7, rbm.map(lambda x: 2 * x))]),))


def halves(text, shape):
    return np.frombuffer(base64.b64decode(text), "<f2").astype(np.float64).reshape(shape)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run on small pictures, and one that reads labels as well."""
    folder = tmp_path_factory.mktemp("runs")
    np.savez(folder / "pictures.npz", x=IMAGES, y=LABELS)
    with pytest.MonkeyPatch.context() as patch:
        no_pictures(patch)
        patch.setattr("harmonium.runs.trajectory._SHARE", 10.0)
        own = {**QUICK, "epochs": 20, "learning_rate": 0.2}
        hm.train(folder / "pictures.npz", out=folder / "plain", **own)
        hm.train(folder / "pictures.npz", out=folder / "reader", target="label", objective="joint", **own)
    return folder


# ---- what travels --------------------------------------------------------------------------------------------------


def test_parameters_travel_in_half_precision_and_equal_ones_once():
    rbm = machine(Gaussian(12), Ising(5), 0.5)
    packed = document([panel(rbm), panel(rbm)])
    assert len(packed["tensors"]) == 6  # of two snapshots; the second panel has the same
    for at, factor in enumerate((1, 2)):
        own = packed["panels"][1]["states"][0]["snapshots"][at]["machine"]
        for name, wanted in zip("Wab", rbm.tensors, strict=True):
            travelled = halves(packed["tensors"][own[name]], tuple(wanted.shape))
            assert np.allclose(travelled, factor * wanted.numpy(), rtol=2**-11, atol=2**-25)
            assert np.array_equal(travelled, (factor * wanted).half().double().numpy())


def test_what_half_precision_cannot_hold_is_refused():
    rbm = machine(Bernoulli(12), Ising(5), 0.5)
    with pytest.raises(hm.InputError, match="b holds a value that is not finite or beyond 65504"):
        panel(replace(rbm, b=rbm.b + 1e5))


@pytest.mark.parametrize("visible", [Bernoulli(12), Ising(12), Interval(12), Gaussian(12), Gaussian(12, 0.7)])
@pytest.mark.parametrize("hidden", [Bernoulli(5), OneHot(2, 3), Gaussian(3, 0.2)])
def test_answers_are_the_machines_own(visible, hidden):
    rbm = machine(visible, hidden, 0.5)
    x = torch.from_numpy(PICTURES.visible())
    found = answer(rbm, PICTURES.visible()[2])
    h = rbm.hidden.mean(rbm.eta_h_from_v(x))[:, 0]
    assert np.allclose(found.hidden, h[2], atol=1e-12)
    assert np.allclose(found.reconstruction, rbm.visible.mean(rbm.eta_v_from_h(h))[2, 0], atol=1e-12)
    assert found.free_energy == pytest.approx(float(rbm.free_energy(x)[2]), abs=1e-10)
    assert found.probabilities is None


@pytest.mark.parametrize("hidden", [Bernoulli(5), Ising(4)])
def test_a_label_is_summed_over(hidden):
    """Against the sums that training uses, and the free energy of rows without a label."""
    rbm = machine(LABELLED, hidden, 0.8)
    x = torch.from_numpy(PICTURES.visible())
    v = torch.cat([x, x.new_zeros(6, 3)], 1)
    for i, found in enumerate(answer(rbm, row) for row in PICTURES.visible()):
        assert np.allclose(found.probabilities, hm.class_probabilities(rbm, x[i : i + 1])[0], atol=1e-9)
        h = clamped_sums(rbm, v[i : i + 1]).over_labels
        assert np.allclose(found.hidden, h[0], atol=1e-9)
        assert np.allclose(found.reconstruction, rbm.visible.mean(rbm.eta_v_from_h(h))[0, 0, :12], atol=1e-9)
        assert found.free_energy == pytest.approx(float(free_energy_of_known(rbm, v)[i]), abs=1e-9)


@pytest.mark.parametrize("on_code", [False, True])
def test_networks_are_evaluated_as_torch_does(on_code):
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(12, 7), nn.Tanh(), nn.Dropout(0.5), nn.Linear(7, 5, bias=False), nn.ReLU())
    decoder = nn.Sequential(nn.Linear(5, 7), nn.Softmax(-1), nn.Linear(7, 12), nn.Sigmoid())
    head = nn.Sequential(nn.Linear(5 if on_code else 12, 3))
    state = state_from_network("Deep", encoder, decoder, head)
    for part in (encoder, decoder, head):
        part.half().double().eval()
    x = torch.from_numpy(PICTURES.visible()[:1])
    found = answer(state.snapshots[0].model, x[0].numpy())
    with torch.no_grad():
        code = encoder(x)
        assert np.allclose(found.hidden, code[0], atol=1e-12)
        assert np.allclose(found.reconstruction, decoder(code)[0], atol=1e-12)
        assert np.allclose(found.probabilities, head(code if on_code else x).softmax(1)[0], atol=1e-12)


def test_every_state_and_snapshot_has_its_vector():
    rbm = machine(LABELLED, Bernoulli(5), 0.5)
    own = panel(rbm, classes=(1, 2, 3))
    own = replace(own, states=(*own.states, state_from_machines("Two", [(0, rbm)])))
    vectors = vectors_of(own)
    assert len(vectors) == 20
    assert {(v.state, v.snapshot) for v in vectors} == {(0, 0), (0, 1), (1, 0)}
    packed = document([own])["panels"][0]["vectors"]
    hidden = np.frombuffer(base64.b64decode(packed[3]["hidden"]), "<f4")
    assert np.allclose(hidden, vectors[3].answer.hidden, atol=1e-7)


# ---- runs ----------------------------------------------------------------------------------------------------------


def test_the_columns_of_a_run_are_its_snapshots_and_its_machine(runs):
    for name in ("plain", "reader"):
        folder, opened = RunFolder(runs / name), reopen(runs / name)
        random, trained = panel_of_run(runs / name).states
        best = folder.read_json("summary.json")["best_step"]
        steps = [step for step, _ in folder.snapshots() if step < best] + [best]
        assert [snapshot.step for snapshot in trained.snapshots] == steps
        assert len(steps) > 2
        first, _ = hm.load_model(folder.snapshots()[0][1])
        assert same(random.snapshots[0].model, first.map(lambda x: x.half().double()))
        assert same(trained.snapshots[-1].model, opened.rbm.map(lambda x: x.half().double()))
    few = panel_of_run(runs / "reader", most_bytes=1).states[1].snapshots
    assert [snapshot.step for snapshot in few] == [steps[0], steps[-1]]
    assert panel_of_run(runs / "reader").classes == (0, 1)


def test_pictures_are_what_the_machine_takes_from_rows_it_has_not_learned(runs):
    inputs = reopen(runs / "plain").inputs()
    held_out = inputs.feed.states(inputs.rows.held_out).double().numpy()
    shown = panel_of_run(runs / "plain").pictures.visible()
    assert all((held_out == row).all(1).any() for row in shown)
    assert len(shown) > 5


def test_bytes_thresholds_and_ends_are_exact():
    inked = replace(PICTURES, values=np.array([[0, 8, 9, 16] * 3], np.uint8), full=16, threshold=0.5, low=-1.0)
    assert inked.visible()[0, :4].tolist() == [-1, -1, 1, 1]
    assert replace(inked, threshold=None).visible()[0, :4].tolist() == [-1, 0, 0.125, 1]


def test_box_pen_and_centre_are_measured():
    """A ring of one width has edges in all directions."""
    y, x = np.mgrid[0:28, 0:28] + 0.5
    distance = np.abs(np.hypot(x - 15, y - 13) - 8)
    ring = np.clip(1.25 + 0.5 - distance, 0, 1)
    box, pen, centre = strokes(ring[None])
    assert box in (19, 20)  # the faint edge counts
    assert pen == pytest.approx(2.5, rel=0.06)
    assert centre == pytest.approx((13, 15), abs=0.02)
    assert strokes(np.zeros((2, 28, 28)))[2] == (14, 14)


# ---- the file ------------------------------------------------------------------------------------------------------


class Parts(HTMLParser):
    """The inline scripts and styles of a page, and every attribute that could ask for something."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.scripts, self.styles, self.links, self.policy = None, [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        own = dict(attributes)
        self.inside = (tag, own.get("type"))
        self.links += [own[name] for name in ("href", "src", "srcset", "action", "data", "poster") if name in own]
        if own.get("http-equiv") == "Content-Security-Policy":
            self.policy = own["content"]
        assert not [name for name in own if name.startswith("on") or name == "style"]  # the policy forbids them

    def handle_data(self, text):
        if self.inside and self.inside[0] in ("script", "style"):
            (self.scripts if self.inside[0] == "script" else self.styles).append((self.inside[1], text))

    def handle_endtag(self, tag):
        self.inside = None


EVIL = "</script><img src=x onerror=alert(1)><!--"


def test_the_page_asks_for_nothing_and_its_policy_lets_only_its_own_script_run():
    text = render([panel(machine(LABELLED, Bernoulli(5), 0.5), classes=("a", "b", EVIL), name=EVIL)], EVIL)
    parts = Parts(text)
    assert [link for link in parts.links if not link.startswith(("#", "data:"))] == []
    assert not re.search(r"https?://|@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|\beval\(|innerHTML", text)
    assert EVIL not in text
    assert "<img" not in text
    assert len(parts.scripts) == 2
    (kind, packed), (_, script) = parts.scripts
    assert kind == "application/json"
    assert json.loads(packed)["panels"][0]["name"] == EVIL
    assert not re.search(r"\{[^{}]*\{[^{}]*\{[^{}]*\{", parts.styles[0][1])  # a rule that is not closed
    assert parts.styles[0][1].count("{") == parts.styles[0][1].count("}")
    for name, own in (("script", script), ("style", parts.styles[0][1])):
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in parts.policy
    assert parts.policy.startswith("default-src 'none'")
    assert not re.search(r"[\d}] %[`\"']", script)  # a number and its sign stay on one line


def test_a_page_of_runs_is_written_once(runs, tmp_path):
    out = page([runs / "plain", runs / "reader"], tmp_path / "own.html", title="Mine")
    packed = json.loads(Parts(out.read_text()).scripts[0][1])
    assert [own["name"] for own in packed["panels"]] == ["plain", "reader"]
    assert "<title>Mine</title>" in out.read_text()
    first = out.read_bytes()
    with pytest.raises(hm.InputError, match=r"exists already; replace it with --overwrite"):
        page([runs / "plain"], out)
    assert out.read_bytes() == first
    assert page([runs / "plain", runs / "reader"], out, title="Mine", overwrite=True).read_bytes() == first
