"""The ledger of what was handed on: hand on what is new, each item once, and tell who receives it.

All of it is decided in the database, for any number of items at once; what is said to whom is in `messages`. Nothing
here talks to a provider: messages are actions of the outbox, planned in the transaction that writes the ledger.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Session
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.feedback import words
from cs_pipeline.feedback.definition import RoutingBook
from cs_pipeline.feedback.messages import tell
from cs_pipeline.feedback.tasks import plan_tasks
from cs_pipeline.plays.facts.query import NOT_BUILT
from cs_pipeline.settings import Settings
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, take_lock

ITEMS = "intermediate.int_feedback_items"
GIVEN = """(
    select
        %(said_in)s::text as said_in, '' as source_id, '' as account_id, %(kind)s::text as kind,
        %(question)s::text as question, null::text as feature, null::text as asked_by,
        null::double precision as score_share, %(now)s::timestamptz as said_at, %(text)s::text as words,
        %(now)s::timestamptz as arrived_at
)"""
_PLAIN = words.PLAIN.format(text="items.words")
_FOUND = words.FOUND.format(plain="asked.plain", negated="lists.negated", found="lists.found")


@dataclass(frozen=True)
class Routed:
    """What came of a look at what is new. `messages` and `tasks` were planned; `old` items are told to nobody."""

    items: int = 0
    triage: int = 0
    old: int = 0
    messages: int = 0
    tasks: int = 0
    by_rule: tuple[tuple[str, int], ...] = ()


def route(session: Session, book: RoutingBook, settings: Settings, now: datetime) -> Routed:
    """Hand on everything that nobody was handed yet. In the caller's transaction; again, it finds nothing.

    Raises UserError while the marts are not built, or where alerts.yaml is wrong.
    """
    with session.cursor() as cursor:
        take_lock(cursor, AdvisoryLock.FEEDBACK)
        decide(cursor, book, now, ITEMS, {})
        cursor.execute(_WRITE, {"now": now})
        cursor.execute(
            "select coalesce(rule, ''), count(*), count(*) filter (where not is_told) from routed_now group by rule "
            "order by count(*) desc, rule"
        )
        counts = cursor.fetchall()
        messages = tell(cursor, book, settings, now)
        tasks = plan_tasks(cursor, book, settings, now)
        _drop(cursor)
    return Routed(
        items=sum(count for _, count, _ in counts),
        triage=sum(count for rule, count, _ in counts if not rule),
        old=sum(old for *_, old in counts),
        messages=messages,
        tasks=tasks,
        by_rule=tuple((rule, count) for rule, count, _ in counts if rule),
    )


def assign(
    session: Session,
    items: Sequence[str],
    to: Sequence[str],
    by: str,
    book: RoutingBook,
    settings: Settings,
    now: datetime,
) -> int:
    """Send items (`feedback:fb-1`) to others than where they are, out of triage or elsewhere, and tell those.

    In the caller's transaction; returns how many messages were planned. Raises UserError for an item that is not in the
    ledger.
    """
    keys = [item.partition(":")[::2] for item in items]
    with session.cursor() as cursor:
        take_lock(cursor, AdvisoryLock.FEEDBACK)
        cursor.execute(
            _ASSIGN,
            {
                "said_in": [key[0] for key in keys],
                "source_id": [key[1] for key in keys],
                "to": list(to),
                "by": by,
                "now": now,
            },
        )
        found = {f"{said_in}:{source_id}" for said_in, source_id in cursor.fetchall()}
        if unknown := [item for item in items if item not in found]:
            raise UserError(
                f"The ledger has no {', '.join(unknown)}; `cs-pipeline feedback list` prints items as feedback:fb-1"
            )
        cursor.execute(read_sql(__file__, "assigned", items=ITEMS), {"items": sorted(found), "now": now})
        messages = tell(cursor, book, settings, now)
        _drop(cursor)
    return messages


def rules_for(
    session: Session, book: RoutingBook, text: str, said_in: str, kind: str, question: str | None, now: datetime
) -> list[str]:
    """The rules that would match a text, the first the one that takes it. Writes nothing.

    Raises UserError while the marts are not built.
    """
    with session.cursor() as cursor:
        given = {"said_in": said_in, "kind": kind, "question": question, "text": text}
        decide(cursor, book, now, GIVEN, given)
        cursor.execute("select matched from routed_now")
        found = cursor.fetchone()
        cursor.execute("drop table routed_now")
    return [] if found is None else list(found[0])


def wrong_examples(session: Session, book: RoutingBook) -> list[tuple[str, str, str]]:
    """Examples of word lists that are not so: the list, whether it should be found, and the text."""
    texts = [
        (name, place, text)
        for name, listed in book.words.items()
        for place, several in (("found", listed.examples.found), ("not_found", listed.examples.not_found))
        for text in several
    ]
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select examples.list, examples.place, examples.words
            from unnest(%(list)s::text[], %(place)s::text[], %(text)s::text[]) with ordinality
                as examples (list, place, words, nth)
            inner join unnest(%(lists)s::text[], %(found)s::text[], %(negated)s::text[]) as lists (list, found, negated)
                using (list)
            where (examples.place = 'found') <> ({
                words.FOUND.format(
                    plain=words.PLAIN.format(text="examples.words"), negated="lists.negated", found="lists.found"
                )
            })
            order by examples.nth
            """,
            {
                **_lists(book),
                "list": [name for name, *_ in texts],
                "place": [place for _, place, _ in texts],
                "text": [text for *_, text in texts],
            },
        )
        return cursor.fetchall()


