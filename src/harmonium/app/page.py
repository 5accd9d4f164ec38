"""One HTML file with machines inside: opened from a disk or a mail, it computes by itself, without a network.

The template, the style and the script's modules lie in templates/; the modules are joined in the order of `SCRIPTS`
into one script.  A policy in the page's head forbids it every address, but that of the server where one serves it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harmonium.app.panel import Panel

_TEMPLATES = Path(__file__).parent / "templates"
#: Modules of the script, each using only those before it.
SCRIPTS = (
    "random.js", "unpack.js", "units.js", "engine.js", "preprocess.js", "chain.js", "selftest.js", "paint.js",
    "input.js", "pad.js", "states.js", "hidden.js", "dream.js", "page.js",
)  # fmt: skip
#: Beside them where a server trains (`harmonium.app.server`).
LIVE_SCRIPTS = ("curve.js", "live.js")
TITLE = "What does the machine see?"
#: Parameters in half precision that a page carries, at most: a third more as text.
MOST_BYTES = 4_500_000


def page(
    runs: Sequence[str | os.PathLike[str] | Panel] = (),
    out: str | os.PathLike[str] = "harmonium.html",
    *,
    title: str = "",
    overwrite: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write a page on which one draws a digit and sees what machines make of it.

    Parameters
    ----------
    runs : sequence of path or Panel
        Run folders, or panels that were made otherwise; with several the page has a chooser. None at all trains a
        small machine on the bundled digits.
    out : path
        The file to write, ending in .html.
    title : str
        The page's heading.
    overwrite : bool
        Replace that file where there is one.
    say : callable
        Told what takes long.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        Where a run cannot be shown, or the file must not be replaced; nothing has been written.
    HarmoniumError
        Where the file cannot be written.
    """
    from harmonium.io import new_file, write_text

    path = new_file(out, ".html", ".htm", overwrite=overwrite)
    write_text(path, render(panels_of(runs, say), title or TITLE))
    return path


def render(panels: Sequence[Panel], title: str = TITLE, *, live: Mapping[str, Any] | None = None) -> str:
    """The page as text; with `live`, the form of a training, it is one that a server shows, and may ask that server."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from harmonium.app.pack import document
    from harmonium.machine import RBM

    def joined(names: Sequence[str]) -> str:
        return "\n".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in names)

    style = joined(["page.css"] if live is None else ["page.css", "live.css"])
    modules = joined(SCRIPTS if live is None else [*SCRIPTS, *LIVE_SCRIPTS])
    script = f'(() => {{\n"use strict";\n{modules}}})();\n'
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template("page.html.j2").render(
        title=title,
        style=Markup(style),
        style_hash=_hash(style),
        script=Markup(script),
        script_hash=_hash(script),
        data=Markup(_json(document(panels) if live is None else {**document(panels), "live": live})),
        live=live,
        dreams=live is not None
        or any(isinstance(state.snapshots[0].model, RBM) for own in panels for state in own.states),
    )


def panels_of(runs: Sequence[str | os.PathLike[str] | Panel], say: Callable[[str], None]) -> list[Panel]:
    """The panels of run folders, those given as they are; the demonstration where there are none."""
    from harmonium.app.from_run import demonstration, panel_of_run

    if isinstance(runs, (str, os.PathLike, Panel)):
        runs = [runs]
    if not runs:
        return [demonstration(say)]
    names = _names([run for run in runs if not isinstance(run, Panel)])
    room = MOST_BYTES // len(runs)
    return [
        run if isinstance(run, Panel) else panel_of_run(run, name=names[os.fspath(run)], most_bytes=room)
        for run in runs
    ]


def _names(paths: Sequence[str | os.PathLike[str]]) -> dict[str, str]:
    """What each run is called: its folder's name, or all of its path where two folders have the same."""
    last = {os.fspath(path): Path(path).resolve().name for path in paths}
    return {path: name if list(last.values()).count(name) == 1 else path for path, name in last.items()}


def _json(value: Any) -> str:
    """JSON that no browser takes for markup, whatever words it holds."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
