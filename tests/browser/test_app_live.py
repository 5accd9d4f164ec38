"""The served page in a real browser: a training is started, watched, paused, resumed and stopped; nothing else is asked
of any network, and nothing is complained of.
"""

import threading

import pages
import pytest
from pages import SEVEN, draw, settle, until

from harmonium.runs.folder import RunFolder

pytest.importorskip("uvicorn")
from harmonium.app.server import make_server

pytestmark = pytest.mark.browser

SHOWN = "document.querySelectorAll('.state > canvas')[1].toDataURL()"
STEPS = "harmonium.data.panels.at(-1).states[1].snapshots.map((one) => one.step)"
HELD = "harmonium.data.tensors.filter((one) => one !== null).length"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server with one untrained machine of 8 × 8 pixels; its runs lie in `folder`."""
    folder = tmp_path_factory.mktemp("served")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    own = make_server([pages.of_every_family()[0]], port=0)
    own.folder = folder
    thread = threading.Thread(target=own.run)
    thread.start()
    yield own
    own.stop()
    thread.join()
    own.close()
    patch.undo()


@pytest.fixture
def visited(browser, served):
    """A function that opens the served page; the test fails where it complained, or asked another server."""
    wrong, contexts = [], []

    def visit(width=1280, dark=False, complaints=()):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", locale="en"
        )
        contexts.append(context)
        tab = context.new_page()

        def said(line):
            if line.type in ("error", "warning") and not any(words in line.text for words in complaints):
                wrong.append(line.text)

        tab.on("console", said)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("request", lambda one: None if one.url.startswith((served.address, "data:")) else wrong.append(one.url))
        tab.goto(served.address)
        until(tab, "Boolean(window.harmonium?.live)")
        return tab

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []


def longer(tab, condition):
    """As `until`, for what a fresh process must start first."""
    for _ in range(600):
        if tab.evaluate(condition):
            return
        tab.wait_for_timeout(50)
    raise AssertionError(f"{condition}\n{tab.inner_text('#live')}")


def test_a_wrong_option_is_refused_in_the_page_by_the_sentence_of_the_command_line(visited):
    tab = visited(complaints=("400 (Bad Request)",))
    tab.fill("#live-hidden", "0")
    tab.click("#live-start")
    until(tab, "!document.getElementById('live-error').hidden")
    assert tab.inner_text("#live-error") == "hidden must be a whole number from 1 to 2,000, not 0."
    assert tab.locator("#live-form").is_visible()


def test_a_machine_learns_while_one_looks_on(visited, served, artefacts):
    tab = visited()
    draw(tab, SEVEN)
    drawn = tab.evaluate("Array.from(harmonium.now.grey)")
    tab.screenshot(path=artefacts / "app-before-1280-light.png", full_page=True)
    tab.fill("#live-hidden", "12")
    tab.fill("#live-epochs", "150")
    tab.click("#live-start")
    longer(tab, "harmonium.data.panels.length === 2 && harmonium.live.total > 0")
    assert tab.evaluate("Array.from(harmonium.now.grey)") == drawn  # what was drawn stays
    tab.click("#step")
    longer(tab, f"{STEPS}.length > 3")
    first, seen = tab.evaluate(STEPS), tab.evaluate(SHOWN)
    assert first[:2] == [0, 1]
    longer(tab, f"{STEPS}.length > {len(first) + 3}")
    settle(tab)
    assert tab.evaluate(SHOWN) != seen  # the picture changes by itself
    assert tab.evaluate("harmonium.dream.chain.machine === harmonium.now.models[1]")  # the chain has gone along
    assert tab.evaluate("harmonium.dream.chain.steps") == 1
    longer(tab, "harmonium.live.records.length > 2")

    tab.click("#live-pause")
    longer(tab, "document.getElementById('live-pause').textContent === 'Resume'")
    paused = tab.evaluate(STEPS)
    assert tab.evaluate("harmonium.now.at[1]") == len(paused) - 1
    looks(visited, artefacts, paused)
    tab.wait_for_timeout(500)
    assert tab.evaluate(STEPS) == paused

    slider = tab.locator("#state-1-slider")
    slider.focus()
    tab.keyboard.press("Home")  # who looks back is left there
    settle(tab)
    assert tab.evaluate(SHOWN) == tab.evaluate(SHOWN.replace("[1]", "[0]"))
    tab.locator("#live-pace").focus()
    tab.keyboard.press("ArrowRight")
    tab.click("#live-pause")
    longer(tab, f"{STEPS}.at(-1) > {paused[-1] + 50}")
    assert tab.evaluate("harmonium.now.at[1]") == 0
    tab.click("#live-stop")
    longer(tab, "!document.getElementById('live-form').hidden")
    steps = tab.evaluate(STEPS)
    folder = RunFolder(served.folder / "runs" / "digits-001")
    assert folder.complete
    assert folder.read_json("summary.json")["steps"] == steps[-1] < 150 * 13
    assert "runs/digits-001 holds the run" in tab.inner_text("#live-where")
    measured = tab.evaluate("harmonium.live.records.map((own) => own.train)")
    assert measured == [own["train"] for own in folder.read_history()]
    assert measured[-1] > measured[0] + 3  # nats
    assert max(tab.evaluate("Object.values(harmonium.selfTest())")[:4]) < 1e-4
    assert tab.evaluate(HELD) <= 3 * (len(steps) + 4) + 3  # what the slider has dropped is not kept
    tab.screenshot(path=artefacts / "app-after-1280-light.png", full_page=True)

    late = visited(width=390)
    longer(late, f"harmonium.data.panels.length === 2 && {STEPS}.length === {len(steps)}")
    assert late.evaluate(STEPS) == steps  # who comes late is told all that is left


def looks(visited, artefacts, steps):
    """The page of a training that is paused, in all its looks."""
    for width in (1280, 390):
        for dark in (False, True):
            tab = visited(width, dark)
            longer(tab, f"harmonium.data.panels.length === 2 && {STEPS}.length === {len(steps)}")
            settle(tab)
            for other in (width, 320, 800) if dark else (width,):
                tab.set_viewport_size({"width": other, "height": 900})
                settle(tab)
                assert tab.evaluate("document.scrollingElement.scrollWidth") == other
            tab.set_viewport_size({"width": width, "height": 900})
            settle(tab)
            name = f"app-{width}-{'dark' if dark else 'light'}.png"
            tab.screenshot(path=artefacts / name, full_page=True)
            tab.context.close()
