"""``harmonium validate``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from harmonium.cli.options import asked_for, config_of, config_options, preset_option
from harmonium.cli.shared import Grouped, imports, json_option, nothing, print_json, say
from harmonium.errors import InputError


@click.command(cls=Grouped, short_help="Train one configuration from several seeds.")
@click.argument("data", required=False)
@click.option("--seeds", type=int, default=None, help="How many: --seed and those after it.  [10]")
@click.option("--workers", type=int, default=0, help="Processes.  [0: one for each processor]", show_default=False)
@click.option("--together", type=int, default=0, help="Machines trained as one, at most.  [0: what is quickest]")
@click.option("--out", default=None, metavar="FOLDER", help="Keep everything here, and go on with what it holds.")
@click.option("--resume", default=None, metavar="FOLDER", help="Go on with this one, perhaps to more --seeds.")
@click.option("--config", "config_file", default=None, metavar="FILE.toml", help="Options from a file.")
@preset_option
@click.option("--quiet", "-q", is_flag=True, help="No progress and no table.")
@json_option
@config_options
def validate(
    data: str | None,
    seeds: int | None,
    workers: int,
    together: int,
    out: str | None,
    resume: str | None,
    config_file: str | None,
    preset_name: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a machine on DATA from each of several seeds, and report mean, spread and intervals of the scores.

    DATA and all further options are those of harmonium train.  With --out every seed leaves a run folder of its own,
    and after Ctrl-C the same command goes on.
    """
    given = asked_for(data, options, out=out, resume=resume, config=config_file)
    with imports():
        from harmonium.runs.idle import refuse_idle
        from harmonium.runs.validate import resume_validation, run_validation

    report: Callable[[str], None] = nothing if quiet else say
    if resume is not None:
        if given or out or config_file or preset_name:
            extra = next(iter(given), "out" if out else "config" if config_file else "preset").replace("_", "-")
            raise InputError(f"a validation that has begun keeps its own options, so leave --{extra} away.")
        found = resume_validation(resume, seeds=seeds, workers=workers, together=together, say=report)
    else:
        config = config_of(given, config_file, preset_name)
        refuse_idle(config, given)
        number = 10 if seeds is None else seeds
        found = run_validation(config, seeds=number, workers=workers, together=together, out=out, say=report)
    if as_json:
        print_json({"folder": found.folder and str(found.folder), **found.as_dict()})
    elif not quiet:
        click.echo(
            f"{found}" + (f"\n\n{found.folder}: validation.json, seed-*/, figures/*.png" if found.folder else "")
        )
