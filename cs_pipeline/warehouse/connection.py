"""Where the pipeline's PostgreSQL is, and transactions on it.

Two ways in: `session` (psycopg2) for statements and row locks, `arrow` (ADBC) for columns in bulk. Both are one
transaction that commits when the block ends well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import adbc_driver_postgresql.dbapi
import psycopg2
from adbc_driver_manager import dbapi as adbc
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError

APPLICATION_NAME = "cs_pipeline"


def without_rows(error: Exception) -> str:
    """What PostgreSQL says of an error, without its detail, which quotes the row; the error's own words else."""
    said = error.diag.message_primary if isinstance(error, psycopg2.Error) else None
    return said or str(error)


class Warehouse:
    """A PostgreSQL database, by its URL (`postgresql://user:password@host:port/database`)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        scheme = parts.scheme.partition("+")[0]
        if scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
            raise UserError(
                "CS_PIPELINE_DATABASE_URL is not a PostgreSQL address: "
                "expected postgresql://user:password@host:5432/database"
            )
        self.url = urlunsplit(parts._replace(scheme="postgresql"))
        self._parts = parts

    def __repr__(self) -> str:
        return f"Warehouse({self.location})"

    @property
    def database(self) -> str:
        """Name of the database."""
        return unquote(self._parts.path.strip("/"))

    @property
    def location(self) -> str:
        """Host, port and database: what may be shown to a person."""
        return f"{self._parts.hostname or 'localhost'}:{self._parts.port or 5432}/{self.database}"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One psycopg2 transaction: committed at the end of the block, rolled back on an error.

        Raises UserError when the server cannot be reached.
        """
        try:
            connection = psycopg2.connect(self.url, application_name=APPLICATION_NAME)
        except psycopg2.OperationalError as error:
            raise UserError(self._unreachable(str(error))) from None
        try:
            connection.set_session(isolation_level="READ COMMITTED")
            with connection.cursor() as cursor:
                cursor.execute("set time zone 'UTC'")
            yield connection
            connection.commit()
        except BaseException:
            if not connection.closed:
                connection.rollback()
            raise
        finally:
            connection.close()

    @contextmanager
    def arrow(self) -> Iterator[adbc.Connection]:
        """One ADBC transaction, for reading and writing Arrow tables; commits at the end of the block."""
        try:
            connection = adbc_driver_postgresql.dbapi.connect(self.url)
        except adbc.Error as error:
            raise UserError(self._unreachable(str(error))) from None
        try:
            with connection.cursor() as cursor:
                cursor.execute("set time zone 'UTC'")
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.close()

    def dbt_environment(self) -> dict[str, str]:
        """The variables that `dbt_project/profiles.yml` reads."""
        options = dict(parse_qsl(self._parts.query))
        return {
            "CS_PIPELINE_DBT_HOST": self._parts.hostname or options.get("host", "localhost"),
            "CS_PIPELINE_DBT_PORT": str(self._parts.port or 5432),
            "CS_PIPELINE_DBT_USER": unquote(self._parts.username or options.get("user", "")),
            "CS_PIPELINE_DBT_PASSWORD": unquote(self._parts.password or ""),
            "CS_PIPELINE_DBT_DATABASE": self.database,
            "CS_PIPELINE_DBT_SSLMODE": options.get("sslmode", "prefer"),
        }

    def _unreachable(self, reason: str) -> str:
        words = " ".join(reason.split())
        if self._parts.password:
            words = words.replace(self._parts.password, "***").replace(unquote(self._parts.password), "***")
        return (
            f"PostgreSQL at {self.location} cannot be reached: {words}. "
            "Check CS_PIPELINE_DATABASE_URL, or start the embedded server with `cs-pipeline up`."
        )
