"""What every command shares: help under headings, errors as one sentence, signals as an orderly end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import fields
from types import FrameType
from typing import Any

import click

from harmonium.config import Config
from harmonium.errors import HarmoniumError, Interrupted
from harmonium.options import takes


class Grouped(click.Command):
    """A command whose help shows its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first, then Config's groups in their order; no arguments."""
        headings = {f.name: takes(f).group for f in fields(Config)} if self.name == "train" else {}
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
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(_listening())
                return super().invoke(ctx)
            except HarmoniumError as error:
                message, code = str(error), error.exit_code
            except click.UsageError as error:
                message, code = f"{error.format_message()} (harmonium --help explains)", 2
            except KeyboardInterrupt as error:
                number = error.signal_number if isinstance(error, Interrupted) else int(signal.SIGINT)
                message, code = "stopped.", 128 + number
            except MemoryError:
                message, code = _NO_MEMORY, 1
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: head, less
                return ctx.exit(1)
            except OSError as error:
                message, code = f"{error.filename or 'a file'} cannot be used: {error.strerror or error}.", 1
            except RuntimeError as error:
                if not any(words in str(error) for words in ("can't allocate memory", "out of memory")):
                    raise
                message, code = _NO_MEMORY, 1
            if ctx.params.get("traceback"):
                traceback.print_exc()
            click.echo(f"harmonium: {message}", err=True)
            return ctx.exit(code)


_NO_MEMORY = "out of memory; choose smaller minibatches, fewer chains or samples, or a smaller machine."
_importing = False


@contextlib.contextmanager
def _listening() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise Interrupted, but while libraries are imported, which might swallow it, they end all."""

    def handler(number: int, frame: FrameType | None) -> None:
        if _importing:  # nothing has been written yet
            os.write(2, b"harmonium: stopped.\n")
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
