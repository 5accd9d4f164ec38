"""``harmonium check``."""

from __future__ import annotations

from typing import Any

import click

from harmonium.cli.shared import Grouped, data_options, imports, json_option, print_json, read_data_options


@click.command(cls=Grouped, short_help="What is wrong with a run, and what to do about it.")
@click.argument("run")
@data_options
@json_option
def check(run: str, as_json: bool, **changes: Any) -> None:
    """Examine the machine of a RUN: does it make data like its own, do all its units work, has it over-fitted?

    The report goes to stdout, the numbers to RUN/check.json, and a picture to RUN/figures/check.png; with --data, to
    check-other.json and check-other.png, so that what was found on the run's own data stays.  The exit code is 0
    whatever is found: findings are advice, and not a failure of this command.
    """
    read = read_data_options(changes)
    with imports():
        from harmonium.runs.check import check as check_run
        from harmonium.runs.check import report

    result = check_run(run, **read)
    if as_json:
        print_json(result)
    else:
        click.echo(report(result))
