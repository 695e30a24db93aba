"""Fill the list of addresses that get no mail from what the provider knows. Additions only.

An address that SendGrid forgets stays here until a person takes it out of `cs.suppressions`: that somebody wants mail
again is not concluded from a missing row.
"""

from collections.abc import Sequence

from psycopg2.extensions import connection as Session
from psycopg2.extras import execute_values

from cs_pipeline.addresses import hash_of
from cs_pipeline.channels.sendgrid_suppressions import Suppressed

SOURCE = "sendgrid"


def add(session: Session, found: Sequence[Suppressed]) -> int:
    """Add what is not known yet; returns how many. Who was erased is known by a hash, and stays so."""
    with session.cursor() as cursor:
        added = execute_values(
            cursor,
            """
            insert into cs.suppressions (address, reason, source, since)
            select found.address, found.reason, found.source, min(found.since)
            from (values %s) as found (address, hash, reason, source, since)
            where not exists (select 1 from cs.suppressions as erased where erased.address = found.hash)
            group by found.address, found.reason, found.source
            on conflict (address, reason) do nothing
            returning address
            """,
            [(entry.address, hash_of(entry.address), entry.reason, SOURCE, entry.since) for entry in found],
            template="(%s, %s, %s, %s, %s::timestamptz)",
            page_size=10_000,
            fetch=True,
        )
        return len(added)
