"""Connect to PostgreSQL, and open transactions.

Two ways in: `session` (psycopg2) for statements and row locks, `arrow` (ADBC) for columns in bulk. Both are one
transaction that commits when the block ends well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg2
from adbc_driver_manager import dbapi as adbc
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse import arrow_databases
from cs_pipeline.warehouse.address import OPTIONS, read_address
from cs_pipeline.warehouse.refusals import DatabaseUnreachable, in_words, is_told_late, refusals_in_words
from cs_pipeline.warehouse.session_settings import SESSION_SETTINGS, options_beyond, settings_of_a_session

APPLICATION_NAME = "cs_pipeline"
CUT_OFF = "57014"  # SQLSTATE of a statement that was ended


def without_rows(error: Exception) -> str:
    """What PostgreSQL says of an error, without its detail, which quotes the row; the error's own words else."""
    said = error.diag.message_primary if isinstance(error, psycopg2.Error) else None
    return said or str(error)


class Warehouse:
    """A PostgreSQL database, by its URL (`postgresql://user:password@host:port/database`).

    Its sessions set what the role or the database may have set otherwise (see `session_settings`).
    """

    def __init__(self, url: str) -> None:
        self._address = read_address(url)

    def __repr__(self) -> str:
        return f"Warehouse({self.location})"

    @property
    def url(self) -> str:
        """The address for other libraries, everything escaped. It holds the password."""
        return self._address.url

    @property
    def database(self) -> str:
        """Name of the database."""
        return self._address.database

    @property
    def location(self) -> str:
        """Host, port and database: what may be shown to a person."""
        return self._address.place

    @property
    def is_answering(self) -> bool:
        """Whether the server takes a connection, and answers."""
        try:
            self.connect().close()
        except (UserError, psycopg2.Error):
            return False
        return True

    def connect(self) -> Session:
        """A psycopg2 connection, which the caller closes. Raises DatabaseUnreachable."""
        parameters: dict[str, Any] = {"application_name": APPLICATION_NAME, **self._address.parameters}
        try:
            connection = psycopg2.connect(**parameters)
        except psycopg2.OperationalError as error:
            raise DatabaseUnreachable(self._unreachable(str(error))) from None
        connection.autocommit = True
        with refusals_in_words(self.location), connection.cursor() as cursor:
            cursor.execute("; ".join(settings_of_a_session(self._address)))
        connection.autocommit = False
        return connection

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One psycopg2 transaction: committed at the end of the block, rolled back on an error.

        Raises DatabaseUnreachable, and DatabaseRefusal when the server refuses what this role asks.
        """
        connection = self.connect()
        try:
            connection.set_session(isolation_level="READ COMMITTED")
            yield connection
            connection.commit()
        except BaseException as error:
            if not connection.closed:
                connection.rollback()
            self._raise_in_words(error)
            raise
        finally:
            connection.close()

    @contextmanager
    def arrow(self) -> Iterator[adbc.Connection]:
        """One ADBC transaction, for reading and writing Arrow tables; commits at the end of the block."""
        connection = self._connect_arrow()
        try:
            with connection.cursor() as cursor:
                for statement in settings_of_a_session(self._address):
                    cursor.execute(statement)
            yield connection
            connection.commit()
        except BaseException as error:
            connection.rollback()
            self._raise_in_words(error)
            raise
        finally:
            connection.close()

    def _connect_arrow(self) -> adbc.Connection:
        """The driver reads catalogues while it connects, as the role has its sessions: a short statement_timeout cuts
        it off, and where identifiers are quoted it knows no type, and text is bytes.
        """
        try:
            connection = arrow_databases.connect(self.url)
        except adbc.Error as error:
            beside = self.for_other_programs() if error.sqlstate == CUT_OFF else self
            if beside is self:
                raise DatabaseUnreachable(self._unreachable(str(error))) from None
        else:
            if not _quotes_identifiers(connection):
                return connection
            connection.close()
            beside = self.for_other_programs()
        return beside._connect_arrow()

    def for_other_programs(self, search_path: str = "") -> "Warehouse":
        """The same address with the options that give dbt and Dagster a session like ours, and that search path."""
        with self.session() as session, session.cursor() as cursor:
            cursor.execute(
                "select name, reset_val from pg_settings where name = any(%s)", ([*SESSION_SETTINGS, "search_path"],)
            )
            options = options_beyond(self._address, dict(cursor.fetchall()), search_path)
        if not options:
            return self
        return Warehouse(replace(self._address, options={**self._address.options, "options": options}).url)

    def dbt_environment(self) -> dict[str, str]:
        """The variables that `dbt_project/profiles.yml` reads, and libpq's for what a profile does not know."""
        address = self._address
        variables = {
            "CS_PIPELINE_DBT_HOST": address.host,
            "CS_PIPELINE_DBT_PORT": str(address.port),
            "CS_PIPELINE_DBT_USER": address.user,
            "CS_PIPELINE_DBT_DATABASE": address.database,
            "CS_PIPELINE_DBT_SSLMODE": address.options.get("sslmode", "prefer"),
        }
        if address.password:  # without one libpq asks PGPASSWORD and the password file, in dbt as well
            variables["CS_PIPELINE_DBT_PASSWORD"] = address.password
        for name, value in address.options.items():
            if OPTIONS[name]:
                variables[OPTIONS[name]] = value
        return variables

    def _raise_in_words(self, error: BaseException) -> None:
        """Raise what the server, the role or the database refuses as a DatabaseRefusal."""
        refusal = in_words(error, self.location)
        if refusal is not None and not is_told_late(refusal):
            raise refusal from None

    def _unreachable(self, reason: str) -> str:
        words = " ".join(reason.split())
        password = self._address.password
        if len(password) > 3:
            words = words.replace(password, "***")
        return (
            f"PostgreSQL at {self.location} cannot be reached: {words}. "
            "Check CS_PIPELINE_DATABASE_URL, or start the embedded server with `cs-pipeline up`."
        )


def _quotes_identifiers(connection: adbc.Connection) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select case when current_setting('quote_all_identifiers') = 'on' then 1 else 0 end as quotes")
        return cursor.fetchone() != (0,)
