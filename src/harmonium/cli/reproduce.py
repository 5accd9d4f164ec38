"""``harmonium reproduce``."""

from __future__ import annotations

import os

import click

from harmonium.cli.shared import Grouped, imports, nothing, say
from harmonium.errors import InputError


@click.command(cls=Grouped, short_help="A whole study from a document, with its report.")
@click.argument("study")
@click.option("--quick", is_flag=True, help="A short form on bundled or made-up data, in two minutes or so.")
@click.option(
    "--only", multiple=True, metavar="PART", help="This part alone, such as fig3; may be given several times."
)
@click.option("--out", default=None, metavar="FOLDER", help="The folder of the study.  [studies/STUDY]")
@click.option("--workers", default=0, show_default=False, help="Processes.  [0: one for each processor]")
@click.option(
    "--data-path",
    default=None,
    metavar="PATH",
    help="Where the images or recordings are.  [$HARMONIUM_DATA, the cache]",
)
@click.option("--list", "as_list", is_flag=True, help="Name the parts, and end.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def reproduce(
    study: str,
    quick: bool,
    only: tuple[str, ...],
    out: str | None,
    workers: int,
    data_path: str | None,
    as_list: bool,
    quiet: bool,
) -> None:
    """Do STUDY again, from the first number to the last.

    \b
    mnist-789    Restricted Boltzmann Machines on the digits 7, 8 and 9, a student
                 report of 2025: its tables and figures, its claims tested, its six
                 open questions answered; about an hour on two processors
    multivalued  Restricted Boltzmann Machines with multivalued hidden units, a paper
                 of 2019: do more values per hidden unit suppress over-fitting? Its
                 figures, its claims tested, and what it does not ask; about two
                 hours on two processors
    voice        spoken digits in place of images: classified, voices unheard
                 before, and given back as sound; half an hour on two processors
    digits       an introduction to Restricted Boltzmann Machines and its film of
                 digits: regenerated with random, pre-trained and fine-tuned weights;
                 classified by learned distributions, by learned features, by a deep
                 belief network, with few labels; about two hours on two processors
    records      machines of 16 to 2,000 hidden units on binarised MNIST: their test
                 likelihood, found in two ways, against time and against the best
                 published numbers; an hour and a half on two processors

    Everything that is computed is kept in the folder, so the same command goes on after an interruption, and --only
    adds a part to what is there.  It ends with report.html (one file, no network), numbers.json and figures/.
    """
    with imports():
        from harmonium.experiments import find_experiment
        from harmonium.experiments.study import reproduce as run

        experiment = find_experiment(study)
    if as_list:
        for part in experiment.parts:
            click.echo(f"{part.name:12} {part.title}")
        return
    if data_path is not None and quick:
        raise InputError("--data-path is for the full study, as --quick needs no files; leave one of them out.")
    if data_path is not None:
        os.environ["HARMONIUM_DATA"] = data_path  # for the worker processes, too
    if out is None:
        out = f"studies/{study}" + "-quick" * quick
    done = run(experiment, out, quick=quick, only=only, workers=workers, say=nothing if quiet else say)
    if not quiet:
        click.echo(f"{done.report}  ({done.seconds:.0f} s; numbers.json and figures/ beside it)")
