"""List the paths that are answered to those who sign in nowhere."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from cs_pipeline.clock import Clock
from cs_pipeline.plays.messages.unsubscribe_link import PATH as UNSUBSCRIBE
from cs_pipeline.settings import Settings
from cs_pipeline.site.headers import with_headers
from cs_pipeline.site.outside.sendgrid_events import sendgrid_events
from cs_pipeline.site.outside.unsubscribe import unsubscribing
from cs_pipeline.warehouse.connection import Warehouse

SENDGRID_EVENTS = "/webhooks/sendgrid"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


def outside_paths(settings: Settings, warehouse: Warehouse, clock: Clock) -> Mapping[str, ASGIApp]:
    """What answers at each path."""
    return {
        SENDGRID_EVENTS: _marked(sendgrid_events(settings, warehouse, clock)),
        UNSUBSCRIBE: _marked(unsubscribing(settings, warehouse, clock)),
    }


def _marked(app: ASGIApp) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, with_headers(send, HEADERS))

    return application
