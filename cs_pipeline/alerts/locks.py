"""Let one at a time change the alerts of a rule: an evaluation, or a decision about what it holds."""

from psycopg2.extensions import connection as Session

_KEYS = "hashtext('cs.alerts'), hashtext(%s)"


def is_free(session: Session, rule: str) -> bool:
    """Take the rule until the transaction ends; False where somebody else has it."""
    with session.cursor() as cursor:
        cursor.execute(f"select pg_try_advisory_xact_lock({_KEYS})", [rule])
        return cursor.fetchone() == (True,)


def wait_for(session: Session, rule: str) -> None:
    """Take the rule until the transaction ends, once whoever has it is done."""
    with session.cursor() as cursor:
        cursor.execute(f"select pg_advisory_xact_lock({_KEYS})", [rule])
