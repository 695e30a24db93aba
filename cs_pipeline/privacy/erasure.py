"""Erase one person: from the rows that were loaded, from what was written and sent to them, from the lists.

What counts rows stays: actions, attempts, events and answers are kept without address, name and words. Of an address
that must get no mail a hash is kept, so that a later load which brings it back changes nothing. What providers and the
source system hold is theirs to erase.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.addresses import address_of, hash_of, same_spelling
from cs_pipeline.channels.capture import forget_captured
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

ERASED = "erased"
NOTHING = "(?!)"  # matches no text
WORDS: Mapping[str, str] = {"tickets": "subject", "feedback": "body", "survey_responses": "comment"}
"""Columns of source tables in which a user speaks, by table."""


@dataclass(frozen=True)
class Person:
    """Who is to be forgotten. Stays out of its repr."""

    addresses: list[str] = field(repr=False)
    user_ids: list[str] = field(repr=False)
    names: list[str] = field(repr=False)

    @property
    def pattern(self) -> str:
        """A regular expression, for PostgreSQL, of every address and name as whole words."""
        texts = sorted((*self.addresses, *self.names), key=len, reverse=True)
        return f"(?<![[:alnum:]])(?:{'|'.join(map(re.escape, texts))})(?![[:alnum:]])" if texts else NOTHING


def erase(warehouse: Warehouse, settings: Settings, person: str, now: datetime) -> dict[str, int]:
    """Erase who has the e-mail address or user id `person`; returns how many rows were changed, by table.

    One transaction; then the captured pages. Erasing twice changes nothing more. Raises UserError when nobody is known
    by that address or id.
    """
    with warehouse.session() as session, session.cursor() as cursor:
        found = _find(cursor, person)
        counts = _forget_source_rows(cursor, found, now)
        pages = _forget_messages(cursor, found, counts)
        counts["cs.actions"] = _change(
            cursor,
            "update cs.actions set recipient = null, recipient_user_id = null, detail = null "
            "where lower(recipient) = any(%(addresses)s::text[]) or recipient_user_id = any(%(user_ids)s::text[])",
            found,
        )
        counts["cs.crm_tasks"] = _change(
            cursor,
            "update cs.crm_tasks set "
            "title = regexp_replace(title, %(pattern)s, 'erased', 'gi'), "
            "body = regexp_replace(body, %(pattern)s, 'erased', 'gi') "
            "where title ~* %(pattern)s or body ~* %(pattern)s",
            found,
        )
        counts["cs.notices"] = _change(
            cursor,
            "update cs.notices set "
            "subject = regexp_replace(subject, %(pattern)s, 'erased', 'gi'), "
            "body = regexp_replace(body, %(pattern)s, 'erased', 'gi'), html = null, blocks = null "
            "where subject ~* %(pattern)s or body ~* %(pattern)s or html ~* %(pattern)s or blocks::text ~* %(pattern)s",
            found,
        )
        # A report can be made again, of the rows as they are then.
        counts["cs.reports"] = _change(
            cursor,
            "delete from cs.reports where concat_ws(' ', owner, headline, page) ~* %(pattern)s",
            found,
        )
        counts["cs.alert_notifications"] = _change(
            cursor,
            "update cs.alert_notifications set recipient = 'erased ' || notification_id "
            "where lower(recipient) = any(%(addresses)s::text[])",
            found,
        )
        counts["cs.crm_readings"] = _change(
            cursor,
            "update cs.crm_readings set assignee = null where lower(assignee) = any(%(addresses)s::text[])",
            found,
        )
        counts |= _forget_alerts(cursor, found)
        _keep_hashes(cursor, found, now)
    forget_captured(settings, pages)
    return {table: count for table, count in counts.items() if count}


def _find(cursor: Cursor, person: str) -> Person:
    given, person = person, address_of(person) or person
    rows: list[tuple[str, str | None, str | None]] = []
    if _tables(cursor, "raw", ["users"]):
        cursor.execute(
            "select user_id, lower(email), full_name from raw.users where user_id = %s or cs.address_of(email) = %s "
            "or lower(email) = lower(%s)",
            [given, person, person],
        )
        rows = cursor.fetchall()
    cursor.execute("select true from cs.actions where lower(recipient) = lower(%s) limit 1", [person])
    is_recipient = cursor.fetchone() is not None and "@" in person
    if not rows and not is_recipient:
        raise UserError("Nobody is known by that address or user id; nothing was changed")
    spelt = {email for _, email, _ in rows if email}
    addresses = spelt | {same_spelling(email) for email in spelt} | ({person.lower()} if "@" in person else set())
    # A first name alone is that of many: it goes from the person's own rows and messages, not from those of others.
    names = {name.strip() for _, _, name in rows if name and " " in name.strip()}
    return Person(sorted(addresses), sorted(user_id for user_id, _, _ in rows), sorted(names))


def _forget_source_rows(cursor: Cursor, person: Person, now: datetime) -> dict[str, int]:
    counts: dict[str, int] = {}
    tables = _tables(cursor, "raw", ["users", *WORDS])
    if "users" in tables:
        counts["raw.users"] = _change(
            cursor,
            "update raw.users set email = null, full_name = null, timezone = null, "
            "unsubscribed_at = coalesce(unsubscribed_at, %(now)s) where user_id = any(%(user_ids)s::text[]) "
            "and (email is not null or full_name is not null)",
            person,
            now=now,
        )
    for table, column in WORDS.items():
        if table in tables:
            counts[f"raw.{table}"] = _change(
                cursor,
                sql.SQL(
                    "update {} set {column} = null where user_id = any(%(user_ids)s::text[]) and {column} is not null"
                ).format(sql.Identifier("raw", table), column=sql.Identifier(column)),
                person,
            )
    counts["raw.raw_rejects"] = _change(
        cursor,
        "update raw.raw_rejects set row_data = '{}' "
        "where row_data ->> 'user_id' = any(%(user_ids)s::text[]) or row_data::text ~* %(pattern)s",
        person,
    )
    cursor.execute(
        """
        select columns.table_name, array_agg(columns.column_name::text)
        from information_schema.columns
        inner join information_schema.tables using (table_schema, table_name)
        where columns.table_schema = 'landing' and columns.data_type = 'text' and tables.table_type = 'BASE TABLE'
        group by columns.table_name
        """
    )
    for table, columns in cursor.fetchall():
        counts[f"landing.{table}"] = _forget_landed(cursor, table, columns, person)
    return counts


def _forget_landed(cursor: Cursor, table: str, columns: list[str], person: Person) -> int:
    """Rows as they came, whose columns mean what their owner knows: every value that is an address or a name goes."""
    whole = sql.SQL("%(whole)s")
    changes = [
        sql.SQL("{0} = case when {0} ~* {1} then null else {0} end").format(sql.Identifier(column), whole)
        for column in columns
    ]
    matches = [sql.SQL("{} ~* {}").format(sql.Identifier(column), whole) for column in columns]
    return _change(
        cursor,
        sql.SQL("update {} set {} where {}").format(
            sql.Identifier("landing", table), sql.SQL(", ").join(changes), sql.SQL(" or ").join(matches)
        ),
        person,
        whole=f"^\\s*({person.pattern})\\s*$",
    )


def _forget_messages(cursor: Cursor, person: Person, counts: dict[str, int]) -> dict[str, str | None]:
    """Empty what was captured for or about the person; returns the pages, by action key."""
    cursor.execute(
        """
        select messages.action_key, messages.path
        from cs.captured_messages as messages
        left join cs.actions using (action_key)
        where
            lower(messages.recipient) = any(%(addresses)s::text[])
            or actions.recipient_user_id = any(%(user_ids)s::text[])
            or concat_ws(' ', messages.subject, messages.body_text, messages.payload::text) ~* %(pattern)s
        """,
        _parameters(person),
    )
    pages = dict(cursor.fetchall())
    cursor.execute(
        """
        update cs.captured_messages
        set recipient = %(erased)s, subject = %(erased)s, body_html = null, body_text = '', payload = '{}', path = null
        where action_key = any(%(keys)s::text[])
        """,
        {"erased": ERASED, "keys": list(pages)},
    )
    counts["cs.captured_messages"] = cursor.rowcount
    return pages


_SPOKEN = {"tickets": "ticket_id", "feedback": "feedback_id", "survey_responses": "response_id"}
"""Keys of the tables in WORDS: what an alert about such a row is about."""


def _forget_alerts(cursor: Cursor, person: Person) -> dict[str, int]:
    """Names and addresses in what rules found, and all that is said in alerts about the person or what they wrote.

    An entity that is an address becomes its hash, so that the alert stays one of its own. A user's id stays, as it does
    in the rows that rules read: without it, the rule would tell of the same again.
    """
    about = [
        sql.SQL("select {} from {} where user_id = any(%(user_ids)s::text[])").format(
            sql.Identifier(_SPOKEN[table]), sql.Identifier("raw", table)
        )
        for table in sorted(_tables(cursor, "raw", list(WORDS)))
    ]
    cursor.execute(
        sql.SQL(" union all ").join([sql.SQL("select unnest(%(user_ids)s::text[])"), *about]), _parameters(person)
    )
    entities = [row[0] for row in cursor.fetchall()]
    return {
        "cs.notices": _change(cursor, _NOTICES, person, entities=entities),
        "cs.alerts": _change(cursor, _ALERTS, person, entities=entities),
        "cs.alert_changes": _change(
            cursor,
            "update cs.alert_changes set entity = 'erased:' || md5(lower(entity)) "
            "where lower(entity) = any(%(addresses)s::text[])",
            person,
        ),
        "cs.alert_silences": _change(
            cursor,
            "update cs.alert_silences set reason = regexp_replace(reason, %(pattern)s, 'erased', 'gi') "
            "where reason ~* %(pattern)s",
            person,
        ),
        "cs.triggers": _change(cursor, _TRIGGERS, person),
    }


_ALERTS = """
update cs.alerts
set
    entity = case
        when lower(entity) = any(%(addresses)s::text[]) then 'erased:' || md5(lower(entity)) else entity
    end,
    facts = case
        when entity = any(%(entities)s::text[]) or facts ->> 'user_id' = any(%(user_ids)s::text[]) then '{}'
        else regexp_replace(facts::text, %(pattern)s, 'erased', 'gi')::jsonb
    end,
    snooze_reason = regexp_replace(snooze_reason, %(pattern)s, 'erased', 'gi')
