"""``harmonium page``."""

from __future__ import annotations

import click

from harmonium.cli.shared import Grouped, imports, nothing, say


@click.command(cls=Grouped, short_help="A web page on which one draws, and machines answer.")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--out", default="harmonium.html", metavar="FILE.html", help="Where it goes.  [harmonium.html]")
@click.option("--title", default="", help="Its heading.")
@click.option("--overwrite", is_flag=True, help="Replace that file where there is one.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def page(runs: tuple[str, ...], out: str, title: str, overwrite: bool, quiet: bool) -> None:
    """Write one self-contained HTML file with the machines of RUNs inside: draw a digit, and see what they make of it.

    It works from a disk, a mail or any web space, on a phone too, and asks nothing of a network.  Several RUNs give it
    a chooser; without any, a small machine is trained on the bundled digits, in seconds.
    """
    with imports():
        from harmonium.app.page import page as write_page

    click.echo(write_page(runs, out, title=title, overwrite=overwrite, say=nothing if quiet else say))
