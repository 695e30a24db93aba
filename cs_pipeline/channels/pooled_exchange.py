"""Bound the exchanges of libraries that work with urllib3, which those of CRMs do."""

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from cs_pipeline.channels.exchange import BoundedExchange


class _Connection(BoundedExchange, HTTPConnection):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Plain."""


class _SecureConnection(BoundedExchange, HTTPSConnection):  # pyright: ignore[reportIncompatibleMethodOverride]
    """With TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection  # pyright: ignore[reportAssignmentType] - narrower than urllib3's protocol


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection  # pyright: ignore[reportAssignmentType]


def bound(pools: PoolManager) -> None:
    """Bound every exchange over `pools`."""
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
