"""Answer the platform: `/healthz` (the process lives), `/readyz` (it can serve), `/metrics` (figures for Prometheus).

Nobody signs in for these. A probe asks by the address of a pod or container, so the first two answer to every host;
they say nothing of customers. `/metrics` counts actions and alerts: it asks for the token of the settings, or, where
there is none, answers only as long as nobody but this machine can reach the site.
"""

import hmac
import logging
from collections.abc import Callable, Mapping

import psycopg2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.reports.monitoring.exposition import CONTENT_TYPE, in_text_format
from cs_pipeline.reports.monitoring.figures import GAUGES, readings
from cs_pipeline.settings import Settings
from cs_pipeline.site.allowed_hosts import AllowedHosts, hosts_of
from cs_pipeline.site.headers import with_headers
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.readiness import why_not_ready

log = logging.getLogger(__name__)

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
NEEDS_A_TOKEN = (
    "Others can reach this site, so its figures are for those who know the token: "
    "set CS_PIPELINE_METRICS_TOKEN, and send it as `Authorization: Bearer …`.\n"
)
Answer = Callable[[Request], Response]


class AtPaths:
    """An ASGI application that lets others answer some paths, and passes on everything else."""

    def __init__(self, app: ASGIApp, answers: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        answer = self._answers.get(scope["path"]) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)


def monitored(
    app: ASGIApp,
    settings: Settings,
    warehouse: Warehouse,
    clock: Clock,
    rules: Callable[[], Mapping[str, Rule]],
    *,
    is_open: bool,
) -> ASGIApp:
    """`app` with the three paths before it. `is_open`: others than this machine can reach it."""
    figures = _answering(_metrics(settings, warehouse, clock, rules, is_open=is_open))
    return AtPaths(
        app,
        {
            "/healthz": _answering(lambda _: PlainTextResponse("alive\n")),
            "/readyz": _answering(lambda _: _ready(warehouse)),
            "/metrics": figures if settings.metrics_token else AllowedHosts(figures, hosts_of(settings)),
        },
    )


def _answering(answer: Answer) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method in ("GET", "HEAD"):
            response = await run_in_threadpool(answer, request)
        else:
            response = PlainTextResponse("Only GET is answered here.\n", 405, {"Allow": "GET, HEAD"})
        await response(scope, receive, with_headers(send, HEADERS))

    return application


def _ready(warehouse: Warehouse) -> Response:
    why_not = why_not_ready(warehouse)
    return PlainTextResponse(f"not ready: {why_not}\n", 503) if why_not else PlainTextResponse("ready\n")


def _metrics(
    settings: Settings,
    warehouse: Warehouse,
    clock: Clock,
    rules: Callable[[], Mapping[str, Rule]],
    *,
    is_open: bool,
) -> Answer:
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else ""

    def answer(request: Request) -> Response:
        if token:
            said = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(said, f"Bearer {token}".encode()):
                return PlainTextResponse("The token is not the right one.\n", 401, {"WWW-Authenticate": "Bearer"})
        elif is_open or settings.site_user_header:
            return PlainTextResponse(NEEDS_A_TOKEN, 403)
        try:
            with warehouse.session() as session:
                text = in_text_format(GAUGES, readings(session, rules(), clock.now()))
        except (UserError, psycopg2.Error) as error:
            log.error("/metrics: %s", error)
            return PlainTextResponse("The figures cannot be read now; /readyz or the log of the site says why.\n", 503)
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    return answer
