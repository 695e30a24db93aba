"""Define a page, and what it can ask for.

What a page shows is in `pages`, the frame around it in `templates/_base.html.j2`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from psycopg2.extensions import connection as Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.settings import Settings
from cs_pipeline.site.reader import Reader
from cs_pipeline.warehouse.connection import Warehouse

if TYPE_CHECKING:
    from cs_pipeline.site.application import Site


@dataclass(frozen=True)
class Page:
    """A page of the site.

    `name` is that of its module and its template, `path` its address, where `{account_id}` and the like stand for a
    part that varies. `show` runs in a thread of its own, so it may ask the database. `navigation` is its title in the
    navigation; empty for a page that others lead to. `examples` gives addresses at which it can be tried, out of what
    the database holds; a page without a varying part is tried at its path.
    """

    name: str
    path: str
    show: Callable[["PageRequest"], Response]
    navigation: str = ""
    examples: Callable[[Session], list[str]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class PageRequest:
    """What a page or a form is asked, by whom."""

    site: "Site"
    request: Request
    reader: Reader
    now: datetime

    @property
    def settings(self) -> Settings:
        """Settings of the team."""
        return self.site.settings

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse, for functions of `reports` that open transactions of their own."""
        return self.site.warehouse

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The alert rules, read once; empty where a file is wrong."""
        return self.site.rules

    @property
    def playbooks(self) -> Mapping[str, Playbook]:
        """The playbooks, read once; empty where a file is wrong."""
        return self.site.playbooks

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction."""
        with self.site.warehouse.session() as session:
            yield session

    def part(self, name: str) -> str:
        """The part of the path that stands for `{name}`."""
        return str(self.request.path_params[name]).replace("\0", "")

    def asked(self, name: str, default: str = "") -> str:
        """A value of the query string, without spaces around it, and without what no text of a database holds."""
        return self.request.query_params.get(name, default).replace("\0", "").strip()

    def asked_whole(self, name: str, default: int, *, most: int) -> int:
        """A whole number of the query string, from 0 to `most`; `default` where it is none."""
        text = self.asked(name)
        return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 10 else default

    def address(self, **changes: object) -> str:
        """The address of this page with other values in the query string; None and "" take one out."""
        values = dict(self.request.query_params) | changes
        kept = {name: str(value) for name, value in values.items() if value not in (None, "")}
        return self.request.url.path + (f"?{urlencode(kept)}" if kept else "")

    def render(self, template: str, status_code: int = 200, **values: Any) -> Response:
        """The page that `templates/<template>.html.j2` makes of values; `asked` is this request there."""
        return HTMLResponse(
            self.site.render(template, self, values), status_code, headers={"Cache-Control": "no-store"}
        )
