"""Find actions that go no further without a person, and remember which operations were told of.

Failed ones at once; uncertain ones when they were looked for at their provider, or when there was time to. How
operations are told is in `operations`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.outbox.lock import change_in_order
from cs_pipeline.plays.outbox.operations import Notice
from cs_pipeline.plays.outbox.queue import MAY_LOOK_UP, look_up_period

LOOKED_UP = timedelta(minutes=10)
SHOWN = 12  # lines of a message; the command line has the rest

IS_DEAD_LETTER = """
    actions.told_at is null
    and actions.notice_id is null
    and (
        actions.status = 'failed'
        or (actions.status = 'awaiting_approval' and actions.reason = 'missed')
        or (
            actions.status = 'uncertain'
            and (
                actions.looked_up_at is not null
                or (
                    select max(attempts.claimed_at)
                    from cs.action_attempts as attempts
                    where attempts.action_id = actions.action_id
                ) <= %(looked_up)s
            )
        )
    )
"""
"""SQL: whether operations are still to be told of an action."""


@dataclass(frozen=True)
class DeadLetters:
    """Actions that operations were not told of: their ids, and how many of each kind."""

    action_ids: tuple[int, ...]
    kinds: tuple[tuple[str, str, str, str, str, int], ...]
    """playbook, step, channel, status, reason, how many; the most frequent first."""

    @property
    def subject(self) -> str:
        """One line."""
        count = len(self.action_ids)
        return f"{count:,} actions need a person" if count > 1 else "An action needs a person"

    @property
    def words(self) -> str:
        """What operations read: no account and no address, since whoever acts looks them up."""
        lines = [
            f"{count:,} × {playbook}, step {step} ({channel}): {status}, {reason}"
            for playbook, step, channel, status, reason, count in self.kinds[:SHOWN]
        ]
        if len(self.kinds) > SHOWN:
            lines.append(f"and {len(self.kinds) - SHOWN} other kinds")
        first = self.action_ids[0]
        return "\n".join(
            [
                *lines,
                f"`cs-pipeline action list` lists them, `cs-pipeline action why {first}` tells the story of the first. "
                "Uncertain: nobody knows whether the provider took it; look there, then resend or cancel. "
                "Missed: nobody was there to take it in time; `cs-pipeline action missed` shows what to decide.",
            ]
        )


def notice(found: DeadLetters, now: datetime) -> Notice:
    """What operations read of `found`."""
    first, last = found.action_ids[0], found.action_ids[-1]
    key = f"stuck_actions:{first}-{last}-{len(found.action_ids)}-{now:%Y%m%dT%H%M}"
    return Notice(key, found.subject, found.words)


def untold(session: Session, now: datetime) -> DeadLetters | None:
    """What operations are still to be told of; None when there is nothing."""
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select playbook, step, channel, status, coalesce(reason, ''), count(*)::integer, array_agg(action_id)
            from cs.actions
            where {IS_DEAD_LETTER}
            group by playbook, step, channel, status, reason
            order by count(*) desc, playbook, step
            """,
            {"looked_up": now - LOOKED_UP},
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    return DeadLetters(
        action_ids=tuple(sorted(action_id for row in rows for action_id in row[-1])),
        kinds=tuple(row[:-1] for row in rows),
    )


def mark_told(session: Session, action_ids: Sequence[int], now: datetime) -> None:
    """Remember that operations know."""
    change_in_order(session)
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions
            set told_at = %s
            where action_id = any(%s) and told_at is null and status in ('failed', 'uncertain', 'awaiting_approval')
            """,
            [now, list(action_ids)],
        )


def is_anything_to_settle(session: Session, now: datetime) -> bool:
    """Whether there is anything to tell or to look up, or a worker has not come back in time; a sensor asks often."""
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select
                exists (select 1 from cs.actions where {IS_DEAD_LETTER})
                or exists (select 1 from cs.actions where status = 'claimed' and lease_until <= %(now)s)
                or exists (select 1 from cs.actions where looked_up_at is null and {MAY_LOOK_UP})
            """,
            {"looked_up": now - LOOKED_UP, "now": now, **look_up_period(now)},
        )
        return bool(cursor.fetchone()[0])  # pyright: ignore[reportOptionalSubscript]
