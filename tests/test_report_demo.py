"""A demonstration report with made-up content: every block, every awkward case; and what its page must hold to."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from harmonium.plots import save, style
from harmonium.plots.style import BLUE, GREEN, VERMILION, headings, new_figure
from harmonium.report import Figure, Note, Report, Section, Table, Text, Verdict, write_report

HOSTILE = "<script>alert('7')</script>"
MADE_UP = "Made-up content: none of these numbers was measured."


def draw(out: Path):
    """Three figures as the studies draw them, SVG and PNG: curves, a mosaic too large for an SVG, and a wide one."""
    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, 60)
    with style():
        curves = new_figure(7.0, 3.4)
        ax = curves.subplots()
        for colour, end, name in ((BLUE, -133.8, "L8"), (VERMILION, -142.0, "L5"), (GREEN, -122.8, "L55 & <one-hot>")):
            ax.plot(8000 * t, end - 60 * np.exp(-6 * t), color=colour, label=name)
        ax.set(xlabel="updates", ylabel="average log-likelihood (nats per image)")
        ax.legend()
        headings(ax, "Learning curves", "made up")
        mosaic = new_figure(5.0, 2.6)
        ax = mosaic.subplots()
        ax.imshow(rng.random((140, 280)), cmap="gray_r")
        ax.set_axis_off()
        wide = new_figure(11.0, 3.2)
        for ax, digit in zip(wide.subplots(1, 3, sharey=True), "789", strict=True):
            ax.bar(np.arange(8), rng.random(8), color=BLUE)
            ax.set(xlabel="hidden unit", title=f"digit {digit}")
        for name, figure in (("curves", curves), ("mosaic", mosaic), ("wide", wide)):
            save(figure, folder / f"{name}.png")
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


def demo():
    """A report in the shape of the study of digits 7, 8 and 9."""
    table = Table(
        ["model", "hidden units", "report", "here, training", "here, held out", "independent pixels", "rows"],
        [
            ["L5 Bernoulli", 5, "about −150", -142.03, -141.7, -184.3, 21076],
            ["L8 Bernoulli", 8, "−147 ± 1", -133.8, -133.412, -184.3, 21076],
            ["L8 Ising", 8, "−560", -133.8, -133.5, -184.3, 21076],
            ["L55 one-hot", 55, "−146 ± 1", -122.8, float("nan"), -184.3, 21076],
            [f"500 {HOSTILE}", 500, "–", -101.7, -105.0, -184.3, 21076],
        ],
        caption="Average log-likelihood of an image, in nats; higher is better.",
        note="Exact to the digits shown; the last row is <b>not</b> in the report.",
    )
    verdicts = [
        Verdict("No machine of this kind gets beyond −146 nats", "sections 4 and 5", "contradicted",
                "Eight Bernoulli units reach −133.8, with a 95 % interval from −134.1 to −133.5 over 20 seeds."),
        Verdict("Ising units do not work", "section 3", "partly",
                "They reach the same optimum by <i>h</i> = (1 + <i>s</i>)/2; with the report's settings they end "
                "31 nats lower, 95 % interval 27 to 35."),
        Verdict("The number of CD steps hardly matters", "section 3", "confirmed",
                "From 2 to 12 steps the mean differs by 0.4 nats, 95 % interval −0.3 to 1.1."),
        Verdict("Adam, RMSprop and SGD are equally good once tuned", "section 3", "undecided",
                "The 95 % interval of the largest difference, −0.9 to 1.4 nats, holds both 0 and what would matter."),
    ]  # fmt: skip
    return Report(
        title="Digits 7, 8 and 9: what a small Boltzmann machine can learn",
        subtitle="A student report of 2025, done again with exact likelihoods. " + MADE_UP,
        summary=[
            Text("The report ends at −146 and −147 nats and asks whether that is a limit of the machine or of its "
                 "training. It is a matter of training: with the exact gradient the same machines gain 13 nats "
                 "(<a href=\"#cap\">section 1</a>, <a href=\"#figure-curves\">figure 1</a>)."),
            table,
            *verdicts,
        ],
        sections=[
            Section("cap", "Is −146 a cap, or a matter of tuning?", [
                Text("Each machine has so few hidden units that ln <i>Z</i> can be summed exactly, so neither the "
                     "gradient nor the score carries noise:\n\n"
                     "ln <i>p</i>(<b>v</b>) = −<i>F</i>(<b>v</b>) − ln <i>Z</i>, with <i>Z</i> a sum over "
                     "2<sup>8</sup> hidden states. A label such as " + HOSTILE + " is shown as it stands, and so are "
                     "a < b and R&D. The weight <i>w</i><sub>7,<i>μ</i></sub> of the cell is free. " * 2),
                Figure("curves", "Average log-likelihood of the training images against updates. Eight units pass the "
                       "report's value after 2,000 updates.", "Three curves that rise and level off, L55 highest."),
                Note("The report gives no threshold; a lower one than <code>pixel > 127</code> costs 5 to 20 nats."),
                Text("What the curves show holds for each of twenty seeds. " * 4),
                Figure("mosaic", "Drawn digits, one row a machine.", "A mosaic of grey noise."),
            ], lead="No. The optimum of eight Bernoulli units lies at −133.8 nats, 13 above the report."),
            Section("activation", "Which hidden units does each digit use?", [
                Figure("wide", "How often each hidden unit is on, a digit a panel.", "Three bar charts of eight bars."),
                Note("With a temperature of 1/20 every chain stays where it began, so that these digits are no "
                     "samples of the model.", "warning"),
                Table(["digit", "drawn as 7", "drawn as 8", "drawn as 9"],
                      [["7", 0.81, 0.02, 0.17], ["8", 0.05, 0.9, 0.05], ["9", 0.11, 0.04, 0.85]],
                      caption="Rows: the digit whose image began the chain."),
                Text("Digits without any unit switched on look like an 8. " * 5),
            ], lead="An 8 needs none: the visible bias alone draws it."),
            Section("optimisers", "Do the optimisers differ once they are tuned, and by how much?", [
                Text("A paragraph. " * 40), Figure("curves", "The same figure again.", "Three curves."),
            ]),
        ],
        facts={
            "data": "MNIST, digits 7, 8, 9", "rows": "21,076", "binarisation": "pixel > 127", "seeds": "0 to 19",
            "machine": "2 cores, 24 GiB", "threads": "1", "seconds": "1,804",
            "versions": "harmonium 0.1.0, torch 2.13.0, Python 3.11.7",
            "command": "harmonium reproduce mnist-789 --out results/mnist-789 --seeds 20 --threads 1",
            "settings": "L8: RMSprop, rate 0.05, 400 epochs of 20 minibatches (10 to 500 images), CD-2, L2 0.001",
        },
        numbers={"L8": {"train": np.float64(-133.8), "seeds": np.arange(3), "nan": float("nan")}, "ok": True},
    )  # fmt: skip


# ---- what a page must hold to -----------------------------------------------------------------------------------

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
ADDRESSES = {"src", "href", "xlink:href", "srcset", "poster", "data", "action", "formaction", "background", "ping"}


class Page(HTMLParser):
    """Reads a page and notes in `faults` what is not well formed, not alone, or not safe."""

    def __init__(self, html):
        super().__init__()
        self.faults, self.ids, self.links, self.words = [], [], [], []
        self.headings, self.landmarks, self.scripts, self.drawings = [], [], [], []
        self._open = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self._open]
        self.faults += [f"id {name} stands twice" for name in {x for x in self.ids if self.ids.count(x) > 1}]
        self.faults += [f"link to nowhere: {link}" for link in self.links if link not in self.ids]

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)
        if tag == "svg":
            self.drawings.append(({}, []))

    def handle_startendtag(self, tag, attrs):
        values = dict(attrs)
        if len(values) < len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag in ("img", "svg") and not (values.get("alt") or values.get("aria-label") or "aria-hidden" in values):
            self.faults.append(f"<{tag}> says nothing to those who cannot see it")
        for name, value in values.items():
            if name.startswith("on"):
                self.faults.append(f"<{tag}> runs a script: {name}")
            if name in ADDRESSES and not (value or "").startswith(("#", "data:image/png;base64,")):
                self.faults.append(f"<{tag}> asks for {value}")
            self._references(value or "")
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values.get("href", "")[1:])
        if "svg" in self._open:
            own, referred = self.drawings[-1]
            own[values.get("id")] = tag
            referred += [v[1:] for n, v in values.items() if n == "href" and v.startswith("#")]
            referred += [found for v in values.values() for found in re.findall(r"url\(#(.*?)\)", v or "")]
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)
        if tag in ("header", "nav", "main", "footer"):
            self.landmarks.append(tag)

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_data(self, data):
        if self._open and self._open[-1] == "style":
            self._references(data)
            if "@import" in data:
                self.faults.append("a style imports")
        elif self._open and self._open[-1] == "script":
            self.scripts.append(data)
        else:
            self.words.append(data)

    def _references(self, text):
        for target in re.findall(r"url\(['\"]?(.*?)['\"]?\)", text):
            if not target.startswith("#"):
                self.faults.append(f"a style asks for {target}")


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    draw(out)
    return write_report(demo(), out).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


@pytest.mark.parametrize(
    "planted",
    [
        "<p><b>x</p></b>",
        "<p>",
        "</p>",
        '<p id="a"></p><p id="a"></p>',
        '<a href="#gone">x</a>',
        '<img alt="x" src="https://example.org/x.png">',
        '<img src="data:image/png;base64,">',
        '<p onclick="x()"></p>',
        "<style>@import 'x.css';</style>",
        "<style>p { background: url('//example.org/x') }</style>",
        '<p style="background: url(x.png)"></p>',
        '<script src="x.js"></script>',
        '<link href="x.css">',
    ],
)
def test_the_reader_of_pages_sees_planted_faults(planted):
    assert Page(planted).faults


def test_the_page_is_well_formed_alone_and_accessible(page):
    assert page.faults == []
    assert page.landmarks == ["header", "nav", "main", "footer"]
    assert page.headings[0] == "h1"
    assert page.headings.count("h1") == 1


def test_no_address_stands_anywhere_in_the_page(html):
    assert "://" not in html


def test_hostile_text_is_shown_and_never_run(html, page):
    assert HOSTILE not in html
    assert "".join(page.words).count(HOSTILE) >= 2  # the text and the cell
    assert "a < b and R&D" in "".join(page.words)
    (script,) = page.scripts
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{allowed}'" in html  # nothing else may run, whatever slipped through
    assert "default-src 'none'" in html


def test_everything_in_the_report_is_in_the_page(page):
    words = re.sub(r"\s+", " ", "".join(page.words))
    report = demo()
    verdicts = [(block.claim, block.where) for block in report.summary if isinstance(block, Verdict)]
    parts = [report.title, report.subtitle, *report.facts.values(), *(t for pair in verdicts for t in pair)]
    parts += [section.title for section in report.sections] + ["Figure 4.", "Table 2.", "Contradicted", "Undecided"]
    assert [part for part in parts if part not in words] == []
    assert "4 claims: 1 confirmed, 1 contradicted, 1 partly, 1 undecided." in words


def test_a_drawing_refers_to_itself_alone(page):
    """Matplotlib names its marks alike in every figure; the same figure twice is the hardest case."""
    drawings = [(own, referred) for own, referred in page.drawings if referred]
    assert len(drawings) == 3  # the curves twice and the wide figure; the mosaic is a picture
    for own, referred in drawings:
        assert set(referred) <= set(own)


def test_a_large_mosaic_comes_as_a_picture(html):
    assert html.count("data:image/png") == 1
