"""Name the schemas that the pipeline uses, and create one."""

from psycopg2.extensions import cursor as Cursor

LANDING = "landing"
"""Rows as they came, of files; those of the source `shop` that dlt reads are in `landing_shop`."""
SCHEMAS = ("raw", LANDING, "mapping", "staging", "intermediate", "marts", "snapshots", "cs")

REPLACED = ("mapping", "staging", "intermediate", "marts", "snapshots", "cs")  # by us alone; others may fill the rest


def ensure_schema(cursor: Cursor, name: str) -> None:
    """Create the schema unless it is there.

    `create schema if not exists` asks for the right to create also where there is nothing to create, which a role has
    not got whose schemas somebody else made.
    """
    cursor.execute("select to_regnamespace(%s) is null", (name,))
    if cursor.fetchone() == (True,):
        cursor.execute(f"create schema if not exists {name}")
