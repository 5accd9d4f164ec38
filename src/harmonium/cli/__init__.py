"""The command line: it parses, calls, prints, and holds no logic.  torch is imported only when a command runs.

Exit codes: 0 success, 1 failed run, 2 bad usage, 3 diverged, 130 and 143 interrupted or terminated, after a checkpoint.
"""

from __future__ import annotations

import click

from harmonium import __version__
from harmonium.cli.app import app
from harmonium.cli.check import check
from harmonium.cli.evaluate import evaluate
from harmonium.cli.export import export
from harmonium.cli.page import page
from harmonium.cli.predict import predict
from harmonium.cli.reproduce import reproduce
from harmonium.cli.sample import sample
from harmonium.cli.search import search
from harmonium.cli.shared import Explained
from harmonium.cli.train import train
from harmonium.cli.validate import validate

_WIDTH = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Explained, context_settings=_WIDTH)
@click.version_option(__version__, prog_name="harmonium")
@click.option("--traceback", is_flag=True, help="Show where in the program an error arose.")
def main(traceback: bool) -> None:
    """Restricted Boltzmann Machines: train, score and sample them.

    \b
    harmonium train                                  the bundled digits
    harmonium train mnist --hidden bernoulli:100     larger ones
    harmonium train mnist --layers 500,500,2000      machines stacked
    harmonium evaluate runs/digits-001               how good is it?
    harmonium validate digits --seeds 10             how good over seeds?
    harmonium sample runs/digits-001 --clamp upper   complete the lower half
    harmonium predict runs/digits-001 new.npy        which class is each row?
    harmonium search digits --trials 100             the best options
    harmonium page runs/digits-001                   draw, and see what it sees
    harmonium app                                    draw while a machine learns
    harmonium reproduce mnist-789 --quick            a whole study and its report

    Exit codes: 0 success, 1 failed, 2 bad usage, 3 diverged, 130 or 143 interrupted (resume with --resume).
    """


for command in (train, evaluate, predict, sample, check, search, validate, reproduce, page, app, export):
    main.add_command(command)
