"""A database that is spread over the servers of the Citus that CS_PIPELINE_TEST_SERVER_URL names; see docs/deploy.md.

The address is that of a database on its coordinator with the extension and with workers, which whoever runs the tests
reaches at the addresses that the coordinator knows. `create database` on a Citus makes no database on the others, so
each is made here.
"""

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from cs_pipeline.warehouse.connection import Warehouse

Server = tuple[str, int]


def require_workers(server: str) -> list[Server]:
    """The workers of the Citus; skips the test, in words, where the server is none."""
    with closing(psycopg2.connect(server)) as session, session.cursor() as cursor:
        cursor.execute("select to_regclass('pg_dist_node') is not null")
        if cursor.fetchone() == (True,):
            cursor.execute("select nodename, nodeport from pg_dist_node where groupid <> 0 and shouldhaveshards")
            if workers := cursor.fetchall():
                return workers
    pytest.skip("needs CS_PIPELINE_TEST_SERVER_URL to name a database of a Citus that has workers")


@contextmanager
def citus_database(server: str) -> Iterator[Warehouse]:
    """An empty database on the coordinator at `server` and on each worker of it; dropped afterwards."""
    workers = require_workers(server)
    own = parse_dsn(server)
    coordinator = own.get("host", "localhost"), int(own.get("port", 5432))
    name = f"test_{uuid.uuid4().hex[:12]}"
    everywhere = [coordinator, *workers]
    try:
        for each in everywhere:
            _execute(server, each, f"create database {name}")
            _execute(server, each, "create extension citus", name)
        _execute(server, coordinator, f"select citus_set_coordinator_host('{coordinator[0]}', {coordinator[1]})", name)
        for host, port in workers:
            _execute(server, coordinator, f"select citus_add_node('{host}', {port})", name)
        yield Warehouse(f"{server.rsplit('/', 1)[0]}/{name}")
    finally:
        for each in reversed(everywhere):  # the coordinator keeps sessions with the workers
            _execute(server, each, f"drop database if exists {name} with (force)")


def _execute(server: str, at: Server, statement: str, database: str | None = None) -> None:
    told = {"host": at[0], "port": at[1]} | ({"dbname": database} if database else {})
    with closing(psycopg2.connect(make_dsn(server, **told))) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute("set client_min_messages = error")
            if statement.startswith(("create database", "drop database")):
                cursor.execute("set citus.enable_create_database_propagation = off")
            cursor.execute(statement)
