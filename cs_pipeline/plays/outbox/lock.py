"""Keep transactions that change many rows of the outbox in order, so that two of them never deadlock."""

from psycopg2.extensions import connection as Session

LOCK = 7_420_004  # any constant of ours


def change_in_order(session: Session) -> None:
    """Wait until no other transaction changes many rows of the outbox; held until the caller's ends."""
    with session.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
