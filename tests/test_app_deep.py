"""Pages of machines stacked: their columns are what torch says of the networks, and what cannot be shown is refused."""

import numpy as np
import pytest
import torch

import harmonium as hm
from harmonium.app.from_deep import tuned_here, without_label
from harmonium.app.from_run import panel_of_run
from harmonium.app.layers import Network
from harmonium.app.pack import document
from harmonium.app.panel import FINETUNED, PRETRAINED, RANDOM, state_from_network
from harmonium.app.vectors import answer
from harmonium.config import Config
from harmonium.data import Dataset
from harmonium.deep.stack import Stack, features, reconstruction
from harmonium.deep.unroll import decoder, encoder
from harmonium.runs.plan import make_plan
from harmonium.units import Bernoulli, OneHot, Product
from laws.sides import machine
from small_runs import IMAGES, LABELS, no_pictures

X, Y = np.tile(IMAGES, (5, 1, 1)), np.tile(LABELS, 5)
UNTUNED = {"epochs": 3, "batch_size": 20, "measure": 2}
QUICK = {**UNTUNED, "fine_tune_epochs": 6, "fine_tune_rate": 0.01}


@pytest.fixture
def train(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    monkeypatch.setattr("harmonium.deep.pictures.draw_deep", lambda *a, **k: None)
    np.savez(tmp_path / "rows.npz", x=X, y=Y)

    def run(**options):
        own = QUICK if {"target", "fine_tune"} & set(options) else UNTUNED
        return hm.train_deep(tmp_path / "rows.npz", out=tmp_path / "deep", **{**own, **options})

    return run


def close(found, wanted):
    """Equal up to the rounding of parameters to half precision."""
    return np.allclose(found, wanted.detach().numpy(), atol=4e-3)


@pytest.mark.parametrize("layers", ["8,4", "8,multivalued:4,s=3", "12,onehot:1x3"])
def test_a_classifier_stands_beside_what_the_machines_rebuild(train, tmp_path, layers):
    run = train(layers=layers, target="label")
    panel = panel_of_run(tmp_path / "deep")
    assert panel.name == "deep"
    assert panel.classes == (0, 1)
    assert [state.name for state in panel.states] == [RANDOM, PRETRAINED, FINETUNED]
    first, second, third = (state.snapshots[-1].model for state in panel.states)
    for x in panel.pictures.visible()[:4]:
        v = torch.from_numpy(x).float()[None]
        found, tuned = answer(second, x), answer(third, x)
        assert close(found.hidden, features(run.stack, v)[0])
        assert close(found.reconstruction, reconstruction(run.stack, v)[0])
        assert found.probabilities is None
        assert np.array_equal(tuned.reconstruction, found.reconstruction)
        assert close(tuned.probabilities, run.network(v).softmax(-1)[0])
        assert not np.allclose(answer(first, x).reconstruction, found.reconstruction, atol=0.01)


def test_a_code_as_wide_as_the_picture_is_not_taken_for_it(train, tmp_path):
    run = train(layers="12", target="label")
    panel = panel_of_run(tmp_path / "deep")
    x = panel.pictures.visible()[0]
    model = panel.states[2].snapshots[0].model
    assert isinstance(model, Network)
    assert not model.on_code
    assert close(answer(model, x).probabilities, run.network(torch.from_numpy(x).float()[None]).softmax(-1)[0])


def test_an_autoencoder_rebuilds_by_its_own_decoder(train, tmp_path):
    run = train(layers="8,4", fine_tune="autoencoder")
    panel = panel_of_run(tmp_path / "deep", name="own")
    assert panel.name == "own"
    assert panel.classes == ()
    x = panel.pictures.visible()[0]
    found = answer(panel.states[2].snapshots[0].model, x)
    v = torch.from_numpy(x).float()[None]
    assert close(found.hidden, run.network[0](v)[0])
    assert close(found.reconstruction, run.network(v)[0])


def test_a_network_without_fine_tuning_has_two_columns_and_packs_its_weights_once(train, tmp_path):
    train(layers="8,4")
    panel = panel_of_run(tmp_path / "deep")
    assert [state.name for state in panel.states] == [RANDOM, PRETRAINED]
    packed = document([panel])
    up, down = (packed["panels"][0]["states"][1]["snapshots"][0]["network"][name] for name in ("encoder", "decoder"))
    maps = [layer for layer in down if "W" in layer]
    assert [layer["kind"] for layer in maps] == ["turned", "turned"]
    assert [layer["W"] for layer in maps] == [layer["W"] for layer in reversed(up) if "W" in layer]
    assert [(layer["rows"], layer["columns"]) for layer in maps] == [(4, 8), (8, 12)]


def test_units_that_a_page_does_not_know_are_refused_in_one_sentence(train, tmp_path):
    train(layers="8,sparse:4,s=2")
    with pytest.raises(hm.InputError, match=r"the encoder has units sparse:4,s=2, which a page cannot show; it takes"):
        panel_of_run(tmp_path / "deep")


def test_data_that_lay_in_memory(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    monkeypatch.setattr("harmonium.deep.pictures.draw_deep", lambda *a, **k: None)
    hm.train_deep(X, out=tmp_path / "deep", layers="4", **UNTUNED)
    with pytest.raises(hm.InputError, match="memory"):
        panel_of_run(tmp_path / "deep")


def test_a_label_of_which_nothing_is_known_is_left_out():
    rbm = machine(Product(Bernoulli(12), OneHot(1, 3)), Bernoulli(5), 0.5)
    own = without_label(rbm)
    x = (torch.rand(4, 12, generator=torch.Generator().manual_seed(0)) < 0.5).to(rbm.W)
    with_mean = torch.cat([x, torch.full((4, 3), 1 / 3).to(x)], 1)
    torch.testing.assert_close(own.eta_h_from_v(x), rbm.eta_h_from_v(with_mean))
    plain = machine(Bernoulli(12), Bernoulli(5), 0.5)
    assert without_label(plain) is plain


def test_a_machine_is_fine_tuned_to_rebuild_better_and_to_name():
    data = Dataset(X=X.reshape(-1, 12), y=Y, scale=1.0, shape=(3, 4), name="rows", source="here")
    plan = make_plan(Config(data="rows", hidden="bernoulli:6", target="label", objective="joint", held_out="0.2"), data)
    before = without_label(plan.state.rbm)
    state = tuned_here(plan.state.rbm, plan, epochs=60)
    rows = plan.rows.held_out
    x, y = plan.feed.inputs(rows).double().numpy(), plan.feed.y[rows].numpy()
    stack = Stack((before,))
    untrained = state_from_network("One", encoder(stack), decoder(stack)).snapshots[0].model
    found = [answer(state.snapshots[0].model, row) for row in x]
    error = np.mean([np.square(one.reconstruction - row).sum() for one, row in zip(found, x, strict=True)])
    first = np.mean([np.square(answer(untrained, row).reconstruction - row).sum() for row in x])
    assert error < 0.8 * first
    assert np.mean([one.probabilities.argmax() == own for one, own in zip(found, y, strict=True)]) > 0.95