where
    (entity = any(%(entities)s::text[]) or facts ->> 'user_id' = any(%(user_ids)s::text[])) and facts <> '{}'
    or lower(entity) = any(%(addresses)s::text[])
    or facts::text ~* %(pattern)s
    or snooze_reason ~* %(pattern)s
"""
_NOTICES = """
update cs.notices
set subject = 'erased', body = 'erased', html = null, blocks = null
where
    subject <> 'erased'
    and (
        concat_ws(' ', subject, body, html, blocks::text) ~* %(pattern)s
        or notice_id in (
            select told.notice_id
            from cs.alert_notifications as told
            inner join cs.alerts using (alert_id)
            where
                (
                    alerts.entity = any(%(entities)s::text[])
                    or alerts.facts ->> 'user_id' = any(%(user_ids)s::text[])
                )
                and alerts.facts <> '{}'
        )
    )
"""
_TRIGGERS = """
update cs.triggers
set
    subject_id = case
        when lower(subject_id) = any(%(addresses)s::text[]) then 'erased:' || md5(lower(subject_id)) else subject_id
    end,
    facts = regexp_replace(facts::text, %(pattern)s, 'erased', 'gi')::jsonb,
    trigger_key = case
        when trigger_key ~* %(pattern)s then 'alert:erased:' || md5(lower(trigger_key)) else trigger_key
    end
