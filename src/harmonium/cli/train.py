"""``harmonium train``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from harmonium.cli.options import asked_for, config_of, config_options, deep_of, deep_options, preset_option
from harmonium.cli.shared import Grouped, imports, json_option, nothing, print_json, say
from harmonium.config_from import read_toml
from harmonium.errors import InputError

_SAME = "\0"  # --resume without a folder: that of --out


@click.command(cls=Grouped, short_help="Train a machine, score it, draw it.")
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
@preset_option
@click.option("--quiet", "-q", is_flag=True, help="No progress and no table.")
@json_option
@config_options
@deep_options
def train(
    data: str | None,
    out: str | None,
    overwrite: bool,
    resume: str | None,
    config_file: str | None,
    preset_name: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a machine on DATA, score it, draw it, and keep everything in a run folder.

    DATA is digits (scikit-learn's 8×8 images, bundled; the default), mnist, a file (.npy, .npz, .csv, idx, also .gz)
    or a folder of PNG images.

    With --layers machines are stacked, each a run of its own under the run folder, and may then be fine-tuned as one
    network by backpropagation.

    What each option is when it is left out stands in [brackets].  The same names, with _ for -, are the keys of
    --config files and the arguments of harmonium.train in Python.
    """
    given = asked_for(data, options, out=out, resume=resume, config=config_file)
    with imports():
        from harmonium.deep.train import resume_deep, start_deep
        from harmonium.runs.folder import is_deep
        from harmonium.runs.idle import refuse_idle
        from harmonium.runs.resume import check_same_options
        from harmonium.runs.resume import resume as resume_run
        from harmonium.runs.train import start_run

    report: Callable[[str], None] = nothing if quiet else say
    given, deep = deep_of(given)
    if resume is not None:
        folder = out if resume == _SAME else resume
        if folder is None or (resume != _SAME and out not in (None, resume)):
            raise InputError("--resume needs the run folder: write --resume RUN, or --out RUN --resume.")
        if preset_name is not None:
            raise InputError("--resume continues a run with its own options; leave --preset out.")
        if overwrite:
            raise InputError("--overwrite would erase the run that --resume continues; leave one of them out.")
        if is_deep(folder):
            _check_nothing_asked(given, deep, config_file)
            _show(resume_deep(folder, progress=not quiet, say=report), quiet, as_json)
            return
        asked = {**(read_toml(config_file) if config_file else {}), **given}
        check_same_options(folder, asked, from_text=True)
        run = resume_run(folder, progress=not quiet, say=report)
    else:
        config = config_of(given, config_file, preset_name, stacked=deep is not None)
        if deep is not None:
            done = start_deep(config, deep, out, overwrite=overwrite, progress=not quiet, say=report)
            _show(done, quiet, as_json)
            return
        refuse_idle(config, given)
        run = start_run(config, out, overwrite=overwrite, progress=not quiet, say=report)
    if as_json:
        print_json({"folder": str(run.folder), **run.summary})
    elif not quiet:
        click.echo(f"{run}\n\n{run.folder}: model.safetensors, metrics.jsonl, summary.json, figures/*.png")


def _check_nothing_asked(given: dict[str, Any], deep: Any, config_file: str | None) -> None:
    if given or deep is not None or config_file:
        raise InputError("a resumed network keeps its own options; leave all others out.")


def _show(run: Any, quiet: bool, as_json: bool) -> None:
    """The result of a network."""
    if as_json:
        print_json({"folder": str(run.folder), **run.summary})
    elif not quiet:
        files = "layer-*/, summary.json, figures/*.png" + ", network.safetensors" * (run.network is not None)
        click.echo(f"\n{run}\n\n{run.folder}: {files}")
