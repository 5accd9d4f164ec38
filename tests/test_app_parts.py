"""Parts of the page's server: what its slider keeps, the addresses that it goes by, the form, and what it says."""

import socket
from itertools import pairwise

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from harmonium.app.server import Served, listen, make_server
from harmonium.app.server_guard import allowed_hosts
from harmonium.app.server_live import MOST, Slider
from harmonium.app.server_options import LiveOptions, form, live_options
from harmonium.app.server_training import Wishes, work
from harmonium.errors import InputError, Interrupted


@pytest.mark.parametrize("number", [1, MOST, MOST + 1, 5 * MOST + 3])
def test_the_slider_keeps_the_first_the_last_and_even_ones(number):
    slider, there = Slider(), set()
    for step in range(1, number + 1):
        gone = slider.add(step, 1000 + step)
        there.add(1000 + step)
        assert set(gone) <= there
        there -= set(gone)
        steps = slider.steps
        assert steps[0] == 0
        assert steps[-1] == step
        assert len(steps) <= MOST + 2
        assert {1000 + own for own in steps[1:]} == there
    gaps = {b - a for a, b in pairwise(steps[1:-1])}
    assert len(gaps) <= 1


def test_the_same_update_told_twice_stands_once():
    slider = Slider()
    slider.add(3, 1)
    assert slider.add(3, 2) == [1]
    assert slider.steps == [0, 3]


def test_hosts_by_the_address_that_is_listened_on():
    assert allowed_hosts("127.0.0.1") == {"127.0.0.1", "localhost", "::1"}
    assert "192.0.2.7" in allowed_hosts("192.0.2.7")
    assert "localhost" not in allowed_hosts("192.0.2.7")
    assert allowed_hosts("0.0.0.0") is None


def test_a_port_in_use_and_addresses_that_are_none():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=rf"port={port} is in use already.*choose another: --port {port + 1}"):
            listen("127.0.0.1", port)
    with pytest.raises(InputError, match="port=70000 must be a whole number from 0 to 65535"):
        listen("127.0.0.1", 70000)
    with pytest.raises(InputError, match="is no address of this machine"):
        listen("192.0.2.7", 0)
    with pytest.raises(InputError, match=r"host='no\.such\.host\.invalid' is no address"):
        listen("no.such.host.invalid", 0)


def test_a_run_that_does_not_exist_leaves_the_port_free(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=r"holds no run \(there is no such folder\)"):
        make_server([tmp_path / "nowhere"], port=port)
    listen("127.0.0.1", port).close()


def test_the_form_shows_what_the_options_take():
    own = form()
    assert own.keys() == vars(LiveOptions()).keys()
    assert live_options({name: field["value"] for name, field in own.items()}) == LiveOptions()


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_it_says_what_another_address_means(host, warned, monkeypatch):
    served, said = Served("", listen(host, 0), host), []
    monkeypatch.setattr(served.server, "run", lambda sockets: None)
    monkeypatch.setattr(served.live, "prepare", lambda: None)
    served.run(say=said.append)
    assert served.close() == ""
    assert said[0].startswith(f"http://127.0.0.1:{served.port}/ ")
    assert any("whoever can reach this machine can draw, and train on it" in line for line in said) is warned


def test_a_training_is_what_the_command_line_makes_of_the_same_options():
    config = live_options({"hidden": 7, "epochs": 3, "negative": "cd", "learning_rate": 0.5, "seed": 9}).config()
    assert (config.hidden, config.epochs, config.negative) == ("bernoulli:7", 3, "cd")
    assert (config.learning_rate, config.seed, config.data) == (0.5, 9, "digits")
    assert (config.target, config.aim) == ("label", "joint")
    assert live_options({"names": False}).config().aim == "generative"


def test_a_training_that_is_interrupted_before_it_begins_ends_in_one_line(monkeypatch):
    told = []

    def interrupted(*args, **kwargs):
        raise Interrupted(15)

    monkeypatch.setattr("harmonium.app.server_training.run_training", interrupted)
    work(LiveOptions(), Wishes(), told.append)
    assert told == [{"end": {"how": "stopped", "words": "stopped before the first update.", "folder": None}}]
