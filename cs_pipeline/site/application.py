"""Put the site together: pages, forms, sign-in, errors in words, and the headers that every answer carries."""

import logging
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2.errors
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from cs_pipeline.alerts.rulebook import Rule, load_rules
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.settings import Settings
from cs_pipeline.site import csrf, flash, sign_in
from cs_pipeline.site.allowed_hosts import AllowedHosts, hosts_of
from cs_pipeline.site.captured import captured_routes
from cs_pipeline.site.form import Fields, Form, local_path
from cs_pipeline.site.headers import SiteHeaders
from cs_pipeline.site.kept import Kept
from cs_pipeline.site.monitoring import AtPaths, monitored
from cs_pipeline.site.outside.paths import outside_paths
from cs_pipeline.site.page import PageRequest
from cs_pipeline.site.reader import READ_ONLY, SOMEBODY, Reader
from cs_pipeline.site.registry import FORMS, HOME, PAGES
from cs_pipeline.site.templating import site_templates
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.refusals import DatabaseRefusal, DatabaseUnreachable

log = logging.getLogger(__name__)

NOT_BUILT = (
    "The tables that this page reads are not there yet: no week is built. Load data and score a week "
    "(`cs-pipeline load`, `cs-pipeline backfill`), or run `cs-pipeline demo` for a sample company."
)
BROKEN = (
    "Something went wrong that should not have. The log of the site (`logs/site.log` in the home folder) says what."
)


class Site:
    """What all pages share. `is_open`: others than this machine can reach it, so nobody may read without a name."""

    def __init__(self, settings: Settings, warehouse: Warehouse, clock: Clock, *, is_open: bool = False) -> None:
        self.settings = settings
        self.warehouse = warehouse
        self.clock = clock
        self.is_open = is_open
        self.zone = ZoneInfo(settings.timezone)
        self.attempts = sign_in.Attempts()
        self.kept = Kept()
        self._templates = site_templates(settings)
        self._rules: dict[str, Rule] | None = None
        self._playbooks: dict[str, Playbook] | None = None

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The alert rules, read once; none where a file is wrong, which `doctor` and the job of alerts say."""
        if self._rules is None:
            try:
                self._rules = load_rules(self.settings.config)
            except UserError:
                self._rules = {}
        return self._rules

    @property
    def playbooks(self) -> Mapping[str, Playbook]:
        """The playbooks, read once; none where a file is wrong, which `doctor` and `play list` say."""
        if self._playbooks is None:
            try:
                self._playbooks = load_playbooks(self.settings.config)
            except UserError:
                self._playbooks = {}
        return self._playbooks

    def render(self, template: str, asked: PageRequest, values: Mapping[str, Any]) -> str:
        """The HTML of a template, with what every page shows."""
        request = asked.request
        return self._templates.get_template(f"{template}.html.j2").render(
            asked=asked,
            reader=asked.reader,
            now=asked.now,
            csrf=request.state.csrf,
            flash=getattr(request.state, "flash", None),
            navigation=[page for page in PAGES if page.navigation],
            here=request.url.path,
            settings=self.settings,
            **values,
        )


def site_app(settings: Settings, warehouse: Warehouse, clock: Clock, *, is_open: bool = False) -> ASGIApp:
    """The application."""
    site = Site(settings, warehouse, clock, is_open=is_open)
    routes = [
        Route("/", lambda _: RedirectResponse(HOME), methods=["GET"]),
        Route("/sign-in", _answering(site, sign_in.show, is_public=True), methods=["GET"]),
        Route("/sign-in", _posting(site, sign_in.sign_in, is_public=True), methods=["POST"]),
        Route("/sign-out", _posting(site, sign_in.sign_out), methods=["POST"]),
        *(Route(page.path, _answering(site, page.show), methods=["GET"]) for page in PAGES),
        *(Route(form.path, _posting(site, _acting(form)), methods=["POST"]) for form in FORMS),
        *captured_routes(site.settings, lambda request: _reader(site, request)),
        Mount("/static", StaticFiles(directory=str(files("cs_pipeline.site") / "static"))),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _in_a_page(site), Exception: _broken(site)})
    pages = AllowedHosts(SiteHeaders(csrf.CsrfCookie(flash.Flash(app), settings)), hosts_of(settings))
    with_outside = AtPaths(pages, outside_paths(settings, warehouse, clock))
    return monitored(with_outside, settings, warehouse, clock, lambda: site.rules, is_open=is_open)


def _asked(site: Site, request: Request, *, is_public: bool = False) -> PageRequest:
    reader = SOMEBODY if is_public else _reader(site, request)
    return PageRequest(site, request, reader, site.clock.now())


def _reader(site: Site, request: Request) -> Reader:
    return sign_in.reader_of(request, site.settings, site.warehouse, is_open=site.is_open)


def _answering(
    site: Site, show: Callable[[PageRequest], Response], *, is_public: bool = False
) -> Callable[[Request], Response]:
    """Starlette runs it in a thread, since it is no coroutine."""

    def answer(request: Request) -> Response:
        return _told(site, request, lambda: show(_asked(site, request, is_public=is_public)))

    return answer


def _posting(site: Site, act: Callable[[PageRequest, Fields], Response], *, is_public: bool = False) -> Any:
    async def answer(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=1_000) as data:
            fields = Fields(data, site.zone)

            def acting() -> Response:
                csrf.require_token(request, fields)
                return act(_asked(site, request, is_public=is_public), fields)

            return await run_in_threadpool(lambda: _told(site, request, acting))

    return answer


def _acting(form: Form) -> Callable[[PageRequest, Fields], Response]:
    def act(asked: PageRequest, fields: Fields) -> Response:
        if not asked.reader.may_act:
            raise HTTPException(403, READ_ONLY)
        back = RedirectResponse(local_path(fields.text("back")), 303)
        try:
            flash.keep(back, form.submit(asked, fields), is_error=False)
        except (DatabaseUnreachable, DatabaseRefusal):
            raise
        except UserError as error:
            flash.keep(back, str(error), is_error=True)
        return back

    return act


def _told(site: Site, request: Request, answer: Callable[[], Response]) -> Response:
    """The answer, or what stands in its way as a page."""
    try:
        return answer()
    except sign_in.SignInNeeded:
        return sign_in.redirect(request)
    except (DatabaseUnreachable, DatabaseRefusal) as error:
        return _problem(site, request, 503, str(error))
    except UserError as error:
        return _problem(site, request, 404, str(error))
    except (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn, psycopg2.errors.InvalidSchemaName):
        log.exception("%s %s", request.method, request.url.path)
        return _problem(site, request, 503, NOT_BUILT)


def _problem(site: Site, request: Request, status: int, told: str) -> Response:
    """A page that says what is wrong, to whoever asks: it shows no data, so nobody need be known for it."""
    asked = PageRequest(site, request, SOMEBODY, site.clock.now())
    return asked.render("_problem", status, told=told, status=status)


def _in_a_page(site: Site) -> Any:
    async def handle(request: Request, error: HTTPException) -> Response:
        told = "There is no such page." if error.status_code == 404 and error.detail == "Not Found" else error.detail
        return await run_in_threadpool(_problem, site, request, error.status_code, told)

    return handle


def _broken(site: Site) -> Any:
    async def handle(request: Request, error: Exception) -> Response:
        log.error("%s %s", request.method, request.url.path, exc_info=error)
        return await run_in_threadpool(_problem, site, request, 500, BROKEN)

    return handle
