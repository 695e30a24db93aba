"""Read the few rows that a page or a message is made of. Larger results are read as tables (`Warehouse.arrow`)."""

from collections.abc import Mapping
from typing import Any

from psycopg2.extensions import connection as Session


def read_rows(session: Session, sql: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
    """The rows of a statement, each by its columns' names."""
    with session.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
