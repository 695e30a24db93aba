"""Remind of what goes on firing, and tell somebody above of what nobody has acknowledged.

Both stop with an acknowledgement, and wait while an alert is snoozed, silenced, or stands behind another.
"""

from collections.abc import Mapping
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.messages_at_once import send_at_once
from cs_pipeline.alerts.notifications import write
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.team_file import load_directory
from cs_pipeline.settings import Settings
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, take_lock


def escalate_and_remind(session: Session, rules: Mapping[str, Rule], settings: Settings, now: datetime) -> int:
    """Write which alerts are to be reminded of and escalated, and plan all that is told at once.

    In the caller's transaction; returns how many messages were planned. Asking twice changes nothing.
    """
    directory = load_directory(settings.config)
    with session.cursor() as cursor:
        take_lock(cursor, AdvisoryLock.ALERT_MESSAGES)
        reminded = {name: rule.alert.remind_every for name, rule in rules.items() if rule.alert.remind_every}
        cursor.execute(
            read_sql(__file__, "remind"),
            {"rules": list(reminded), "every": list(reminded.values()), "now": now},
        )
        for name, alert_ids in cursor.fetchall():
            write(session, rules[name].alert, {"reminder": alert_ids}, directory, settings, now)
        escalated = {name: rule.alert.escalate for name, rule in rules.items() if rule.alert.escalate}
        cursor.execute(
            read_sql(__file__, "escalate"),
            {"rules": list(escalated), "after": [each.after for each in escalated.values()], "now": now},
        )
        for name, alert_ids in cursor.fetchall():
            write(
                session, rules[name].alert, {"escalation": alert_ids}, directory, settings, now, to=escalated[name].to
            )
    return send_at_once(session, rules, settings, now)
