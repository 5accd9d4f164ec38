"""The server of the page, over real connections: what it refuses, what it tells, and that one training is at work."""

import http.client
import json
import threading
import time

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from harmonium.app.page import render
from harmonium.app.server import Served, listen
from harmonium.app.server_options import form, live_options
from harmonium.app.server_site import MOST_BODY, MOST_PAGES
from harmonium.errors import InputError
from harmonium.runs.folder import RunFolder
from harmonium.runs.resume import resume
from harmonium.units import Bernoulli
from laws.sides import machine
from small_runs import no_pictures
from test_page import Parts, panel


class Client:
    """One request a connection, with headers as they are given."""

    def __init__(self, served):
        self.served = served
        self.own = f"127.0.0.1:{served.port}"

    def send(self, method, path, body=None, **headers):
        one = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=20)
        one.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        own = {"Host": self.own, "Origin": f"http://{self.own}", "Content-Type": "application/json"}
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {**own, "Content-Length": str(len(data)), **changed}.items():
            if value is not None:
                one.putheader(name, value)
        one.endheaders(data)
        answer = one.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        one.close()
        return found

    def post(self, path, body, **headers):
        status, _, answer = self.send("POST", path, body, **headers)
        return status, json.loads(answer).get("error")

    def events(self, until, after=None):
        """Events, as (number, event), to the first that `until` holds for."""
        one = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=60)
        one.request("GET", "/events", headers={"Last-Event-ID": after} if after else {})
        answer, found, number = one.getresponse(), [], ""
        assert answer.headers["content-type"].startswith("text/event-stream")
        while line := answer.readline().decode():
            if line.startswith("id: "):
                number = line[4:].strip()
            if line.startswith("data: "):
                found.append((number, json.loads(line[6:])))
                if until(found[-1][1]):
                    break
        one.close()
        return found


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of a server with one tiny machine; its runs lie in `folder`."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        page = render([panel(machine(Bernoulli(12), Bernoulli(3), 0.5))], live=form())
        served = Served(page, listen("127.0.0.1", 0), "127.0.0.1")
        thread = threading.Thread(target=served.run)
        thread.start()
        yield Client(served)
        served.stop()
        thread.join()
        served.close()


# ---- what is refused -----------------------------------------------------------------------------------------------


def test_the_served_page_may_ask_its_own_server_alone_and_the_file_nobody(client):
    status, headers, body = client.send("GET", "/", Origin=None)
    assert status == 200
    policy = Parts(body.decode()).policy
    assert "connect-src 'self'" in policy
    assert policy.startswith("default-src 'none'")
    own = render([panel(machine(Bernoulli(12), Bernoulli(3), 0.5))])
    assert "connect-src" not in Parts(own).policy
    assert "EventSource" in body.decode()
    assert "EventSource" not in own
    assert 'id="live"' not in own
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("frame-ancestors 'none'")
    assert not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", ["/../etc/passwd", "/%2e%2e/pyproject.toml", "/runs", "/docs", "/templates/page.js"])
def test_no_other_file_is_served(client, path):
    assert client.send("GET", path)[0] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_no_other_method_is_answered(client, method):
    assert client.send(method, "/train", {})[0] == 405


def hosts(port):
    return ["evil.example", f"evil.example:{port}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.1.evil.example:{port}", None,
            f"[::1]x:{port}", f"127.0.0.1:{port}:{port}", f" :{port}"]  # fmt: skip


def test_a_name_that_only_points_here_is_refused(client):
    port = client.served.port
    for host in hosts(port):
        for method, path in (("GET", "/"), ("GET", "/events"), ("POST", "/train")):
            origin = f"http://{host}" if host else None
            status, _, answer = client.send(method, path, {}, Host=host, Origin=origin)
            assert status in (400, 403), (host, path)
            assert b"What does the machine" not in answer
    for host in (f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}", f"127.0.0.1:{port}"):
        assert client.send("GET", "/", Host=host, Origin=None)[0] == 200


def test_other_pages_can_ask_for_nothing(client):
    asked = {"hidden": 3, "epochs": 1}
    for origin in ("https://evil.example", "null", None, f"https://127.0.0.1:{client.served.port}", "http://127.0.0.1"):
        assert client.post("/train", asked, Origin=origin)[0] == 403
        if origin:
            assert client.send("GET", "/events", Origin=origin)[0] == 403
    assert client.send("GET", "/events", Origin=None, Sec_Fetch_Site="cross-site")[0] == 403
    assert client.send("GET", "/", Origin=None, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert client.send("GET", "/", Origin=None, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200
    assert client.post("/train", asked, Content_Type="text/plain")[0] == 400  # what a form of theirs could send
    assert not client.served.live.training


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"x" * (MOST_BODY + 1), f"longer than {MOST_BODY} bytes"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 4000, "is not JSON"),
        (b"[]", "is no JSON object"),
        ({"hidden": 0}, "hidden must be a whole number from 1 to 2,000, not 0."),
        ({"hidden": True}, "hidden must be a whole number"),
        ({"hidden": 1e9}, "hidden must be a whole number"),
        ({"epochs": ""}, "epochs must be a whole number from 1 to 10,000, not ''."),
        ({"learning_rate": -1}, "learning_rate must be a finite number above 0"),
        ({"negative": "exact"}, "negative must be one of pcd, cd"),
        ({"data": "/etc/passwd"}, "data must be one of digits, mnist, not '/etc/passwd'."),
        ({"data_path": "/etc"}, "unknown option 'data_path'"),
        ({"out": "/tmp"}, "unknown option 'out'"),
    ],
)
def test_what_cannot_be_used_comes_back_as_one_sentence(client, body, words):
    status, error = client.post("/train", body)
    assert status == 400
    assert words in error
    assert not client.served.live.training


