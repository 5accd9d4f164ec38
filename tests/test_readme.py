"""README tells the truth: its commands and its lines of Python are the ones that run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from harmonium.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.M | re.S)


def test_the_lines_of_python_run_and_learn(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    scores = names["run"].summary["scores"]  # type: ignore[attr-defined]
    assert scores["held_out"]["value"] > scores["held_out"]["baseline"] + 1
    printed = capsys.readouterr().out
    assert "held-out" in printed
    assert f"{scores['held_out']['value']:.3f}" in printed
    images = names["images"]
    assert images.shape == (10, 64)  # type: ignore[attr-defined]
    assert set(images.unique().tolist()) <= {0.0, 1.0}  # type: ignore[attr-defined]


def test_the_two_commands_stand_alone_each_in_a_block() -> None:
    installs = [block.strip() for block in blocks("console") if "pip install" in block]
    assert installs == [
        "pip install -c constraints.txt . && harmonium train",
        "pip install -c constraints.txt -e '.[dev]' && pytest",
    ]


def test_every_option_that_it_shows_exists() -> None:
    for line in (line for block in blocks("console") for line in block.splitlines() if line.startswith("harmonium")):
        _, command, *words = line.split("#")[0].split()
        shown = CliRunner().invoke(main, [command, "--help"]).output
        for option in (word for word in words if word.startswith("--")):
            assert f"{option} " in shown, f"{line!r} uses {option}, which harmonium {command} --help does not list"


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)]+)\)", README))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).is_file()
