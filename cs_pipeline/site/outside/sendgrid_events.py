"""Take what SendGrid's event webhook posts. 200 says that all of it is kept: whatever else is said, it comes again."""

import logging

import anyio
import anyio.to_thread
import psycopg2
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cs_pipeline.answers.keeping_together import KeepingTogether
from cs_pipeline.channels.sendgrid_events import (
    MOST_BYTES,
    NOT_SIGNED,
    SIGNATURE,
    TIMESTAMP,
    read_events,
    why_not_believed,
)
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse, without_rows

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Requests that are worked on at the same time, most of them waiting for a commit; others wait for their turn. These
threads are not those that answer people's pages."""
NO_KEY = (
    "Events are not taken: set CS_PIPELINE_SENDGRID_WEBHOOK_KEY to SendGrid's verification key (docs/answers.md).\n"
)
TOO_LARGE = f"A request may have {MOST_BYTES:,} bytes.\n"
NOT_NOW = "The events cannot be kept now; send them again.\n"


def sendgrid_events(settings: Settings, warehouse: Warehouse, clock: Clock) -> ASGIApp:
    """The application at its path."""
    limit: list[anyio.CapacityLimiter] = []  # made within the loop that it belongs to
    together = KeepingTogether(warehouse)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if not limit:
            limit.append(anyio.CapacityLimiter(AT_ONCE))
        request = Request(scope, receive)
        try:
            answer = await _refusal(request, settings)
            if answer is None:
                body = await _body(request)
                answer = (
                    PlainTextResponse(TOO_LARGE, 413)
                    if body is None
                    else await anyio.to_thread.run_sync(
                        _take, request, body, settings, together, clock, limiter=limit[0]
                    )
                )
        except ClientDisconnect:
            return
        await answer(scope, receive, send)

    return application


async def _refusal(request: Request, settings: Settings) -> Response | None:
    """What is said without reading on."""
    if request.method != "POST":
        return PlainTextResponse("Only POST is answered here.\n", 405, {"Allow": "POST"})
    if not settings.sendgrid_webhook_key:
        return PlainTextResponse(NO_KEY, 503)
    if not request.headers.get(SIGNATURE):
        return PlainTextResponse(f"Refused: {NOT_SIGNED}.\n", 403)
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length[:20]) > MOST_BYTES:
        return PlainTextResponse(TOO_LARGE, 413)
    return None


async def _body(request: Request) -> bytes | None:
    """All of it; None where it is larger than it may be, whatever was said of its length."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


def _take(request: Request, body: bytes, settings: Settings, together: KeepingTogether, clock: Clock) -> Response:
    now = clock.now()
    signature, timestamp = request.headers.get(SIGNATURE, ""), request.headers.get(TIMESTAMP, "")
    if why := why_not_believed(settings.sendgrid_webhook_key, signature, timestamp, body, now):
        log.warning("%s: a request is refused: %s", request.url.path, why)
        return PlainTextResponse(f"Refused: {why}.\n", 403)
    events = read_events(body, unsubscribe_group=settings.sendgrid_unsubscribe_group)
    try:
        new = together.keep(events, now)
    except (UserError, psycopg2.Error) as error:
        log.error("%s: events cannot be kept: %s", request.url.path, without_rows(error))
        return PlainTextResponse(NOT_NOW, 503, {"Retry-After": "60"})
    return PlainTextResponse(f"{new} of {len(events)} events are new\n")
