"""One browser and two pages for the tests of this folder; a page that asks a network for anything, or complains, fails.

Screenshots go to $HARMONIUM_ARTEFACTS, or a temporary folder.
"""

import os
import shutil
from pathlib import Path

import pages
import pytest

from harmonium.app.page import page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The pages as files, by name."""
    folder, made = tmp_path_factory.mktemp("pages"), {}
    makers = {
        "two": lambda: [pages.small(), pages.large(30)],
        "large": lambda: [pages.large()],
        "families": pages.of_every_family,
        "networks": lambda: pages.of_every_family()[-1:],
    }

    def path(name):
        if name not in made:
            made[name] = page(makers[name](), folder / f"{name}.html")
        return made[name]

    return path


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory):
    folder = os.environ.get("HARMONIUM_ARTEFACTS")
    path = Path(folder) if folder else tmp_path_factory.mktemp("screenshots")
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def opened(browser, site):
    """A function that opens a page and returns it; the test fails where it asked for anything or complained."""
    wrong, contexts = [], []

    def open_page(name="two", width=1280, dark=False, **more):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", **more
        )
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda line: wrong.append(line.text) if line.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        own = site(name).as_uri()
        tab.on("request", lambda one: None if one.url == own or one.url == "data:," else wrong.append(one.url[:200]))
        tab.goto(own)
        pages.until(tab, "Boolean(window.harmonium)")
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []
