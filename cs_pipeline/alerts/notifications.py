"""Write down of which alerts people are to be told, in the transaction that changed them.

A row of cs.alert_notifications is what one reader is to be told of one alert; who that is, and when, is decided here.
Messages are made of them afterwards: those at once in `messages_at_once`, those that wait for the morning in `digest`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.directory import WEEKDAYS, Directory
from cs_pipeline.alerts.evaluation import Evaluation
from cs_pipeline.alerts.route import chain, fixed_recipients
from cs_pipeline.alerts.rule import Alert
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.team_file import load_directory
from cs_pipeline.settings import Settings
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.relations import missing_relations

ACCOUNTS = "marts.dim_accounts"
NO_ACCOUNTS = (
    "(select ''::text as account_id, null::text as account_name, null::text as owner_email, "
    "null::text as manager_email, null::text as executive_email, null::double precision as arr where false)"
)


def tell(session: Session, rule: Rule, evaluation: Evaluation, settings: Settings, now: datetime) -> None:
    """Write down whom `evaluation.told` is told to, and when. What is over before anybody was told is not told."""
    told = evaluation.told
    if not told:
        return
    directory = load_directory(settings.config)
    _drop_what_is_over(session, told.resolved)
    _revive(session, told.reopened)
    write(
        session,
        rule.alert,
        {"new": told.new, "reminder": told.woken, "reopened": told.reopened, "resolved": told.resolved},
        directory,
        settings,
        now,
    )


def write(
    session: Session,
    alert: Alert,
    alert_ids: Mapping[str, Sequence[int]],
    directory: Directory,
    settings: Settings,
    now: datetime,
    to: str | None = None,
) -> int:
    """Write who is told of alerts of one rule, by kind; returns how many rows are new.

    `new` and `escalation` go along the chain of roles (from `to` on, where it is given), the latter past those who were
    told; `reminder`, `reopened` and `resolved` go to those who know.
    """
    rows = [(alert_id, kind) for kind, ids in alert_ids.items() for alert_id in ids]
    if not rows:
        return 0
    fixed = fixed_recipients(alert, directory, settings)
    with session.cursor() as cursor:
        cursor.execute(
            read_sql(__file__, accounts=accounts_relation(session)),
            {
                "alert_ids": [alert_id for alert_id, _ in rows],
                "kinds": [kind for _, kind in rows],
                "chain": list(chain(alert, to)),
                "fixed_roles": list(fixed),
                "fixed_recipients": list(fixed.values()),
                "is_in_digest": is_in_digest(alert),
                "persons": list(directory.people),
                "zones": [person.timezone for person in directory.people.values()],
                "zone": settings.timezone,
                "hour": directory.digest.hour,
                "weekdays": [WEEKDAYS.index(day) + 1 for day in directory.digest.days],
                "now": now,
            },
        )
        return cursor.rowcount


def is_in_digest(alert: Alert) -> bool:
    """Whether what its alerts say waits for the morning: not what is urgent, nor what is told once for the whole."""
    return alert.notify.digest is not None and alert.severity != "urgent" and alert.mode != "once"


def accounts_relation(session: Session) -> str:
    """Where accounts and their people are read, or a relation of none where the marts are not built."""
    return NO_ACCOUNTS if missing_relations(session, ACCOUNTS) else ACCOUNTS


def _drop_what_is_over(session: Session, resolved: Sequence[int]) -> None:
    """What ended before the morning came is not told, neither that it began nor that it is over."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.alert_notifications
            set dropped = 'over'
            where alert_id = any(%s::bigint[]) and notice_id is null and dropped is null
            """,
            [list(resolved)],
        )


def _revive(session: Session, reopened: Sequence[int]) -> None:
    """What is back and was never told is to be told after all, with the next digest."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.alert_notifications
            set dropped = null
            where alert_id = any(%s::bigint[]) and kind = 'new' and dropped = 'over'
            """,
            [list(reopened)],
        )