def test_numbers_that_json_does_not_have(client):
    assert client.post("/train", b'{"learning_rate": NaN}')[1].startswith("learning_rate must be a finite number")


def test_data_that_are_not_here(monkeypatch):
    monkeypatch.setattr("harmonium.app.server_options.at_hand", lambda: False)
    assert form()["data"]["choices"] == ["digits"]
    with pytest.raises(InputError, match="data=mnist is not on this machine"):
        live_options({"data": "mnist"}).config()


def test_nothing_can_be_wished_of_no_training(client):
    for what in ("pause", "resume", "stop", "leave"):
        assert client.post("/do", {"what": what}) == (409, "no training is under way; start one.")
    assert client.post("/do", {"what": "rm"})[0] == 400
    assert client.post("/do", {"what": ["stop"]})[0] == 400
    assert client.post("/do", {"what": "pace", "value": -1})[1].startswith("pace must be a whole number from 0")


def test_so_many_pages_can_listen_and_those_that_go_make_room(client):
    ears = []
    for _ in range(MOST_PAGES):
        one = http.client.HTTPConnection("127.0.0.1", client.served.port, timeout=20)
        one.request("GET", "/events")
        ears.append((one, one.getresponse()))
        assert ears[-1][1].readline().startswith(b"retry")
    assert client.send("GET", "/events")[0] == 503
    for one, answer in ears:
        answer.close()
        one.close()
    for _ in range(100):
        one = http.client.HTTPConnection("127.0.0.1", client.served.port, timeout=20)
        one.request("GET", "/events")
        with one.getresponse() as answer:
            status = answer.status
        one.close()
        if status == 200:
            break
        time.sleep(0.05)
    assert status == 200


# ---- a training ----------------------------------------------------------------------------------------------------


def test_a_training_is_told_paused_and_left_so_that_it_can_be_resumed(client, monkeypatch):
    no_pictures(monkeypatch)  # of the end, in this process
    asked = {"hidden": 3, "epochs": 40, "names": False, "pace": 200, "seed": 5}
    assert client.post("/train", asked) == (202, None)
    assert client.post("/train", asked) == (
        409,
        "a training is under way already; stop it first, or wait for its end.",
    )
    first = client.events(lambda event: "snapshot" in event)
    kinds = [next(name for name in event if name != "run") for _, event in first]
    assert kinds[0] == "begun"
    assert "panel" in kinds
    told = next(event for _, event in first if "panel" in event)
    assert told["panel"]["states"][0]["snapshots"][0]["step"] == 0
    assert client.post("/do", {"what": "pause"}) == (202, None)
    paused = client.events(lambda event: event.get("at", {}).get("paused"))
    at = paused[-1][1]["at"]["step"]
    assert client.post("/do", {"what": "pace", "value": 0}) == (202, None)
    time.sleep(0.4)
    again = client.events(lambda event: "at" in event)  # a page that comes late
    assert again[-1][1]["at"]["step"] == at
    assert client.post("/do", {"what": "leave"}) == (202, None)
    rest = client.events(lambda event: "end" in event, after=paused[-1][0])
    assert not [event for _, event in rest if "panel" in event]  # it has had that
    numbers = [int(number.split("-")[1]) for number, _ in [*paused, *rest]]
    assert numbers == sorted(set(numbers))  # nothing twice, nothing late
    end = rest[-1][1]["end"]
    assert end["how"] == "stopped"
    assert end["words"].endswith("go on with: harmonium train --resume runs/digits-001")
    folder = RunFolder("runs/digits-001")
    assert not folder.complete
    assert folder.read_config().seed == 5
    whole = resume(folder.path)  # an ordinary run, from where it was left
    assert whole.summary["steps"] == 40 * 13
    while client.served.live.training:
        time.sleep(0.05)


def test_a_choice_that_only_the_plan_can_refuse_is_told_too(client):
    """TAP takes no label; nothing is left of the attempt."""
    assert client.post("/train", {"negative": "tap", "hidden": 3}) == (202, None)
    events = client.events(lambda event: "end" in event)
    assert events[-1][1]["end"]["how"] == "refused"
    assert "tap" in events[-1][1]["end"]["words"].lower()
    assert not RunFolder("runs/digits-002").path.exists()
