"""``harmonium app``."""

from __future__ import annotations

import click

from harmonium.cli.shared import Grouped, imports, nothing, say


@click.command(cls=Grouped, short_help="The page, served here, with training that one can watch.")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "--host", default="127.0.0.1",
    help="The address to listen on; any other lets whoever can reach this machine draw, and train on it.  [127.0.0.1]",
)  # fmt: skip
@click.option("--port", default=8765, help="Its port; 0 takes a free one.  [8765]")
@click.option("--open/--no-open", "open_browser", default=True, help="Show it in the browser.  [--open]")
@click.option("--title", default="", help="Its heading.")
@click.option("--quiet", "-q", is_flag=True, help="No address, no progress.")
def app(runs: tuple[str, ...], host: str, port: int, open_browser: bool, title: str, quiet: bool) -> None:
    """Serve the page of harmonium page on this machine, with training added: watch a machine learn what you draw.

    A training is one run like any other, kept under runs/.  Ctrl-C ends the server, and a training after a checkpoint,
    so that harmonium train --resume goes on with it.
    """
    with imports():
        from harmonium.app.server import serve

    serve(runs, host=host, port=port, open_browser=open_browser, title=title, say=nothing if quiet else say)
