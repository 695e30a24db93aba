"""Set what the transaction needs in which a rule is asked: the moments, how far it looks back, how long it may take."""

from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.warehouse.connection import without_rows

LONGEST = timedelta(minutes=5)
"""How long one statement of a rule may take."""
LOCK_PATIENCE = timedelta(seconds=20)
"""How long it may wait for a lock."""


def begin(session: Session, *moments: datetime, longest: timedelta | None = None) -> None:
    """Set what the transaction needs: the moments that a view is asked about, our tables, how long it may take.

    `longest` is how long one statement may take; none at all means as long as it needs.
    """
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                set_config('cs_pipeline.moments', %s, true),
                set_config('search_path', 'cs, public', true),
                set_config('jit', 'off', true),
                set_config('statement_timeout', %s, true),
                set_config('lock_timeout', %s, true)
            """,
            [
                ",".join(moment.isoformat() for moment in moments),
                _milliseconds(LONGEST if longest is None else longest),
                _milliseconds(LOCK_PATIENCE),
            ],
        )


def look_back(session: Session, days: int) -> None:
    """Let rules about what happened find, in this transaction, what happened so many days longer ago than else.

    The servers of a Citus are told, too; a plain PostgreSQL takes that for a setting of somebody's own.
    """
    with session.cursor() as cursor:
        cursor.execute("set local citus.propagate_set_commands = 'local'")
        cursor.execute("set local cs_pipeline.days_missed = %s", [str(days)])
        cursor.execute("set local citus.propagate_set_commands = 'none'")


def in_words(error: Exception) -> str:
    """What was wrong, without the row that the server quotes."""
    return " ".join(without_rows(error).split()).rstrip(".")


def _milliseconds(duration: timedelta) -> str:
    return f"{duration // timedelta(milliseconds=1)}ms"
