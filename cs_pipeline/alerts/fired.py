"""Read alerts that fired, of live history or of a replay, in the session that has them.

A replay keeps its alerts in temporary tables, which only its session sees, so they are copied out through that session.
"""

import io
from collections.abc import Mapping
from datetime import datetime

import pandas as pd
import pyarrow as pa
import pyarrow.csv
from psycopg2.extensions import connection as Session

from cs_pipeline.sql_files import read_sql

MOMENT = pa.timestamp("us", "UTC")
FIRED = {
    "rule": pa.string(),
    "account_id": pa.string(),
    "entity": pa.string(),
    "version": pa.string(),
    "state": pa.string(),
    "cause": pa.string(),
    "since": MOMENT,
    "fired_at": MOMENT,
    "ended_at": MOMENT,
    "reopened": pa.int64(),
    "is_baseline": pa.bool_(),
    "is_held": pa.bool_(),
    "hours_to_acknowledge": pa.float64(),
    "is_put_off": pa.bool_(),
    "is_touched": pa.bool_(),
}


def read_fired(
    session: Session, first: datetime, last: datetime, known_until: datetime, *, is_told: bool
) -> pd.DataFrame:
    """Alerts that fired from `first` to `last`, both included: columns FIRED, by rule, account, entity and moment.

    `is_told`: people were told of them, so that what they did counts; else hours_to_acknowledge, is_put_off and
    is_touched are missing. is_touched is missing too where the 7 days go on past `known_until`.
    """
    values = {"first": first, "last": last, "known_until": known_until, "is_told": is_told}
    return copied(session, read_sql(__file__), FIRED, values)


def copied(
    session: Session, sql: str, columns: Mapping[str, pa.DataType], values: Mapping[str, object] | None = None
) -> pd.DataFrame:
    """The result of `sql`, which has these columns, by COPY: rows do not pass through Python one by one."""
    return copied_table(session, sql, columns, values).to_pandas()


def copied_table(
    session: Session, sql: str, columns: Mapping[str, pa.DataType], values: Mapping[str, object] | None = None
) -> pa.Table:
    """As `copied`, as a table of Arrow."""
    written = io.BytesIO()
    with session.cursor() as cursor:
        select = cursor.mogrify(sql, values).decode() if values else sql
        cursor.copy_expert(f"copy ({select}) to stdout with (format csv)", written)
    if not written.tell():
        return pa.schema(list(columns.items())).empty_table()
    written.seek(0)
    return pyarrow.csv.read_csv(
        written,
        read_options=pyarrow.csv.ReadOptions(column_names=list(columns)),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict(columns),
            true_values=["t"],
            false_values=["f"],
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
