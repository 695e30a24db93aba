"""Take what waits to be told, reader by reader, and remember which message told it.

Used in one transaction: `take` sets the rows aside, `mark` writes the message of each of them. What became needless is
dropped with its reason; what somebody silenced, snoozed or stopped goes on waiting.
"""

from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.notifications import accounts_relation
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, take_lock

Row = Mapping[Hashable, Any]

PER_RULE = 5
"""Alerts of a rule and kind that one message shows; of the others it says how many there are."""
COLUMNS = (
    "message", "notification_id", "recipient", "role", "kind", "nth", "alert_id", "rule", "account_id", "account_name",
    "arr", "entity", "severity", "since", "fired_at", "ended_at", "measured", "held_against", "facts", "reopened",
    "of_rule", "person",
)  # fmt: skip


def take(session: Session, now: datetime, *, is_in_digest: bool) -> list[Row]:
    """What is to be told now, by message, sorted as a reader wants it: columns COLUMNS.

    Up to PER_RULE rows a message, kind and rule.
    `message` says which rows go together: those of a digest by their reader, others by reader and account, or rule
    where there is no account. `of_rule`: how many there are of that kind and rule, with those that are not shown.
    """
    with session.cursor() as cursor:
        take_lock(cursor, AdvisoryLock.ALERT_MESSAGES)
        cursor.execute(_DROP)
        cursor.execute("drop table if exists alerts_to_tell")
        cursor.execute(read_sql(__file__, "take"), {"is_in_digest": is_in_digest, "now": now})
        cursor.execute("analyze alerts_to_tell")
        cursor.execute(read_sql(__file__, "show", accounts=accounts_relation(session)), {"per_rule": PER_RULE})
        return [dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()]


def mark(session: Session, notices: Mapping[str, int]) -> int:
    """Write down that the notices (ids by `message`) tell what was taken; returns how many rows."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.alert_notifications
            set notice_id = notices.notice_id
            from alerts_to_tell
            inner join unnest(%s::text[], %s::bigint[]) as notices (message, notice_id) using (message)
            where alert_notifications.notification_id = alerts_to_tell.notification_id
            """,
            [list(notices), list(notices.values())],
        )
        return cursor.rowcount


_DROP = """
update cs.alert_notifications as waiting
set dropped = case
    when alerts.state in ('firing', 'recovering') and waiting.kind <> 'resolved' then 'acknowledged' else 'over'
end
from cs.alerts
where
    waiting.notice_id is null
    and waiting.dropped is null
    and waiting.alert_id = alerts.alert_id
    and (
        (waiting.kind = 'resolved') = (alerts.state in ('firing', 'recovering'))
        or (waiting.kind <> 'resolved' and alerts.acknowledged_at is not null)
    )
"""
