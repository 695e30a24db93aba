"""Refuse requests for pages of this machine under other names, or from pages of strangers.

A page of a stranger, open in the same browser, can let a name of its own point to this machine (DNS rebinding), include
what it finds here as a script, or post to it. So a request must name a host that is meant, a change must come from a
page of such a host, and other sites' pages may not include anything.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cs_pipeline.settings import Settings
from cs_pipeline.site.headers import with_headers

LOOPBACK = ("localhost", "127.0.0.1", "::1")
ANY = "*"
SAFE = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
}
REFUSAL = (
    "This address is not one under which the page may be asked for. "
    "Open it as its link says, or add the name to CS_PIPELINE_ALLOWED_HOSTS."
)


def hosts_of(settings: Settings) -> frozenset[str]:
    """The names of this machine, those in the links to the pages, and those that the team allows besides."""
    linked = (urlsplit(url).hostname or "" for url in (settings.ui_url, settings.site_url))
    return frozenset(name.lower() for name in (*LOOPBACK, *linked, *settings.allowed_hosts) if name)


def host_in(header: str) -> str:
    """The name in a `Host` header, without its port."""
    try:
        return (urlsplit(f"//{header.strip()}").hostname or "").rstrip(".")
    except ValueError:
        return ""


class AllowedHosts:
    """An ASGI application that passes on what `hosts` are asked for, and marks every answer as nobody else's."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse with 403."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if self._is_meant(scope, Headers(scope=scope)):
            await self._app(scope, receive, with_headers(send, HEADERS))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "this host is not allowed"})
        else:
            await PlainTextResponse(REFUSAL, 403)(scope, receive, with_headers(send, HEADERS))

    def _is_meant(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        if ANY in self._hosts:
            return True
        if host_in(headers.get("host", "")) not in self._hosts:
            return False
        if scope["type"] == "http" and scope["method"] in SAFE:
            return True
        origin = headers.get("origin")  # browsers say from which page a change comes; programs say nothing
        return origin is None or host_in(origin.partition("://")[2]) in self._hosts
