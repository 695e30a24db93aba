"""Serve the page of captured messages over HTTP: `python -m cs_pipeline.cli.messages_site`.

It gives out pages and the list of them, as JSON; nothing else of the folder, and no script that another page could
include. Opened as a file, the page reads the list from `messages.js` beside it.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from cs_pipeline.channels.capture import listed_messages
from cs_pipeline.channels.captured_pages import index_page
from cs_pipeline.cli.allowed_hosts import AllowedHosts, hosts_of
from cs_pipeline.settings import Settings, load_settings


class Pages(StaticFiles):
    """The pages of messages; any other file is not there."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The page. Raises HTTPException 404."""
        if not path.endswith(".html"):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-store"
        return response


def messages_site(settings: Settings) -> ASGIApp:
    """The application."""

    async def index(_: Request) -> Response:
        return HTMLResponse(index_page(), headers={"Cache-Control": "no-store"})

    async def listed(_: Request) -> Response:
        return StreamingResponse(
            _as_array(settings.captures), media_type="application/json", headers={"Cache-Control": "no-store"}
        )

    routes = [
        Route("/", index),
        Route("/index.html", index),
        Route("/messages.json", listed),
        Mount("/", Pages(directory=settings.captures, check_dir=False)),
    ]
    return AllowedHosts(Starlette(routes=routes), hosts_of(settings))


def _as_array(captures: Path) -> Iterator[str]:
    before = "["
    for entry in listed_messages(captures):
        yield before + entry
        before = ",\n"
    yield "[]" if before == "[" else "]"


def main() -> None:
    """Serve until stopped, at the host and port of `messages_url`."""
    import uvicorn

    settings = load_settings()
    where = urlsplit(settings.messages_url)
    uvicorn.run(
        messages_site(settings), host=where.hostname or "127.0.0.1", port=where.port or 3001, log_level="warning"
    )


if __name__ == "__main__":
    main()
