"""A study as a page of the documentation.

    HARMONIUM_DATA=... python benchmarks/study_page.py FOLDER      writes docs/NAME.md and its figures

FOLDER is that of ``harmonium reproduce NAME --out FOLDER``; what is not in it yet is computed first: about an hour on
two processors for an empty one.  ``--only PART`` takes these parts and what is there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from harmonium.experiments import find_experiment
from harmonium.experiments.study import reproduce
from harmonium.report.markdown import write_markdown

DOCS = Path(__file__).parents[1] / "docs"
#: The figures that a page shows; the others are in the study's own report.
SHOWN = {
    "mnist-789": ("fig4", "fig5", "fig6b-states-L5", "fig7-L8", "cap", "equal-size", "steps", "generated-5"),
    "digits": ("states-one-machine", "states-deep", "ways", "features-weights", "dbn-samples", "labels"),
    "voice": ("confusion", "regeneration"),
    "records": ("curve-16", "curve-25", "curve-100", "curve-500", "curve-500-long", "curve-2000", "samples-500-long"),
    "multivalued": (
        "fig2",
        "fig3",
        "every-s",
        "equal-likelihood",
        "against",
        "fig6",
        "noise-differences",
        "rivals",
        "sixty",
    ),
}


def main() -> None:
    """Finish the study, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, metavar="FOLDER", help="the folder of the study")
    parser.add_argument("--only", action="append", default=[], metavar="PART")
    arguments = parser.parse_args()
    study = arguments.study
    name = json.loads((study / "study.json").read_text())["study"]
    say = lambda line: print(line, file=sys.stderr)  # noqa: E731, T201
    done = reproduce(find_experiment(name), study, only=arguments.only, say=say)
    shown = [figure for figure in SHOWN[name] if (study / "figures" / f"{figure}.png").is_file()]
    figures = DOCS / "figures" / name
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir(parents=True)
    for figure in shown:
        shutil.copy(study / "figures" / f"{figure}.png", figures)
    write_markdown(done.page, DOCS / f"{name}.md", f"figures/{name}", shown)


if __name__ == "__main__":
    main()
