"""Keep transactions that change many rows of the outbox in order, so that two of them never deadlock."""

from psycopg2.extensions import connection as Session

from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, take_lock


def change_in_order(session: Session) -> None:
    """Wait until no other transaction changes many rows of the outbox; held until the caller's ends."""
    with session.cursor() as cursor:
        take_lock(cursor, AdvisoryLock.OUTBOX_CHANGE)