where kind = 'alert' and (facts::text ~* %(pattern)s or trigger_key ~* %(pattern)s)
"""


def _keep_hashes(cursor: Cursor, person: Person, now: datetime) -> None:
    hashes = [hash_of(address) for address in person.addresses]
    cursor.execute(
        """
        with known as (
            select address, hash
            from unnest(%(addresses)s::text[], %(hashes)s::text[]) as known (address, hash)
        ),

        plain as (
            delete from cs.suppressions
            where coalesce(cs.address_of(address), lower(address)) = any(%(addresses)s::text[])
            returning coalesce(cs.address_of(address), lower(address)) as address, reason, source, since
        )

        insert into cs.suppressions (address, reason, source, since)
        select known.hash, plain.reason, min(plain.source), min(plain.since)
        from plain
        inner join known on plain.address = known.address
        group by known.hash, plain.reason
        union all
        select hash, 'by_hand', 'erasure', %(now)s
        from known
        where not exists (select 1 from plain where plain.address = known.address and plain.reason = 'by_hand')
        on conflict (address, reason) do nothing
        """,
        {"addresses": person.addresses, "hashes": hashes, "now": now},
    )


def _tables(cursor: Cursor, schema: str, names: list[str]) -> set[str]:
    """Those of `names` that are there."""
    cursor.execute(
        "select name from unnest(%s::text[]) as name where to_regclass(%s || '.' || name) is not null", [names, schema]
    )
    return {name for (name,) in cursor.fetchall()}


def _change(cursor: Cursor, statement: str | sql.Composable, person: Person, **more: object) -> int:
    cursor.execute(statement, _parameters(person) | more)
    return cursor.rowcount


def _parameters(person: Person) -> dict[str, object]:
    return {
        "addresses": person.addresses,
        "user_ids": person.user_ids,
        "pattern": person.pattern,
    }
