"""Carry one sentence from a form to the page that is shown next: what was done, or why not.

It travels in a cookie that is signed with a key of this process, and is shown once.
"""

import secrets
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cs_pipeline.site.cookies import cookie_header

COOKIE = "cs_pipeline_flash"
LASTS = 120  # seconds
MOST_BYTES = 3_000  # a browser keeps a cookie of up to 4 kB
_signer = URLSafeTimedSerializer(secrets.token_bytes(32), salt="flash")


@dataclass(frozen=True)
class Said:
    """A sentence, and whether it says why something was not done."""

    words: str
    is_error: bool


def keep(response: Response, words: str, *, is_error: bool) -> None:
    """Have the next page say it."""
    kept = str(_signer.dumps([words, is_error]))
    while len(kept) > MOST_BYTES:
        words = words[: len(words) * 2 // 3] + "…"
        kept = str(_signer.dumps([words, is_error]))
    response.headers.append("Set-Cookie", cookie_header(COOKIE, kept, is_https=False, max_age=LASTS))


class Flash:
    """An ASGI application that hands on what is kept as `request.state.flash`, and forgets it with a page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http" or COOKIE not in (request := Request(scope)).cookies:
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["flash"] = _read(request.cookies[COOKIE])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_page = headers.get("content-type", "").startswith("text/html")
                if is_page and COOKIE not in headers.get("set-cookie", ""):
                    headers.append("Set-Cookie", cookie_header(COOKIE, "", is_https=False, max_age=0))
            await send(message)

        await self._app(scope, receive, sending)


def _read(kept: str) -> Said | None:
    try:
        words, is_error = _signer.loads(kept, max_age=LASTS)
    except (BadData, ValueError):
        return None
    return Said(str(words), bool(is_error))
