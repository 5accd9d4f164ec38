"""A report as Markdown says what the page says, and nothing in it can break the page that it becomes."""

import re

from harmonium.report import Figure, Note, Report, Section, Table, Text, Verdict
from harmonium.report.markdown import markdown, write_markdown


def report(*blocks):
    section = Section("one", "Section one", blocks, lead="The <b>answer</b>.")
    return Report("Title", "Subtitle", [Text("First.\n\nSecond.")], [section], {"data": "digits"}, {})


def test_every_block_is_there_in_its_order():
    page = markdown(
        report(
            Text("Some <i>words</i> with a<sub>i</sub>."),
            Verdict("It holds", "section 2", "confirmed", "1 ± 2."),
            Verdict("It does not", "figure 3", "contradicted", "3 ± 4."),
            Table(("name", "value"), [["a|b", 1.5], ["c", 22.25]], "Caption.", "A note."),
            Figure("curve", "What to see.", "A curve."),
            Note("Mind <code>this</code>.", "warning"),
        )
    )
    pieces = [
        "# Title", "* data: digits", "First.\n\nSecond.", "## Section one", "**The answer.**",
        "Some *words* with a<sub>i</sub>.", "* **Confirmed** — It holds (section 2). 1 ± 2.\n* **Contrad",
        "**Table 1.** Caption.", "| name | value |\n| --- | ---: |\n| a\\|b | 1.50 |\n| c | 22.25 |", "A note.",
        "![A curve.](figures/curve.png)", "*What to see.*", "> **Warning.** Mind `this`.",
    ]  # fmt: skip
    places = [page.index(piece) for piece in pieces]
    assert places == sorted(places)
    assert "\n\n\n" not in page


def test_figures_can_be_chosen_and_found_elsewhere(tmp_path):
    shown = [Figure("a", "Caption a.", "Alt a."), Figure("b", "Caption b.", "Alt b.")]
    path = write_markdown(report(*shown), tmp_path / "page.md", "pictures/x", ["b"])
    assert re.findall(r"!\[.*?\]\((.*?)\)", path.read_text()) == ["pictures/x/b.png"]
    assert "Caption a." not in path.read_text()
    assert "## Section one" in path.read_text()
    bare = Report("T", "S", [], [Section("two", "Section two", shown)], {}, {})
    assert "Section two" not in markdown(bare, only=[])


def test_foreign_markup_is_shown_and_not_obeyed():
    page = markdown(report(Text("<script>alert(1)</script> <a href='https://x.y'>x</a>")))
    assert "<script>" not in page
    assert "<a href" not in page
    assert "alert(1)" in page
