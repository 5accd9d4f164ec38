"""The page in a real browser: it fits every width, its script runs, its drawings are drawn; skipped without Chromium.

The page is put into frames of several widths (srcdoc, so that the frame around may read it), which measure it and
write what they find into their own document; the browser prints that and ends.
"""

import json
import os
import re
import shutil
import subprocess
from html import unescape

import pytest

from harmonium.report import write_report
from test_report_demo import demo, draw

WIDTHS = (320, 375, 800, 1280)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--hide-scrollbars")  # fmt: skip

MEASURE = """
const found = [];
for (const frame of document.querySelectorAll("iframe")) frame.addEventListener("load", () => {
  const page = frame.contentDocument, view = frame.contentWindow, root = page.scrollingElement;
  const shown = (selector) => [...page.querySelectorAll(selector)].filter((e) => e.getClientRects().length).length;
  const scroller = page.querySelector(".scroller");
  page.querySelectorAll(".broad .sort")[3]?.click();
  found.push({
    width: frame.width * 1, inner: view.innerWidth, scroll: root.scrollWidth, unfolded: shown(".unfolded"),
    folded: shown(".folded"), enlarged: page.querySelectorAll(".canvas > .enlarge > :is(svg, img)").length,
    canvases: page.querySelectorAll(".canvas").length, table: scroller.scrollWidth - scroller.clientWidth,
    text: page.querySelector("#cap p:not(.lead)").getBoundingClientRect().width,
    size: parseFloat(view.getComputedStyle(page.querySelector("#cap p:not(.lead)")).fontSize),
    wide: page.querySelector("figure.wide .canvas").getBoundingClientRect().width,
    unseen: [...page.querySelectorAll("svg use:not([href$='-20'], [href$='-3'])")]  // glyphs of spaces
      .map((e) => e.getBoundingClientRect()).filter((box) => !(box.width || box.height)).length,
    marks: page.querySelectorAll("svg use").length,
    sorted: [...page.querySelectorAll(".broad tbody tr")].map((row) => row.cells[3].textContent),
  });
  if (found.length === document.querySelectorAll("iframe").length)
    document.body.textContent = "FOUND" + JSON.stringify(found) + "END";
});
"""


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """What each frame measured, by its width."""
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    out = tmp_path_factory.mktemp("browser")
    draw(out)
    page = write_report(demo(), out).read_text(encoding="utf-8")
    boxes = "".join(f'<iframe width="{width}" height="800"></iframe>' for width in WIDTHS)
    fill = f'for (const f of document.querySelectorAll("iframe")) f.srcdoc = {json.dumps(page)};'.replace("</", "<\\/")
    around = out / "around.html"
    around.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{boxes}<script>{MEASURE}{fill}</script>", "utf-8")
    home = {**os.environ, "HOME": str(out)}
    command = [BROWSER, *QUIET, f"--user-data-dir={out / 'profile'}", "--virtual-time-budget=8000", "--dump-dom"]
    done = subprocess.run([*command, around.as_uri()], capture_output=True, text=True, timeout=90, env=home)
    found = re.search(r"FOUND(.*?)END", done.stdout)
    assert found, done.stderr[-2000:]
    return {frame["width"]: frame for frame in json.loads(unescape(found[1]))}


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_never_scrolls_sideways(frames, width):
    assert frames[width]["inner"] == width
    assert frames[width]["scroll"] == width


def test_wide_tables_scroll_inside_themselves_on_a_phone(frames):
    assert frames[375]["table"] > 0
    assert frames[1280]["table"] == 0


def test_the_contents_stand_beside_the_text_or_are_folded(frames):
    assert [(frames[w]["unfolded"], frames[w]["folded"]) for w in WIDTHS] == [(0, 1), (0, 1), (0, 1), (1, 0)]


def test_lines_have_about_seventy_letters_and_wide_figures_more_room(frames):
    """A letter takes about 0.45 em of a text face, 0.55 em of the widest."""
    wide = frames[1280]
    assert 60 < wide["text"] / (0.48 * wide["size"]) < 80
    assert wide["wide"] > 1.3 * wide["text"]


def test_the_script_runs_under_the_policy_of_the_page(frames):
    for frame in frames.values():
        assert frame["enlarged"] == frame["canvases"] == 4
        assert frame["sorted"][0] == "−142.03"
        assert frame["sorted"][-1] == "−101.70"


def test_what_drawings_refer_to_is_drawn(frames):
    """A <use> whose target is missing, or was renamed otherwise, has no extent."""
    for frame in frames.values():
        assert frame["marks"] > 100
        assert frame["unseen"] == 0
