"""``harmonium sample``."""

from __future__ import annotations

from typing import Any

import click

from harmonium.cli.shared import Grouped, data_options, imports, json_option, print_json, read_data_options, say


@click.command(cls=Grouped, short_help="Draw samples, or complete halves of images.")
@click.argument("run")
@click.option("--number", type=int, default=64, help="How many samples.  [64]")
@click.option(
    "--method",
    type=click.Choice(["auto", "gibbs", "tempering", "trajectory", "exact"]),
    default="auto",
    help="exact lists the states of small machines; tempering finds modes that lie far apart, trajectory along the "
    "snapshots of training.  [auto: exact where that takes seconds and no chains are asked for, else gibbs]",
)
@click.option(
    "--steps",
    type=int,
    default=None,
    help="Sweeps of each chain (not for exact): more, and the start matters less.  [1000]",
)
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
    "--out",
    default=None,
    metavar="FILE.npy",
    help="Where they go, with a picture beside.  [a file in RUN/samples/ named after the options]",
)
@data_options
@json_option
def sample(run: str, as_json: bool, clamp: str | None, **options: Any) -> None:
    """Draw samples from the machine of a RUN, as an array and as a picture."""
    changes = {name: options.pop(name) for name in ("data", "labels", "classes", "scale", "data_path")}
    read = read_data_options(changes)
    with imports():
        from harmonium.deep.draws import draw_deep_samples
        from harmonium.runs.draws import draw_samples
        from harmonium.runs.folder import is_deep

    draw = draw_deep_samples if is_deep(run) else draw_samples
    drawn = draw(run, clamp=clamp or "", **options, **read)
    if as_json:
        print_json(
            {
                "samples": str(drawn.path),
                "picture": str(drawn.picture),
                "shape": drawn.samples.shape,
                "method": drawn.method,
                "mixing": None if drawn.mixing is None else drawn.mixing.as_dict(),
                **drawn.facts,
                "warning": drawn.warning,
                "note": drawn.note,
            }
        )
        return
    click.echo(f"{drawn.path}\n{drawn.picture}")
    for name, value in drawn.facts.items():
        say(
            f"{name.replace('_', ' ')}: {value:.3g}"
            if isinstance(value, float)
            else f"{name.replace('_', ' ')}: {value}"
        )
    if drawn.warning is not None:
        say(f"warning: {drawn.warning}")
    elif drawn.mixing is not None:
        say(drawn.mixing.verdict)
    if drawn.note:
        say(f"note: {drawn.note}")
