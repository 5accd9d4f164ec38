"""The study of MNIST's 7, 8 and 9 as a page of the documentation.

    HARMONIUM_DATA=... python benchmarks/mnist_789.py STUDY      writes docs/mnist-789.md and its figures

STUDY is the folder of ``harmonium reproduce mnist-789 --out STUDY``; what is not in it yet is computed first: about
an hour on two processors for an empty one.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from harmonium.experiments import find_experiment
from harmonium.experiments.study import reproduce
from harmonium.report.markdown import write_markdown

DOCS = Path(__file__).parents[1] / "docs"
#: The figures that the page shows; the others are in the study's own report.
SHOWN = ("fig4", "fig5", "fig6b-states-L5", "fig7-L8", "cap", "equal-size", "steps", "generated-5")


def main() -> None:
    """Finish the study, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="the folder of the study")
    study = parser.parse_args().study
    done = reproduce(find_experiment("mnist-789"), study, say=lambda line: print(line, file=sys.stderr))  # noqa: T201
    figures = DOCS / "figures" / "mnist-789"
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir(parents=True)
    for name in SHOWN:
        shutil.copy(study / "figures" / f"{name}.png", figures)
    write_markdown(done.page, DOCS / "mnist-789.md", "figures/mnist-789", SHOWN)


if __name__ == "__main__":
    main()
