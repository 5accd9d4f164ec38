"""The parts of the report page: markup, cells, figures, numbers, refusals, colours."""

import json
import math
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import harmonium.report
from harmonium.errors import HarmoniumError, InputError
from harmonium.report import (
    Figure,
    Note,
    Report,
    Section,
    Table,
    Text,
    Verdict,
    escape,
    write_numbers,
    write_report,
)
from harmonium.report.markup import inline, paragraphs
from harmonium.report.tables import column_of_text, columns_aligned
from test_report_demo import Page, demo

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 72 36">{}</svg>'


def report(*blocks, **changes):
    empty = {"title": "t", "subtitle": "", "summary": blocks, "sections": (), "facts": {}, "numbers": {}}
    return Report(**empty | changes)


def page_of(out, *blocks, **changes):
    return write_report(report(*blocks, **changes), out).read_text(encoding="utf-8")


def drawn(tmp_path, inside, name="f"):
    (tmp_path / "figures").mkdir(exist_ok=True)
    (tmp_path / "figures" / f"{name}.svg").write_text(SVG.format(inside), encoding="utf-8")
    return page_of(tmp_path, Figure(name, "c", "a"))


# ---- markup -----------------------------------------------------------------------------------------------------

OURS = ["<b>", "</b>", "<i>", "</i>", "<sub>", "</sub>", "<br>", '<a href="#x">', "</a>", "&amp;", "a", " ", "\n\n"]
FOREIGN = ["<script>", '<a href="http:x">', "</div>", "<!--", "-->", "&", "<", ">", '<b class="x">', '"', "<a>", "</p>"]
tags = st.sampled_from(OURS + FOREIGN)


@given(st.lists(tags, max_size=12).map("".join))
def test_markup_is_balanced_and_safe_whatever_comes_in(text):
    page = Page(f'<p id="x">{inline(text, {"x"})}</p>')
    assert page.faults == []


@given(st.text(max_size=40))
def test_escaped_text_is_shown_as_it_stands(text):
    kept = str(inline(escape(text)))
    assert "<" not in kept
    assert unescape(kept).replace("\N{NO-BREAK SPACE}", " ") == text.replace("\N{NO-BREAK SPACE}", " ")


def test_links_to_what_the_report_lacks_become_text():
    assert inline('<a href="#x">one</a> <a href="#y">two</a>', {"x"}) == '<a href="#x">one</a> two'


def test_blank_lines_and_paragraph_tags_part_paragraphs():
    assert paragraphs("one\n\ntwo\nstill two") == ["one", "two\nstill two"]
    assert paragraphs("<p>one</p> <p>two</p>") == ["one", "two"]


# ---- cells ------------------------------------------------------------------------------------------------------


def test_numbers_of_a_column_share_their_decimals():
    assert column_of_text([-1.5, 0.117, 2]) == ["−1.500", "0.117", "2"]
    assert column_of_text([21076, 1234567.5, math.nan, -math.inf]) == ["21,076", "1,234,568", "–", "−∞"]
    assert column_of_text([np.float32(0.5), np.int64(-3), "x < y"]) == ["0.5", "−3", "x < y"]
    assert column_of_text([1.5e-7, 0.25]) == ["1.50 × 10⁻⁷", "0.25"]


@given(st.lists(st.floats(1e-4, 9e5), min_size=1, max_size=5), st.sampled_from([-1, 1]))
def test_a_number_in_a_cell_is_the_number_to_six_digits(values, sign):
    for value, cell in zip(values, column_of_text([sign * v for v in values]), strict=True):
        assert float(cell.replace(",", "").replace("−", "-")) == pytest.approx(sign * value, rel=1e-5)


def test_numbers_stand_on_the_right_and_words_on_the_left():
    rows = [["7", 1, "−147 ± 1", "about −150", "no", "–"], ["8", 2.5, "–", "> 3", "3 of 4", "–"]]
    assert columns_aligned(rows, 6) == "lrrrll"
    assert columns_aligned([[7]], 1) == "r"


# ---- figures ----------------------------------------------------------------------------------------------------


def test_a_missing_figure_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"figure 'curves' is missing: .*curves\.svg.*; draw it before the report\.$"):
        page_of(tmp_path, Figure("curves", "c", "a"))
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("name", "content"), [("f.svg", "<svg"), ("f.svg", "<p/>"), ("f.svg", SVG[:60]), ("f.png", "no")]
)
def test_a_damaged_figure_is_one_sentence(tmp_path, name, content):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / name).write_text(content)
    with pytest.raises(InputError, match="draw the figure again"):
        page_of(tmp_path, Figure("f", "c", "a"))


def test_what_reaches_beyond_the_page_is_left_out_of_a_drawing(tmp_path):
    hostile = """<script>alert(1)</script><g onload="alert(2)"><a xlink:href="https://x.org/"><rect width="3"/></a></g>
      <foreignObject><p>x</p></foreignObject><image xlink:href="https://x.org/x.png" width="1"/>
      <style>@import "https://x.org"; rect{fill: red} p{background: url(https://x.org)}</style>
      <circle fill="url(https://x.org/#a)" r="2"/><text>a &lt;script&gt; &amp; b</text>"""
    html = drawn(tmp_path, hostile)
    assert Page(html).faults == []
    assert "x.org" not in html
    assert "alert" not in html
    assert '<rect width="3"/>' in html
    assert '<circle r="2"/>' in html
    assert "a &lt;script&gt; &amp; b</text>" in html


