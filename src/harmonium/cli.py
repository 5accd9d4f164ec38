"""The command line: it parses, calls, prints, and holds no logic.  torch is imported only when a command runs.

Exit codes: 0 success, 1 failed run, 2 bad usage, 3 diverged, 130 and 143 interrupted or terminated, after a checkpoint.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_type_hints

import click

from harmonium import __version__
from harmonium.commands import Explained, Grouped, imports
from harmonium.config import Config, config_from, read_toml
from harmonium.errors import InputError
from harmonium.options import takes

_SAME = "\0"  # --resume without a folder: that of --out


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for each field of `Config` (but `data`, which is an argument); numbers are read by `Config` too."""
    types = get_type_hints(Config)
    for spec in reversed([f for f in fields(Config) if f.name != "data"]):
        flag, wanted, kind = "--" + spec.name.replace("_", "-"), takes(spec), types[spec.name]
        default = wanted.shown or ("no" if spec.default is False else f"{spec.default}")
        shown = f"{wanted.help}  [{default}]"
        if kind is bool:
            command = click.option(f"{flag}/--no-{flag[2:]}", spec.name, default=None, help=shown)(command)
        else:
            words = {int: "WHOLE", float: "NUMBER", str: "TEXT"}[kind]
            metavar = f"[{'|'.join(wanted.choices)}]" if wanted.choices else words
            command = click.option(flag, spec.name, default=None, help=shown, metavar=metavar)(command)
    return command


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(value, indent=2, allow_nan=False, default=str))


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
_WIDTH = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Explained, context_settings=_WIDTH)
@click.version_option(__version__, prog_name="harmonium")
@click.option("--traceback", is_flag=True, help="Show where in the program an error arose.")
def main(traceback: bool) -> None:
    """Restricted Boltzmann Machines: train, score and sample them.

    \b
    harmonium train                                  the bundled digits
    harmonium train mnist --hidden bernoulli:100     larger ones
    harmonium evaluate runs/digits-001               how good is it?
    harmonium sample runs/digits-001 --clamp upper   complete the lower half

    Exit codes: 0 success, 1 failed, 2 bad usage, 3 diverged, 130 or 143 interrupted (resume with --resume).
    """


@main.command(cls=Grouped, short_help="Train a machine, score it, draw it.")
@click.argument("data", required=False)
@click.option("--out", default=None, metavar="RUN", help="The run folder.  [a fresh one under runs/]")
@click.option("--overwrite", is_flag=True, help="Replace the run that --out holds already.")
@click.option(
    "--resume",
    default=None,
    is_flag=False,
    flag_value=_SAME,
    metavar="RUN",
    help="Continue this interrupted run with its own options (or, without RUN, the one in --out).",
)
@click.option(
    "--config",
    "config_file",
    default=None,
    metavar="FILE.toml",
    help="Options from a file, such as a run's config.toml; those given here come first.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress and no table.")
