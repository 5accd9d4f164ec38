"""``harmonium evaluate``."""

from __future__ import annotations

from typing import Any

import click

from harmonium.cli.shared import Grouped, data_options, imports, json_option, print_json, read_data_options, status_line


@click.command(cls=Grouped, short_help="Log-likelihoods of a run's data, or of others.")
@click.argument("run")
@click.option(
    "--method",
    type=click.Choice(["auto", "exact", "both", "ais", "reverse_ais", "tempering", "trajectory"]),
    default="auto",
    help="How ln Z is found: exact (enumeration), both (annealing forwards and back, which lie on either side of it), "
    "ais, reverse_ais or tempering alone, trajectory (tempering along the snapshots of training).  [exact where that "
    "takes seconds, else both]",
)
@click.option(
    "--precision", type=float, default=0.1, help="Nats: both stops when its 95 % interval is ± this ...  [0.1]"
)
@click.option("--time-limit", type=float, default=60.0, help="... and in any case after so many seconds.  [60]")
@click.option("--continue", "proceed", is_flag=True, help="Go on with the estimate that the last call began.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@data_options
@json_option
def evaluate(
    run: str,
    method: str,
    precision: float,
    time_limit: float,
    proceed: bool,
    quiet: bool,
    as_json: bool,
    **changes: Any,
) -> None:
    """Score the machine of a RUN: average log-likelihoods in nats per row, beside those of independent units.

    The run's own data are scored, training and held-out rows apart; or all rows of --data.  ln Z is exact where
    enumerating takes seconds; else it is annealed forwards (from below) and back (from above), with a 95 % interval, a
    warning where the two disagree, and --continue to go on later.
    """
    read = read_data_options(changes)
    with imports():
        from harmonium.runs.reopen import evaluate as evaluate_run
        from harmonium.runs.summary import table

    with status_line(quiet) as tell:
        summary = evaluate_run(
            run, method=method, precision=precision, time_limit=time_limit, proceed=proceed, say=tell, **read
        )
    if as_json:
        print_json(summary)
    else:
        click.echo(table(summary))
