"""Offer triggers to playbooks: which wait for a decision, which of them a playbook is about, and in which order.

How a sensor asks for them, batch by batch, is decided in `dispatch_cursor`; whether an account then enters is decided
in `enrolment`.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.catalogue import NAMED_BY, TriggerKind
from cs_pipeline.plays.playbooks.reading import switched_on
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.triggers.dispatch_cursor import AT_A_TIME, MOST_WAITING, Cursor, Offer, next_batches
from cs_pipeline.plays.triggers.kinds import KINDS
from cs_pipeline.plays.triggers.lifecycle import OLDEST
from cs_pipeline.sql_files import read_sql

UNDECIDED = """
not exists (
    select 1
    from cs.enrolments
    where enrolments.playbook = %(playbook)s and enrolments.trigger_id = triggers.trigger_id
)
"""
"""SQL: whether a row of cs.triggers waits for the decision of a playbook."""

UNDECIDED_COLUMNS = (
    "trigger_id", "trigger_key", "account_id", "subject_id", "user_id", "occurred_at", "anchor_on", "facts",
)  # fmt: skip

_CANDIDATES = read_sql(__file__, "candidates", undecided=UNDECIDED)


def offer_order(playbooks: Iterable[Playbook]) -> list[Playbook]:
    """The playbooks in the order in which they are offered a trigger: the first to take an account has it."""
    return sorted(playbooks, key=lambda playbook: (-playbook.priority, playbook.playbook))


def offer(
    session: Session,
    playbooks: Mapping[str, Playbook],
    kinds: Collection[TriggerKind],
    cursor: str | None,
    now: datetime,
) -> Offer:
    """What a sensor for triggers of `kinds` should ask for now; it keeps the cursor of the answer whatever it says."""
    remembered = Cursor.read(cursor)
    in_use = switched_on(playbooks).values()
    chosen = offer_order(playbook for playbook in in_use if playbook.trigger.kind in kinds)
    newest = _newest(session, kinds)  # first: what is committed after it is for the next tick
    known = {about: seen for about, seen in remembered.whole.items() if seen <= newest}  # or of another database
    is_whole = not _is_written(session)  # second: from here on whatever is older than the newest can be read
    waiting = {each.playbook: _waiting(session, each, remembered, known.get(_about(each)), now) for each in chosen}
    abouts = [_about(playbook) for playbook in chosen]
    whole = dict.fromkeys(abouts, newest) if is_whole else {about: known[about] for about in abouts if about in known}
    return next_batches(waiting, newest, remembered, now, whole)


def undecided(session: Session, playbook: Playbook, trigger_ids: Sequence[int]) -> pd.DataFrame:
    """Those of the triggers that are of the playbook's kind and that it has not decided on: UNDECIDED_COLUMNS.

    `subject_id` is the subscription of a renewal window, `user_id` the user whom the playbook is about; None for
    what is about the account as a whole.
    """
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select
                trigger_id, trigger_key, account_id,
                case when kind = 'renewal_window' then subject_id end as subject_id,
                case when %(is_about_user)s then coalesce(facts ->> 'user_id', subject_id) end as user_id,
                occurred_at, anchor_on, facts
            from cs.triggers
            where trigger_id = any(%(trigger_ids)s::bigint[]) and kind = %(kind)s and {UNDECIDED}
            order by trigger_id
            """,
            {
                "trigger_ids": list(trigger_ids),
                "kind": playbook.trigger.kind,
                "playbook": playbook.playbook,
                "is_about_user": playbook.is_about_user,
            },
        )
        return pd.DataFrame(cursor.fetchall(), columns=list(UNDECIDED_COLUMNS), dtype="object")


def is_offered(playbook: Playbook, triggers: pd.DataFrame) -> pd.Series:
    """Which of `triggers` (columns kind and facts) are of the playbook's kind and of those that it is about."""
    found = triggers["kind"] == playbook.trigger.kind
    names = playbook.named_causes
    if names is not None:
        named_by = NAMED_BY[playbook.trigger.kind]
        found &= pd.Series([each.get(named_by) in names for each in triggers["facts"]], index=triggers.index)
    return found


def check_named_causes(playbooks: Mapping[str, Playbook], config: Path | None) -> None:
    """Raises UserError with every playbook that waits for a segment or cadence that there is not.

    One that does not exist would just never start the play; of those that are switched off none is asked. Raises
    InvalidFile when the file of segments or cadences is itself wrong.
    """
    known = {kind.name: kind.names(config) for kind in KINDS if kind.names is not None}
    problems = [
        f"playbook {playbook.playbook}: trigger.when: there is no {NAMED_BY[playbook.trigger.kind]} '{name}'; "
        f"there are: {', '.join(known[playbook.trigger.kind])}"
        for playbook in switched_on(playbooks).values()
        if playbook.trigger.kind in known
        for name in playbook.named_causes or ()
        if name not in known[playbook.trigger.kind]
    ]
    if problems:
        raise UserError("\n".join(problems))


def _about(playbook: Playbook) -> str:
    """What decides which triggers a playbook is offered: with another answer it is to look at those of late again."""
    causes = ",".join(sorted(playbook.named_causes or ["*"]))
    digest = hashlib.sha256(f"{playbook.trigger.kind}:{causes}".encode()).hexdigest()[:8]
    return f"{playbook.playbook}:{digest}"


def _is_written(session: Session) -> bool:
    """Whether anybody is about to commit triggers, which then may be older than others that are there already.

    Who inserts has this lock before a row gets its id, until it is committed: with no such lock, all ids up to the
    newest that was seen before are either there or never will be.
    """
    with session.cursor() as cursor:
        cursor.execute(
            """
            select exists (
                select 1
                from pg_locks
                where
                    locktype = 'relation'
                    and database = (select oid from pg_database where datname = current_database())
                    and relation = 'cs.triggers'::regclass
                    and mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                    and granted
            )
            """
        )
        return bool(cursor.fetchone()[0])  # pyright: ignore[reportOptionalSubscript]


def _waiting(session: Session, playbook: Playbook, remembered: Cursor, whole: int | None, now: datetime) -> list[int]:
    """Ids without a decision: past the cursor, or of a failed run, or above `whole`, below which all were seen.

    Where that is not known, those that are young: they may have been committed late.
    """
    after = remembered.after.get(playbook.playbook)
    of_runs = [
        trigger_id for earlier in remembered.waiting_for(playbook.playbook) for trigger_id in earlier.batch.trigger_ids
    ]
    with session.cursor() as cursor:
        cursor.execute(
            _CANDIDATES,
            {
                "kind": playbook.trigger.kind,
                "playbook": playbook.playbook,
                "after": min(after or 0, whole) if whole is not None else after,
                "since": now - OLDEST if whole is None else None,
                "of_runs": of_runs,
                "named_by": NAMED_BY.get(playbook.trigger.kind),
                "names": playbook.named_causes,
                "limit": len(of_runs) + AT_A_TIME * MOST_WAITING + 1,  # one more tells that there is more
            },
        )
        return [trigger_id for (trigger_id,) in cursor.fetchall()]


def _newest(session: Session, kinds: Collection[TriggerKind]) -> int:
    with session.cursor() as cursor:
        cursor.execute(
            "select coalesce(max(trigger_id), 0) from cs.triggers where kind = any(%s::text[])", [list(kinds)]
        )
        return int(cursor.fetchone()[0])  # pyright: ignore[reportOptionalSubscript]
