"""The page on one's own machine, with live training: a small web server that ends with Ctrl-C.

It listens on the loopback address alone unless another is asked for: nobody on the network can reach it then.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import webbrowser
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harmonium.app.panel import Panel
from harmonium.errors import InputError

if TYPE_CHECKING:
    import uvicorn

Say = Callable[[str], None]
LOOPBACK = "127.0.0.1"


def serve(
    runs: Sequence[str | os.PathLike[str] | Panel] = (),
    *,
    host: str = LOOPBACK,
    port: int = 8765,
    open_browser: bool = False,
    title: str = "",
    say: Say = lambda line: None,
) -> None:
    """Serve the page of `harmonium.app.page.page` with live training, until a signal comes.

    Parameters
    ----------
    runs, title, say
        As for `page`.
    host : str
        The address to listen on; any but the loopback one lets others on the network draw and train.
    port : int
        0 takes a free one.
    open_browser : bool
        Show the page in the browser, where there is a screen.

    Raises
    ------
    InputError
        Where a run cannot be shown, the address cannot be listened on, or starlette or uvicorn is not installed.
    """
    made = make_server(runs, host=host, port=port, title=title, say=say)
    try:
        made.run(open_browser=open_browser, say=say)
    finally:
        words = made.close()
        if words:
            say(words)


class Served:
    """A server that is ready to run: the socket is bound, the page is written."""

    def __init__(self, page: str, listening: socket.socket, host: str) -> None:

        from harmonium.app.server_guard import allowed_hosts
        from harmonium.app.server_live import Live
        from harmonium.app.server_site import site

        self.socket, self.live, self.host = listening, Live(), host
        self.port = int(listening.getsockname()[1])
        application = site(page, self.live, allowed_hosts(host), self.port)
        self.server: uvicorn.Server = _server(application, self.live)

    @property
    def address(self) -> str:
        """Where the page is, for this machine's own browser."""
        name = LOOPBACK if self.host in ("", "0.0.0.0", "::") else self.host
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}/"

    def run(self, *, open_browser: bool = False, say: Say = lambda line: None) -> None:
        """Until a signal comes, or `stop`."""
        say(f"{self.address}   (Ctrl-C ends it)")
        if self.host not in (LOOPBACK, "localhost", "::1"):
            say(f"note: it listens on {self.host}, so whoever can reach this machine can draw, and train on it")
        if open_browser and _has_screen():
            webbrowser.open(self.address)  # the socket listens already: the browser waits
        self.live.prepare()
        self.server.run(sockets=[self.socket])

    def stop(self) -> None:
        """Ask it to end, from another thread."""
        self.server.should_exit = True

    def close(self) -> str:
        """End the training, and give the socket back; returns the training's last words."""
        words = self.live.close()
        self.socket.close()
        return words


def make_server(
    runs: Sequence[str | os.PathLike[str] | Panel] = (),
    *,
    host: str = LOOPBACK,
    port: int = 8765,
    title: str = "",
    say: Say = lambda line: None,
) -> Served:
    """The server of `serve`, not yet running; errors as there."""
    try:
        import starlette
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise InputError(f'this needs {error.name}: pip install "harmonium[app]".') from None
    assert starlette
    from harmonium.app.page import TITLE, panels_of, render
    from harmonium.app.server_options import form

    listening = listen(host, port)  # before anything slow
    try:
        return Served(render(panels_of(runs, say), title or TITLE, live=form()), listening, host)
    except BaseException:
        listening.close()
        raise


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; raises InputError where it cannot, with the mend."""
    if not 0 <= port <= 65535:
        raise InputError(f"port={port} must be a whole number from 0 to 65535 (0: any that is free).")
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise InputError(f"host={host!r} is no address of this machine; leave it out for {LOOPBACK}.") from None
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise InputError(_why(error, host, port)) from None
    return listening


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 0
        return f"port={port} is in use already, perhaps by another harmonium app; choose another: --port {other}."
    if error.errno == errno.EACCES:
        return f"port={port} is not for everybody; choose one from 1024 on, such as --port 8765."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"host={host!r} is no address of this machine; leave it out for {LOOPBACK}."
    return f"host={host!r} with port={port} cannot be listened on: {error.strerror}; leave them out."


def _server(application: Any, live: Any) -> uvicorn.Server:
    """A quiet server whose pages are told that it ends before it waits for them."""
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            live.closed = True
            await super().shutdown(sockets)

    config = uvicorn.Config(
        application, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
        proxy_headers=False, timeout_graceful_shutdown=3, timeout_keep_alive=5, limit_concurrency=64,
        h11_max_incomplete_event_size=16384,
    )  # fmt: skip
    return Server(config)


def _has_screen() -> bool:
    """Whether a browser can show itself: on Linux a text browser would take the terminal instead."""
    return not sys.platform.startswith("linux") or any(os.environ.get(x) for x in ("DISPLAY", "WAYLAND_DISPLAY"))
