"""Keep Dagster's runs, schedules and sensors in the pipeline's own PostgreSQL, through dagster-postgres.

`dagster.yaml` names this class instead of dagster-postgres' own, so that one setting (CS_PIPELINE_DATABASE_URL), or the
embedded server of the home folder, serves Dagster as well. Where there is no database, as when definitions are only
validated, it says so and keeps them in a temporary folder.
"""

import functools
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
import yaml

# What a storage is made from, and where runs are kept without a database, Dagster publishes no names for.
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import Connection

from cs_pipeline.settings import load_settings
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, take_lock
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.locate import embedded_server, locate
from cs_pipeline.warehouse.refusals import refusals_in_words
from cs_pipeline.warehouse.schemas import ensure_schema

KEPT = {"statement_timeout": 0, "pool_recycle": 300, "max_overflow": 20}
"""How Dagster's storages keep connections: statements may take as long as they need; after 300 s another is opened."""


class PipelineStorage(DagsterPostgresStorage):
    """dagster-postgres' storage at the address that the settings give."""

    keeps_connections = False
    """Set in a process that reads and writes all the time: otherwise every statement has a connection of its own."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing to configure: the settings say where the database is."""
        return {}

    @classmethod
    def from_config_value(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls,
        inst_data: ConfigurableClassData | None,  # noqa: ARG003 - Dagster's signature
        config_value: Mapping[str, Any],  # noqa: ARG003
    ) -> DagsterStorage:
        """The storage in the database of the settings, or a temporary one where there is none."""
        settings = load_settings()
        if settings.database_url is None and not embedded_server(settings).is_running:
            dg.get_dagster_logger("cs_pipeline").warning(
                "There is no database (CS_PIPELINE_DATABASE_URL is not set, and no embedded server runs in %s): "
                "Dagster forgets its runs when it ends.",
                settings.home,
            )
            return DagsterSqliteStorage(tempfile.mkdtemp(prefix="cs_pipeline_dagster_"))
        url = _address_of_tables(locate(settings).url)
        config = {"postgres_url": url, "should_autocreate_tables": False}
        data = ConfigurableClassData("dagster_postgres", "DagsterPostgresStorage", yaml.safe_dump(config))
        storage = DagsterPostgresStorage(url, should_autocreate_tables=False, inst_data=data)
        _ask_once_for_columns(storage.event_log_storage)  # pyright: ignore[reportArgumentType] - PostgreSQL's is one
        if cls.keeps_connections:
            for part in (storage.event_log_storage, storage.run_storage, storage.schedule_storage):
                part.optimize_for_webserver(**KEPT)
        return storage


def _ask_once_for_columns(events: SqlEventLogStorage) -> None:
    """Let a column of Dagster's table of assets that was there be there for as long as the storage.

    Dagster has PostgreSQL describe the table at every event of an asset, half a dozen statements each time.
    """
    ask, found = events._has_asset_key_col_on_connection, set[str]()

    def has(conn: Connection, column_name: str) -> bool:
        if column_name not in found and ask(conn, column_name):
            found.add(column_name)
        return column_name in found

    events._has_asset_key_col_on_connection = has


@functools.cache
def _address_of_tables(url: str) -> str:
    """The address, by that of the database, at which a storage finds Dagster's tables; makes them where there are none.

    Once a process and database: a storage is made for every tick, and to look takes a dozen statements.
    """
    warehouse = Warehouse(url)
    address = warehouse.for_other_programs(search_path=dagster_schema(warehouse)).url
    with refusals_in_words(warehouse.location):
        DagsterPostgresStorage(address, should_autocreate_tables=True)
    return address


def dagster_schema(warehouse: Warehouse) -> str:
    """The schema of Dagster's tables: where they are, else `public`, and where the role may not create in that one of
    their own, `dagster`.
    """
    with warehouse.session() as session, session.cursor() as cursor:
        if found := schema_of_dagsters_tables(cursor):
            return found
        cursor.execute(
            "select coalesce(has_schema_privilege(oid, 'create'), false) from pg_namespace where nspname = 'public'"
        )
        if cursor.fetchone() == (True,):
            return "public"
        take_lock(cursor, AdvisoryLock.MIGRATION)  # webserver and daemon start at the same time
        ensure_schema(cursor, "dagster")
        return "dagster"


def schema_of_dagsters_tables(cursor: Cursor) -> str | None:
    """The schema in which Dagster's tables are; None where nobody has made them yet."""
    cursor.execute(
        "select schemaname from pg_tables where tablename = 'event_logs' and schemaname in ('public', 'dagster') "
        "order by schemaname = 'dagster' limit 1"
    )
    found = cursor.fetchone()
    return str(found[0]) if found else None


@contextmanager
def connections_kept(instance: dg.DagsterInstance) -> Iterator[None]:
    """Within, each storage of `instance` keeps a connection for the next event, instead of opening one for every event.

    For a process that runs jobs itself: a run of many events spends much of its time on connecting.
    """
    storages = (instance.event_log_storage, instance.run_storage, instance.schedule_storage)
    kept = [storage for storage in storages if storage and hasattr(storage, "_engine")]  # SQLite's have none
    for storage in kept:
        storage.optimize_for_webserver(**KEPT)
    try:
        yield
    finally:
        for storage in kept:
            storage._engine.dispose()  # pyright: ignore[reportAttributeAccessIssue]