@json_option
@config_options
def train(
    data: str | None,
    out: str | None,
    overwrite: bool,
    resume: str | None,
    config_file: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a machine on DATA, score it, draw it, and keep everything in a run folder.

    DATA is digits (scikit-learn's 8×8 images, bundled; the default), mnist, a file (.npy, .npz, .csv, idx, also .gz)
    or a folder of PNG images.

    What each option is when it is left out stands in [brackets].  The same names, with _ for -, are the keys of
    --config files and the arguments of harmonium.train in Python.
    """
    given = {name: value for name, value in {"data": data, **options}.items() if value is not None}
    for name, value in {**given, "out": out, "resume": resume, "config": config_file}.items():
        if value == "":
            raise InputError(f"{name} is empty; give a value or leave it out.")
    with imports():
        from harmonium.runs.resume import check_same_options
        from harmonium.runs.resume import resume as resume_run
        from harmonium.runs.train import start_run

    say: Callable[[str], None] = _nothing if quiet else _say
    if resume is not None:
        folder = out if resume == _SAME else resume
        if folder is None or (resume != _SAME and out not in (None, resume)):
            raise InputError("--resume needs the run folder: write --resume RUN, or --out RUN --resume.")
        if overwrite:
            raise InputError("--overwrite would erase the run that --resume continues; leave one of them out.")
        asked = {**(read_toml(config_file) if config_file else {}), **given}
        check_same_options(folder, asked, from_text=True)
        run = resume_run(folder, progress=not quiet, say=say)
    else:
        from_file = config_from(read_toml(config_file)).as_dict() if config_file else {}
        config = config_from({**from_file, **given}, from_text=True)
        run = start_run(config, out, overwrite=overwrite, progress=not quiet, say=say)
    if as_json:
        print_json({"folder": str(run.folder), **run.summary})
    elif not quiet:
        click.echo(f"{run}\n\n{run.folder}: model.safetensors, metrics.jsonl, summary.json, figures/*.png")


def _say(text: str) -> None:
    click.echo(text, err=True)


def _nothing(text: str) -> None:
    pass


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options for other data than a run's own."""
    for name, words in reversed(
        (
            ("data", "Other data than the run's own, as in harmonium train."),
            ("labels", "A file of their labels, or the name of the label column or array."),
            ("classes", "Keep only the rows with these labels, such as 7,8,9."),
            ("scale", "Their raw value that means 1."),
            ("data-path", "Where the files of a named data set are."),
        )
    ):
        command = click.option(f"--{name}", default=None, help=words)(command)
    return command


def _read(changes: dict[str, Any]) -> dict[str, Any]:
    """The data options that were given, as `Config` reads them."""
    given = {name: value for name, value in changes.items() if value is not None}
    config = config_from(given, from_text=True)
    return {name: getattr(config, name) for name in given}


@main.command(cls=Grouped, short_help="Log-likelihoods of a run's data, or of others.")
@click.argument("run")
@data_options
@json_option
def evaluate(run: str, as_json: bool, **changes: Any) -> None:
    """Score the machine of a RUN: average log-likelihoods in nats per row, beside those of independent units.

    The run's own data are scored, training and held-out rows apart; or all rows of --data.
    """
    read = _read(changes)
    with imports():
        from harmonium.runs.reopen import evaluate as evaluate_run
        from harmonium.runs.summary import table

    summary = evaluate_run(run, **read)
    if as_json:
        print_json(summary)
    else:
        click.echo(table(summary))


@main.command(cls=Grouped, short_help="Draw samples, or complete halves of images.")
@click.argument("run")
@click.option("--number", type=int, default=64, help="How many samples.  [64]")
@click.option("--steps", type=int, default=1000, help="Gibbs sweeps of each: more, and the start matters less.  [1000]")
@click.option("--start", type=click.Choice(["noise", "data"]), default="noise", help="Where the chains begin.  [noise]")
@click.option(
    "--clamp",
    type=click.Choice(["upper", "lower", "left", "right"]),
    default=None,
    help="Hold this half of held-out images fixed, and let the machine fill in the rest.",
)
@click.option("--temperature", type=float, default=1.0, help="Below 1 sharper and less varied, above 1 more.  [1]")
@click.option(
    "--multiply-weights",
    "weight_factor",
    type=float,
    default=1.0,
    help="Multiply the weights but not the biases (not quite a temperature).  [1]",
)
@click.option("--seed", type=int, default=0, help="Same seed, same samples.  [0]")
@click.option(
    "--out", default=None, metavar="FILE.npy", help="Where they go, with a picture beside.  [a file in RUN/samples/]"
)
@data_options
@json_option
def sample(run: str, as_json: bool, clamp: str | None, **options: Any) -> None:
    """Draw samples from the machine of a RUN, as an array and as a picture."""
    changes = {name: options.pop(name) for name in ("data", "labels", "classes", "scale", "data_path")}
    read = _read(changes)
    with imports():
        from harmonium.runs.draws import draw_samples

    drawn = draw_samples(run, clamp=clamp or "", **options, **read)
    if as_json:
        print_json({"samples": str(drawn.path), "picture": str(drawn.picture), "shape": drawn.samples.shape})
    else:
        click.echo(f"{drawn.path}\n{drawn.picture}")


if __name__ == "__main__":
    sys.exit(main())
