"""Hold actions that nobody was there to take in time, for a person to decide, instead of dropping a mass of them.

After days without a delivery (the machine was off, a key was refused) everything that was due expires at once. A few
are dropped as ever; more than that is a person's decision: catch up, move to new dates, or drop. What waited for a
reason of its own (a cap, a switch) is no concern of this module.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.outbox.lock import change_in_order
from cs_pipeline.plays.reasons import MISSED, POSTPONED
from cs_pipeline.sql_files import read_sql

Choice = Literal["catch-up", "retime", "drop"]

MASS = 10  # missed within a day
KEPT_FOR = timedelta(days=14)

CHOICES: Mapping[Choice, tuple[str, str, str | None]] = {
    "catch-up": ("approve", "planned", None),
    "retime": ("approve", "planned", None),
    "drop": ("cancel", "cancelled", "cancelled_by_hand"),
}
"""The decision that is kept of each choice, and the status and reason that it leaves."""

_IS_MISSED = """
    actions.status = 'planned'
    and actions.expires_at <= %(now)s
    and actions.notice_id is null
    and coalesce(actions.reason, '') <> 'kill_switch'
    and coalesce(actions.reason, '') <> all(%(waited_for)s::text[])
"""


def hold(session: Session, now: datetime) -> int:
    """Hold what would be dropped as stale, where it is many: returns how many actions now wait for a person.

    Those that were dropped as stale within the last day count, and where some are held already, all are.
    """
    asked = {"now": now, "waited_for": list(POSTPONED), "reason": MISSED}
    with session.cursor() as cursor:
        cursor.execute(f"select array_agg(action_id) from cs.actions where {_IS_MISSED}", asked)
        (action_ids,) = cursor.fetchone() or (None,)
        if not action_ids:
            return 0
        cursor.execute(
            """
            select
                count(*) filter (where status = 'suppressed' and reason = 'stale'),
                count(*) filter (where status = 'awaiting_approval' and reason = %(reason)s)
            from cs.actions
            where expires_at > %(day_before)s and reason in ('stale', %(reason)s)
            """,
            {**asked, "day_before": now - timedelta(days=1)},
        )
        dropped, held = cursor.fetchone() or (0, 0)
        if len(action_ids) + dropped < MASS and not held:
            return 0
        cursor.execute(
            """
            update cs.actions
            set status = 'awaiting_approval', reason = %(reason)s, expires_at = %(until)s, told_at = null
            where action_id = any(%(action_ids)s)
            """,
            {**asked, "until": now + KEPT_FOR, "action_ids": action_ids},
        )
        return cursor.rowcount


def decide(session: Session, choice: Choice, playbook: str | None, by: str, now: datetime) -> int:
    """Decide on all missed actions (of `playbook`, or of all); returns how many.

    `catch-up`: they are due at once, and steps of one play keep their distance. `retime`: what is left of each play
    moves on, so that its first missed step is due now. `drop`: they are cancelled.
    """
    decision, status, reason = CHOICES[choice]
    change_in_order(session)
    with session.cursor() as cursor:
        cursor.execute(
            read_sql(__file__),
            {
                "now": now,
                "missed": MISSED,
                "playbook": playbook,
                "decision": decision,
                "by": by,
                "is_retimed": choice == "retime",
                "status": status,
                "reason": reason,
                "kept_for": timedelta(days=7),
            },
        )
        return cursor.rowcount


def waiting(session: Session) -> pd.DataFrame:
    """Missed actions that wait for a person: playbook, step, channel, actions, first_due, last_due."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select playbook, step, channel, count(*) as actions, min(due_at) as first_due, max(due_at) as last_due
            from cs.actions
            where status = 'awaiting_approval' and reason = %s
            group by playbook, step, channel
            order by playbook, first_due, step
            """,
            [MISSED],
        )
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])
