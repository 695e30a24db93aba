"""Stop everything, a channel, a playbook or an account, as a person decides.

A stopped action is held, not dropped: it goes out when the switch is lifted in time, and is suppressed with the reason
`kill_switch` when it has become stale by then.
"""

from datetime import datetime
from typing import Literal

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.outbox import channel_pauses

Scope = Literal["everything", "channel", "playbook", "account"]
EVERYTHING = "*"

STOPPED = """
exists (
    select 1
    from cs.kill_switches as switches
    where
        switches.scope = 'everything'
        or (switches.scope = 'channel' and switches.name = actions.channel)
        or (switches.scope = 'playbook' and switches.name = actions.playbook)
        or (switches.scope = 'account' and switches.name = actions.account_id)
)
"""
"""SQL: whether a switch stops the row `actions` (of cs.actions)."""


def stop(session: Session, scope: Scope, name: str, reason: str, by: str, now: datetime) -> None:
    """Stop `name` (a channel, playbook or account id; EVERYTHING for everything). Stopping twice changes nothing."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.kill_switches (scope, name, reason, set_by, set_at)
            values (%s, %s, %s, %s, %s)
            on conflict (scope, name) do nothing
            """,
            [scope, name, reason, by, now],
        )


def lift(session: Session, scope: Scope, name: str) -> bool:
    """Undo `stop`; what a channel's provider paused is asked again at once, too. False when nothing was stopped."""
    with session.cursor() as cursor:
        cursor.execute("delete from cs.kill_switches where scope = %s and name = %s", [scope, name])
        was_stopped = cursor.rowcount > 0
    if scope not in ("everything", "channel"):
        return was_stopped
    return channel_pauses.end(session, name if scope == "channel" else None) or was_stopped


def mark_held(session: Session, now: datetime) -> int:
    """Show on every due action whether a switch holds it; returns how many are held."""
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            update cs.actions
            set reason = case when {STOPPED} then 'kill_switch' end
            where
                status = 'planned'
                and due_at <= %(now)s
                and (reason is not distinct from 'kill_switch') <> {STOPPED}
            """,
            {"now": now},
        )
        cursor.execute(
            "select count(*) from cs.actions where status = 'planned' and due_at <= %s and reason = 'kill_switch'",
            [now],
        )
        return int(cursor.fetchone()[0])  # pyright: ignore[reportOptionalSubscript]
