"""Triggers as rows: opening those of the account life cycle, and finding those that wait for a decision.

Score changes and renewal windows write theirs themselves. Which triggers are then offered is in `offers`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.catalogue import TriggerKind
from cs_pipeline.plays.offers import AT_A_TIME, MOST_WAITING, Cursor, Offer, next_batches
from cs_pipeline.plays.specification import Playbook

OLDEST = timedelta(days=7)
"""A cause older than this starts no play, unless a sensor had already got to it."""


def open_lifecycle_triggers(session: Session, now: datetime) -> int:
    """One trigger for every account that signed up within OLDEST and has none; returns how many were opened.

    Older accounts get none, so that a first install greets nobody who has been here for years.
    """
    if not _exists(session, "staging.stg_accounts"):
        return 0
    with session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
            select
                'lifecycle:' || account_id || ':signup',
                'lifecycle',
                account_id,
                account_id,
                created_at,
                (created_at at time zone 'UTC')::date,
                '{"anchor": "signup"}'::jsonb
            from staging.stg_accounts as accounts
            where
                created_at > %(now)s - %(oldest)s
                and created_at <= %(now)s
                and coalesce(churned_at > %(now)s, true)
                and not exists (
                    select 1
                    from cs.triggers
                    where trigger_key = 'lifecycle:' || accounts.account_id || ':signup'
                )
            on conflict (trigger_key) do nothing
            """,
            {"now": now, "oldest": OLDEST},
        )
        return cursor.rowcount


def offer(
    session: Session,
    playbooks: Mapping[str, Playbook],
    kinds: Collection[TriggerKind],
    cursor: str | None,
    now: datetime,
) -> Offer:
    """What a sensor for triggers of `kinds` should ask for now; it keeps the cursor of the answer whatever it says."""
    remembered = Cursor.read(cursor)
    chosen = [playbook for playbook in playbooks.values() if playbook.trigger.kind in kinds]
    chosen.sort(key=lambda playbook: (-playbook.priority, playbook.playbook))
    newest = _newest(session, kinds)  # first: what is committed after it is for the next tick
    undecided = {playbook.playbook: _undecided(session, playbook, remembered, now) for playbook in chosen}
    return next_batches(undecided, newest, remembered, now)


def _undecided(session: Session, playbook: Playbook, remembered: Cursor, now: datetime) -> list[int]:
    """Ids without a decision: past the cursor, or young (they may have been committed late), or of a failed run."""
    waiting = [
        trigger_id for earlier in remembered.waiting_for(playbook.playbook) for trigger_id in earlier.batch.trigger_ids
    ]
    with session.cursor() as cursor:
        cursor.execute(
            """
            with candidates as (
                select trigger_id from cs.triggers where kind = %(kind)s and trigger_id > %(after)s
                union
                select trigger_id from cs.triggers where kind = %(kind)s and occurred_at > %(since)s
                union
                select unnest(%(waiting)s::bigint[])
            )

            select trigger_id
            from candidates
            where not exists (
                select 1
                from cs.enrolments
                where enrolments.playbook = %(playbook)s and enrolments.trigger_id = candidates.trigger_id
            )
            order by trigger_id
            limit %(limit)s
            """,
            {
                "kind": playbook.trigger.kind,
                "playbook": playbook.playbook,
                "after": remembered.after.get(playbook.playbook),
                "since": now - OLDEST,
                "waiting": waiting,
                "limit": len(waiting) + AT_A_TIME * MOST_WAITING + 1,  # one more tells that there is more
            },
        )
        return [trigger_id for (trigger_id,) in cursor.fetchall()]


def _newest(session: Session, kinds: Collection[TriggerKind]) -> int:
    with session.cursor() as cursor:
        cursor.execute(
            "select coalesce(max(trigger_id), 0) from cs.triggers where kind = any(%s::text[])", [list(kinds)]
        )
        return int(cursor.fetchone()[0])  # pyright: ignore[reportOptionalSubscript]


def _exists(session: Session, relation: str) -> bool:
    with session.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", [relation])
        return bool(cursor.fetchone()[0])  # pyright: ignore[reportOptionalSubscript]
