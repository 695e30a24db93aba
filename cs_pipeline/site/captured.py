"""Give out the pages of captured messages as they lie in the folder of captures; nothing else of the folder.

They are documents of their own, with the styles of a mail in them, so they carry a policy of their own: no script but
the one of `channels/pages/email.html.j2`, which gives the frame of a mail its height.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from importlib.resources import files

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from cs_pipeline.settings import Settings
from cs_pipeline.site import sign_in
from cs_pipeline.site.reader import Reader

PREFIX = "/messages"


def _own_scripts() -> list[str]:
    template = (files("cs_pipeline.channels") / "pages" / "email.html.j2").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", template, re.S)
    return [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]


_SCRIPTS = " ".join(f"'sha256-{each}'" for each in _own_scripts())
CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-src 'self'; form-action 'none'; "
    f"base-uri 'none'; frame-ancestors 'self'; script-src {_SCRIPTS}"
)


class Pages(StaticFiles):
    """The pages of messages; any other file is not there."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The page. Raises HTTPException 404."""
        if not path.endswith(".html") or path == "index.html":
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response


class ForReaders:
    """An ASGI application that asks who asks first."""

    def __init__(self, app: ASGIApp, reader_of: Callable[[Request], Reader]) -> None:
        self._app = app
        self._reader_of = reader_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or lead to the page that asks for a password."""
        request = Request(scope, receive)
        try:
            await run_in_threadpool(self._reader_of, request)
        except sign_in.SignInNeeded:
            await sign_in.redirect(request)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def captured_routes(settings: Settings, reader_of: Callable[[Request], Reader]) -> Sequence[BaseRoute]:
    """The routes below PREFIX."""
    return [Mount(PREFIX, ForReaders(Pages(directory=settings.captures, check_dir=False), reader_of))]
