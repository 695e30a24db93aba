"""Bound the exchanges that go over urllib3, and keep their connections for the next one.

To connect to a provider takes two or three times as long as a packet travels, and the work of TLS, for each of which a
message can be sent. What a broken exchange means is in `http`, whose words are those of the standard library.
"""

import ssl
import time
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError
from urllib3.util import make_headers

from cs_pipeline.channels.exchange import BoundedExchange, NotConnectedError
from cs_pipeline.errors import UserError

KEPT_FOR = 10.0
"""Seconds from the beginning of one exchange to that of the next. Providers keep a connection for a minute or longer:
one that they close at the moment in which we write would leave it open whether a message has arrived."""


class _Connection(BoundedExchange, HTTPConnection):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Plain."""

    @property
    def is_connected(self) -> bool:
        """Whether the next exchange may go over it; what is not, connects again before it writes."""
        return super().is_connected and time.monotonic() < self.began_at + KEPT_FOR


class _SecureConnection(_Connection, HTTPSConnection):  # pyright: ignore[reportIncompatibleMethodOverride]
    """With TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection  # pyright: ignore[reportAssignmentType] - narrower than urllib3's protocol


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection  # pyright: ignore[reportAssignmentType]


def bound(pools: PoolManager) -> None:
    """Bound every exchange over `pools`."""
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def connections_to(url: str, most: int) -> PoolManager:
    """Up to `most` connections that are kept, through the proxy that the environment names for `url`, if any.

    Raises UserError where that is none of HTTP.
    """
    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    context = ssl.create_default_context() if parts.scheme == "https" else None
    if proxy:
        address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if address.scheme not in ("http", "https"):
            raise UserError(
                f"{parts.scheme}_proxy names a proxy of {address.scheme}; mails go through one of http or https"
            )
        account, _, place = address.netloc.rpartition("@")
        known_to_it = make_headers(proxy_basic_auth=unquote(account)) if account else None
        pools = ProxyManager(
            f"{address.scheme}://{place}", maxsize=most, proxy_headers=known_to_it, ssl_context=context
        )
    else:
        pools = PoolManager(maxsize=most, ssl_context=context)
    bound(pools)
    return pools


def in_plain_words(error: HTTPError) -> OSError:
    """What the standard library would have raised: a NotConnectedError where nothing was written."""
    if isinstance(error, ConnectTimeoutError):  # also where nobody listens, or nobody has that name
        return NotConnectedError(str(error))
    for cause in error.args:
        if isinstance(cause, HTTPError):
            return in_plain_words(cause)
        if isinstance(cause, OSError):
            return cause
    return OSError(str(error))
