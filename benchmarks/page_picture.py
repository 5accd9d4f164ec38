"""The picture of the demonstration page in the documentation.

    HARMONIUM_DATA=... python benchmarks/page_picture.py [RUN]      writes docs/figures/page.png

Without RUN a machine with 300 hidden units is trained on MNIST first, about three minutes on one processor; that needs
the files of MNIST.  The page is opened in a Chromium that playwright drives (the extra [browser]), a digit is drawn,
and the chain runs for a while from it.
"""

from __future__ import annotations

import argparse
import io
import math
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import harmonium as hm

PICTURE = Path(__file__).parents[1] / "docs" / "figures" / "page.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: A three, as points from 0 to 1: two arcs (centre, radius, first and last angle in degrees, clockwise from the right).
ARCS = (((0.48, 0.31), 0.17, -160, 80), ((0.47, 0.66), 0.19, -80, 150))
DRAWING = [
    (x + 1.1 * radius * math.cos(math.radians(angle)), y + radius * math.sin(math.radians(angle)))
    for (x, y), radius, first, last in ARCS
    for angle in range(first, last, 10)
]
WIDTH, STEPS, COLOURS, MOST_BYTES = 1280, 200, 256, 200_000
OPTIONS = {
    "hidden": "bernoulli:300", "target": "label", "objective": "joint", "learning_rate": 0.05, "epochs": 8,
    "measure": 4,
}  # fmt: skip


def main() -> None:
    """Train if need be, write the page, use it, and keep its picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", metavar="RUN", help="a run on digits of 28 × 28 pixels")
    run = parser.parse_args().run
    with tempfile.TemporaryDirectory() as folder:
        if run is None:
            run = Path(folder) / "mnist"
            hm.train("mnist", out=run, progress=True, **OPTIONS)
        image = Image.open(io.BytesIO(photographed(hm.page([run], Path(folder) / "page.html"))))
    few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(PICTURE, optimize=True)
    if PICTURE.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{PICTURE} has {PICTURE.stat().st_size} bytes, more than {MOST_BYTES}.")


def photographed(page: Path) -> bytes:
    """A PNG of the whole page in use."""
    browser = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = chromium.new_page(viewport={"width": WIDTH, "height": 900})
        tab.goto(page.as_uri())
        box = tab.locator("#pad").bounding_box()
        assert box is not None
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in DRAWING]
        tab.mouse.move(*points[0])
        tab.mouse.down()
        for x, y in points[1:]:
            tab.mouse.move(x, y, steps=2)
        tab.mouse.up()
        tab.wait_for_timeout(200)
        tab.evaluate("(steps) => harmonium.dream.advance(steps)", STEPS)
        tab.evaluate("scrollTo(0, 0)")
        picture = tab.screenshot(full_page=True)
        chromium.close()
    return picture


if __name__ == "__main__":
    main()
