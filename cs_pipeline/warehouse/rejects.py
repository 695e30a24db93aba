"""Read and count the rows, and values of rows, that were put aside (`raw.raw_rejects`).

Rejects belong to their origin, a file or a mapping: loading the same origin again replaces them, so the table always
says what is wrong with each origin as it was last read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.validation import PARENT_PUT_ASIDE


@dataclass(frozen=True)
class Reject:
    """A row put aside. `line` of the file (row number in Parquet; None for a mapping); `column` None when the row as a
    whole does not fit; `row` as it was read. `row_kept`: only the value of `column` was put aside, the row is loaded.
    `rows` above 1: it stands for so many more of a load, which were counted and not kept.
    """

    table: str
    origin: str
    line: int | None
    column: str | None
    reason: str
    row: dict[str, Any]
    row_kept: bool
    rows: int = 1

    @property
    def value(self) -> str | None:
        """What stood in the column at fault."""
        return None if self.column is None else self.row.get(self.column)


@dataclass(frozen=True)
class RejectCount:
    """How many rows of a table were put aside for the same reason, and one origin and line to look at. `row_kept`: it
    was a value of theirs only.
    """

    table: str
    column: str | None
    reason: str
    rows: int
    origin: str
    line: int | None
    row_kept: bool

    @property
    def fell_with_its_parent(self) -> bool:
        """True for rows that are sound but for the row they belong to, which was put aside itself."""
        return self.reason.endswith(PARENT_PUT_ASIDE)

    def __str__(self) -> str:
        kept = " (the row stays)" if self.row_kept else ""
        return f"{self.rows:,} × {f'{self.column} ' if self.column else ''}{self.reason}{kept}"


def read_rejects(warehouse: Warehouse, table: str | None = None, limit: int = 20) -> list[Reject]:
    """`limit` rejects, of one table or of all, in the order of files and lines. Every reason has its turn, so that a
    frequent one does not hide the others.
    """
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select source_table, origin, line, column_name, reason, row_data, row_kept, rows from ("
            "select *, row_number() over (partition by source_table, column_name, reason, row_kept "
            "order by origin, line, reject_id) as turn from raw.raw_rejects "
            "where %(table)s is null or source_table = %(table)s "
            "order by turn, source_table, origin, line, reject_id limit %(limit)s"
            ") as chosen order by source_table, origin, line, reject_id",
            {"table": table, "limit": limit},
        )
        return [Reject(*row) for row in cursor.fetchall()]


def newest_rejects(warehouse: Warehouse, limit: int = 20) -> list[Reject]:
    """The rejects of all tables that came last, the newest first."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select source_table, origin, line, column_name, reason, row_data, row_kept, rows from raw.raw_rejects "
            "order by reject_id desc limit %s",
            [limit],
        )
        return [Reject(*row) for row in cursor.fetchall()]


def count_rejects(warehouse: Warehouse, table: str | None = None) -> list[RejectCount]:
    """All rejects by table, column and reason, most frequent first within a table."""
    with warehouse.session() as session, session.cursor() as cursor:
        return _counts(cursor, "%(table)s is null or source_table = %(table)s", {"table": table})


def count_rejects_of_loads(cursor: Cursor, load_ids: Sequence[int]) -> list[RejectCount]:
    """The same for some loads, within the caller's transaction."""
    return _counts(cursor, "load_id = any(%(loads)s)", {"loads": list(load_ids)})


def _counts(cursor: Cursor, condition: str, parameters: dict[str, object]) -> list[RejectCount]:
    cursor.execute(
        "select source_table, column_name, reason, sum(rows)::bigint, (array_agg(origin order by load_id, line))[1], "
        "(array_agg(line order by load_id, line))[1], row_kept "
        f"from raw.raw_rejects where {condition} group by 1, 2, 3, row_kept order by 1, row_kept, 4 desc, 2, 3",
        parameters,
    )
    return [RejectCount(*row) for row in cursor.fetchall()]
