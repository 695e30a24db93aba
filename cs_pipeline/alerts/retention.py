"""Forget alerts that were over long ago, and old changes and evaluations, so that no table grows for ever."""

from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

ALERTS = timedelta(days=400)
"""How long an alert is kept that is over. Until then an event is not told again, whatever the rule finds."""
CHANGES = timedelta(days=800)


def forget(session: Session, now: datetime) -> int:
    """Delete what is past its time; returns how many alerts.

    An alert that is closed and that its rule finds all the same stays: it says that this is no news.
    """
    with session.cursor() as cursor:
        cursor.execute("delete from cs.alert_changes where as_of < %s", [now - CHANGES])
        cursor.execute(
            """
            delete from cs.alert_evaluations as old
            where
                old.as_of < %s
                and exists (
                    select 1 from cs.alert_evaluations as newer
                    where newer.rule = old.rule and newer.as_of > old.as_of and newer.health in ('ok', 'held')
                )
            """,
            [now - CHANGES],
        )
        cursor.execute("delete from cs.alerts where ended_at < %s and missing_since is not null", [now - ALERTS])
        return cursor.rowcount
