"""Open ADBC connections of one address without reading PostgreSQL's catalogue of types for each.

The driver reads all types when it opens a database, which takes a hundred times as long as to connect. So a process
keeps the databases that it opened last, and their connections share them. A type that is made later is not known to
them; no column of ours is of one.
"""

import threading
from collections import OrderedDict
from typing import cast

import adbc_driver_postgresql
from adbc_driver_manager import AdbcConnection, AdbcDatabase
from adbc_driver_manager import dbapi as adbc

MOST_KEPT = 4

_kept: OrderedDict[str, AdbcDatabase] = OrderedDict()
_lock = threading.Lock()


class _LeftOpen:
    """Stands for a database where a connection would close it."""

    def close(self) -> None:
        """Leave it to the next connection."""


def connect(url: str) -> adbc.Connection:
    """A connection, which the caller closes. Raises adbc.Error."""
    with _lock:
        database = _kept.pop(url, None) or adbc_driver_postgresql.connect(url)
        _kept[url] = database
        _close_beyond_most()
        connection = AdbcConnection(database)
    return adbc.Connection(cast("AdbcDatabase", _LeftOpen()), connection)


def _close_beyond_most() -> None:
    """Close those that have not been used for longest, unless they have connections."""
    for url in list(_kept)[:-MOST_KEPT]:
        try:
            _kept[url].close()
        except RuntimeError:
            continue
        del _kept[url]
