"""``harmonium evaluate``."""

from __future__ import annotations

from typing import Any

import click

from harmonium.cli.shared import Grouped, data_options, imports, json_option, print_json, read_data_options, status_line
from harmonium.errors import InputError


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
@click.option(
    "--figures", is_flag=True, help="Of predicted labels: draw confusion, mistakes and reliability to RUN/figures/."
)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@data_options
@json_option
def evaluate(
    run: str,
    method: str,
    precision: float,
    time_limit: float,
    proceed: bool,
    figures: bool,
    quiet: bool,
    as_json: bool,
    **changes: Any,
) -> None:
    """Score the machine of a RUN: average log-likelihoods in nats per row, beside those of independent units.

    The run's own data are scored, training and held-out rows apart; or all rows of --data.  ln Z is exact where
    enumerating takes seconds; else it is annealed forwards (from below) and back (from above), with a 95 % interval, a
    warning where the two disagree, and --continue to go on later.

    With a target, the rows said wrong, what is taken for what, and whether the machine is as sure as it should be: of
    the held-out rows, or of --data.  Of a machine that learned to predict labels nothing else is scored, unless a
    --method for ln Z is given.
    """
    read = read_data_options(changes)
    with imports():
        from harmonium.deep.reopen import evaluate_deep
        from harmonium.deep.scores import table as deep_table
        from harmonium.runs.classifier import classification_text
        from harmonium.runs.folder import is_deep
        from harmonium.runs.reopen import evaluate as evaluate_run
        from harmonium.runs.summary import table

    if is_deep(run):
        if method != "auto" or proceed or figures:
            raise InputError("a network has its bound and its errors alone; leave method, continue and figures out.")
        summary = evaluate_deep(run, **read)
        if as_json:
            print_json(summary)
        else:
            own = summary.get("classification")
            click.echo(deep_table(summary) if own is None else classification_text(own))
        return
    with status_line(quiet) as tell:
        summary = evaluate_run(
            run,
            method=method,
            precision=precision,
            time_limit=time_limit,
            proceed=proceed,
            figures=figures,
            say=tell,
            **read,
        )
    if as_json:
        print_json(summary)
    else:
        click.echo(table(summary))
        if "classification" in summary:
            click.echo("\n" + classification_text(summary["classification"]))
        for path in summary.get("figures", []):
            click.echo(path)
