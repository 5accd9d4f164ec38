"""``harmonium predict``."""

from __future__ import annotations

from typing import Any

import click

from harmonium.cli.shared import Grouped, data_options, imports, json_option, print_json, read_data_options, say


@click.command(cls=Grouped, short_help="The classes of rows, and how sure the machine is of them.")
@click.argument("run")
@click.argument("rows", required=False, metavar="[DATA]")
@click.option("--out", default=None, metavar="FILE.csv", help="Write row, prediction and all probabilities there.")
@click.option(
    "--calibrated/--uncalibrated",
    default=False,
    help="Probabilities at the temperature fitted on the run's validation rows, or as trained.  [as trained]",
)
@click.option("--overwrite", is_flag=True, help="Replace FILE.csv where it is there already.")
@data_options
@json_option
def predict(
    run: str, rows: str | None, out: str | None, calibrated: bool, overwrite: bool, as_json: bool, **changes: Any
) -> None:
    """Predict the classes of DATA by the machine of a RUN that was trained with a target.

    DATA is given as in harmonium train, and for a run that learned from recordings also as a WAV file or a folder of
    them; without it, the rows that the run held out are predicted.  Where the rows have
    labels, they are compared, and the share of wrong predictions is printed with its 95 % interval.
    """
    if rows is not None and changes["data"] is not None:
        raise click.UsageError("give DATA once, as an argument or as --data")
    changes["data"] = rows if rows is not None else changes["data"]
    read = read_data_options(changes)
    with imports():
        from harmonium.runs.predict import SHOWN
        from harmonium.runs.predict import predict as predict_run

    found = predict_run(run, calibrated=calibrated, out=out, overwrite=overwrite, **read)
    if as_json:
        print_json(found.as_dict())
        return
    if found.path is not None:
        click.echo(f"{found.path}\n{found.summary}")
    else:
        click.echo(str(found))
        if len(found.rows) > SHOWN:
            say("--out FILE.csv or --json give all rows")
