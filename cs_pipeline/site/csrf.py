"""Let forms be sent from pages of the site only.

A browser gets a random token as a cookie that no script can read, and each form repeats it: another site can send a
form here, but cannot know the token. `AllowedHosts` refuses forms that say they come from another site's page, besides.
"""

import hmac
import secrets

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cs_pipeline.settings import Settings
from cs_pipeline.site.cookies import cookie_header
from cs_pipeline.site.form import Fields

COOKIE = "cs_pipeline_csrf"
FIELD = "csrf"
LENGTH = 43  # of token_urlsafe(32)
REFUSAL = "This form is too old, or comes from elsewhere: nothing was done. Open the page again and repeat it."


class CsrfCookie:
    """An ASGI application that gives each browser a token; it is `request.state.csrf`."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._is_https = settings.site_url.lower().startswith("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kept = Request(scope).cookies.get(COOKIE, "")
        token = kept if len(kept) == LENGTH else secrets.token_urlsafe(32)
        scope.setdefault("state", {})["csrf"] = token

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and token != kept:
                headers = MutableHeaders(scope=message)
                headers.append("Set-Cookie", cookie_header(COOKIE, token, is_https=self._is_https))
            await send(message)

        await self._app(scope, receive, sending)


def require_token(request: Request, fields: Fields) -> None:
    """Raise HTTPException 403 unless the form carries the token of its browser's cookie."""
    sent = fields.data.get(FIELD)
    kept = request.cookies.get(COOKIE, "")
    if not (isinstance(sent, str) and len(kept) == LENGTH and hmac.compare_digest(sent.encode(), kept.encode())):
        raise HTTPException(403, REFUSAL)
