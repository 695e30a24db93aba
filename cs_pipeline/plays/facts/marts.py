"""Questions to the marts: an answer as a frame, or a clear error while they are not built."""

from collections.abc import Mapping

import pandas as pd
import psycopg2
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError

NOT_BUILT = (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn, psycopg2.errors.InvalidSchemaName)


def ask_marts(session: Session, sql: str, parameters: Mapping[str, object], *, who_needs: str) -> pd.DataFrame:
    """The rows of `sql`, columns of Python values.

    `who_needs` begins the error, as in 'Plays need'. Raises UserError while the marts are not built.
    """
    try:
        with session.cursor() as cursor:
            cursor.execute(sql, parameters)
            columns = [column.name for column in cursor.description or ()]
            rows = cursor.fetchall()
    except NOT_BUILT as error:
        raise UserError(
            f"{who_needs} the marts, and they are not built, or by an older version: {error.diag.message_primary}. "
            "Run the weekly job, or `cs-pipeline backfill`, first."
        ) from None
    return pd.DataFrame(rows, columns=columns, dtype="object")
