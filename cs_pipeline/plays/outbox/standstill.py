"""Decide what stands still and why: due actions that nobody takes, whatever the cause.

Who looks, and who is told, is elsewhere: it must not depend on what it watches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.outbox.queue import MAY_GO

PATIENCE = timedelta(minutes=4)
"""How long an action may be due, and its channel idle. The sensor looks every half minute, and a run needs seconds."""
RUN_PATIENCE = timedelta(minutes=15)
"""How long a run may be at work, or wait to be, without an attempt: it may judge very many actions first."""
TOLD_AGAIN_AFTER = timedelta(hours=6)


@dataclass(frozen=True)
class Waiting:
    """Due actions of a channel: how many, since when, and when the last attempt on that channel was."""

    channel: str
    actions: int
    since: datetime
    last_attempt: datetime | None


@dataclass(frozen=True)
class Surroundings:
    """What those who should take them are doing. Each reason is in words, empty where there is nothing to say."""

    no_daemon: str = ""
    run_since: datetime | None = None
    """Since when the oldest delivery is at work, or waits to be."""
    run: str = ""
    sensor: str = ""


@dataclass(frozen=True)
class Standstill:
    """A cause, by its stable name, and what operations read."""

    cause: str
    subject: str
    words: str
    actions: int
    """Due actions that wait; none where there is only nobody who would take one."""


def waiting(session: Session, now: datetime) -> list[Waiting]:
    """Due actions that could be taken at `now`, by channel."""
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select
                due.channel,
                due.actions,
                due.since,
                (
                    select max(attempts.claimed_at)
                    from cs.action_attempts as attempts
                    inner join cs.actions as taken on attempts.action_id = taken.action_id
                    where taken.channel = due.channel and attempts.claimed_at > %(recent)s
                ) as last_attempt
            from (
                select actions.channel, count(*)::integer as actions, min(actions.due_at) as since
                from cs.actions
                left join cs.enrolments using (enrolment_id)
                where {MAY_GO}
                group by actions.channel
            ) as due
            order by due.channel
            """,
            {"now": now, "recent": now - PATIENCE},
        )
        return [Waiting(*row) for row in cursor.fetchall()]


def what_stands_still(channels: Sequence[Waiting], around: Surroundings, now: datetime) -> Standstill | None:
    """What nobody takes, under the first cause that explains it; None while all goes on.

    No daemon is a standstill by itself: nothing falls due without it.
    """
    idle = [
        each
        for each in channels
        if each.since <= now - PATIENCE and (each.last_attempt is None or each.last_attempt <= now - PATIENCE)
    ]
    actions = sum(each.actions for each in idle)
    if around.no_daemon:
        return Standstill("daemon", "The daemon is not at work", _words(idle, around.no_daemon), actions)
    if not idle:
        return None
    subject = f"{actions:,} due actions wait and nobody takes them"
    if around.run_since is not None:
        if around.run_since > now - RUN_PATIENCE:
            return None
        return Standstill("run", subject, _words(idle, around.run), actions)
    if around.sensor:
        return Standstill("sensor", subject, _words(idle, around.sensor), actions)
    names = " ".join(each.channel for each in idle)
    reason = "The daemon lives and no delivery is under way: see the log of the daemon, and the runs in the Dagster UI."
    return Standstill(f"channels {names}", subject, _words(idle, reason), actions)


def _words(idle: Sequence[Waiting], reason: str) -> str:
    lines = [
        f"{each.actions:,} due actions ({each.channel}) wait since {each.since:%Y-%m-%d %H:%M} UTC" for each in idle
    ]
    return "\n".join([*lines, reason, "`cs-pipeline doctor` says what is so now."])