def test_the_style_of_a_drawing_holds_for_it_alone(tmp_path):
    html = drawn(tmp_path, "<style>*{stroke-linecap: butt} g, path{fill: red}</style>")
    inside = re.search(r"<svg class=\"(\w+)\".*?<style>(.*?)</style>", html, re.DOTALL)
    for rule in re.findall(r"([^{}]+)\{", inside[2]):
        assert all(selector.startswith(f".{inside[1]} ") for selector in rule.split(","))


# ---- numbers ----------------------------------------------------------------------------------------------------


def test_numbers_come_back_as_they_were(tmp_path):
    numbers = {"b": np.arange(3), "a": {2: torch.tensor([0.1, math.inf]), "x": (None, True, "é")}, "n": np.float32(0.5)}
    path = write_numbers(report(numbers=numbers), tmp_path / "new")
    assert path == tmp_path / "new" / "numbers.json"
    text = path.read_text(encoding="utf-8")
    back = {"a": {"2": [pytest.approx(0.1), None], "x": [None, True, "é"]}, "b": [0, 1, 2], "n": 0.5}
    assert json.loads(text) == back
    assert list(json.loads(text)) == ["a", "b", "n"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=3))
def test_any_numbers_come_back_with_null_for_what_is_not_finite(tmp_path_factory, numbers):
    def finite(value):
        if isinstance(value, dict):
            return {key: finite(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [finite(inner) for inner in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    path = write_numbers(report(numbers=numbers), tmp_path_factory.getbasetemp() / "any-numbers")
    assert json.loads(path.read_text(encoding="utf-8")) == finite(numbers)


def test_numbers_that_json_cannot_hold_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"numbers\['a'\]\[1\] is a object"):
        write_numbers(report(numbers={"a": [1, object()]}), tmp_path)
    with pytest.raises(InputError, match="two keys of one name"):
        write_numbers(report(numbers={"1": 0, 1: 0}), tmp_path)


# ---- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Verdict("c", "w", "maybe", "e"), "verdict='maybe' is unknown; use one of confirmed"),
        (lambda: Note("x", "hint"), "kind='hint' is unknown"),
        (lambda: Figure("../x", "c", "a"), "cannot name a figure"),
        (lambda: Figure("x", "c", " "), "say in words what it shows"),
        (lambda: Table(["a"], [[1, 2]]), r"rows\[0\] has 2 cells under 1 headings"),
        (lambda: Table(["a"], [[None]]), "a cell of type NoneType"),
        (lambda: Table([], []), "head is empty"),
        (lambda: Table(["a", "b"], [], align="l"), "align='l' does not fit"),
        (lambda: Section("7th", "t", []), "id='7th' cannot be"),
        (lambda: Section("summary", "t", []), "id='summary' cannot be"),
        (lambda: report(sections=[Section("a", "t", [])] * 2), "id='a' names two sections"),
    ],
)
def test_blocks_that_a_page_cannot_show_are_refused(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_a_foreign_block_is_refused(tmp_path):
    with pytest.raises(InputError, match="blocks has a str"):
        page_of(tmp_path, "text")


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(HarmoniumError, match="choose another"):
        page_of(tmp_path / "out", Text("x"))


def test_an_empty_report_is_still_a_page(tmp_path):
    assert Page(page_of(tmp_path)).faults == []


# ---- the package ------------------------------------------------------------------------------------------------


def test_the_same_report_gives_the_same_bytes(tmp_path):
    blocks = [block for block in demo().summary if not isinstance(block, Figure)]
    assert page_of(tmp_path / "a", *blocks) == page_of(tmp_path / "b", *blocks)


def test_blocks_cost_no_heavy_import():
    heavy = "('torch', 'numpy', 'jinja2', 'matplotlib')"
    code = f"import sys, harmonium.report; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- colours: WCAG 2.2, criterion 1.4.3 -------------------------------------------------------------------------


def palettes():
    """The colours of the light page, the dark one and paper."""
    css = (Path(harmonium.report.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")
    found = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    ]
    light, dark, paper = found
    return {"light": light, "dark": light | dark, "paper": light | paper}


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark", "paper"])
def test_text_stands_out_from_what_is_behind_it(scheme):
    colours = palettes()[scheme]
    washes = {name: f"{name}-wash" for name in ("confirmed", "contradicted", "partly", "undecided")}
    pairs = [(text, back) for text in ("ink", "muted", "link") for back in ("paper", "panel", *washes.values())]
    pairs += [*washes.items(), ("note", "panel"), ("warning", "contradicted-wash")]
    for text, back in pairs:
        low, high = sorted([luminance(colours[text]), luminance(colours[back])])
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, back)
