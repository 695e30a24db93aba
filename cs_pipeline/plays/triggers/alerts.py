"""Alerts as triggers: what people are told of may start a play. They have no past.

Which alerts there are, and of which people are told, is decided in the room `alerts`; which plays one starts is up to
their `trigger.when`.
"""

from collections.abc import Sequence
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.triggers.causes import Causes, open_triggers
from cs_pipeline.sql_files import read_sql


def open_alerts(session: Session, alert_ids: Sequence[int], now: datetime) -> int:
    """Write a trigger for each of these alerts (of cs.alerts) that is about an account; returns how many are new.

    An alert is about `now`, when people are told of it: that is from when the steps of a play are counted.
    """
    if not alert_ids:
        return 0
    return open_triggers(session, Causes(read_sql(__file__), {"alert_ids": list(alert_ids), "now": now}))
