"""The servers of a Citus that CS_PIPELINE_TEST_SERVER_URL may name, and a database that is on each of them.

The address is that of a database on its coordinator with the extension and with workers, which whoever runs the tests
reaches at the addresses that the coordinator knows. `create database` on a Citus makes no database on the others, so
each is made here, and copied from the one of the same name on the same server: the shards keep their names.
"""

from collections.abc import Sequence
from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import ObjectInUse
from psycopg2.extensions import make_dsn, parse_dsn

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.distribute import distribute
from cs_pipeline.warehouse.layout import DISTRIBUTION_COLUMN, Place
from cs_pipeline.warehouse.spread import is_spread, place_table

Server = tuple[str, int]


def workers_of(url: str) -> list[Server]:
    """The workers of the Citus whose coordinator is at `url`; none where the server is another PostgreSQL."""
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:
        cursor.execute("select to_regclass('pg_dist_node') is not null")
        if cursor.fetchone() != (True,):
            return []
        cursor.execute("select nodename, nodeport from pg_dist_node where groupid <> 0 and shouldhaveshards")
        return cursor.fetchall()


def require_workers(url: str) -> None:
    """Skip the test, in words, where the server is no Citus with workers."""
    if not workers_of(url):
        pytest.skip("needs CS_PIPELINE_TEST_SERVER_URL to name a database of a Citus that has workers")


def create_everywhere(url: str, workers: Sequence[Server], name: str, template: str | None) -> None:
    """A database on the coordinator at `url` and on each worker, empty or a copy of `template`, which all are put out
    of: Citus itself keeps sessions with it.
    """
    coordinator = _coordinator(url)
    for each in [coordinator, *workers]:
        if template:
            _once_alone(url, each, template, f"create database {name} template {template} strategy file_copy")
        else:
            _execute(url, each, f"create database {name}")
            _execute(url, each, "create extension citus", database=name)
    if template is None:
        _execute(url, coordinator, "select citus_set_coordinator_host(%s, %s)", *coordinator, database=name)
        for each in workers:
            _execute(url, coordinator, "select citus_add_node(%s, %s)", *each, database=name)


def drop_everywhere(url: str, workers: Sequence[Server], name: str) -> None:
    """Remove the database, the coordinator's last, which keeps sessions with the workers."""
    for each in [*workers, _coordinator(url)]:
        _once_alone(url, each, name, f"drop database if exists {name} with (force)")


def spread(warehouse: Warehouse, workers: Sequence[Server]) -> None:
    """Put every table of a database of a Citus where it belongs, in as few parts as there are servers: each part costs
    a test its time.
    """
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(f"alter database {warehouse.database} set citus.shard_count = {len(workers)}")
    distribute(warehouse, lambda _: None)


def spread_marts(warehouse: Warehouse) -> None:
    """Put the tables that a test made itself in place of dbt where they belong; nothing where nothing is spread."""
    with warehouse.session() as session, session.cursor() as cursor:
        if is_spread(cursor):
            cursor.execute(
                "select attrelid::regclass::text from pg_attribute inner join pg_class on pg_class.oid = attrelid "
                "where attname = %s and relkind = 'r' and relnamespace::regnamespace::text not in ('raw', 'cs') "
                "and attrelid not in (select logicalrelid from pg_dist_partition)",
                [DISTRIBUTION_COLUMN],
            )
            for (table,) in cursor.fetchall():
                place_table(cursor, table, Place.DISTRIBUTED)


def _coordinator(url: str) -> Server:
    told = parse_dsn(url)
    return told.get("host", "localhost"), int(told.get("port", 5432))


def _once_alone(url: str, at: Server, database: str, statement: str) -> None:
    """Whoever was put out of the database may be in it again at once: a daemon of Citus, for one."""
    for is_last in (*[False] * 20, True):
        _execute(url, at, "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", database)
        try:
            _execute(url, at, statement)
        except ObjectInUse:
            if is_last:
                raise
        else:
            return


def _execute(url: str, at: Server, statement: str, *parameters: object, database: str | None = None) -> None:
    told = {"host": at[0], "port": at[1]} | ({"dbname": database} if database else {})
    with closing(psycopg2.connect(make_dsn(url, **told))) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute("set client_min_messages = error")
            if statement.startswith(("create database", "drop database")):
                cursor.execute("set citus.enable_create_database_propagation = off")
            cursor.execute(statement, parameters or None)
