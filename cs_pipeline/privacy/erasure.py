"""Erase one person: from the rows that were loaded, from what was written and sent to them, from the lists.

What counts rows stays: actions, attempts, events and answers are kept without address, name and words. Of an address
that must get no mail a hash is kept, so that a later load which brings it back changes nothing. What providers and the
source system hold is theirs to erase. What goes where is in `source_rows`, `messages` and `alerts`.
"""

from datetime import datetime

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.addresses import hash_of
from cs_pipeline.channels.capture import forget_captured
from cs_pipeline.privacy.alerts import forget_alerts
from cs_pipeline.privacy.messages import forget_captured_rows, forget_messages
from cs_pipeline.privacy.person import Person, find
from cs_pipeline.privacy.source_rows import entities_of, forget_source_rows
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


def erase(warehouse: Warehouse, settings: Settings, person: str, now: datetime) -> dict[str, int]:
    """Erase who has the e-mail address or user id `person`; returns how many rows were changed, by table.

    One transaction; then the captured pages. Erasing twice changes nothing more. Raises UserError when nobody is known
    by that address or id.
    """
    with warehouse.session() as session, session.cursor() as cursor:
        found = find(cursor, person)
        counts = forget_source_rows(cursor, found, now)
        entities = entities_of(cursor, found)
        pages = forget_captured_rows(cursor, found, entities)
        counts["cs.captured_messages"] = len(pages)
        counts |= forget_alerts(cursor, found, entities)
        for table, changed in forget_messages(cursor, found, entities).items():
            counts[table] = counts.get(table, 0) + changed
        _keep_hashes(cursor, found, now)
    forget_captured(settings, pages)
    return {table: count for table, count in counts.items() if count}


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
