"""Number PostgreSQL's advisory locks, so that no two things of ours share one.

Locks by name (`hashtext`), of which there are many of a kind, are taken where they are needed; their keys are texts.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import IntEnum, unique

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.connection import Warehouse


@unique
class AdvisoryLock(IntEnum):
    """What happens once at a time in a database."""

    MIGRATION = 7_420_001
    MIGRATION_PREPARED = 7_420_010
    """What migrations do before their transaction; asked for, never waited for (see `migrate`)."""
    LOAD = 7_420_002
    """Load ids become visible in ascending order; migration 0012 names the number in SQL."""
    TABLE_OF_LOAD = 7_420_011
    """Shared by the transactions of one load (see `load_turn`)."""
    ENROLMENT = 7_420_003
    """Whatever the playbook: families are shared."""
    OUTBOX_CHANGE = 7_420_004
    TRIAL = 7_420_006
    ALERT_MESSAGES = 7_420_007
    """Two that look at the same moment would both make a message of the same."""
    ACCOUNT_OVERVIEW = 7_420_008
    FEEDBACK = 7_420_009
    """Two that look at the same moment would both hand on the same."""


def take_lock(cursor: Cursor, lock: AdvisoryLock) -> None:
    """Wait until nobody else has the lock, and hold it until the transaction ends."""
    cursor.execute("select pg_advisory_xact_lock(%s)", [lock.value])


def try_lock(cursor: Cursor, lock: AdvisoryLock) -> bool:
    """Hold the lock until the transaction ends, if nobody else has it."""
    cursor.execute("select pg_try_advisory_xact_lock(%s)", [lock.value])
    return cursor.fetchone() == (True,)


@contextmanager
def alone(warehouse: Warehouse, what: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """Within, nobody else does `what` on this database. `on_wait` is called before somebody else is waited for.

    For what has no transaction of its own, such as a program that we start: no transaction stays open meanwhile, and
    the lock ends with the process that holds it, whatever ended it.
    """
    with closing(warehouse.connect()) as session, session.cursor() as cursor:
        session.autocommit = True
        cursor.execute("select pg_try_advisory_lock(hashtext('cs.alone'), hashtext(%s))", [what])
        if cursor.fetchone() != (True,):
            on_wait()
            cursor.execute("select pg_advisory_lock(hashtext('cs.alone'), hashtext(%s))", [what])
        yield