def decide(cursor: Cursor, book: RoutingBook, now: datetime, items: str, more: dict[str, object]) -> None:
    """Make the temporary table `routed_now`. Raises UserError while the marts are not built."""
    conditions = [
        {**condition.model_dump(), "rule": rule.rule, "nth": nth}
        for nth, rule in enumerate(book.rules)
        for condition in rule.when
    ]
    rules = [
        {
            "rule": rule.rule,
            "nth": nth,
            "sent_to": rule.to,
            "priority": {tier: value for tier, value in rule.priority.model_dump().items() if value},
        }
        for nth, rule in enumerate(book.rules)
    ]
    try:
        cursor.execute(
            read_sql(__file__, "decide", items=items, plain_words=_PLAIN, mentioned=_FOUND),
            {
                **_lists(book),
                "conditions": json.dumps(conditions),
                "rules": json.dumps(rules),
                "triage": list(book.triage.to),
                "triage_said_in": list(book.triage.said_in),
                "looks_back_days": book.looks_back_days,
                "told_within_days": book.told_within_days,
                "now": now,
                **more,
            },
        )
    except NOT_BUILT as error:
        missing = str(error).splitlines()[0]
        raise UserError(
            f"Feedback is routed from the marts, which are not built ({missing}); run the weekly job"
        ) from None


def _lists(book: RoutingBook) -> dict[str, object]:
    return {
        "lists": list(book.words),
        "found": [words.found(each) for each in book.words.values()],
        "negated": [words.negated(each, book.negation) for each in book.words.values()],
    }


def _drop(cursor: Cursor) -> None:
    """What a second look in the same transaction makes anew."""
    cursor.execute("drop table if exists routed_now, told_now")


_WRITE = """
insert into cs.routed_feedback (
    said_in, source_id, account_id, kind, question, feature, asked_by, tier, said_at, rule, matched, sent_to, priority,
    routed_at, is_told
)
select
    said_in, source_id, account_id, kind, question, feature, asked_by, tier, said_at, rule, matched, sent_to, priority,
    %(now)s, is_told
from routed_now
"""
_ASSIGN = """
update cs.routed_feedback as ledger
set sent_to = %(to)s::text[], assigned_by = %(by)s, assigned_at = %(now)s, is_told = true
from unnest(%(said_in)s::text[], %(source_id)s::text[]) as asked (said_in, source_id)
where ledger.said_in = asked.said_in and ledger.source_id = asked.source_id
returning ledger.said_in, ledger.source_id
"""
