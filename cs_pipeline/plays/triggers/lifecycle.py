"""Triggers as rows: opening those of the account life cycle, and finding those that wait for a decision.

Score changes and renewal windows write theirs themselves. Which triggers are then offered is in `offers`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts.catalogue import NAMED_BY, TriggerKind
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.triggers.dispatch_cursor import AT_A_TIME, MOST_WAITING, Cursor, Offer, next_batches

OLDEST = timedelta(days=7)
"""A cause older than this starts no play, unless a sensor had already got to it."""


def open_lifecycle_triggers(session: Session, now: datetime) -> int:
    """One trigger for every account that signed up or left within OLDEST, or left so many years ago, and has none.

    Returns how many were opened. What is longer ago gets none, so that a first install greets nobody who has been here
    for years, and asks nobody why they left last spring.
    """
    if not _exists(session, "staging.stg_accounts"):
        return 0
    with session.cursor() as cursor:
        cursor.execute(
            """
            with happened as (
                select
                    account_id,
                    created_at as occurred_at,
                    'signup' as anchor,
                    ':signup' as cause
                from staging.stg_accounts
                where coalesce(churned_at > %(now)s, true)
                union all
                -- The day is part of the cause: whoever returns and leaves again has left twice.
                select
                    account_id,
                    churned_at,
                    'churn',
                    ':churn:' || (churned_at at time zone 'UTC')::date
                from staging.stg_accounts
                union all
                select
                    account_id,
                    churned_at + make_interval(years => years),
                    'churn_anniversary',
                    ':churn:' || (churned_at at time zone 'UTC')::date || ':' || years
                from staging.stg_accounts
                inner join generate_series(1, 30) as years
                    on churned_at + make_interval(years => years) between %(now)s - %(oldest)s and %(now)s
            )

            insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
            select
                'lifecycle:' || account_id || cause,
                'lifecycle',
                account_id,
                account_id,
                occurred_at,
                (occurred_at at time zone 'UTC')::date,
                jsonb_build_object('anchor', anchor)
            from happened
            where
                occurred_at > %(now)s - %(oldest)s
                and occurred_at <= %(now)s
                and not exists (
                    select 1
                    from cs.triggers
                    where trigger_key = 'lifecycle:' || happened.account_id || happened.cause
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
            inner join cs.triggers using (trigger_id)
            where
                (%(names)s::text[] is null or triggers.facts ->> %(named_by)s = any(%(names)s::text[]))
                and not exists (
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
                "named_by": NAMED_BY.get(playbook.trigger.kind),
                "names": causes_of(playbook),
                "limit": len(waiting) + AT_A_TIME * MOST_WAITING + 1,  # one more tells that there is more
            },
        )
        return [trigger_id for (trigger_id,) in cursor.fetchall()]


def causes_of(playbook: Playbook) -> list[str] | None:
    """Which triggers of its kind the playbook is about, where its condition says so; None for all of them."""
    named_by, condition = NAMED_BY.get(playbook.trigger.kind), playbook.trigger.condition
    names = condition.required(named_by) if condition is not None and named_by is not None else None
    return None if names is None else list(names)


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
