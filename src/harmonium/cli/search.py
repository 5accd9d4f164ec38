"""``harmonium search``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from harmonium.cli.options import config_options
from harmonium.cli.shared import Grouped, imports, json_option, nothing, print_json, say
from harmonium.config_from import config_from
from harmonium.errors import InputError


@click.command(cls=Grouped, short_help="Search for the best options.")
@click.argument("data", required=False)
@click.option(
    "--space",
    default=None,
    metavar="FILE.toml",
    help="What is searched, or a bundled space by name: default, mnist-789.  [default]",
)
@click.option("--trials", type=int, default=None, help="Trials to finish, those done before included.  [50]")
@click.option("--seeds", type=int, default=1, help="Trainings in a trial; their mean score counts.  [1]")
@click.option("--workers", type=int, default=1, help="Processes that run trials; 0 is one for each processor.  [1]")
@click.option(
    "--sampler",
    type=click.Choice(["random", "tpe"]),
    default="random",
    help="Blindly, or where scores were good.  [random]",
)
@click.option("--no-prune", is_flag=True, help="Run every trial to its end.")
@click.option("--out", default=None, metavar="FOLDER", help="Where everything is kept.  [a fresh one under searches/]")
@click.option("--resume", default=None, metavar="FOLDER", help="Go on with this search, perhaps to more --trials.")
@click.option("--join", default=None, metavar="FOLDER", help="Help with this search, from another machine too.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no table.")
@json_option
@config_options
def search(
    data: str | None,
    space: str | None,
    trials: int | None,
    seeds: int,
    workers: int,
    sampler: str,
    no_prune: bool,
    out: str | None,
    resume: str | None,
    join: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Search for the options that train the best machine on DATA, judged by the validation rows.

    --space says what is searched; every option of harmonium train that is given here has one value for all trials.
    After Ctrl-C, the same command or --resume goes on.
    """
    given = {name: value for name, value in options.items() if value is not None}
    with imports():
        from harmonium.tuning.folder import fresh_folder
        from harmonium.tuning.search import resume_search
        from harmonium.tuning.search import search as run_search
        from harmonium.tuning.study import import_optuna

        import_optuna()
    report: Callable[[str], None] = nothing if quiet else say
    begun = resume or join
    if begun is not None:
        context = click.get_current_context()
        named = ("data", "space", "seeds", "sampler", "no_prune", "out", *(("trials",) if join else ()), *given)
        extra = [n for n in named if context.get_parameter_source(n) != click.core.ParameterSource.DEFAULT]
        if (resume and join) or extra:
            other = "--join" if resume and join else extra[0].replace("_", "-")
            raise InputError(f"a search that has begun keeps its own options, so leave {other} out.")
        found = resume_search(begun, trials=trials, workers=workers, say=report)
    else:
        read = config_from(given, from_text=True)
        fixed = {name: getattr(read, name) for name in given}
        found = run_search(
            data or "digits",
            space,
            trials=50 if trials is None else trials,
            seeds=seeds,
            workers=workers,
            sampler=sampler,
            prune=not no_prune,
            out=fresh_folder(data or "digits") if out is None else out,
            say=report,
            **fixed,
        )
    if as_json:
        print_json(found.as_dict())
    elif not quiet:
        click.echo(f"{found}\n\n{found.folder}: best.toml, trials.csv, search.json, figures/*.png")
