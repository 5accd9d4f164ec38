"""What every command shares: help under headings, errors as one sentence, signals as an orderly end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import fields
from types import FrameType
from typing import Any

import click

from harmonium.config import Config
from harmonium.config_from import config_from
from harmonium.errors import HarmoniumError, Interrupted
from harmonium.options import takes


class Grouped(click.Command):
    """A command whose help shows its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first, then Config's groups in their order; no arguments."""
        groups = {f.name: takes(f).group for f in fields(Config)}
        headings = groups if groups.keys() - {"data"} <= {parameter.name for parameter in self.params} else {}
        own = "Files and output" if headings else "Options"
        sections: dict[str, list[tuple[str, str]]] = {own: []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(headings.get(parameter.name or "", own), []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


class Explained(click.Group):
    """A group that turns errors into one sentence and an exit code, and signals into an orderly end."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with _listening():
                return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: head, less
            return ctx.exit(1)
        except (click.UsageError, KeyboardInterrupt, MemoryError, OSError, RuntimeError, HarmoniumError) as error:
            explained = _explain(error, ctx.invoked_subcommand)
            if explained is None:
                raise
            if ctx.params.get("traceback"):
                traceback.print_exception(error)
            click.echo(f"harmonium: {explained[0]}", err=True)
            return ctx.exit(explained[1])


def _explain(error: BaseException, command: str | None) -> tuple[str, int] | None:
    """A sentence and an exit code, for that command; None for what is a fault of the program."""
    match error:
        case HarmoniumError():
            return str(error), error.exit_code
        case click.UsageError():
            asked = f"harmonium {command}" if command else "harmonium"
            return f"{error.format_message().rstrip('.')}; {asked} --help explains.", error.exit_code
        case Interrupted():
            return _STOPPED, 128 + error.signal_number
        case KeyboardInterrupt():
            return _STOPPED, 128 + signal.SIGINT
        case OSError():
            return f"{error.filename or 'a file'} cannot be used: {error.strerror or error}.", 1
    if isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY):
        return "out of memory; choose smaller minibatches, fewer chains or samples, or a smaller machine.", 1
    return None


_OUT_OF_MEMORY = ("can't allocate memory", "out of memory")  # as torch says it
#: Of whatever keeps what it has done, `StoppedError` says how to go on; files are written aside and renamed.
_STOPPED = "stopped; nothing is left half written, and the same command can be given again."
_importing = False


@contextlib.contextmanager
def _listening() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise Interrupted, but while libraries are imported, which might swallow it, they end all."""

    def handler(number: int, frame: FrameType | None) -> None:
        if _importing:
            os.write(2, f"harmonium: {_STOPPED}\n".encode())
            os._exit(128 + number)
        raise Interrupted(number)

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    except ValueError:  # not in the main thread
        pass
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextlib.contextmanager
def imports() -> Iterator[None]:
    """Around the import of whatever is slow."""
    global _importing
    _importing = True
    try:
        yield
    finally:
        _importing = False


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(value, indent=2, allow_nan=False, default=str))


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")


def say(text: str) -> None:
    """A line for the reader, on stderr: results go to stdout."""
    click.echo(text, err=True)


def nothing(text: str) -> None:
    """Where --quiet was asked for."""


@contextlib.contextmanager
def status_line(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Where the latest of many lines is shown: in place on a terminal, one every few seconds elsewhere, on stderr."""
    terminal, last = sys.stderr.isatty(), time.monotonic() - _EVERY

    def tell(line: str) -> None:
        nonlocal last
        if terminal:
            click.echo(f"\r\033[K{line}", err=True, nl=False)
        elif time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            click.echo(line, err=True)

    try:
        yield nothing if quiet else tell
    finally:
        if terminal and not quiet:
            click.echo("\r\033[K", err=True, nl=False)


_EVERY = 5.0  # seconds between lines in a log


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options for other data than a run's own."""
    for name, words in reversed(
        (
            ("data", "Other data than the run's own, as in harmonium train."),
            ("labels", "A file of their labels, or the name of the label column or array."),
            ("classes", "Keep only the rows with these labels, such as 7,8,9."),
            ("scale", "Their raw value that means 1.  [the run's]"),
            ("data-path", "Where the files of a named data set are."),
        )
    ):
        command = click.option(f"--{name}", default=None, help=words)(command)
    return command


def read_data_options(changes: dict[str, Any]) -> dict[str, Any]:
    """The data options that were given, as `Config` reads them."""
    given = {name: value for name, value in changes.items() if value is not None}
    config = config_from(given, from_text=True)
    return {name: getattr(config, name) for name in given}
