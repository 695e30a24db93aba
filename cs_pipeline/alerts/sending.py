"""Make messages of what waits to be told, and put them into the outbox, in one transaction.

What comes into a digest and what is told at once differ in what they say; how rows become messages is the same.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts import waiting
from cs_pipeline.alerts.waiting import Row
from cs_pipeline.plays.outbox.operations import Notice, notify_all
from cs_pipeline.settings import Settings

PLAYBOOK = "alerts"
"""By this name a person can stop all that alerts say, as if it were a playbook."""


def send(
    session: Session,
    settings: Settings,
    now: datetime,
    writing: Callable[[], Callable[[list[Row]], Notice]],
    *,
    is_in_digest: bool,
) -> int:
    """Plan a notice for everything that is due; returns how many.

    `writing` gives what makes a notice of the rows of a message; it is asked for only where there is something to tell.
    """
    rows = waiting.take(session, now, is_in_digest=is_in_digest)
    if not rows:
        return 0
    notice_of = writing()
    notices = {str(message): notice_of(list(of_one)) for message, of_one in groupby(rows, key=itemgetter("message"))}
    ids: Mapping[str, int] = notify_all(session, list(notices.values()), settings, now)
    waiting.mark(session, {message: ids[notice.key] for message, notice in notices.items()})
    return len(notices)
