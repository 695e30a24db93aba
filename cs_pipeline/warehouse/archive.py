"""Put old months of events away into files, and bring them back: each month in one transaction.

What was summed up of a month stays, so scores and marts are as they were; its events are gone from the database until
the month is restored. Loads put rows of an archived month aside (`put_aside`), and dbt neither sums its days up anew
nor builds the sums from nothing meanwhile. Which months there are belongs to `months`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
from adbc_driver_manager.dbapi import Connection
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock
from cs_pipeline.warehouse.bulk import append, query, read_table
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import LOAD_ID, SourceTable, read_contract
from cs_pipeline.warehouse.month_files import OnRows, read_manifest, read_month, write_month
from cs_pipeline.warehouse.months import Month, month_of
from cs_pipeline.warehouse.spread import is_spread

KEPT = timedelta(days=92)
"""Rules of alerts look at events of the last weeks, and late events come: a month that ended since is not put away."""


@dataclass(frozen=True)
class Stand:
    """A month that is to be archived: rows as it was analyzed last."""

    month: Month
    rows: int


def events() -> SourceTable:
    """The table that is kept by month."""
    return read_contract().tables["events"]


def months(warehouse: Warehouse) -> pd.DataFrame:
    """Every month of events that is in the database or was archived, in order."""
    return query(
        warehouse,
        """
        with stored as (
            select
                substring(relname from '^events_(.*)$') as name,
                greatest(reltuples, 0)::bigint as rows,
                round(pg_total_relation_size(pg_class.oid) / 1000000.0, 1)::float as megabytes
            from pg_inherits
            inner join pg_class on inhrelid = pg_class.oid
            where inhparent = to_regclass('raw.events')
        ),

        archived as (
            select to_char(month, 'YYYY_MM') as name, rows, file, archived_at
            from cs.archived_months
            where source_table = 'events'
        )

        select
            replace(coalesce(stored.name, archived.name), '_', '-') as month,
            coalesce(stored.rows, archived.rows) as rows,
            stored.megabytes,
            archived.file as archived_in,
            archived.archived_at
        from stored
        full join archived on stored.name = archived.name
        order by
            coalesce(stored.name, archived.name) like 'from%',
            coalesce(stored.name, archived.name) not like 'before%',
            month
        """,
    )


def plan(warehouse: Warehouse, before: date, today: date) -> list[Stand]:
    """The months that ended by `before` and are in the database. Raises UserError where that is too near to `today`."""
    if before > today - KEPT:
        raise UserError(
            f"--before {before:%Y-%m} is too late: rules of alerts look at events of the last weeks, and late ones "
            f"come. Archive what ended {KEPT.days} days ago or earlier: --before {today - KEPT:%Y-%m}"
        )
    with warehouse.session() as session, session.cursor() as cursor:
        if is_spread(cursor):
            raise UserError("Months are not archived while tables are spread over servers (docs/deploy.md).")
        cursor.execute(
            "select substring(relname from '^events_([0-9]{4}_[0-9]{2})$'), greatest(reltuples, 0)::bigint "
            "from pg_inherits inner join pg_class on inhrelid = pg_class.oid "
            "where inhparent = to_regclass('raw.events') order by 1"
        )
        found = [(name, rows) for name, rows in cursor.fetchall() if name is not None]
    stands = [Stand(month_of(date(int(name[:4]), int(name[5:]), 1)), rows) for name, rows in found]
    return [each for each in stands if each.month.ends is not None and each.month.ends <= before]


def file_of(folder: Path, month: Month) -> Path:
    """Where a month's rows are written."""
    return folder / f"events_{month.name}.parquet"


