"""End what rules were watching that are no more, or that alerts.yaml switches off. Nobody is told."""

from collections.abc import Collection
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.sql_files import read_sql


def end_watch(session: Session, watched: Collection[str], now: datetime) -> int:
    """Close the alerts of every rule that is not among `watched`; returns how many.

    Its newest evaluation says so, so that the first one after it comes back is a baseline again.
    """
    with session.cursor() as cursor:
        cursor.execute(read_sql(__file__), {"watched": list(watched), "now": now})
        (closed,) = cursor.fetchone() or (0,)
        return closed
