"""Let the reader of a mail unsubscribe: a GET shows a button, a POST does it.

Programs that look for danger in mails follow every link, so a GET changes nothing. Mail programs post
`List-Unsubscribe=One-Click` for their readers (RFC 8058), with no cookie and nobody to answer a question; the button
posts to the same address. What proves the request is the link itself.
"""

import logging
from importlib.resources import files

import psycopg2
from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cs_pipeline.answers.unsubscribe import subscriber_of, unsubscribe
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.plays.messages.unsubscribe_link import MESSAGE, SIGNATURE
from cs_pipeline.settings import Settings
from cs_pipeline.site.templating import site_templates
from cs_pipeline.warehouse.connection import Warehouse, without_rows

log = logging.getLogger(__name__)

TEMPLATE = "_unsubscribe.html.j2"
STYLE = (files("cs_pipeline.site") / "static" / "unsubscribe.css").read_text(encoding="utf-8")
CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
NOT_NOW = "This does not work at the moment. Please try again in a few minutes.\n"


def unsubscribing(settings: Settings, warehouse: Warehouse, clock: Clock) -> ASGIApp:
    """The application at its path."""
    templates = site_templates(settings)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)  # what a POST says besides is not read: the link says it all
        if request.method in ("GET", "HEAD", "POST"):
            answer = await run_in_threadpool(_answer, request, templates, warehouse, clock)
        else:
            answer = PlainTextResponse("Only GET and POST are answered here.\n", 405, {"Allow": "GET, HEAD, POST"})
        await answer(scope, receive, send)

    return application


def _answer(request: Request, templates: Environment, warehouse: Warehouse, clock: Clock) -> Response:
    digest, signature = (request.query_params.get(name, "") for name in (MESSAGE, SIGNATURE))
    is_done = request.method == "POST"
    try:
        with warehouse.session() as session:
            subscriber = subscriber_of(session, digest.replace("\0", ""), signature)
            if subscriber is not None and is_done:
                unsubscribe(session, subscriber, clock.now())
    except (UserError, psycopg2.Error) as error:
        log.error("%s: %s", request.url.path, without_rows(error))
        return PlainTextResponse(NOT_NOW, 503, {"Retry-After": "60"})
    html = templates.get_template(TEMPLATE).render(
        style=STYLE,
        is_link=subscriber is not None,
        is_done=is_done or (subscriber is not None and subscriber.address is None),
        address="" if subscriber is None else subscriber.masked,
        query=request.url.query,
    )
    return HTMLResponse(html, 200 if subscriber else 404, {"Content-Security-Policy": CONTENT_POLICY})
