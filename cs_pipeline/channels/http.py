"""Make HTTP requests that tell what was never written from what may have arrived, and word their failures.

A request that was never written cannot have been accepted, so it can be repeated; any other broken exchange leaves the
question open. What a provider's own answers mean is in that provider's module.
"""

import logging
import socket
import ssl
from collections.abc import Iterable, Mapping
from datetime import timedelta
from email.message import Message as Headers
from functools import cache
from http.client import HTTPException, HTTPSConnection
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from cs_pipeline.channels.exchange import BoundedExchange, FencedError, NotConnectedError
from cs_pipeline.channels.message import Outcome
from cs_pipeline.channels.refusals import RETRY_SOON

TIMEOUT_SECONDS = 15
LONGEST_DETAIL = 500

BROKEN_EXCHANGE = (OSError, HTTPException)
"""What the standard library raises when an exchange breaks off; URLError is an OSError."""


class _Connection(BoundedExchange):
    """Plain."""


class _SecureConnection(BoundedExchange, HTTPSConnection):
    """With TLS."""


class _Handler(HTTPHandler):
    def http_open(self, req: Request):
        return self.do_open(_Connection, req)


class _SecureHandler(HTTPSHandler):
    def __init__(self) -> None:
        super().__init__()
        self._known_authorities = ssl.create_default_context()  # takes longer to read than many a request

    def https_open(self, req: Request):
        return self.do_open(_SecureConnection, req, context=self._known_authorities)


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would repeat the request, keys included, at an address that nobody set. It is not even read."""

    def http_error_302(self, req, fp, code, msg, headers) -> None:  # noqa: ARG002 - urllib's signature
        return None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


@cache
def opener_that_tells() -> OpenerDirector:
    """One urllib opener for all threads; its connections raise NotConnectedError where urllib says 'timed out'."""
    return build_opener(_Handler, _SecureHandler, _NoRedirects)


def never_written(error: BaseException) -> bool:
    """True when `error` shows that no byte of the request reached the provider."""
    before_writing = (NotConnectedError, ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
    return isinstance(_cause(error), before_writing)


def _cause(error: BaseException) -> object:
    return error.reason if isinstance(error, URLError) else error


def broken_off(error: BaseException, detail: str) -> Outcome:
    """What becomes of a message whose exchange broke off with `error`."""
    if isinstance(_cause(error), FencedError):
        return Outcome("retry", detail=detail, cause="not_asked")
    if never_written(error):
        return Outcome("retry", detail=detail, retry_after=RETRY_SOON)
    return Outcome("uncertain", detail=f"connection broke off: {detail}")


def is_web_address(url: str) -> bool:
    """Whether a request can be made of it: urllib takes no name and password in an address."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
        (parts.hostname or "").encode("idna")
    except ValueError:
        return False
    is_printable = url.isascii() and url.isprintable() and " " not in url
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    return is_printable and has_port and is_web


def redacted(error: object, *, without: Iterable[str]) -> str:
    """An error in one short line, in which no string of `without` (secrets, addresses) appears."""
    words = " ".join(str(error).split())
    for part in without:
        if part:
            words = words.replace(part, "***")
    return words if len(words) <= LONGEST_DETAIL else words[: LONGEST_DETAIL - 1] + "…"


def seconds_in(headers: Headers | Mapping[str, str] | None, name: str) -> timedelta | None:
    """A header that holds a number of seconds; None when it is absent, negative or not a number."""
    value = None if headers is None else headers.get(name)
    try:
        seconds = float(value) if value is not None else -1.0
    except ValueError:
        return None
    return timedelta(seconds=min(seconds, 86_400)) if seconds >= 0 else None


def silenced(name: str) -> logging.Logger:
    """The logger `name`, saying nothing: vendors' libraries print keys, addresses and bodies; outcomes say the rest."""
    logger = logging.getLogger(name)
    if _nothing not in logger.filters:
        logger.addFilter(_nothing)
    return logger


def _nothing(_: logging.LogRecord) -> bool:
    return False
