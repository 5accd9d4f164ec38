"""What a page cannot show is refused in one sentence, and nothing is written."""

import re

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import harmonium as hm
from harmonium.app.layers import network
from harmonium.app.page import page
from harmonium.app.panel import Panel, state_from_machines, state_from_network
from harmonium.cli import main
from harmonium.runs.folder import RunFolder
from harmonium.units import Bernoulli, Gaussian, Ising, OneHot, Product, Sparse
from laws.sides import machine
from small_runs import IMAGES, LABELS, QUICK, no_pictures
from test_page import PICTURES


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that trains on a file of these rows."""
    no_pictures(monkeypatch)

    def train(rows, **options):
        np.savez(tmp_path / "rows.npz", x=rows, y=LABELS)
        hm.train(tmp_path / "rows.npz", out=tmp_path / "run", **{**QUICK, **options})
        return tmp_path / "run"

    return train


def refused(out, *runs):
    """The sentence of the command line, whose exit code is that of bad usage; no file is left."""
    done = CliRunner().invoke(main, ["page", *map(str, runs), "--out", str(out), "--quiet"])
    assert done.exit_code == 2, done.output
    assert not out.exists()
    assert done.output.count("\n") == 1
    return done.output


def test_rows_that_are_no_pictures(run, tmp_path):
    words = refused(tmp_path / "page.html", run(IMAGES.reshape(60, 12)))
    assert re.search(r"the rows of the run in .* have the shape \(12,\), which is no picture", words)


def test_runs_that_are_not_there_or_have_no_snapshots(run, tmp_path):
    assert "holds no run (there is no such folder)" in refused(tmp_path / "page.html", tmp_path / "nowhere")
    folder = run(IMAGES)
    for _, path in RunFolder(folder).snapshots():
        path.unlink()
    assert "has stored no trajectory on its way; train it again" in refused(tmp_path / "page.html", folder)
    RunFolder(folder).model_path.unlink()
    assert "has no model yet; finish it with" in refused(tmp_path / "page.html", folder)


def test_a_run_on_an_array_that_is_gone(tmp_path, monkeypatch):
    no_pictures(monkeypatch)
    hm.train(IMAGES, out=tmp_path / "run", **QUICK)
    assert "memory" in refused(tmp_path / "page.html", tmp_path / "run")


def test_families_that_it_does_not_know(run, tmp_path):
    words = refused(tmp_path / "page.html", run(IMAGES, hidden="sparse:3,s=2"))
    assert "hidden=sparse:3,s=2 cannot be shown: a page takes bernoulli, ising" in words


def test_files_that_it_must_not_write(tmp_path):
    with pytest.raises(hm.InputError, match=r"out='page.txt' must end in .html"):
        page((), "page.txt")
    with pytest.raises(hm.InputError, match=r"lies in a folder that is not there; make .*no, or"):
        page((), tmp_path / "no" / "page.html")
    (tmp_path / "there.html").write_text("mine")
    with pytest.raises(hm.InputError, match="exists already"):
        page((), tmp_path / "there.html")
    assert (tmp_path / "there.html").read_text() == "mine"


@pytest.mark.parametrize(
    ("visible", "words"),
    [
        (Product(Bernoulli(6), Ising(6)), "one family of pixels, and perhaps one one-hot label"),
        (Product(Bernoulli(6), Bernoulli(3), OneHot(1, 3)), "one family of pixels, and perhaps one one-hot label"),
        (Product(Bernoulli(6), OneHot(2, 3)), "one family of pixels, and perhaps one one-hot label"),
        (
            OneHot(12, 3),
            r"visible=onehot:12x3 cannot be shown: a page takes bernoulli, ising, .*, gaussian units there",
        ),
        (Sparse(12, 2), "visible=sparse:12,s=2 cannot be shown"),
    ],
)
def test_visible_sides_that_are_no_pictures(visible, words):
    with pytest.raises(hm.InputError, match=words):
        state_from_machines("One", [(0, machine(visible, Bernoulli(2), 0.1))])


def test_states_that_do_not_belong_together():
    rbm = machine(Bernoulli(12), Ising(3), 0.1)
    with pytest.raises(hm.InputError, match="has no machines"):
        state_from_machines("One", [])
    with pytest.raises(hm.InputError, match="machines of several kinds"):
        state_from_machines("One", [(0, rbm), (1, machine(Bernoulli(12), Ising(4), 0.1))])
    with pytest.raises(hm.InputError, match="has no states"):
        Panel("x", PICTURES, (), ())
    with pytest.raises(hm.InputError, match="takes 11 pixels, but the pictures have 12"):
        Panel("x", PICTURES, (), (state_from_machines("One", [(0, machine(Gaussian(11), Ising(3), 0.1))]),))
    labelled = machine(Product(Bernoulli(12), OneHot(1, 3)), Ising(3), 0.1)
    with pytest.raises(hm.InputError, match="tells 3 classes apart, but classes names 2"):
        Panel("x", PICTURES, (0, 1), (state_from_machines("One", [(0, labelled)]),))


UP, DOWN = nn.Sequential(nn.Linear(12, 4), nn.Sigmoid()), nn.Sequential(nn.Linear(4, 12), nn.Sigmoid())


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            (nn.Sequential(nn.Conv1d(1, 1, 1)), DOWN),
            "the encoder has a layer Conv1d, which a page cannot show; use Linear",
        ),
        ((nn.Sequential(nn.Sigmoid()), DOWN), "the encoder has no Linear layer"),
        ((nn.Sequential(nn.Linear(12, 5), nn.Linear(4, 4)), DOWN), "5 outputs before one of 4 inputs; make them fit"),
        ((UP, nn.Sequential(nn.Linear(5, 12))), "the decoder goes from 5 to 12 numbers, but .* from 4 to 12"),
        ((UP, DOWN, nn.Sequential(nn.Linear(7, 3))), "the classifier goes from 7 to 3 numbers, but .* from 12 to 3"),
        ((UP, nn.Sequential(nn.Linear(4, 12), nn.Softmax(0))), "a Softmax over dimension 0"),
    ],
)
def test_networks_that_it_cannot_evaluate(parts, words):
    with pytest.raises(hm.InputError, match=words):
        network(*parts)


def test_networks_that_have_gone_wrong():
    broken = nn.Sequential(nn.Linear(12, 4))
    with torch.no_grad():
        broken[0].weight[0, 0] = torch.nan
    with pytest.raises(hm.InputError, match="a weight of the encoder holds a value that is not finite"):
        state_from_network("One", broken, DOWN)