def archive(warehouse: Warehouse, month: Month, folder: Path, on_rows: OnRows) -> Path:
    """Write a month to a file, read it back, and take it out of the database. Raises UserError, and nothing has
    changed, when its days are not summed up yet, or the file does not hold what was written.
    """
    file, part = file_of(folder, month).absolute(), month.relation_of(events())
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", (AdvisoryLock.LOAD.value,))
        cursor.execute(f"lock table only {part} in share mode")  # for who writes by hand
        _require_summed_up(cursor, month, part)
        with warehouse.arrow() as connection, connection.cursor() as reading:
            reading.execute(f"select {', '.join((*events().column_names, LOAD_ID))} from {part}")
            rows = reading.fetch_record_batch()
            manifest = write_month(file, "events", f"{month.starts:%Y-%m}", rows.schema, iter(rows), on_rows)
        cursor.execute(f"alter table raw.events detach partition {part}")
        cursor.execute(f"drop table {part}")
        cursor.execute(
            "insert into cs.archived_months (source_table, month, file, rows, digest) "
            "values ('events', %s, %s, %s, %s)",
            (month.starts, str(file), manifest.rows, manifest.digest),
        )
    return file


def restore(warehouse: Warehouse, file: Path, on_rows: OnRows) -> int:
    """Bring the rows of a file back to where they were; how many. Raises UserError, and nothing has changed, when the
    month is not archived, or the file does not hold what its manifest says.
    """
    manifest, table = read_manifest(file), events()
    month = month_of(date.fromisoformat(f"{manifest.month}-01"))
    part = month.relation_of(table)
    if unknown := manifest.columns.keys() - {*table.column_names, LOAD_ID}:
        raise UserError(f"{file} has columns that events has no more: {', '.join(sorted(unknown))}.")
    with warehouse.arrow() as connection, connection.cursor() as cursor:
        cursor.execute(f"select pg_advisory_xact_lock({AdvisoryLock.LOAD.value})")
        _require_archived(connection, month, manifest.digest, file)
        cursor.execute(f"create table {part} (like {table.relation} including defaults including comments)")
        for batch in read_month(file, manifest, on_rows):
            append(connection, "raw", f"{table.name}_{month.name}", pa.Table.from_batches([batch]))
        cursor.execute(f"alter table {table.relation} attach partition {part} for values {month.bounds}")
        cursor.execute(f"analyze {part}")
        cursor.execute(f"delete from cs.archived_months where source_table = 'events' and month = '{month.starts}'")
    return manifest.rows


def archived_files(cursor: Cursor) -> Iterator[Path]:
    """The files of every archived month, in order."""
    cursor.execute("select file from cs.archived_months order by source_table, month")
    return (Path(file) for (file,) in cursor.fetchall())


def _require_archived(connection: Connection, month: Month, digest: str, file: Path) -> None:
    found = read_table(
        connection, "select digest from cs.archived_months where source_table = 'events' and month = $1", [month.starts]
    )["digest"].to_pylist()
    if not found:
        raise UserError(f"{month.starts:%Y-%m} is not archived: `cs-pipeline data months` lists what is.")
    if found != [digest]:
        raise UserError(f"{file} is not what was archived of {month.starts:%Y-%m}: its manifest has another digest.")


def _require_summed_up(cursor: Cursor, month: Month, part: str) -> None:
    """Raise UserError when roll-ups by day have not read all that there is of a month, or was."""
    roll_ups = ("intermediate.int_user_activity_daily", "intermediate.int_feature_usage_daily")
    cursor.execute("select bool_and(to_regclass(name) is not null) from unnest(%s) as names (name)", (list(roll_ups),))
    if cursor.fetchone() == (True,):
        activity, usage = (f"(select coalesce(max(newest_load_id), 0) from {name})" for name in roll_ups)
        cursor.execute(
            f"select not exists (select 1 from {part} where {LOAD_ID} > {activity} "
            f"or (feature is not null and {LOAD_ID} > {usage})) "
            "and not exists (select from cs.touched_days where source_table = 'events' "
            f"and load_id > {activity} and (day is null or day >= %s and day < %s))",
            (month.starts, month.ends),
        )
        if cursor.fetchone() == (True,):
            return
    raise UserError(
        f"{month.starts:%Y-%m} is not summed up yet: events of it were loaded, moved or deleted since dbt last built "
        "the sums by day. Run the weekly job, then archive."
    )
