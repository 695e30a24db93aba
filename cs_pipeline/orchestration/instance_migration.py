"""Bring Dagster's own tables to the version that the installed Dagster needs, and say who is in the way.

What is applied is Dagster's: this is `dagster instance migrate`, for the database of the settings. Our tables are
`warehouse.migrate`'s.
"""

import dagster as dg
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.storage.sql import ALEMBIC_SCRIPTS_LOCATION  # has no public name

from cs_pipeline.orchestration.instance_storage import schema_of_dagsters_tables
from cs_pipeline.orchestration.run_owner import UNDER_WAY
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, take_lock
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.migrate import Version


def version_of_dagster(warehouse: Warehouse) -> Version:
    """Which version Dagster's tables have, and which the installed Dagster needs. Changes nothing."""
    current = None
    with warehouse.session() as session, session.cursor() as cursor:
        if schema := schema_of_dagsters_tables(cursor):
            cursor.execute(f"select max(version_num) from {schema}.alembic_version")
            (current,) = cursor.fetchone() or (None,)
    config = Config()
    config.set_main_option("script_location", ALEMBIC_SCRIPTS_LOCATION)
    newest = ScriptDirectory.from_config(config).get_current_head()
    assert newest, "Dagster has migrations"
    return Version(current, newest)


def runs_under_way(warehouse: Warehouse) -> int:
    """How many runs are starting, at work or being ended."""
    with warehouse.session() as session, session.cursor() as cursor:
        schema = schema_of_dagsters_tables(cursor)
        if schema is None:
            return 0
        statuses = [status.value for status in UNDER_WAY]
        cursor.execute(f"select count(*) from {schema}.runs where status = any(%s)", [statuses])
        (count,) = cursor.fetchone() or (0,)
        return int(count)


def migrate_dagster(warehouse: Warehouse, instance: dg.DagsterInstance) -> None:
    """Apply what is missing, one migration after the other: what was applied before an interruption is not repeated."""
    with warehouse.session() as session, session.cursor() as cursor:
        take_lock(cursor, AdvisoryLock.MIGRATION)
        instance.upgrade()
