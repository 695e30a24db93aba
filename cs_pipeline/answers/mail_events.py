"""Keep what SendGrid says became of mails, and let who wants no mail have none from that moment.

One statement a request, whatever it holds; what is told twice counts once. What the score sees of it is taken over
later, by `email_events`, because loads lock that table for long.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.sendgrid_events import MailEvent
from cs_pipeline.sql_files import read_sql

SOURCE = "sendgrid events"
"""Of what they add to cs.suppressions."""


def keep(session: Session, events: Sequence[MailEvent], now: datetime) -> set[str]:
    """Keep the events; returns the keys (32 hexadecimal digits) of those that were not known before.

    They are safe once the caller's transaction is committed.
    """
    if not events:
        return set()
    with session.cursor() as cursor:
        cursor.execute(
            read_sql(__file__),
            {"events": json.dumps([each.as_json() for each in events]), "now": now, "source": SOURCE},
        )
        return {event_key for (event_key,) in cursor.fetchall()}
