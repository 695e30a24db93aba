"""Statistics of the tables that a run fills and then reads.

Of rows that were never analyzed PostgreSQL expects next to none, joins them in nested loops, and takes minutes or hours
for what takes a fraction of a second. Its own autovacuum comes too late for rows of the same run.
"""

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.history.weeks import execute
from cs_pipeline.warehouse.bulk import read_table

GROWN = 1.2
"""A table that grew by this factor since it was analyzed is analyzed again: in a long run, a few times."""


def analyze(connection: Connection, *tables: str) -> None:
    """Let the planner know `tables` as they are, in a transaction of its own: others may be waiting to do the same."""
    connection.commit()
    for table in tables:
        execute(connection, f"analyze {table}")
    connection.commit()


def analyze_keys(connection: Connection, table: str, *columns: str) -> None:
    """Let the planner know the keys of the newest rows of a table that `analyze_grown` knows otherwise: to learn what
    long arrays hold takes most of the time, and a week more does not change it.
    """
    analyze(connection, f"{table} ({', '.join(columns)})")


def analyze_grown(connection: Connection, *tables: str) -> None:
    """`analyze` those of `tables` that were never analyzed, or grew much since. Their size tells, and costs nothing."""
    names = ", ".join(f"'{table}'" for table in tables)
    grown = read_table(
        connection,
        f"""
        select name
        from unnest(array[{names}]) as name
        inner join pg_class on pg_class.oid = name::regclass
        where
            reltuples < 0
            or pg_relation_size(pg_class.oid) > {GROWN} * relpages * current_setting('block_size')::integer
        """,
    )["name"].to_pylist()
    analyze(connection, *grown)
