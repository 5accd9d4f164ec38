"""What a server on one's own machine must not be used for by other web pages that are open in the browser.

A page of another site can send requests to 127.0.0.1, but cannot choose their headers:

    Host            the name that the browser looked up; a name of theirs that points here (DNS rebinding) is refused
    Origin          the page that a POST comes from; any but ours is refused, and so is one that does not say
    Sec-Fetch-Site  the same of what is read, where the browser says it
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: What goes with every answer: no frames, no guessing of types, no copies kept.
HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_READS = ("GET", "HEAD")


def allowed_hosts(host: str) -> frozenset[str] | None:
    """Names by which a server that listens on `host` may be called; None where any address of numbers may be."""
    if host in ("", "0.0.0.0", "::"):
        return None
    own = host.strip("[]").lower()
    loopback = own in _LOOPBACK or own.startswith("127.")
    return frozenset({own, *_LOOPBACK}) if loopback else frozenset({own, *_addresses(own)})


def _addresses(name: str) -> set[str]:
    try:
        return {str(found[4][0]).lower() for found in socket.getaddrinfo(name, None)}
    except OSError:
        return set()


class Guard:
    """Refuses requests by their headers before anything else sees them, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] | None, port: int) -> None:
        self.app = app
        self.hosts = None if hosts is None else frozenset(hosts)
        self.port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # nothing else is served

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self._refused(scope["method"], Headers(scope=scope))
        if refused:
            await JSONResponse({"error": refused}, 403)(scope, receive, with_headers)
        else:
            await self.app(scope, receive, with_headers)

    def _refused(self, method: str, headers: Headers) -> str:
        """Why a request is refused, in a sentence; empty where it is not."""
        hosts = headers.getlist("host")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if not self._known(host):
            return f"this server does not go by the name {host[:80]!r}; use the address that it has printed."
        origins = headers.getlist("origin")
        if origins != [f"http://{host}"] and (origins or method not in _READS):
            return "this request comes from another page, or does not say from where; use the page of this server."
        visited = headers.get("sec-fetch-mode") == "navigate" and method in _READS  # by a link, which is no harm
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not visited:
            return "this request comes from another site; use the page of this server."
        return ""

    def _known(self, host: str) -> bool:
        name, colon, port = host.rpartition(":")
        if not colon or "]" in port:
            name, port = host, "80"
        if port != str(self.port):
            return False
        name = name.removeprefix("[").removesuffix("]")
        if self.hosts is not None:
            return name in self.hosts
        return name in (*_LOOPBACK, socket.gethostname().lower()) or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
