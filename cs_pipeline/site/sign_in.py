"""Find out who asks: by the header of a trusted proxy, or by a password.

Where neither is set up, whoever is at this machine may read, and nobody may act. As soon as one of them is, or others
can reach the site, nobody reads without a name.
"""

import threading
import time
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from psycopg2.extensions import connection as Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cs_pipeline.settings import Settings
from cs_pipeline.site import flash, users
from cs_pipeline.site.cookies import cookie_header
from cs_pipeline.site.form import Fields, local_path
from cs_pipeline.site.page import PageRequest
from cs_pipeline.site.reader import SOMEBODY, Reader
from cs_pipeline.warehouse.connection import Warehouse

COOKIE = "cs_pipeline_session"
LONGEST_NAME = 200
WRONG = "That name and password do not belong together."
WAIT = "Too many attempts; wait five minutes. `cs-pipeline user add NAME` sets a new password."


class SignInNeeded(Exception):
    """Nobody may read without a name here."""


class Attempts:
    """Counts attempts to sign in that failed, by name and by address, in the last five minutes.

    An attempt counts before its password is looked at: many at once are no way around.
    """

    PERIOD = 300.0  # seconds
    MOST_OF_A_NAME = 5
    MOST_OF_AN_ADDRESS = 50  # behind a proxy all come from one
    MOST_KEPT = 10_000

    def __init__(self) -> None:
        self._made: dict[str, list[float]] = {}
        self._one_at_a_time = threading.Lock()

    def begin(self, name: str, address: str) -> bool:
        """Count one; False where it must wait instead."""
        keys = (f"name {name}", f"address {address}")
        with self._one_at_a_time:
            if any(
                len(self._recent(key)) >= most
                for key, most in zip(keys, (self.MOST_OF_A_NAME, self.MOST_OF_AN_ADDRESS), strict=True)
            ):
                return False
            for key in keys:
                self._made[key] = [*self._recent(key), time.monotonic()]
            for key in list(self._made)[: self.MOST_KEPT // 2] if len(self._made) > self.MOST_KEPT else ():
                del self._made[key]
            return True

    def forget(self, name: str, address: str) -> None:
        """They are who they say: it did not fail."""
        with self._one_at_a_time:
            self._made.pop(f"name {name}", None)
            self._made[f"address {address}"] = self._recent(f"address {address}")[:-1]

    def _recent(self, key: str) -> list[float]:
        since = time.monotonic() - self.PERIOD
        return [moment for moment in self._made.get(key, ()) if moment > since]


def reader_of(request: Request, settings: Settings, warehouse: Warehouse, *, is_open: bool) -> Reader:
    """Who asks. Raises SignInNeeded."""
    if name := name_by_proxy(request, settings):
        return Reader(name)
    token = request.cookies.get(COOKIE)
    with warehouse.session() as session:
        if token and (name := users.user_of(session, token)):
            return Reader(name, has_signed_in=True)
        if is_open or settings.site_user_header or users.has_users(session):
            raise SignInNeeded
    return SOMEBODY


def name_by_proxy(request: Request, settings: Settings) -> str:
    """The name in the header of a trusted proxy; empty where it says none, says two, or another address says it."""
    if not settings.site_user_header or request.client is None:
        return ""
    try:
        peer = ip_address(request.client.host)
    except ValueError:
        return ""
    peer = getattr(peer, "ipv4_mapped", None) or peer
    said = request.headers.getlist(settings.site_user_header)
    if len(said) != 1 or not any(peer in network for network in settings.proxy_networks):
        return ""
    name = said[0].strip()
    return name if name.isprintable() and len(name) <= LONGEST_NAME else ""


def redirect(request: Request) -> Response:
    """To the page that asks for a password; from there back to what was asked for."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(asked, safe='')}" if request.method == "GET" else "/sign-in", 303)


def show(asked: PageRequest) -> Response:
    """The page that asks for name and password, or says why there is none to give."""
    with asked.session() as session:
        can_sign_in = users.has_users(session)
    return asked.render("_sign_in", can_sign_in=can_sign_in, next=asked.asked("next"))


def sign_in(asked: PageRequest, fields: Fields) -> Response:
    """Check the password, and give the browser a session."""
    name, password, following = fields.text("name").lower(), fields.data.get("password"), fields.text("next")
    address = asked.request.client.host if asked.request.client else ""
    again = RedirectResponse(f"/sign-in?next={quote(following, safe='')}", 303)
    if not asked.site.attempts.begin(name, address):
        flash.keep(again, WAIT, is_error=True)
        return again
    with asked.session() as session:
        if not isinstance(password, str) or not users.is_password_of(session, name, password):
            flash.keep(again, WRONG, is_error=True)
            return again
        token = users.begin_session(session, name)
    asked.site.attempts.forget(name, address)
    there = RedirectResponse(local_path(following), 303)
    there.headers.append(
        "Set-Cookie",
        cookie_header(COOKIE, token, is_https=is_https(asked.settings), max_age=users.LASTS_DAYS * 86_400),
    )
    return there


def sign_out(asked: PageRequest, fields: Fields) -> Response:  # noqa: ARG001 - a form has fields
    """End the browser's session."""
    if token := asked.request.cookies.get(COOKIE):
        with asked.session() as session:
            users.end_session(session, token)
    there = RedirectResponse("/sign-in", 303)
    flash.keep(there, "You are signed out.", is_error=False)
    there.headers.append("Set-Cookie", cookie_header(COOKIE, "", is_https=is_https(asked.settings), max_age=0))
    return there


def is_https(settings: Settings) -> bool:
    """Whether browsers reach the site by https."""
    return urlsplit(settings.site_url).scheme == "https"


def anybody_can_be_known(session: Session, settings: Settings) -> bool:
    """Whether a proxy says who asks, or somebody can sign in."""
    return bool(settings.site_user_header) or users.has_users(session)
