"""``harmonium evaluate``."""

from __future__ import annotations

from typing import Any

import click

from harmonium.cli.shared import Grouped, data_options, imports, json_option, print_json, read_data_options


@click.command(cls=Grouped, short_help="Log-likelihoods of a run's data, or of others.")
@click.argument("run")
@data_options
@json_option
def evaluate(run: str, as_json: bool, **changes: Any) -> None:
    """Score the machine of a RUN: average log-likelihoods in nats per row, beside those of independent units.

    The run's own data are scored, training and held-out rows apart; or all rows of --data.
    """
    read = read_data_options(changes)
    with imports():
        from harmonium.runs.reopen import evaluate as evaluate_run
        from harmonium.runs.summary import table

    summary = evaluate_run(run, **read)
    if as_json:
        print_json(summary)
    else:
        click.echo(table(summary))
