"""What is served: the page, what happens in its training, and what may be asked of that training.  Nothing else.

    GET  /         the page
    GET  /events   server-sent events, each with a number; a page that comes back gets those that it has missed
    POST /train    {options}                                    202; 400 with the sentence; 409 where one is at work
    POST /do       {"what": "pause" | "resume" | "stop" | "leave" | "pace", "value": updates a second}

Every request goes through `Guard` first.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from harmonium.app.server_guard import Guard
from harmonium.app.server_live import BusyError, Live
from harmonium.app.server_options import live_options, pace_of
from harmonium.errors import InputError

#: Bytes that a request may bring, seconds that it may take for them, and pages that may listen at a time.
MOST_BODY, BODY_SECONDS, MOST_PAGES = 4096, 5.0, 16
WISHES = ("pause", "resume", "stop", "leave", "pace")
#: Seconds between looks for new events, and between signs of life where there are none.
_LOOK, _ALIVE = 0.1, 10.0


def site(page: str, live: Live, hosts: frozenset[str] | None, port: int) -> Guard:
    """The ASGI application; `hosts` and `port` as `Guard` wants them."""
    pages = 0

    async def show(request: Request) -> Response:
        return HTMLResponse(page)

    async def events(request: Request) -> Response:
        if pages >= MOST_PAGES:
            return _refused(f"{MOST_PAGES} pages are listening already; close some.", 503)
        return StreamingResponse(told(_after(request, live)), media_type="text/event-stream")

    async def told(number: int) -> AsyncIterator[str]:
        nonlocal pages
        pages += 1
        try:
            yield "retry: 1000\n\n"
            quiet = 0.0
            while not live.closed:
                for own, event in live.since(number):
                    number, quiet = own, 0.0
                    data = json.dumps(event, allow_nan=False, separators=(",", ":"))
                    yield f"id: {live.boot}-{number}\ndata: {data}\n\n"
                await asyncio.sleep(_LOOK)
                quiet += _LOOK
                if quiet >= _ALIVE:
                    quiet = 0.0
                    yield ": still here\n\n"
        finally:
            pages -= 1

    async def train(request: Request) -> Response:
        options = live_options(await _body(request))
        await asyncio.to_thread(live.train, options)
        return JSONResponse({}, 202)

    async def do(request: Request) -> Response:
        asked = await _body(request)
        what = asked.get("what")
        if what not in WISHES:
            raise InputError(f"what={str(what)[:60]!r} is not known; it is one of {', '.join(WISHES)}.")
        if what == "leave":
            live.leave()
            return JSONResponse({}, 202)
        live.wish(what, pace_of(asked.get("value")) if what == "pace" else 0)
        return JSONResponse({}, 202)

    async def wrong(request: Request, error: Exception) -> Response:
        return _refused(str(error), 409 if isinstance(error, BusyError) else 400)

    routes = [
        Route("/", show),
        Route("/events", events),
        Route("/train", train, methods=["POST"]),
        Route("/do", do, methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={InputError: wrong, BusyError: wrong}), hosts, port)


def _refused(words: str, status: int) -> Response:
    return JSONResponse({"error": words}, status)


def _after(request: Request, live: Live) -> int:
    """The event that the page has already; 0 where it is new, or the server is another."""
    boot, _, number = request.headers.get("last-event-id", "").partition("-")
    return int(number) if boot == live.boot and number.isdecimal() and len(number) < 16 else 0


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a request; raises InputError where it is none, or too much."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise InputError("the request must be application/json; send one JSON object.")
    found = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                found += piece
                if len(found) > MOST_BODY:
                    raise InputError(f"the request is longer than {MOST_BODY} bytes; send one short JSON object.")
    except TimeoutError:
        raise InputError(f"the request took longer than {BODY_SECONDS:g} seconds; send it at once.") from None
    except ClientDisconnect:
        raise InputError("the request was cut off; send it again.") from None
    try:
        value = json.loads(found)
    except (ValueError, RecursionError):
        raise InputError("the request is not JSON; send one JSON object.") from None
    if not isinstance(value, dict):
        raise InputError("the request is no JSON object; send one.")
    return value
